"""What this server sees of a request, told to its operator: ``tertulia doctor`` asks through the proxy.

Who asks proves to hold the secret key, by a question that is good once and for two minutes. The answer is about that
very request, so nobody learns anything of somebody else; anybody else is answered as if there were nothing here.
"""

from __future__ import annotations

import hmac
import secrets
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tertulia.errors import ErrorCode, Problem
from tertulia.identity import derived_key
from tertulia.web.client_address import ClientAddress
from tertulia.web.origins import OriginPolicy

PATH = "/doctorz"
SCHEME = "Tertulia-Question"
"""Of the header Authorization."""
QUESTION_SECONDS = 120
"""How old, or by a wrong clock how new, a question may be."""
MAX_QUESTIONS = 1000
"""Remembered as asked; only who holds the secret key can make one."""
_NAMES = ("forwarded", "via", "host", "x-real-ip", "x-original-host", "x-url-scheme", "front-end-https")


def question(secret: bytes, now: float) -> str:
    """A new question, as the value of Authorization; ``now`` in seconds since 1970."""
    asked = f"{int(now)}.{secrets.token_urlsafe(12)}"
    return f"{SCHEME} {asked}.{_signature(secret, asked)}"


def _signature(secret: bytes, asked: str) -> str:
    return hmac.digest(derived_key(secret, "doctor"), asked.encode(), "sha256").hex()


class Seen:
    """Answers questions, each once."""

    def __init__(
        self, secret: bytes, addresses: ClientAddress, origins: OriginPolicy, clock: Callable[[], float] = time.time
    ) -> None:
        self._secret = secret
        self._addresses = addresses
        self._origins = origins
        self._clock = clock
        self._asked: dict[str, float] = {}

    def routes(self) -> list[Route]:
        return [Route(PATH, self._answer)]

    async def _answer(self, request: Request) -> Response:
        if not self._is_new(request.headers.get("authorization", "")):
            raise Problem(ErrorCode.not_found, "There is nothing at this address.")
        client = self._addresses.client(request)
        headers = [
            [name, value]
            for name, value in request.headers.items()
            if name in _NAMES or name.startswith("x-forwarded-")
        ]
        seen = {
            "peer": request.client.host if request.client else None,
            "is_trusted": self._addresses.is_forwarded(request),
            "headers": headers,
            "address": None if client.address is None else str(client.address),
            "known": client.known.name,
            "base_url": self._origins.base_url(request),
        }
        return JSONResponse(seen, headers={"Cache-Control": "no-store"})

    def _is_new(self, given: str) -> bool:
        scheme, _, value = given.partition(" ")
        asked, _, signature = value.rpartition(".")
        made = asked.partition(".")[0]
        if scheme != SCHEME or not given.isascii() or not made.isdigit() or len(made) > 12:
            return False
        now = self._clock()
        is_signed = hmac.compare_digest(signature, _signature(self._secret, asked))
        if not is_signed or abs(now - int(made)) > QUESTION_SECONDS or asked in self._asked:
            return False
        self._asked = {one: at for one, at in self._asked.items() if abs(now - at) <= 2 * QUESTION_SECONDS}
        if len(self._asked) >= MAX_QUESTIONS:
            return False
        self._asked[asked] = now
        return True
