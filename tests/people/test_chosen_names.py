"""(Decision 76) A name that comes from its bearer alone is no other member's: by PATCH, and after a provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest

from tertulia.checks import check
from tertulia.identity import utc_now
from tertulia.store import administration, schema
from tests.people.signing_in import Browser, Server, config, handed, serving
from tests.people.test_sessions import Instance, code, instance
from tests.support.providers import SECRET, HostileProvider

TAKEN = (409, "name_taken")
RACES = 12


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one") as found:
        yield found


@pytest.fixture
async def provider() -> AsyncIterator[HostileProvider]:
    """One that says no name of anybody."""
    async with HostileProvider() as found:
        found.claims, found.person = {"name": None}, {}
        yield found


async def rename(at: Instance, token: str, name: str) -> httpx.Response:
    return await at.ask("PATCH", "/me", token, json={"name": name})


async def own_name(at: Instance, token: str) -> str:
    return str((await at.ask("GET", "/me", token)).json()["name"])


async def test_who_renames_takes_no_other_members_name(one: Instance) -> None:
    await one.server.store.write(administration.AddSite("magazine", [], utc_now()))
    lan, minh, elsewhere = (
        await one.token("1/Lan Nguyễn"),
        await one.token("2/Minh"),
        await one.token("3/Ba", site="magazine"),
    )
    for name in ("Lan Nguyễn", "lan nguyen", "Lаn Nguyen", "Lan\u200dNguyen", " Lan  Nguyễn "):
        refused = await rename(one, minh, name)
        assert code(refused) == TAKEN, name
        assert "choose another" in refused.json()["detail"]
    assert await own_name(one, minh) == "Minh", "a refusal changes nothing"
    assert (await rename(one, lan, "LAN NGUYỄN")).status_code == 200, "one's own name is free"
    assert (await rename(one, elsewhere, "Lan Nguyễn")).status_code == 200, "another site has members of its own"
    assert (await rename(one, lan, "Hoa")).status_code == 200
    assert (await rename(one, minh, "Lan Nguyễn")).status_code == 200, "who leaves a name leaves it to others"
    assert await check(one.server.store) == []


async def test_who_is_vouched_for_takes_a_name_that_somebody_chose(one: Instance) -> None:
    lan = await one.token("1/Lan")
    assert (await rename(one, lan, "Hoa")).status_code == 200
    assert (await one.sign_in("2/Hoa")).status_code == 201
    assert await own_name(one, lan) == "Hoa", "who chose it keeps it"
    assert (await rename(one, lan, "Hoa")).status_code == 200, "and says it again"


async def test_two_who_choose_one_name_at_once_are_not_both_called_so(one: Instance) -> None:
    await both_choose(one, one)


async def test_nor_at_two_instances(database: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        here, there = [await stack.enter_async_context(instance(database, tmp_path / name)) for name in ("a", "b")]
        await both_choose(here, there)


async def both_choose(here: Instance, there: Instance) -> None:
    """Again and again, also by names that only look alike."""
    lan, minh = await here.token("1/Lan"), await there.token("2/Minh")
    for number in range(RACES):
        name = f"Nguyen {chr(ord('A') + number) * 3}"
        like = name.replace("N", "Ν")  # a Greek letter
        answers = await asyncio.gather(rename(here, lan, name), rename(there, minh, like))
        assert sorted(one.status_code for one in answers) == [200, 409], number
        assert [code(one) for one in answers if one.status_code != 200] == [TAKEN]
    names = {await own_name(here, lan), await own_name(there, minh)}
    assert len(names) == 2
    assert await check(here.server.store) == []


# ---- after a provider that says no name -----------------------------------------------------------------


async def came_back(provider: HostileProvider, browser: Browser, subject: str) -> str:
    """The code with which somebody comes back from there."""
    provider.claims["sub"] = subject
    provider.person["sub"] = subject
    told = provider.went((await browser.begin()).headers["location"])
    return handed(await browser.come_back(code="a-code", state=told["state"]))["code"]


async def arrived(provider: HostileProvider, at: Server, subject: str) -> tuple[Browser, str]:
    browser = at.browser()
    return browser, await came_back(provider, browser, subject)


async def test_a_name_that_is_said_after_a_provider_is_no_other_members(
    database: str, tmp_path: Path, provider: HostileProvider
) -> None:
    async with serving(database, tmp_path, provider.host) as (server,):
        await server.add("house", config(provider.issuer), SECRET)
        lan, first = await arrived(provider, server, "1")
        assert (await lan.exchange(first, name="Lan Nguyễn")).status_code == 201
        other, second = await arrived(provider, server, "2")
        for name in ("Lan Nguyễn", "lan nguyen", "Lаn Nguyen"):
            refused = await other.exchange(second, name=name)
            assert code(refused) == TAKEN, name
        assert len(await server.rows(schema.identity)) == 1, "nobody is made by a refusal"
        assert (await other.exchange(second, name="Lan Anh")).status_code == 201, "the code is still good"
        again = await came_back(provider, lan, "1")
        answer = await lan.exchange(again)
        assert (answer.status_code, answer.json()["viewer"]["name"]) == (201, "Lan Nguyễn"), "nor asked for again"
        elsewhere = server.browser()
        answer = await elsewhere.exchange(await came_back(provider, elsewhere, "1"))
        assert answer.json()["viewer"]["name"] == "Lan Nguyễn", "in another browser neither"
        provider.claims["name"] = "Lan Anh"
        vouched = await came_back(provider, lan, "1")
        assert (await lan.exchange(vouched)).json()["viewer"]["name"] == "Lan Anh", "who is vouched for shares it"
        assert await check(server.running.store) == []


@pytest.mark.parametrize("count", [1, 2])
async def test_two_who_say_one_name_after_a_provider_are_not_both_called_so(
    database: str, tmp_path: Path, provider: HostileProvider, count: int
) -> None:
    async with serving(database, tmp_path, provider.host, count=count) as servers:
        await servers[0].add("house", config(provider.issuer), SECRET)
        for number in range(RACES // 2):
            people = [await arrived(provider, servers[-which], f"{number}/{which}") for which in (0, 1)]
            name = f"Tran {chr(ord('A') + number) * 3}"
            answers = await asyncio.gather(*[browser.exchange(given, name=name) for browser, given in people])
            assert sorted(one.status_code for one in answers) == [201, 409], number
            assert [code(one) for one in answers if one.status_code != 201] == [TAKEN]
        named = [row["name"] for row in await servers[0].rows(schema.author)]
        assert len(named) == len(set(named)) == RACES // 2
        assert await check(servers[0].running.store) == []
