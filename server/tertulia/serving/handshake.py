"""The opening handshake of WebSocket (RFC 6455, section 4.2) for heads as browsers and proxies write them.

This module does not handle unusual heads: ``read`` returns None for them, and ``heads`` and then the WebSocket library
decide. So a mistake here refuses no client, and whatever it accepts those two would have accepted with the same answer.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha1

from websockets.exceptions import InvalidHeaderFormat, NegotiationError
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import PerMessageDeflate, ServerPerMessageDeflateFactory
from websockets.headers import build_extension, parse_extension
from websockets.typing import ExtensionParameter

from tertulia.live.frames import WINDOW_BITS
from tertulia.serving.heads import END, HEAD_BYTES, HOST, MAX_HEADERS, NEGOTIATION_BYTES

OPT_OUT = b"compress=0"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEPT_OFFERS = 256
"""Extension headers whose negotiation is remembered; browsers send three or four different ones."""

_REQUEST_LINE = re.compile(rb"GET (/[\x21\x22\x24-\x7e]*) HTTP/1\.1")
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(rb"[\x20-\x7e\x80-\xff]+")
_KEY = re.compile(rb"[A-Za-z0-9+/]{21}[AQgw]==")
_OFFERS_BYTES = NEGOTIATION_BYTES - len(b"websocket") - len(b"13") - 24  # the key has 24
_UNUSUAL = {b"sec-websocket-protocol", b"content-length", b"transfer-encoding", b"expect"}


@dataclass(frozen=True, slots=True)
class Handshake:
    """A handshake that is in order: what was asked for, and the answer to it without its last line."""

    target: bytes
    headers: list[tuple[bytes, bytes]]
    deflates: bool
    answer: bytes


def read(head: bytes) -> Handshake | None:
    """The handshake in ``head``, which ends with the empty line; None if it is not a plain one."""
    first, *lines = head.removesuffix(END).split(b"\r\n")
    asked = _REQUEST_LINE.fullmatch(first)
    if asked is None or len(lines) > MAX_HEADERS or len(head) > HEAD_BYTES:
        return None
    headers: list[tuple[bytes, bytes]] = []
    for line in lines:
        name, _, value = line.partition(b":")
        value = value.strip(b" ")
        if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
            return None
        headers.append((name.lower(), value))
    found = dict(headers)
    if len(found) != len(headers) or not _is_plain(found):
        return None
    offered = found.get(b"sec-websocket-extensions")
    try:
        chosen = negotiated(offered) if offered is not None and not opts_out(asked[1]) else b""
    except InvalidHeaderFormat:
        return None
    return Handshake(asked[1], headers, bool(chosen), _ANSWER % (_accept(found[b"sec-websocket-key"]), chosen))


_ANSWER = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s"
)


def opts_out(target: bytes) -> bool:
    """Whether the address asks for uncompressed messages."""
    return OPT_OUT in target.partition(b"?")[2].split(b"&")


class SharedDeflate(ServerPerMessageDeflateFactory):
    """The compression that lets one frame serve every reader: no context from message to message, one window.

    An offer with a smaller window is declined: the shared frames could not be read with it.
    """

    def __init__(self) -> None:
        super().__init__(
            server_no_context_takeover=True,
            client_no_context_takeover=True,
            server_max_window_bits=WINDOW_BITS,
            client_max_window_bits=WINDOW_BITS,
        )

    def process_request_params(
        self, params: Sequence[ExtensionParameter], accepted_extensions: Sequence[Extension]
    ) -> tuple[list[ExtensionParameter], PerMessageDeflate]:
        answer, extension = super().process_request_params(params, accepted_extensions)
        if extension.local_max_window_bits < WINDOW_BITS:
            raise NegotiationError(f"a window of at least {WINDOW_BITS} bits is needed")
        return answer, extension


@lru_cache(_KEPT_OFFERS)
def negotiated(offered: bytes) -> bytes:
    """The line that answers an extension header, empty where nothing of it is taken. Raises InvalidHeaderFormat."""
    for name, parameters in parse_extension(offered.decode("latin-1")):
        if name != SharedDeflate.name:
            continue
        try:
            answer, _ = SharedDeflate().process_request_params(parameters, [])
        except NegotiationError:
            continue
        return f"Sec-WebSocket-Extensions: {build_extension([(name, answer)])}\r\n".encode()
    return b""


def _is_plain(found: dict[bytes, bytes]) -> bool:
    return (
        found.get(b"upgrade", b"").lower() == b"websocket"
        and b"upgrade" in found.get(b"connection", b"").lower().replace(b" ", b"").split(b",")
        and found.get(b"sec-websocket-version") == b"13"
        and _KEY.fullmatch(found.get(b"sec-websocket-key", b"")) is not None
        and HOST.fullmatch(found.get(b"host", b"")) is not None
        and not found.keys() & _UNUSUAL
        and len(found[b"connection"]) + len(found.get(b"sec-websocket-extensions", b"")) <= _OFFERS_BYTES
    )


def _accept(key: bytes) -> bytes:
    return b64encode(sha1(key + _GUID).digest())  # noqa: S324 - the standard asks for SHA-1 here
