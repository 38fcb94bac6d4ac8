"""Which pages may use a site: only those of its own list and of the server, by scheme, host and port."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import cast

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.routing import Route

from tertulia.protocol import API
from tertulia.settings import Settings
from tertulia.web.operations import Operation
from tests.api.app import OPERATIONS, App, add_site, bearer, furnish, named, new_key, opened
from tests.support.unlimited import unlimited

GOOD = "https://good.example"
OTHER_PORT = "https://good.example:8443"
HOSTILE = [
    "null",
    "*",
    "https://hostile.example",
    "http://good.example",
    "https://good.example:444",
    "https://good.example:80",
    "https://good.example.",
    "https://good.example.hostile.example",
    "https://hostile-good.example",
    "https://hostilegood.example",
    "https://sub.good.example",
    "https://example",
    "https://good.exampl",
    "https://good.example@hostile.example",
    "https://hostile.example@good.example",
    "https://user:pass@good.example",
    "https://hostile.example/https://good.example",
    "https://hostile.example#https://good.example",
    "https://hostile.example?https://good.example",
    "https://good.example/path",
    "https://good.example\\.hostile.example",
    "https://good.example%00.hostile.example",
    "https://g\u00f6od.example",
    "https://xn--god-8la.example",
    "https://good.example,https://hostile.example",
    "https://good.example https://hostile.example",
    "good.example",
    "//good.example",
    "https:good.example",
    "file://",
    "file://good.example",
    "ftp://good.example",
    "ws://good.example",
    "javascript://good.example",
    "chrome-extension://good.example",
    "https://",
    "https://[good.example]",
    "https://good.example:99999",
    "https://good.example:x",
    "http://news.test:81",
    "https://news.test",
    "",
]
SAME = [GOOD, "HTTPS://GOOD.EXAMPLE", "https://Good.Example:443", OTHER_PORT, "http://news.test", "http://NEWS.test:80"]


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    """The site ``default`` may be used by two origins, ``second`` by another."""
    chosen = settings.model_copy(update={"allowed_origins": (GOOD, OTHER_PORT)})
    async with opened(chosen) as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def refusing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[App]:
    """Like ``app``, with everything in it, for requests none of which changes anything."""
    async with opened(unlimited(tmp_path_factory.mktemp("refusing"), allowed_origins=(GOOD, OTHER_PORT))) as found:
        await furnish(found)
        before = found.rows()
        yield found
        assert found.rows() == before


async def _preflight(app: App, path: str, *origins: str) -> httpx.Response:
    headers = [("Origin", origin.encode()) for origin in origins]
    asked = [("Access-Control-Request-Method", b"POST"), ("Access-Control-Request-Headers", b"authorization")]
    raw = [(name.encode(), value) for name, value in headers + asked]
    return await app.client.request("OPTIONS", API + path, headers=raw)


async def _every_way(app: App, *origins: str) -> list[httpx.Response]:
    headers = [(b"Origin", origin.encode()) for origin in origins]
    body = {"key": "talk", "body": "x", "author": {"name": "Lan"}}
    once = [(b"Idempotency-Key", new_key().encode()), *headers]
    return [
        await app.client.get(f"{API}/discussion?key=talk", headers=headers),
        await app.client.get(f"{API}/events?key=talk", headers=headers),
        await app.client.get(f"{API}/openapi.json", headers=headers),
        await app.client.post(f"{API}/comments", json=body, headers=once),
        await app.client.delete(f"{API}/comments/{new_key()}", headers=headers),
    ]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("origin", HOSTILE)
async def test_a_page_of_another_origin_is_refused(refusing: App, origin: str) -> None:
    before = refusing.committed
    for answer in [*await _every_way(refusing, origin), await _preflight(refusing, "/comments", origin)]:
        assert answer.status_code == 403
        assert answer.json()["code"] == "origin_not_allowed"
        assert "access-control-allow-origin" not in answer.headers
        assert "Origin" in answer.headers["vary"]
    assert refusing.committed == before


async def test_there_are_enough_of_them() -> None:
    assert len(set(HOSTILE)) >= 20


@pytest.mark.parametrize("origin", SAME)
async def test_a_page_of_the_site_is_answered(app: App, origin: str) -> None:
    snapshot, events, document, said, deleted = await _every_way(app, origin)
    statuses = [answer.status_code for answer in (snapshot, events, document, said, deleted)]
    assert statuses == [200, 200, 200, 201, 401]
    for answer in (snapshot, events, document, said, deleted):
        assert answer.headers["access-control-allow-origin"] == origin
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
    preflight = await _preflight(app, "/comments", origin)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == origin
    assert "DELETE" in preflight.headers["access-control-allow-methods"]
    assert {"authorization", "content-type", "idempotency-key"} <= {
        name.strip().lower() for name in preflight.headers["access-control-allow-headers"].split(",")
    }
    assert 0 < int(preflight.headers["access-control-max-age"]) <= 7200


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "origins", [(GOOD, GOOD), (GOOD, "https://hostile.example"), ("https://hostile.example", GOOD)]
)
async def test_two_origins_are_none(refusing: App, origins: tuple[str, str]) -> None:
    for answer in [*await _every_way(refusing, *origins), await _preflight(refusing, "/comments", *origins)]:
        assert answer.json()["code"] == "origin_not_allowed"


NAMED = [
    ("GET", "/discussion?key=talk&site="),
    ("GET", "/comments?key=talk&site="),
    ("GET", "/counts?key=talk&site="),
    ("GET", "/feed.atom?key=talk&site="),
    ("GET", "/events?key=talk&site="),
    ("GET", "/moderation/held?site="),
    ("GET", "/moderation/reports?site="),
    ("PATCH", "/discussion?key=talk&site="),
]


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(("method", "path"), NAMED)
@pytest.mark.parametrize(
    ("origin", "own", "other"), [(GOOD, "default", "second"), ("https://second.example", "second", "default")]
)
async def test_an_origin_of_one_site_may_not_use_another(
    refusing: App, method: str, path: str, origin: str, own: str, other: str
) -> None:
    headers = {"Origin": origin}
    refused = await refusing.client.request(method, API + path + other, headers=headers)
    assert refused.json()["code"] == "origin_not_allowed"
    answer = await refusing.client.request(method, API + path + own, headers=headers)
    assert answer.status_code in (200, 401, 415)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_page_of_one_site_may_not_post_to_another(refusing: App) -> None:
    before = refusing.committed
    body = {"key": "talk", "body": "x", "author": {"name": "Lan"}, "site": "second"}
    headers = {"Origin": GOOD, "Idempotency-Key": new_key()}
    answer = await refusing.client.post(f"{API}/comments", json=body, headers=headers)
    assert answer.json()["code"] == "origin_not_allowed"
    headers = {"Origin": GOOD, "Accept": "text/event-stream"}
    async with asyncio.timeout(10):  # a stream that is not refused has no end
        stream = await refusing.client.get(f"{API}/events?key=talk&site=second", headers=headers)
    assert stream.json()["code"] == "origin_not_allowed"
    assert refusing.committed == before


@pytest.mark.asyncio(loop_scope="module")
async def test_who_is_no_page_needs_no_origin(refusing: App) -> None:
    answer = await refusing.client.get(f"{API}/discussion?key=talk")
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


async def test_a_site_is_known_as_soon_as_the_list_is_old(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    headers = {"Origin": "https://third.example"}
    path = f"{API}/discussion?key=talk&site=third"
    assert (await app.client.get(path)).json()["code"] == "unknown_site"
    await add_site(app.server, "third", "https://third.example")
    monkeypatch.setattr("tertulia.discussions.sites.FRESH_SECONDS", -1.0)
    assert (await app.client.get(path, headers=headers)).status_code == 200


# ---- comments that a path names without their site ------------------------------------------------------

OF_COMMENTS = [operation for operation in OPERATIONS if "{id}" in operation.path]
BODIES: dict[str, object] = {"CommentEdit": {"body": "Edited."}, "Vote": {"value": 1}, "Report": {"reason": "spam"}}


async def _asked(app: App, operation: Operation, comment: str, headers: dict[str, str]) -> httpx.Response:
    body = BODIES[operation.body.__name__] if operation.body else None
    path = operation.path.replace("{id}", comment)
    return await app.client.request(operation.method, path, json=body, headers=headers)


def test_every_route_on_a_comment_is_an_operation_that_is_tried(app: App) -> None:
    """The list below is that of the running application."""
    routes = {
        (method, route.path)
        for route in cast(Starlette, app.server.asgi).routes
        if isinstance(route, Route) and route.path.startswith(f"{API}/comments/")
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert routes == {(operation.method, operation.path) for operation in OF_COMMENTS}
    assert len(routes) >= 7


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("who", [None, "lan", "minh", "moderator"])
@pytest.mark.parametrize("of", ["lans", "held", "removed", "deleted"])
@pytest.mark.parametrize("operation", OF_COMMENTS, ids=named)
async def test_to_a_page_of_another_site_a_comment_is_not_there(
    refusing: App, operation: Operation, of: str, who: str | None
) -> None:
    before = refusing.committed
    headers = {"Origin": "https://second.example"} | (bearer(refusing.tokens[who]) if who else {})
    answer = await _asked(refusing, operation, refusing.ids[of], headers)
    unknown = await _asked(refusing, operation, refusing.ids["unknown"], headers)
    assert (answer.status_code, answer.content) == (unknown.status_code, unknown.content)
    assert answer.status_code in (401, 403, 404)
    assert refusing.committed == before


@pytest.mark.parametrize("origin", [None, GOOD, "http://news.test"])
@pytest.mark.parametrize("operation", OF_COMMENTS, ids=named)
async def test_to_a_page_of_its_own_site_a_comment_is_there(app: App, operation: Operation, origin: str | None) -> None:
    await furnish(app)
    of = {"restore": "removed", "approve": "held"}.get(operation.path.rsplit("/")[-1], "lans")
    who = "minh" if operation.path.endswith("/vote") else "moderator"
    headers = ({"Origin": origin} if origin else {}) | bearer(app.tokens[who])
    answer = await _asked(app, operation, app.ids[of], headers)
    assert answer.status_code in (200, 201), answer.text


@pytest.mark.asyncio(loop_scope="module")
async def test_the_servers_own_pages_may_use_the_comments_of_every_site(refusing: App) -> None:
    for origin, status in ((None, 200), ("http://news.test", 200), ("https://second.example", 200), (GOOD, 404)):
        headers = {"Origin": origin} if origin else {}
        answer = await refusing.client.get(f"{API}/comments/{refusing.ids['foreign']}", headers=headers)
        assert answer.status_code == status
