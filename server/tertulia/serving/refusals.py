"""What is answered without the application: every refusal that the protocol classes write themselves, as bytes."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

CAUTION = (("X-Content-Type-Options", "nosniff"), ("Cache-Control", "no-store"))
"""Headers of every refusal, ours and the library's."""

_CAUTION = "".join(f"{name}: {value}\r\n" for name, value in CAUTION)


@dataclass(frozen=True, slots=True)
class Refusal:
    """An HTTP error: its reason as a sentence for people, and after how many seconds a retry makes sense, if ever."""

    status: HTTPStatus
    reason: str
    retry_after: int | None = None

    @property
    def answer(self) -> bytes:
        """The whole response; the connection ends with it."""
        body = self.reason.encode()
        wait = "" if self.retry_after is None else f"Retry-After: {self.retry_after}\r\n"
        head = (
            f"HTTP/1.1 {self.status.value} {self.status.phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"{_CAUTION}{wait}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode("ascii") + body


def unreadable(reason: str) -> Refusal:
    """A request that could be read in two ways, or in none."""
    return Refusal(HTTPStatus.BAD_REQUEST, reason)


NOT_HTTP = unreadable("This is no HTTP request that can be read.")
NO_HANDSHAKE = unreadable("This is no WebSocket handshake that can be read.")
FULL = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections; come back later.", retry_after=5)
