"""The head of a request, judged before anything parses it: what is large, and what two servers could read in two ways.

A proxy in front reads the same bytes. Where it and this server could disagree (RFC 9112, sections 2.2, 3.2, 5.1, 6.3),
one request could be hidden in another, so whatever is not written in the one plain way is refused: requests and
WebSocket handshakes alike.
"""

from __future__ import annotations

import re
from http import HTTPStatus

from tertulia.serving.refusals import NOT_HTTP, Refusal, unreadable

END = b"\r\n\r\n"
HEAD_BYTES = 16 * 1024
"""What proxies and browsers take themselves: nginx 8 KiB a line and 32 in all, Apache 8 KiB a line."""
MAX_HEADERS = 100
"""Browsers send about twenty, proxies add ten."""
NEGOTIATION_BYTES = 1024
"""Of headers that are lists which the protocols read item by item, at about 10 µs an item; browsers send 150."""
METHOD_LETTERS = 32
LENGTH_DIGITS = 15

HOST = re.compile(rb"(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
"""A name, an IPv4 or a bracketed IPv6 address, and a port (RFC 3986, 3.2.2, without what no name of a server has)."""

_BARE = re.compile(rb"(?<!\r)\n|\r(?!\n)")
_TOKEN = rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]"
_REQUEST_LINE = re.compile(
    rb"(?P<method>%s{1,%d}+) (?P<target>[\x21\x22\x24-\x7e]++) HTTP/1\.(?P<minor>[01])\r\n" % (_TOKEN, METHOD_LETTERS)
)
# possessive: a line is read once, however it ends
_FIELDS = re.compile(rb"(?:%s++:[\t\x20-\x7e\x80-\xff]*+\r\n)*+" % _TOKEN)
_TELLING = re.compile(
    rb"^(host|content-length|transfer-encoding|connection|upgrade|expect"
    rb"|sec-websocket-(?:key|version|protocol|extensions)):(.*)\r$",
    re.I | re.M,
)
_LENGTH = re.compile(rb"[0-9]{1,%d}" % LENGTH_DIGITS)

_TOO_LARGE = Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"A request's head has at most {HEAD_BYTES} bytes.")
_TOO_MANY = Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, f"A request has at most {MAX_HEADERS} headers.")
_TOO_WORDY = Refusal(
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    f"Connection, Upgrade, Expect and Sec-WebSocket headers have at most {NEGOTIATION_BYTES} bytes together.",
)
_LINES = unreadable("The lines of a head end with CR and LF, and none is folded.")
_FIELD = unreadable("A header is a name, a colon and a text without control characters.")
_TARGET = unreadable("Ask for a path that begins with a slash.")
_HOSTS = unreadable("A request has one Host: a name or an address, and perhaps a port.")
_FRAMING = unreadable("A body has one Content-Length in digits, or is chunked, and nothing else.")


def is_bare(line: bytes) -> bool:
    """Whether there is a CR without its LF, or the other way round."""
    return _BARE.search(line) is not None


def too_large(size: int) -> Refusal | None:
    """The refusal of a head of which ``size`` bytes have come, if that is too much."""
    return _TOO_LARGE if size > HEAD_BYTES else None


def fault(head: bytes) -> Refusal | None:
    """Why a whole head, its empty line included, is refused; None if it is in order. Takes a few passes over it."""
    if len(head) > HEAD_BYTES:
        return _TOO_LARGE
    if head.count(b"\n") > MAX_HEADERS + 2:
        return _TOO_MANY
    if is_bare(head) or not head.endswith(END):
        return _LINES
    asked = _REQUEST_LINE.match(head)
    if asked is None:
        return NOT_HTTP
    fields = head[asked.end() : -2]
    if _FIELDS.fullmatch(fields) is None:
        return _LINES if b"\r\n " in head or b"\r\n\t" in head else _FIELD
    method, target = asked["method"], asked["target"]
    if not target.startswith(b"/") and (method, target) != (b"OPTIONS", b"*"):
        return _TARGET
    return _telling(fields, is_newest=asked["minor"] == b"1")


def _telling(fields: bytes, *, is_newest: bool) -> Refusal | None:
    """Judges the headers that say where a request goes, where it ends and what becomes of its connection."""
    hosts: list[bytes] = []
    lengths: list[bytes] = []
    codings: list[bytes] = []
    negotiation = 0
    singles = {b"host": hosts, b"content-length": lengths, b"transfer-encoding": codings}
    for name, value in _TELLING.findall(fields):
        single, value = singles.get(name.lower()), value.strip(b" \t")
        if single is None:
            negotiation += len(value)
        else:
            single.append(value)
    if negotiation > NEGOTIATION_BYTES:
        return _TOO_WORDY
    if len(hosts) > 1 or (is_newest and not hosts) or (hosts and HOST.fullmatch(hosts[0]) is None):
        return _HOSTS
    if len(lengths) + len(codings) > 1 or (lengths and _LENGTH.fullmatch(lengths[0]) is None):
        return _FRAMING
    if codings and not (is_newest and codings[0].lower() == b"chunked"):
        return _FRAMING
    return None
