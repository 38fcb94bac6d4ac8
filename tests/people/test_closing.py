"""Discussions that close at a time: by the clock that all instances share, and open pages are told."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tertulia.checks import check
from tertulia.discussions import moderation, posting
from tertulia.identity import utc_now
from tertulia.protocol import API, timestamp
from tertulia.store import schema
from tests.api.app import new_key
from tests.people.test_rules import moderator, snapshot
from tests.people.test_sessions import Instance, code, instance
from tests.support.rules import led
from tests.support.waiting import until

HOUR = timedelta(hours=1)


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one", work="closing") as found:
        yield found


async def change(one: Instance, staff: str | None, **what: Any) -> httpx.Response:
    return await one.ask("PATCH", "/discussion?key=talk", staff, json=what)


async def last_event(one: Instance) -> dict[str, Any]:
    events = (await one.ask("GET", "/events?key=talk&after=0")).json()["events"]
    found: dict[str, Any] = events[-1]
    return found


async def test_it_is_open_until_its_time_and_everybody_is_told_when(one: Instance) -> None:
    staff, at = await moderator(one), timestamp(utc_now() + HOUR)
    changed = await change(one, staff, closes_at=at)
    assert changed.json()["discussion"]["closes_at"] == at
    assert (await snapshot(one))["closes_at"] == at
    assert (await last_event(one))["discussion"] == led(closes_at=at)
    assert (await one.say(None, author={"name": "Ba"})).status_code == 201
    assert (await change(one, staff, closes_at=None)).json()["discussion"]["closes_at"] is None
    assert (await last_event(one))["discussion"] == led()
    told = [row["data"] for row in await one.rows(schema.action) if row["verb"] == "discussion.change"]
    assert [data["closes_at"] for data in told] == [[None, at], [at, None]]
    assert await check(one.server.store) == []


async def test_it_closes_by_itself_and_says_so(one: Instance) -> None:
    staff = await moderator(one)
    await change(one, staff, closes_at=timestamp(utc_now() - HOUR))

    async def is_closed() -> bool:
        return bool((await snapshot(one))["mode"] == "closed")

    await until(is_closed, "the discussion is closed")
    assert (await last_event(one))["discussion"] == led("closed")
    closed = (await one.rows(schema.action))[-1]
    assert (closed["actor_id"], closed["actor"], closed["data"]["mode"]) == (None, "server", ["open", "closed"])
    assert code(await one.say(None, author={"name": "Ba"})) == (409, "closed")
    assert await check(one.server.store) == []


async def test_a_time_that_was_changed_closes_nothing(one: Instance) -> None:
    staff, later = await moderator(one), timestamp(utc_now() + HOUR)
    await change(one, staff, closes_at=timestamp(utc_now() + timedelta(milliseconds=300)))
    await change(one, staff, closes_at=later)

    async def is_done() -> bool:
        return len([row for row in await one.rows(schema.task) if row["queue"] == "closing"]) == 1

    await until(is_done, "the task of the earlier time found nothing to do")
    assert (await snapshot(one))["mode"] == "open"
    assert (await snapshot(one))["closes_at"] == later


async def test_its_time_refuses_before_the_task_comes(database: str, tmp_path: Path) -> None:
    async with instance(database, tmp_path / "idle") as one:
        staff, first = await moderator(one), {"Idempotency-Key": new_key()}
        body = {"key": "talk", "body": "Good evening.", "author": {"name": "Ba"}}
        said = await one.client.post(f"{API}/comments", json=body, headers=first)
        await change(one, staff, closes_at=timestamp(utc_now() - HOUR))
        for text in ("Too late.", "late " * 200):
            assert code(await one.say(None, author={"name": "Ba"}, body=text)) == (409, "closed")
        again = await one.client.post(f"{API}/comments", json=body, headers=first)
        assert (again.status_code, again.json()["comment"]) == (200, said.json()["comment"])
        assert (await one.say(staff)).status_code == 201
        await change(one, staff, mode="open")
        assert (await snapshot(one))["closes_at"] is None, "who opens it takes back the time"
        assert (await one.say(None, author={"name": "Ba"})).status_code == 201


async def test_an_instance_whose_clock_is_off_closes_at_the_databases_time(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not database.startswith("postgresql"):
        pytest.skip("SQLite has the clock of its one machine")
    async with instance(database, tmp_path / "off") as one:
        staff, now = await moderator(one), utc_now()

        def ahead() -> datetime:
            return utc_now() + HOUR

        for module in (posting, moderation):
            monkeypatch.setattr(module, "utc_now", ahead)
        await change(one, staff, closes_at=timestamp(now + HOUR / 2))
        assert (await one.say(None, author={"name": "Ba"})).status_code == 201
        await change(one, staff, closes_at=timestamp(now - HOUR / 2))
        monkeypatch.setattr(posting, "utc_now", lambda: utc_now() - HOUR)
        assert code(await one.say(None, author={"name": "Ba"})) == (409, "closed")


@pytest.mark.parametrize(
    "given",
    ["", "tomorrow", "2026-11-24", "2026-11-24T18:00:00", "2026-13-24T18:00:00Z", "9999-12-31T23:59:59Z", 5, [], True],
)
async def test_what_is_no_time_changes_nothing(one: Instance, given: object) -> None:
    staff = await moderator(one)
    await one.say(None, author={"name": "Ba"})
    before = await one.rows(schema.discussion)
    refused = await change(one, staff, closes_at=given, mode="held")
    assert (code(refused), refused.json()["field"]) == ((422, "invalid"), "closes_at")
    assert await one.rows(schema.discussion) == before
