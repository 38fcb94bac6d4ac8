"""The files that pages refer to, under addresses that may be kept as long as their content is the same."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_FOREVER = "public, max-age=31536000, immutable"
_A_DAY = "public, max-age=86400"
_FIVE_MINUTES = "public, max-age=300"
_ROBOTS = "User-agent: *\nDisallow: /api/\n"


@dataclass(frozen=True)
class Asset:
    """One file: where it is served, and how long it may be kept."""

    path: str
    content: bytes
    media_type: str
    cache: str
    for_everyone: bool = False

    @cached_property
    def packed(self) -> bytes:
        """The content with gzip, made once."""
        return gzip.compress(self.content, 9, mtime=0)

    @property
    def etag(self) -> str:
        return f'"{_digest(self.content)}"'

    def route(self) -> Route:
        return Route(self.path, self._answer, methods=["GET"])

    async def _answer(self, request: Request) -> Response:
        headers = {"ETag": self.etag, "Cache-Control": self.cache, "X-Content-Type-Options": "nosniff"}
        headers["Vary"] = "Accept-Encoding"
        if self.for_everyone:
            headers |= {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
        if self.etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" not in request.headers.get("accept-encoding", ""):
            return Response(self.content, media_type=self.media_type, headers=headers)
        return Response(self.packed, media_type=self.media_type, headers=headers | {"Content-Encoding": "gzip"})


class Assets:
    """Every file of the pages; the hash in a name changes with the content."""

    def __init__(self) -> None:
        own = files("tertulia.pages")
        self.styles = _hashed(own / "styles.css", "text/css")
        self.script = _hashed(own / "page.js", "text/javascript")
        self._others = [
            Asset("/favicon.svg", (own / "favicon.svg").read_bytes(), "image/svg+xml", _A_DAY),
            Asset("/robots.txt", _ROBOTS.encode(), "text/plain", _A_DAY),
            *_client(files("tertulia") / "static"),
        ]

    def routes(self) -> list[Route]:
        return [asset.route() for asset in (self.styles, self.script, *self._others)]


def _client(folder: Traversable) -> list[Asset]:
    """The browser client; a checkout in which it has not been built yet shows pages without the live part."""
    kinds = {"embed.js": "text/javascript", "embed.js.map": "application/json"}
    return [
        Asset(f"/{name}", (folder / name).read_bytes(), media_type, _FIVE_MINUTES, for_everyone=True)
        for name, media_type in kinds.items()
        if (folder / name).is_file()
    ]


def _hashed(file: Traversable, media_type: str) -> Asset:
    content = file.read_bytes()
    stem, _, suffix = file.name.partition(".")
    return Asset(f"/{stem}.{_digest(content)}.{suffix}", content, media_type, _FOREVER)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
