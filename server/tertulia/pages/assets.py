"""The files that pages refer to, under addresses that may be kept as long as their content is the same."""

from __future__ import annotations

import gzip
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.web.conditional import has_tag

MAX_CODINGS = 20
"""Of an Accept-Encoding; browsers name three or four. The 8,000 that fit in a head cost 5 ms."""
FOREVER = "public, max-age=31536000, immutable"
_A_DAY = "public, max-age=86400"
_ROBOTS = "User-agent: *\nDisallow: /api/\n"
STYLES = ("frame", "front", "article", "discussion", "form", "search", "scripts", "framed", "print")
"""The parts of the stylesheet, in the order in which later ones override."""
_DESK_SCRIPT = re.compile(r"/desk[.-][A-Za-z0-9]{8,64}\.js")
_REFUSED = re.compile(r"q\s*=\s*0(\.0*)?")


@dataclass(frozen=True)
class Asset:
    """One file: where it is served, and how long it may be kept."""

    path: str
    content: bytes
    media_type: str
    cache: str
    for_everyone: bool = False
    brotli: bytes | None = None

    @cached_property
    def packed(self) -> bytes:
        """The content with gzip, made once."""
        return gzip.compress(self.content, 9, mtime=0)

    @cached_property
    def etag(self) -> str:
        """Weak where it is sent, since it is the same however the content is packed."""
        return f'"{digest(self.content)}"'

    def route(self) -> Route:
        return Route(self.path, self._answer, methods=["GET"])

    async def _answer(self, request: Request) -> Response:
        headers = {"ETag": f"W/{self.etag}", "Cache-Control": self.cache, "X-Content-Type-Options": "nosniff"}
        headers["Vary"] = "Accept-Encoding"
        if self.for_everyone:
            headers |= {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}
        if has_tag(request, self.etag.strip('"')):
            return Response(status_code=304, headers=headers)
        content, coding = self._for(request.headers.get("accept-encoding", ""))
        if coding:
            headers["Content-Encoding"] = coding
        return Response(content, media_type=self.media_type, headers=headers)

    def _for(self, accepted: str) -> tuple[bytes, str]:
        """The content as this client may have it, and the coding that says how."""
        if self.brotli is not None and accepts(accepted, "br"):
            return self.brotli, "br"
        if accepts(accepted, "gzip"):
            return self.packed, "gzip"
        return self.content, ""


class Assets:
    """Every file of the pages and of the client; the hash in a name changes with the content."""

    def __init__(self, others: Iterable[Asset]) -> None:
        own = files("tertulia.pages")
        self.styles = _hashed("styles.css", stylesheet(), "text/css")
        self.staff_styles = hashed(own / "styles" / "staff.css", "text/css")
        self.desk_styles = hashed(own / "styles" / "desk.css", "text/css")
        self.script = hashed(own / "page.js", "text/javascript")
        self.frame_script = hashed(own / "frame.js", "text/javascript")
        self.follow_script = hashed(own / "follow.js", "text/javascript")
        self.sign_in_script = hashed(own / "sign_in.js", "text/javascript")
        self._others = [
            Asset("/favicon.svg", (own / "favicon.svg").read_bytes(), "image/svg+xml", _A_DAY),
            Asset("/robots.txt", _ROBOTS.encode(), "text/plain", _A_DAY),
            *others,
        ]
        self.desk_script = next((one.path for one in self._others if _DESK_SCRIPT.fullmatch(one.path)), None)
        """None where the client has not been built with it."""

    def routes(self) -> list[Route]:
        scripts = (self.script, self.frame_script, self.follow_script, self.sign_in_script)
        return [asset.route() for asset in (self.styles, self.staff_styles, self.desk_styles, *scripts, *self._others)]


def digest(content: bytes) -> str:
    """What names a file by its content."""
    return hashlib.sha256(content).hexdigest()[:16]


def accepts(header: str, coding: str) -> bool:
    """Whether an Accept-Encoding names this coding among its first MAX_CODINGS and does not refuse it."""
    for part in header.lower().split(",", MAX_CODINGS)[:MAX_CODINGS]:
        name, _, parameters = part.partition(";")
        if name.strip() == coding:
            return _REFUSED.fullmatch(parameters.strip()) is None
    return False


def stylesheet() -> bytes:
    """The parts of it as one file."""
    parts = files("tertulia.pages") / "styles"
    return b"\n".join((parts / f"{name}.css").read_bytes() for name in STYLES)


def hashed(file: Traversable, media_type: str) -> Asset:
    """A file whose address has the hash of its content."""
    return _hashed(file.name, file.read_bytes(), media_type)


def _hashed(name: str, content: bytes, media_type: str) -> Asset:
    stem, _, suffix = name.partition(".")
    return Asset(f"/{stem}.{digest(content)}.{suffix}", content, media_type, FOREVER)
