"""A database that goes away and comes back: what people are answered meanwhile, and that nothing answered is lost."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
import pytest

from tertulia.app import running
from tertulia.checks import check
from tertulia.discussions import sites
from tertulia.errors import CloseCode
from tertulia.settings import Settings
from tests.postgres import running_postgres
from tests.push.test_fallback import connected


async def test_a_database_that_goes_away_is_told_and_comes_back(tmp_path: Path) -> None:
    with running_postgres() as postgres:
        settings = Settings(data_dir=tmp_path, database_url=postgres.address(), secret_key="s" * 32)
        async with running(settings) as server:
            transport = httpx.ASGITransport(server.asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:

                async def say(key: str) -> httpx.Response:
                    said = {"key": "x", "body": "Still here.", "author": {"name": "Lan"}}
                    return await client.post("/api/v1/comments", json=said, headers={"Idempotency-Key": key * 16})

                assert (await say("a")).status_code == 201
                assert (await client.get("/readyz")).status_code == 200
                await asyncio.to_thread(postgres.crash)
                answers = [await say("b"), await client.get("/api/v1/discussion?key=x"), await client.get("/d?key=x")]
                assert [answer.status_code for answer in answers] == [503, 503, 503]
                assert all(int(answer.headers["retry-after"]) > 0 for answer in answers)
                assert answers[0].json()["code"] == answers[1].json()["code"] == "unavailable"
                assert (await client.get("/readyz")).status_code == 503
                assert (await client.get("/healthz")).status_code == 200
                await asyncio.to_thread(postgres.start_again)
                assert (await client.get("/readyz")).status_code == 200
                assert (await say("b")).status_code == 201
                page = (await client.get("/api/v1/discussion?key=x")).json()
                assert [comment["body"] for comment in page["comments"]]
                assert page["discussion"]["comment_count"] == 2
            assert await check(server.store) == []


@pytest.mark.parametrize("fresh", [sites.FRESH_SECONDS, 0.0])
async def test_who_comes_while_the_database_is_away_is_told_to_come_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fresh: float
) -> None:
    """Whether the sites are known still or not: a client that is told to stop would never come back."""
    monkeypatch.setattr(sites, "FRESH_SECONDS", fresh)
    with running_postgres() as postgres:
        settings = Settings(data_dir=tmp_path, database_url=postgres.address(), secret_key="s" * 32)
        async with running(settings) as server:
            async with connected(server, "key=x") as socket:
                assert (await socket.until("hello"))["seq"] == 0
            await asyncio.to_thread(postgres.crash)
            async with connected(server, "key=y") as socket:
                closed = await socket.next()
                assert (closed["type"], closed["code"]) == ("websocket.close", CloseCode.restarting)
            await asyncio.to_thread(postgres.start_again)
            async with connected(server, "key=y") as socket:
                assert (await socket.until("hello"))["seq"] == 0
