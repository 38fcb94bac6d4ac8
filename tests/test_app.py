"""The composition root: what starts, what is refused before it does, and what is undone at the end."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.types import ASGIApp, Message

from tertulia.app import Running, create_app, running
from tertulia.errors import StartupError
from tertulia.settings import Settings
from tertulia.store import administration
from tests.support.api_client import AsyncApiClient


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The environment of a server whose data is in a folder of this test."""
    monkeypatch.setenv("TERTULIA_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


async def _nobody() -> Message:
    raise AssertionError("nothing is read")


async def _nowhere(message: Message) -> None:
    raise AssertionError(f"nothing is sent: {message}")


async def _lifespan(app: ASGIApp, between: Callable[[], Awaitable[None]]) -> list[str]:
    """Runs the lifespan by hand; returns the types of the messages that the application sent."""
    sent: list[str] = []
    to_app: asyncio.Queue[Message] = asyncio.Queue()
    from_app: asyncio.Queue[Message] = asyncio.Queue()
    running_ = asyncio.ensure_future(app({"type": "lifespan", "state": {}}, to_app.get, from_app.put))
    await to_app.put({"type": "lifespan.startup"})
    sent.append((await asyncio.wait_for(from_app.get(), 15))["type"])
    if sent[0].endswith("complete"):
        await between()
        await to_app.put({"type": "lifespan.shutdown"})
        sent.append((await asyncio.wait_for(from_app.get(), 15))["type"])
        await running_
    else:
        with pytest.raises(StartupError):
            await running_
    return sent


async def _post_comment(app: ASGIApp, seq: int) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://news.test") as client:
        assert (await AsyncApiClient(client, "talk").post_comment())["seq"] == seq
        assert (await client.get("/readyz")).json() == {"status": "ok"}


async def test_an_application_for_any_server(configured: Path) -> None:
    """It opens in its lifespan, and another opens again what it closed."""
    for seq in (1, 2):
        app = create_app()
        sent = await _lifespan(app, partial(_post_comment, app, seq))
        assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
async def test_nothing_is_answered_before_it_opens_and_after_it_closed(configured: Path, kind: str) -> None:
    app = create_app()
    scope: dict[str, Any] = {"type": kind, "path": "/healthz", "headers": []}
    with pytest.raises(RuntimeError, match="lifespan"):
        await app(scope, _nobody, _nowhere)
    assert not os.path.exists(configured)  # noqa: ASYNC240 - once, in a test

    async def answers() -> None:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://news.test") as client:
            assert (await client.get("/healthz")).json() == {"status": "ok"}

    assert await _lifespan(app, answers) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
    with pytest.raises(RuntimeError, match="lifespan"):
        await app(scope, _nobody, _nowhere)


async def test_a_failed_start_is_reported_to_the_server(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_SECRET_KEY", "short")
    app = create_app()

    async def never() -> None:
        raise AssertionError("it did not start")

    assert await _lifespan(app, never) == ["lifespan.startup.failed"]
    with pytest.raises(RuntimeError, match="lifespan"):
        await app({"type": "http", "path": "/", "headers": []}, _nobody, _nowhere)


def test_a_bad_environment_is_refused_at_once(configured: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_PORT", "many")
    with pytest.raises(StartupError, match="TERTULIA_PORT"):
        create_app()


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"allowed_origins": ("*",)}, "is not an origin"),
        ({"allowed_origins": ("https://good.example", "null")}, "'null' is not an origin"),
        ({"allowed_origins": ("https://*.good.example",)}, "is not an origin"),
        ({"secret_key": "short"}, "needs at least 32"),
        ({"database_url": "postgresql://u:p@localhost/x"}, "database"),
        ({"redis_url": "http://u:p@localhost"}, "TERTULIA_REDIS_URL cannot be read"),
        ({"database_url": "no url"}, "cannot be read"),
        ({"database_url": "sqlite+aiosqlite://"}, "names no file"),
        ({"database_url": "sqlite+aiosqlite:////dev/null/x.db"}, "folder of the database"),
    ],
)
async def test_what_cannot_start_is_one_line(settings: Settings, changes: dict[str, object], reason: str) -> None:
    with pytest.raises(StartupError, match=reason) as caught:
        async with running(settings.model_copy(update=changes)):
            raise AssertionError("it started")
    assert len(str(caught.value).splitlines()) == 1
    assert "u:p@" not in str(caught.value)


async def test_health_and_readiness(
    server: Running, client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await client.get("/healthz")).json() == {"status": "ok"}
    ready = await client.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ok"})
    assert (await client.get("/acceptz")).status_code == 200
    await server.hub.drain(0)
    for path in ("/readyz", "/acceptz"):
        draining = await client.get(path)
        assert (draining.status_code, draining.json()) == (503, {"status": "draining"})
    assert (await client.get("/healthz")).status_code == 200


async def test_a_database_that_does_not_answer_is_not_ready(
    server: Running, client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def silent(_query: object, *_arguments: object) -> str:
        raise OSError("the disk is gone")

    monkeypatch.setattr(server.store, "read", silent)
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "the database does not answer"})
    # Work in the background reads as well, and says in its own words that it cannot.
    told = [record for record in caplog.records if record.name == "tertulia.store.failures"]
    assert [vars(record).get("reason") for record in told] == ["the disk is gone"]
    assert "disk" not in answer.text


async def test_a_server_that_began_before_a_restore_is_not_ready(server: Running, client: httpx.AsyncClient) -> None:
    await server.store.write(administration.RenewEpoch())
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "another epoch" in answer.json()["status"]


@pytest.mark.parametrize("redis_url", [None, "redis://127.0.0.1:1"])
async def test_an_application_leaves_no_task_behind(settings: Settings, redis_url: str | None) -> None:
    """Nor does it need its Redis to be there."""
    before = asyncio.all_tasks()
    async with running(settings.model_copy(update={"redis_url": redis_url})) as server:
        assert asyncio.all_tasks() > before
        assert server.store.epoch
    assert asyncio.all_tasks() == before


@pytest.mark.parametrize(("path", "kind"), [("/api/x", "application/problem+json"), ("/x", "text/html; charset=utf-8")])
async def test_an_unknown_address_is_answered_in_the_format_of_its_kind(
    client: httpx.AsyncClient, path: str, kind: str
) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.headers["content-type"]) == (404, kind)
    assert (await client.post(path)).status_code == 404
