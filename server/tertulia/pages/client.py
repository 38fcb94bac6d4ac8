"""The browser client's files: every one that its build wrote, where it is served and how long it may be kept.

embed.js, count.js              five minutes: pages name them, and a new server has new ones
embed-actions.HASH.js           for ever: its name changes with its content
embed-extras.HASH.js            for ever, likewise; embed-more.HASH.js, too
embed-threads.HASH.js           for ever, likewise
embed-about.HASH.js             for ever, likewise
embed-letters.HASH.js           for ever, likewise
embed-sharing.HASH.js           for ever, likewise
desk.HASH.js                    for ever, likewise: for the staff's pages alone
embed.full.js                   for ever, as /embed.DIGEST.js: for pages that pin what they load (integrity="…")
X.js.map                        as X.js;      X.br: X as brotli packed it, sent instead of it
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple

from tertulia.pages.assets import FOREVER, Asset, digest

_FIVE_MINUTES = "public, max-age=300"
_MEDIA_TYPES = {".js": "text/javascript", ".map": "application/json"}
_HASHED = re.compile(r"[.-](?=[^.]*\d)[A-Za-z0-9]{8,64}\.js(\.map)?|[.-][A-Z0-9]{8}\.js(\.map)?")
"""The end of such a name. A word of small letters without a digit is no hash."""
_PINNED = re.compile(r"embed\.full(\.[A-Za-z0-9]{8,64})?\.js")

STATIC = files("tertulia") / "static"


def client_assets(folder: Traversable | None = None) -> Iterator[Asset]:
    """A checkout in which the client has not been built yet has none: its pages lack the live part."""
    folder = folder or STATIC
    for file in _scripts(folder):
        path, cache = _path_and_cache(file)
        packed = folder / f"{file.name}.br"
        yield Asset(
            path,
            file.read_bytes(),
            _MEDIA_TYPES[_suffix(file.name)],
            cache,
            for_everyone=True,
            brotli=packed.read_bytes() if packed.is_file() else None,
        )


class PinnedScript(NamedTuple):
    """A script that never changes; ``integrity`` is what an element's attribute of that name says."""

    path: str
    integrity: str


def pinned_script(folder: Traversable | None = None) -> PinnedScript | None:
    """The client in one file; None if it has not been built."""
    for file in _scripts(folder or STATIC):
        if _PINNED.fullmatch(file.name):
            content = file.read_bytes()
            integrity = "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()
            return PinnedScript(_pinned_path(content), integrity)
    return None


def _scripts(folder: Traversable) -> list[Traversable]:
    found = [file for file in folder.iterdir() if file.is_file() and _suffix(file.name) in _MEDIA_TYPES]
    return sorted(found, key=lambda file: file.name)


def _path_and_cache(file: Traversable) -> tuple[str, str]:
    if _PINNED.fullmatch(file.name):
        return _pinned_path(file.read_bytes()), FOREVER
    return f"/{file.name}", FOREVER if _HASHED.search(file.name) else _FIVE_MINUTES


def _pinned_path(content: bytes) -> str:
    return f"/embed.{digest(content)}.js"


def _suffix(name: str) -> str:
    return name[name.rfind(".") :]
