"""What a browser says of the page around a discussion, and what of it is kept: its title and its address.

Whoever comments first is anybody, so both are suggestions: an address only of the site's own origins, without what
tells of the reader, and never a reason to refuse a comment.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Set
from dataclasses import dataclass, replace
from urllib.parse import quote

from tertulia.core.keys import ADDRESS_LENGTH, PageAddress, canonical_key, is_tracking, parameters, parse_address
from tertulia.core.text import check_characters, clean_title, is_web_address

_COUNTER = re.compile(r"(?:\((?:\d{1,3}|\d{1,4}\+)\)|\[(?:\d{1,3}|\d{1,4}\+)\])\s+(?=\S)")
"""Of unread messages, before the title of a window."""
_NOT_IN_ADDRESS = re.compile(r'[\s\x00-\x20\x7f-\x9f<>"]')
_PERSONAL = frozenset(
    (
        *("email", "e-mail", "mail", "phone", "recipient", "subscriber", "subscriber_id"),
        *("user", "username", "user_name", "userid", "user_id", "password", "passwd", "pass"),
        *("token", "access_token", "id_token", "auth_token", "auth"),
        *("session", "session_id", "sessionid", "sid", "phpsessid", "jsessionid"),
    )
)


@dataclass(frozen=True, slots=True)
class PageFacts:
    """The title and the address of a page; empty where nothing that can be kept was said.

    ``correct`` is whether they take the place of what is known.
    """

    title: str
    url: str
    correct: bool = False


def said(title: str, url: str, *, key: str, origins: Set[str], trusted: bool) -> PageFacts:
    """What is kept of what a browser said with a comment.

    key: of the discussion; where it is an address of the site, it is that of the page, wherever the comment was written
    origins: of the site, and the server's own, as browsers send them
    trusted: whether the site's staff or program says it: then it corrects what is known, and a query is kept

    Raises malformed for NUL and halves of surrogate pairs.
    """
    check_characters(url, "url")
    kept = _kept(url, key, origins, trusted)
    is_elsewhere = kept != "" and canonical_key(kept) != canonical_key(key) and parse_address(key) is not None
    if kept == "" or is_elsewhere:
        kept = _kept(key, key, origins, trusted) or kept
    return PageFacts(page_title(title), kept, trusted and not is_elsewhere)


def page_title(raw: str, field: str = "title") -> str:
    """A window's title: one line, cut where it is too long, without a counter such as "(3)" before it."""
    return _COUNTER.sub("", clean_title(raw, field), count=1)


def own_address(url: str, origins: Set[str]) -> str:
    """The address as it is stored, empty where it is none of these origins; the query is kept but for tracking."""
    return _kept(url, "", origins, True)


def impersonal(url: str) -> str:
    """A stored address without tracking parameters and those that tell of a reader; others stay as they are."""
    page, sign, fragment = url.partition("#")
    start, _, query = page.partition("?")
    return start + _asked(query, personal=False) + sign + fragment


def _kept(url: str, key: str, origins: Set[str], trusted: bool) -> str:
    """The address as a link, with its query where that can be kept; empty where nothing can."""
    written = unicodedata.normalize("NFC", url[:ADDRESS_LENGTH].strip())
    address = parse_address(written)
    if address is None or _is_discussion(address) or _place(address) not in map(_place_of, origins):
        return ""
    bare, query = _bare(address), address.query or ""
    whole = bare + _asked(query, personal=True)
    if canonical_key(whole) != canonical_key(key):
        whole = bare + (_asked(query, personal=False) if trusted else "")
    return next(filter(is_web_address, (whole, bare)), "")


def _place(address: PageAddress) -> str:
    """Host and port: whoever has those has them over http and https, and a proxy may hide which it was."""
    return address.origin.partition("://")[2]


def _place_of(origin: str) -> str | None:
    address = parse_address(origin)
    return None if address is None else _place(address)


def _is_discussion(address: PageAddress) -> bool:
    """Whether it is the page that a server has for a discussion itself."""
    return address.path in ("/d", "/frame") and any(name == "key" for name, _ in parameters(address.query or ""))


def _bare(address: PageAddress) -> str:
    """Without query and fragment; as browsers read a path, with what no link can hold escaped."""
    path = address.path.replace("\\", "/")
    port = address.origin.removeprefix(f"{address.scheme}://{address.host}").removeprefix(":")
    return str(replace(address, port=port, path=_escaped(path) or "/", query=None, fragment=None))


def _asked(query: str, *, personal: bool) -> str:
    """The query without tracking parameters, and unless it is the page's own name without ``personal`` ones."""
    kept = [
        written
        for name, written in parameters(query)
        if not is_tracking(name) and (personal or not _is_personal(name, written))
    ]
    return f"?{_escaped('&'.join(kept))}" if kept else ""


def _is_personal(name: str, written: str) -> bool:
    return name.lower() in _PERSONAL or "@" in written or "%40" in written


def _escaped(part: str) -> str:
    return _NOT_IN_ADDRESS.sub(lambda found: quote(found[0]), part).replace("\\", "%5C")
