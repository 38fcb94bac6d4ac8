"""Slow mode: one comment in so many seconds, of an author and of guests behind one address, on all instances."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from tertulia.checks import check
from tertulia.identity import utc_now
from tertulia.protocol import API
from tertulia.store import schema
from tertulia.store.origins import SweepOrigins
from tests.api.app import bearer, new_key
from tests.people.test_rules import moderator
from tests.people.test_sessions import Instance, code, instance
from tests.support.tables import say_earlier

AT_ONCE = 100


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one", origin_days=0) as found:
        yield found


@asynccontextmanager
async def two(database: str, tmp_path: Path) -> AsyncIterator[tuple[Instance, Instance]]:
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(instance(database, tmp_path / name)) for name in ("a", "b")]
        yield here, there


async def slow(one: Instance, staff: str, seconds: int | None = 30) -> None:
    answer = await one.ask("PATCH", "/discussion?key=talk", staff, json={"rules": {"slow": seconds}})
    assert answer.status_code == 200, answer.text


async def from_afar(one: Instance, address: str, token: str | None = None) -> httpx.Response:
    transport = httpx.ASGITransport(one.server.asgi, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
        headers = {"Idempotency-Key": new_key()} | (bearer(token) if token else {})
        body = {"key": "talk", "body": "Good evening.", "author": {"name": "Ba"}}
        return await client.post(f"{API}/comments", json=body, headers=headers)


async def pass_time(one: Instance, seconds: int) -> None:
    by = timedelta(seconds=seconds) // timedelta(milliseconds=1)
    await one.do(update(schema.comment).values(created_at=schema.comment.c.created_at - by))
    await one.do(update(schema.origin).values(at=schema.origin.c.at - by))


async def test_who_wrote_waits_and_is_told_how_long(one: Instance) -> None:
    staff, member = await moderator(one), await one.token()
    await slow(one, staff)
    assert (await one.say(member)).status_code == 201
    refused = await one.say(member)
    assert code(refused) == (429, "slow_mode")
    assert 28 <= refused.json()["retry_after"] <= 30
    assert refused.headers["retry-after"] == str(refused.json()["retry_after"])
    assert code(await one.say(member, body="long " * 200)) == (429, "slow_mode"), "before a long text is read"
    assert (await one.say(member, key="elsewhere")).status_code == 201, "elsewhere is elsewhere"
    assert [(await one.say(staff)).status_code for _ in range(3)] == [201] * 3
    await pass_time(one, 31)
    assert (await one.say(member)).status_code == 201
    await slow(one, staff, None)
    assert (await one.say(member)).status_code == 201


async def test_guests_behind_one_address_wait_for_one_another(one: Instance) -> None:
    staff, member = await moderator(one), await one.token()
    await slow(one, staff)
    assert (await from_afar(one, "203.0.113.9")).status_code == 201
    assert code(await from_afar(one, "203.0.113.9")) == (429, "slow_mode")
    assert (await from_afar(one, "203.0.113.10")).status_code == 201
    assert (await from_afar(one, "2001:db8::1")).status_code == 201
    assert code(await from_afar(one, "2001:db8::2")) == (429, "slow_mode"), "a customer has a /64"
    assert (await from_afar(one, "203.0.113.9", member)).status_code == 201, "members are known"
    await pass_time(one, 31)
    assert (await from_afar(one, "203.0.113.9")).status_code == 201


async def test_where_a_guest_wrote_from_is_noted_in_slow_mode_alone_and_hashed(one: Instance) -> None:
    staff = await moderator(one)
    await from_afar(one, "203.0.113.9")
    assert await one.rows(schema.origin) == []
    await slow(one, staff)
    said = (await from_afar(one, "203.0.113.9")).json()["comment"]["id"]
    [row] = await one.rows(schema.origin)
    half = len(row["network"]) // 2
    assert (row["comment_id"], half, row["network"][:half] != row["network"][half:]) == (said, 32, True)
    assert "203.0.113" not in repr([await one.rows(table) for table in schema.metadata.sorted_tables])


async def test_a_repeat_is_answered_as_the_first(one: Instance) -> None:
    staff = await moderator(one)
    await slow(one, staff)
    body: dict[str, Any] = {"key": "talk", "body": "Good evening.", "author": {"name": "Ba"}}
    headers = {"Idempotency-Key": new_key()}
    first, again = [await one.client.post(f"{API}/comments", json=body, headers=headers) for _ in range(2)]
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json()["comment"] == first.json()["comment"]


async def test_what_is_refused_for_something_else_counts_for_nothing(one: Instance) -> None:
    staff, member = await moderator(one), await one.token()
    await slow(one, staff)
    assert code(await one.say(member, parent_id=new_key())) == (409, "bad_parent")
    assert (await one.say(member)).status_code == 201


async def test_of_many_at_once_at_two_instances_one_is_shown(database: str, tmp_path: Path) -> None:
    async with two(database, tmp_path) as (here, there):
        staff, member = await moderator(here), await here.token()
        await slow(here, staff)
        answers = await asyncio.gather(*(place.say(member) for _ in range(AT_ONCE) for place in (here, there)))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [201] + [429] * (2 * AT_ONCE - 1)
        assert await check(here.server.store) == []
        await here.do(update(schema.comment).values(created_at=0))
        named = {"author": {"name": "Ba"}}
        answers = await asyncio.gather(*(place.say(None, **named) for _ in range(AT_ONCE) for place in (here, there)))
        codes = sorted(answer.status_code for answer in answers)
        assert codes == [201] + [429] * (2 * AT_ONCE - 1), "guests with new tokens behind one address"
        assert len(await here.rows(schema.comment)) == 2


async def test_where_guests_wrote_from_is_forgotten_once_no_rule_asks(one: Instance) -> None:
    """An hour is what slow mode asks for, and another is for clocks that are behind: ids have the time of theirs."""
    await slow(one, await moderator(one), 3_600)
    said = (await from_afar(one, "203.0.113.10")).json()["comment"]["id"]
    young = await say_earlier(one.server.store, said, timedelta(seconds=6_900))
    await say_earlier(one.server.store, said, timedelta(seconds=7_210))
    await one.server.store.write(SweepOrigins(utc_now()))
    assert sorted(row["comment_id"] for row in await one.rows(schema.origin)) == [young, said]
    assert code(await from_afar(one, "203.0.113.10")) == (429, "slow_mode")
