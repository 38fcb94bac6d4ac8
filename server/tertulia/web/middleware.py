"""The outermost layer: bounded bodies, CORS, security headers, one log line a request, no stack trace."""

from __future__ import annotations

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tertulia.core.addresses import anonymised
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import BODY_LIMIT, FORM_LIMIT
from tertulia.web import problems
from tertulia.web.client_address import ClientAddress
from tertulia.web.origins import OriginPolicy
from tertulia.web.response_counts import OPERATIONS, ResponseCounts
from tertulia.web.validation import check_parameters

PREFLIGHT_SECONDS = 600
_METHODS = "GET, POST, PATCH, PUT, DELETE"
_HEADERS = "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"

log = logging.getLogger(__name__)


class RequestMiddleware:
    """ASGI middleware around everything; WebSockets pass through."""

    def __init__(
        self, app: ASGIApp, origins: OriginPolicy, addresses: ClientAddress, responses: ResponseCounts | None = None
    ) -> None:
        self._app = app
        self._origins = origins
        self._addresses = addresses
        self._responses = responses or ResponseCounts()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        state = RequestState(scope, receive, send)
        try:
            check_parameters(scope)
            state.cross_origin = await self._cross_origin(scope)
            await self._answer(scope, state)
        except Problem as problem:
            await problems.response(problem, Headers(scope=scope))(scope, state.receive, state.send)
        except ClientDisconnect:
            pass  # the client left before it had sent its body
        except Exception:
            log.exception("A request failed", extra={"method": scope["method"], "path": scope["path"]})
            if state.status is None:
                failure = Problem(ErrorCode.internal, "The server failed; the operator finds the cause in its log.")
                await problems.response(failure, Headers(scope=scope))(scope, state.receive, state.send)
        finally:
            self._responses.count(scope["method"], scope["path"], state.status)
            self._log(scope, state)

    async def _answer(self, scope: Scope, state: RequestState) -> None:
        if state.is_api:
            state.check()
        if state.cross_origin is not None and _is_preflight(scope):
            await _preflight()(scope, state.receive, state.send)
            return
        await self._app(scope, state.receive, state.send)

    async def _cross_origin(self, scope: Scope) -> str | None:
        """The origin that may read the answer, None if no page asks. Raises origin_not_allowed."""
        if not _is_for_other_pages(scope["path"]):
            return None
        connection = HTTPConnection(scope)
        await self._origins.admit_any(connection)
        return connection.headers.get("origin")

    def _log(self, scope: Scope, state: RequestState) -> None:
        if not log.isEnabledFor(logging.INFO) or scope["path"] in OPERATIONS:
            return
        fields = {
            "method": scope["method"],
            "path": scope["path"],
            "status": state.status,
            "milliseconds": round((time.perf_counter() - state.started) * 1000, 1),
            "network": anonymised(self._addresses.of(Request(scope))),
        }
        log.info("request", extra=fields)


class RequestState:
    """One request and its answer: counts what comes in, adds headers to what goes out.

    A body that is too large is refused when the application reads it, so that a page can say so in its own words.
    """

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.status: int | None = None
        self.started = time.perf_counter()
        self.cross_origin: str | None = None
        self.is_api = scope["path"].startswith("/api/")
        self._is_for_other_pages = _is_for_other_pages(scope["path"])
        headers = Headers(scope=scope)
        self._limit = FORM_LIMIT if not self.is_api and _is_form(headers) else BODY_LIMIT
        self._announced = _announced(headers)
        self._received = 0
        self._receive = receive
        self._send = send

    def check(self) -> None:
        """Raises too_large if the body is, or announces that it will be."""
        if max(self._announced, self._received) > self._limit:
            raise Problem(ErrorCode.too_large, f"A request may have at most {self._limit} bytes.")

    async def receive(self) -> Message:
        self.check()
        message = await self._receive()
        self._received += len(message.get("body", b""))
        self.check()
        return message

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self._add_headers(MutableHeaders(scope=message))
        await self._send(message)

    def _add_headers(self, headers: MutableHeaders) -> None:
        headers.setdefault("X-Content-Type-Options", "nosniff")
        headers.setdefault("Referrer-Policy", "strict-origin-when-cross-origin")
        headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
        headers.setdefault("Cache-Control", "no-store" if self.is_api else "no-cache")
        if self._is_for_other_pages:
            headers.add_vary_header("Origin")
        if self.cross_origin is not None:
            headers["Access-Control-Allow-Origin"] = self.cross_origin
            headers["Access-Control-Expose-Headers"] = "Retry-After"


def _is_for_other_pages(path: str) -> bool:
    """Whether pages of other origins may read this path, if their site allows it."""
    return path.startswith("/api/") or path == "/embed.html"


def _announced(headers: Headers) -> int:
    given = headers.get("content-length", "0")
    return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else 2**53


def _is_form(headers: Headers) -> bool:
    return headers.get("content-type", "").startswith("application/x-www-form-urlencoded")


def _is_preflight(scope: Scope) -> bool:
    return scope["method"] == "OPTIONS" and "access-control-request-method" in Headers(scope=scope)


def _preflight() -> Response:
    headers = {
        "Access-Control-Allow-Methods": _METHODS,
        "Access-Control-Allow-Headers": _HEADERS,
        "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
    }
    return Response(status_code=204, headers=headers)
