"""What proxies write about a request: whom it comes from, and at which address it was asked for.

    Forwarded: for="[2001:db8::1]:4711";proto=https;host=news.example       RFC 7239; HAProxy, Envoy
    X-Forwarded-For: 203.0.113.9:4711, [2001:db8::1]:4711                   Azure Application Gateway, IIS
    X-Forwarded-For: 203.0.113.9, 10.0.0.7                                  nginx, HAProxy, Cloudflare, load balancers
    X-Forwarded-Proto: https, http                                          two proxies, the outer one first

Lists are read from their end, which the nearest proxy wrote, and several lines of a header are one list (RFC 9110,
section 5.3). Nothing here decides whom to believe: that is ``client_address``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice

from starlette.datastructures import Headers

from tertulia.core.addresses import Address, parse

MAX_HOPS = 16
"""Read from the newest on: a chain of proxies has two or three, and older entries may be forged."""
MAX_ELEMENT = 512
"""Characters of an element of Forwarded; what a proxy writes of one hop has some 120."""
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}
"""What a scheme means to a page; Traefik writes ``wss`` for a WebSocket."""
_SCHEME_HEADERS = ("x-forwarded-proto", "x-forwarded-protocol", "x-forwarded-scheme", "x-url-scheme")
_TLS_HEADERS = ("x-forwarded-ssl", "front-end-https")
"""Set to ``on`` by older proxies and by those of Microsoft."""
_HOST_HEADERS = ("x-forwarded-host", "x-original-host")
_PORT = re.compile(r"[0-9]{0,5}|_[\w.-]+", re.ASCII)
_BRACKETS = re.compile(r"\[([^\[\]]*)\](?::(.*))?", re.DOTALL)
_QUOTED_PAIR = re.compile(r"\\(.)", re.DOTALL)
_LIMITS = re.compile(r'[",]')
_HOST = re.compile(r"(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?", re.IGNORECASE | re.ASCII)


def node(text: str) -> Address | None:
    """The address that a proxy wrote (RFC 7239, section 6), without its port, its zone and its quotes.

    None for what names nobody: ``unknown``, an obfuscated ``_name``, or what is no address at all.
    """
    text = _unquoted(text.strip())
    bracketed = _BRACKETS.fullmatch(text)
    if bracketed is not None:
        is_plain = ":" in bracketed[1] and _is_port(bracketed[2] or "")
        return _without_zone(bracketed[1]) if is_plain else None
    found = _without_zone(text)
    if found is not None:
        return found
    # what is an IPv6 address together with what looks like its port is one, in the same network as the one without
    host, colon, port = text.rpartition(":")
    return _without_zone(host) if colon and _is_port(port) else None


def addresses_of(headers: Headers) -> Iterator[str]:
    """What X-Forwarded-For says, the newest first, at most MAX_HOPS of it; empty elements say nothing."""
    elements = (
        element.strip()
        for line in reversed(headers.getlist("x-forwarded-for"))
        for element in reversed(line.rsplit(",", MAX_HOPS)[-MAX_HOPS:])
    )
    return (element for element in islice(elements, MAX_HOPS) if element)


def forwarded(headers: Headers) -> Iterator[Mapping[str, str]]:
    """The elements of Forwarded by the names of their parameters, the newest first, at most MAX_HOPS of them.

    Values are as they were written, quotes included. A parameter that comes twice in an element, and ``for`` of an
    element that cannot be read, are empty, which is nobody.
    """
    elements = (element for line in reversed(headers.getlist("forwarded")) for element in _elements(line))
    return (_parameters(element) for element in islice(elements, MAX_HOPS) if element.strip())


def scheme(headers: Headers) -> str | None:
    """``http`` or ``https``, as the outermost proxy was asked; None where none says.

    One that says ``https`` is right, whatever the others say: each tells of its own connection, and what came with TLS
    to the first may go on without.
    """
    said = {_first_scheme(headers.getlist(name)) for name in _SCHEME_HEADERS}
    said.add(_outermost(headers, "proto", SCHEMES))
    if "https" in said or any(headers.get(name, "").strip().lower() in ("on", "1", "true") for name in _TLS_HEADERS):
        return "https"
    if "http" in said:
        return "http"
    return {443: "https", 80: "http"}.get(_forwarded_port(headers) or 0)


def host(headers: Headers) -> str | None:
    """The host, with a port if there is one, that the outermost proxy was asked for; None where none says.

    A port that was said apart belongs to a host without one, unless it is one that no address names.
    """
    found = next(filter(None, (_first_host(headers.getlist(name)) for name in _HOST_HEADERS)), None)
    found = found or _outermost(headers, "host", None) or ""
    return with_port(headers, found) if is_host(found) else None


def with_port(headers: Headers, found: str) -> str:
    """The host, with the port of X-Forwarded-Port where it has none and that is not a scheme's own."""
    port = _forwarded_port(headers)
    has_own = port is None or port in (80, 443) or _port_of(found) is not None
    return found if has_own else f"{found}:{port}"


def is_host(text: str) -> bool:
    """Whether it is a name or an address, with or without a port."""
    return _HOST.fullmatch(text) is not None


def shape(text: str) -> str:
    """The form of what a proxy wrote, without what it says: logs hold no address."""
    lowered = text.strip().lower()
    if lowered in ("", "unknown") or lowered.startswith("_"):
        return lowered[:1] if lowered.startswith("_") else lowered
    return re.sub(r"[^\W\d_]", "x", re.sub(r"\d", "9", text.strip()[:60]))


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return _QUOTED_PAIR.sub(r"\1", text[1:-1]).strip()
    return text


def _is_port(text: str) -> bool:
    return _PORT.fullmatch(text) is not None and (not text.isdigit() or int(text) <= 65535)


def _without_zone(text: str) -> Address | None:
    """An address; a zone (RFC 4007) means something on the proxy's own host only."""
    return parse(text.partition("%")[0] if ":" in text else text)


def _elements(line: str) -> Iterator[str]:
    """The elements of a line, the last first, parted at commas outside of quotes.

    From the end, since what a client began to quote must not swallow what a proxy wrote after it.
    """
    end, is_quoted = len(line), False
    for limit in reversed(list(_LIMITS.finditer(line[-MAX_ELEMENT * MAX_HOPS :]))):
        place = limit.start() + max(0, len(line) - MAX_ELEMENT * MAX_HOPS)
        if limit[0] == '"':
            is_quoted = not is_quoted
        elif not is_quoted:
            yield line[place + 1 : end]
            end = place
    yield line[:end]


def _parameters(element: str) -> Mapping[str, str]:
    """``name=value`` pairs parted by semicolons outside of quotes; what is none makes all of them doubtful."""
    found: dict[str, str] = {}
    if len(element) > MAX_ELEMENT or element.count('"') % 2:
        return {"for": ""}
    for pair in re.findall(r'(?:[^;"]|"[^"]*")+', element):
        name, equals, value = pair.partition("=")
        name = name.strip().lower()
        if not pair.strip():
            continue
        if not equals or not name:
            return {"for": ""}
        found[name] = "" if name in found else value.strip()
    return found


def _outermost(headers: Headers, name: str, meanings: Mapping[str, str] | None) -> str | None:
    """The parameter of the oldest element of Forwarded that has it, in one of these meanings if there are any."""
    found = None
    for element in forwarded(headers):
        value = _unquoted(element.get(name, ""))
        meant = value if meanings is None else meanings.get(value.lower())
        found = meant or found
    return found


def _first(lines: list[str]) -> Iterator[str]:
    """The elements of the lines, the oldest first, at most MAX_HOPS of each line."""
    return (_unquoted(element.strip()) for line in lines for element in line.split(",", MAX_HOPS)[:MAX_HOPS])


def _first_scheme(lines: list[str]) -> str | None:
    return next((SCHEMES[said.lower()] for said in _first(lines) if said.lower() in SCHEMES), None)


def _first_host(lines: list[str]) -> str | None:
    return next(filter(is_host, _first(lines)), None)


def _forwarded_port(headers: Headers) -> int | None:
    said = next(filter(None, _first(headers.getlist("x-forwarded-port"))), "")
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 5 and 0 < int(said) <= 65535 else None


def _port_of(found: str) -> str | None:
    matched = _HOST.fullmatch(found)
    return matched[1] if matched else None
