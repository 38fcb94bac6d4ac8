"""The outermost layer, driven by hand: what it lets in, what it adds, what it writes down."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest
from starlette.types import Message, Receive, Scope, Send

from tertulia.app import Running, running
from tertulia.discussions import Sites
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import BODY_LIMIT
from tertulia.settings import Settings
from tertulia.web.client_address import ClientAddress
from tertulia.web.middleware import RequestMiddleware
from tertulia.web.origins import OriginPolicy

App = Callable[[Scope, Receive, Send], Awaitable[None]]
GOOD = "https://good.example"


async def _read() -> dict[str, list[str]]:
    return {"default": [GOOD]}


def _scope(method: str = "POST", path: str = "/api/v1/x", **headers: str) -> Scope:
    named = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "server": ("127.0.0.1", 8000),
        "client": ("203.0.113.77", 1234),
        "headers": named,
    }


def _wrapped(app: App) -> RequestMiddleware:
    addresses = ClientAddress(["203.0.113.77"])
    return RequestMiddleware(app, OriginPolicy(Sites(_read, ()), addresses), addresses)


class Exchange:
    """One request to the middleware around ``app``."""

    def __init__(self, app: App, *pieces: bytes) -> None:
        self._middleware = _wrapped(app)
        self._pieces = list(pieces)
        self.received = 0
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        self.received += 1
        if not self._pieces:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self._pieces.pop(0), "more_body": bool(self._pieces)}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def run(self, scope: Scope) -> httpx.Response:
        await self._middleware(scope, self.receive, self.send)
        start = self.sent[0]
        content = b"".join(message.get("body", b"") for message in self.sent[1:])
        return httpx.Response(start["status"], headers=start["headers"], content=content)


async def _hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def _reading(scope: Scope, receive: Receive, send: Send) -> None:
    more = True
    while more:
        more = (await receive()).get("more_body", False)
    await _hello(scope, receive, send)


async def _never(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("the application was called")


@pytest.mark.parametrize("length", [str(BODY_LIMIT + 1), "9" * 15, "9" * 400, "-1", "x", "1 2", ""])
async def test_what_announces_too_much_is_refused_unread(length: str) -> None:
    exchange = Exchange(_never, b"x" * 10)
    answer = await exchange.run(_scope(content_length=length))
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"
    assert exchange.received == 0


async def test_what_does_not_say_how_long_it_is_is_read_no_further() -> None:
    exchange = Exchange(_reading, *[b"x" * 16_384] * 20)
    answer = await exchange.run(_scope())
    assert answer.status_code == 413
    assert exchange.received == 5


async def test_what_is_just_small_enough_is_read() -> None:
    exchange = Exchange(_reading, *[b"x" * (BODY_LIMIT // 4)] * 4)
    assert (await exchange.run(_scope(content_length=str(BODY_LIMIT)))).status_code == 200


async def test_the_end_of_a_body_counts_what_it_announced_for_nothing() -> None:
    exchange = Exchange(_reading, b"x" * BODY_LIMIT, b"x")
    assert (await exchange.run(_scope(content_length="3"))).status_code == 413


async def test_an_answer_that_has_begun_is_not_begun_again(caplog: pytest.LogCaptureFixture) -> None:
    async def late(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("too late")

    exchange = Exchange(late)
    assert (await exchange.run(_scope())).status_code == 200
    assert [message["type"] for message in exchange.sent] == ["http.response.start"]
    assert "too late" in caplog.text


async def test_an_exception_becomes_a_problem_and_a_line(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        raise LookupError("the secret cause")

    answer = await Exchange(broken).run(_scope("GET"))
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "internal"
    assert "secret cause" not in answer.text
    [record] = [record for record in caplog.records if record.exc_info]
    assert record.levelno == logging.ERROR
    assert "the secret cause" in caplog.text


async def test_a_problem_nobody_caught_is_still_one() -> None:
    async def refusing(scope: Scope, receive: Receive, send: Send) -> None:
        raise Problem(ErrorCode.rate_limited, "Wait.", retry_after=7)

    answer = await Exchange(refusing).run(_scope("GET", origin=GOOD))
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert answer.headers["access-control-allow-origin"] == GOOD


async def test_what_is_no_request_passes_through() -> None:
    seen: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.extend((scope["type"], receive, send))

    exchange = Exchange(app)
    await _wrapped(app)({"type": "websocket"}, exchange.receive, exchange.send)
    assert seen == ["websocket", exchange.receive, exchange.send]


# ---- other origins --------------------------------------------------------------------------------------


async def test_the_api_says_which_page_may_read_it() -> None:
    answer = await Exchange(_hello).run(_scope("GET", origin=GOOD))
    assert answer.headers["access-control-allow-origin"] == GOOD
    assert answer.headers["access-control-expose-headers"] == "Retry-After"
    assert "Origin" in answer.headers["vary"]


async def test_pages_are_not_for_other_pages() -> None:
    for origin in (GOOD, "https://hostile.example"):
        answer = await Exchange(_hello).run(_scope("GET", path="/d", origin=origin))
        assert answer.status_code == 200
        assert "access-control-allow-origin" not in answer.headers


async def test_a_preflight_is_answered_here() -> None:
    answer = await Exchange(_never).run(_scope("OPTIONS", origin=GOOD, access_control_request_method="PUT"))
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == GOOD


@pytest.mark.parametrize(
    "headers", [{"origin": GOOD}, {"access_control_request_method": "PUT"}, {}], ids=["no method", "no origin", "none"]
)
async def test_other_options_are_not_preflights(headers: dict[str, str]) -> None:
    assert (await Exchange(_hello).run(_scope("OPTIONS", **headers))).text == "hello"


# ---- headers of caution ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/discussion?key=a", 200),
        ("GET", "/api/v1/discussion", 422),
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/discussion", 405),
        ("POST", "/api/v1/comments", 415),
        ("GET", "/api/v1/openapi.json", 200),
        ("GET", "/api/docs", 200),
        ("GET", "/", 200),
        ("GET", "/d?key=a", 200),
        ("GET", "/nothing", 404),
        ("DELETE", "/", 405),
        ("GET", "/robots.txt", 200),
        ("GET", "/favicon.svg", 200),
        ("GET", "/healthz", 200),
        ("GET", "/readyz", 200),
        ("HEAD", "/api/v1/discussion?key=a", 200),
    ],
)
async def test_every_answer_is_careful(client: httpx.AsyncClient, method: str, path: str, status: int) -> None:
    answer = await client.request(method, path)
    assert answer.status_code == status
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"]
    assert "default-src" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"]
    assert "server" not in answer.headers
    assert "set-cookie" not in answer.headers
    if path.startswith("/api/"):
        assert answer.headers["cache-control"] == "no-store"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


async def test_refusals_of_the_middleware_are_careful_too(client: httpx.AsyncClient) -> None:
    refused = await client.get("/api/v1/discussion?key=a", headers={"Origin": "https://hostile.example"})
    large = await client.post("/api/v1/comments", content=b"x" * (BODY_LIMIT + 1))
    own = {"Origin": "http://news.test", "Access-Control-Request-Method": "POST"}
    preflight = await client.options("/api/v1/comments", headers=own)
    for answer in (refused, large, preflight):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["content-security-policy"]


# ---- one line a request ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/discussion", 422),
        ("GET", "/api/v1/nothing", 404),
        ("POST", "/api/v1/comments", 415),
        ("GET", "/", 200),
        ("OPTIONS", "/api/v1/comments", 405),
    ],
)
async def test_a_request_is_one_line_without_secrets(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, method: str, path: str, status: int
) -> None:
    caplog.set_level(logging.DEBUG, "tertulia")
    headers = {"Authorization": "Bearer tm_secretsecret", "Idempotency-Key": "secretsecretsecret"}
    await client.request(method, f"{path}?secret=secret", headers=headers, content=b"secret")
    [record] = [record for record in caplog.records if record.name == "tertulia.web.middleware"]
    fields = vars(record)
    assert (fields["method"], fields["path"]) == (method, path)
    assert fields["status"] in (status, 422)
    assert fields["milliseconds"] >= 0
    assert fields["network"] == "127.0.0.0/24"
    assert "secret" not in repr(fields).replace("secret_key", "")


async def test_questions_after_health_are_not_written_down(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "tertulia")
    await client.get("/healthz")
    await client.get("/readyz")
    assert [record for record in caplog.records if record.name == "tertulia.web.middleware"] == []


async def test_the_network_is_that_of_the_client_behind_the_proxy(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tertulia")
    await Exchange(_hello).run(_scope("GET", x_forwarded_for="198.51.100.200"))
    assert vars(caplog.records[-1])["network"] == "198.51.100.0/24"
    assert "198.51.100.200" not in caplog.text


async def test_a_client_that_leaves_while_it_sends_is_no_failure(
    server: Running, caplog: pytest.LogCaptureFixture
) -> None:
    scope = _scope(path="/api/v1/comments", content_type="application/json", idempotency_key="k" * 32)
    exchange = Exchange(server.asgi)
    await server.asgi(scope, exchange.receive, exchange.send)
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


async def test_behind_a_proxy_the_address_is_known(settings: Settings, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tertulia")
    chosen = settings.model_copy(update={"trusted_proxies": ("127.0.0.1",)})
    async with running(chosen) as server:
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
            await client.get("/", headers={"X-Forwarded-For": "garbage, 2001:db8:7:8::9"})
    assert vars(caplog.records[-1])["network"] == "2001:db8:7::/48"


async def test_a_query_of_many_parameters_never_reaches_the_application() -> None:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("it was asked")

    scope = _scope("GET", "/d")
    scope["query_string"] = b"&".join([b"a="] * 5_000)
    answer = await Exchange(application).run(scope)
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
