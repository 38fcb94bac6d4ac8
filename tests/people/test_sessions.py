"""Sessions: opened by any way in, good for what a member does, and over at every instance at once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from tertulia.app import Running, running
from tertulia.checks import check
from tertulia.errors import ErrorCode
from tertulia.identity import Tokens, new_moderator_token, utc_now
from tertulia.protocol import API
from tertulia.store import administration, schema
from tertulia.store.commands import CommandResult
from tertulia.store.sign_ins import SweepSignIns
from tests.api.app import bearer, new_key
from tests.support.store_actions import Custom
from tests.support.tables import execute, make_older, rows
from tests.support.unlimited import unlimited
from tests.support.valkey import Valkey
from tests.support.vouching import vouched
from tests.support.waiting import PATIENCE

SECRET = "a secret key of these tests, long enough"


@dataclass
class Instance:
    server: Running
    client: httpx.AsyncClient

    async def sign_in(self, token: str = "1/Lan", **more: str) -> httpx.Response:
        return await self.client.post(f"{API}/sessions", json={"grant": "test", "token": token, **more})

    async def token(self, token: str = "1/Lan", **more: str) -> str:
        answer = await self.sign_in(token, **more)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    async def ask(self, method: str, path: str, token: str | None = None, **more: Any) -> httpx.Response:
        headers = {"Idempotency-Key": new_key()} | (bearer(token) if token else {})
        return await self.client.request(method, f"{API}{path}", headers=headers, **more)

    async def say(self, token: str | None, **more: Any) -> httpx.Response:
        return await self.ask("POST", "/comments", token, json={"key": "talk", "body": "Good evening.", **more})

    async def do(self, statement: Any) -> None:
        await execute(self.server.store, statement)

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        return await rows(self.server.store, table)


@asynccontextmanager
async def instance(
    database: str, folder: Path, redis: str | None = None, work: str = "none", **more: Any
) -> AsyncIterator[Instance]:
    settings = unlimited(folder, database_url=database, redis_url=redis, work=work, **more)
    async with running(settings, more_sign_in_methods={"test": vouched}) as server:
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test", timeout=PATIENCE) as client:
            yield Instance(server, client)


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one") as found:
        yield found


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# ---- signing in -----------------------------------------------------------------------------------------


async def test_who_signs_in_writes_as_a_member_and_is_the_same_the_next_time(one: Instance) -> None:
    answer = await one.sign_in("1/Nguyễn Thị Lan")
    viewer = answer.json()["viewer"]
    assert (viewer["name"], viewer["kind"], viewer["also"], viewer["roles"]) == ("Nguyễn Thị Lan", "member", [], [])
    assert answer.headers["cache-control"] == "no-store"
    said = await one.say(answer.json()["token"], author={"name": "Somebody else"})
    assert said.status_code == 201
    assert said.json()["comment"]["author"] == {"id": viewer["id"], "name": "Nguyễn Thị Lan", "badge": None}
    assert "token" not in said.json(), "who has a session gets no guest's token"
    again = (await one.sign_in("1/Lan N.")).json()["viewer"]
    assert (again["id"], again["name"]) == (viewer["id"], "Lan N."), "a later name is the name"
    other = (await one.sign_in("2/Lan N.")).json()["viewer"]
    assert other["id"] != viewer["id"], "members may share a name"
    assert await check(one.server.store) == []


async def test_nothing_of_the_token_or_the_subject_is_stored(one: Instance) -> None:
    token = await one.token("subject-marker/Lan")
    stored = repr([await one.rows(table) for table in schema.metadata.sorted_tables])
    assert "subject-marker" not in stored
    assert token not in stored
    assert token.startswith("ts_")
    assert len(token) == 46


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"grant": "carrier-pigeon"}, (422, "invalid")),
        ({"grant": "test", "token": "no name"}, (401, "unauthenticated")),
        ({"grant": "test", "token": "1/Moderator"}, (409, "name_taken")),
        ({"grant": "test", "token": "1/Mаi"}, (409, "name_taken")),
        ({"grant": "test", "token": "1/Lan", "site": "nowhere"}, (404, "unknown_site")),
        ({"grant": "test", "token": "1/Lan", "extra": 1}, (422, "unknown_field")),
        ({"token": "1/Lan"}, (422, "invalid")),
    ],
)
async def test_who_is_not_vouched_for_gets_no_session(
    one: Instance, body: dict[str, object], expected: tuple[int, str]
) -> None:
    await one.server.store.write(administration.AddModerator("Mai", "0" * 64, utc_now()))
    before = [await one.rows(table) for table in schema.metadata.sorted_tables]
    assert code(await one.client.post(f"{API}/sessions", json=body)) == expected
    assert [await one.rows(table) for table in schema.metadata.sorted_tables] == before


async def test_what_is_good_once_is_spent(one: Instance) -> None:
    await one.token("once-1/Lan")
    assert code(await one.sign_in("once-1/Lan")) == (410, "spent")
    assert len(await one.rows(schema.session)) == 1
    await one.token("once-2/Lan")


# ---- what is one's own ----------------------------------------------------------------------------------


async def test_sessions_are_listed_and_ended(one: Instance) -> None:
    first, second, other = await one.token(), await one.token(), await one.token("2/Minh")
    listed = (await one.ask("GET", "/me/sessions", second)).json()["sessions"]
    assert [(entry["via"], entry["current"]) for entry in listed] == [("test", True), ("test", False)]
    assert (await one.ask("DELETE", "/sessions/current", first)).json() == {"ended": 1}
    assert code(await one.ask("GET", "/me", first)) == (401, "unauthenticated")
    assert (await one.ask("GET", "/me", second)).status_code == 200
    third = await one.token()
    assert (await one.ask("DELETE", "/me/sessions", third)).json() == {"ended": 2}
    for over in (second, third):
        assert code(await one.say(over)) == (401, "unauthenticated")
    assert (await one.say(other)).status_code == 201, "another person goes on"


async def test_a_name_is_changed_for_what_will_be_said(one: Instance) -> None:
    token = await one.token()
    before = (await one.say(token)).json()["comment"]
    changed = await one.ask("PATCH", "/me", token, json={"name": "Lan ✓ of Hội An"})
    assert changed.json()["name"] == "Lan of Hội An"
    assert (await one.say(token)).json()["comment"]["author"]["name"] == "Lan of Hội An"
    shown = (await one.ask("GET", f"/comments/{before['id']}")).json()["comment"]
    assert shown["author"]["name"] == "Lan"
    assert code(await one.ask("PATCH", "/me", token, json={"name": "Admin"})) == (409, "name_taken")


async def test_other_tokens_are_no_sessions(one: Instance) -> None:
    token, hashed = new_moderator_token()
    await one.server.store.write(administration.AddModerator("Mai", hashed, utc_now()))
    guest = (await one.say(None, author={"name": "Ba"})).json()["token"]
    for given, kind in ((token, "staff"), (guest, "guest")):
        assert (await one.ask("GET", "/me", given)).json()["kind"] == kind
        for method, path in (("DELETE", "/sessions/current"), ("GET", "/me/sessions")):
            assert code(await one.ask(method, path, given)) == (403, ErrorCode.wrong_session.name)
        assert code(await one.ask("PATCH", "/me", given, json={"name": "Lan"})) == (403, "wrong_session")
    assert code(await one.ask("DELETE", "/me/sessions", token)) == (403, "wrong_session")
    assert code(await one.ask("GET", "/me")) == (401, "unauthenticated")


async def test_a_session_moderates_nothing_whoever_it_is(one: Instance) -> None:
    session = await one.token()
    author_id = (await one.rows(schema.session))[0]["author_id"]
    await one.do(schema.grant.insert().values(author_id=author_id, site_id=0, role="moderator"))
    assert (await one.ask("GET", "/me", session)).json()["roles"] == ["moderator"]
    said = (await one.say(None, author={"name": "Ba"})).json()["comment"]["id"]
    assert code(await one.ask("DELETE", f"/comments/{said}", session)) == (403, "forbidden")
    assert code(await one.ask("GET", "/moderation/held", session)) == (403, "forbidden")
    assert code(await one.ask("PATCH", "/discussion?key=talk", session, json={"mode": "closed"})) == (403, "forbidden")


async def test_a_session_is_good_at_its_own_site_only(one: Instance) -> None:
    await one.server.store.write(administration.AddSite("second", [], utc_now()))
    here, there = await one.token(), await one.token(site="second")
    assert code(await one.say(here, site="second")) == (401, "unauthenticated")
    said = (await one.say(there, site="second")).json()["comment"]["id"]
    assert code(await one.ask("PUT", f"/comments/{said}/vote", here, json={"value": 1})) == (404, "not_found")
    ids = {(await one.ask("GET", "/me", token)).json()["id"] for token in (here, there)}
    assert len(ids) == 2, "one person at two sites is two authors"


# ---- how long -------------------------------------------------------------------------------------------


async def test_a_session_goes_on_while_it_is_used_and_is_noted_once_a_day(one: Instance) -> None:
    token = await one.token()
    made = (await one.rows(schema.session))[0]
    await one.ask("GET", "/me", token)
    assert (await one.rows(schema.session))[0] == made, "not noted within the day"
    two_days = 2 * 86_400_000
    earlier = {name: made[name] - two_days for name in ("at", "used_at", "expires_at")}
    await one.do(update(schema.session).values(**earlier))
    await one.ask("GET", "/me", token)
    noted = (await one.rows(schema.session))[0]
    assert noted["used_at"] >= made["used_at"]
    assert noted["expires_at"] - noted["used_at"] == made["expires_at"] - made["used_at"]


@pytest.mark.parametrize("subject", ["short", "long"])
async def test_a_session_ends_by_itself(one: Instance, subject: str) -> None:
    token = await one.token(f"{subject}/Lan")
    assert (await one.ask("GET", "/me", token)).status_code == 200
    made = (await one.rows(schema.session))[0]
    life = timedelta(milliseconds=made["expires_at"] - made["at"])
    assert life == (timedelta(hours=24) if subject == "short" else timedelta(days=90))
    passed = {name: made[name] - life // timedelta(milliseconds=1) for name in ("at", "used_at", "expires_at")}
    await one.do(update(schema.session).values(**passed))
    assert code(await one.ask("GET", "/me", token)) == (401, "unauthenticated")
    assert code(await one.say(token)) == (401, "unauthenticated")


async def test_rows_of_what_is_over_go_with_a_later_sign_in(one: Instance) -> None:
    for _ in range(2):
        await one.token()
    [_, old] = await one.rows(schema.session)
    month = 31 * 86_400_000
    gone = update(schema.session).where(schema.session.c.id == old["id"])
    await one.do(gone.values(revoked_at=old["at"] - month))
    await one.token()
    assert old["id"] not in {row["id"] for row in await one.rows(schema.session)}
    assert len(await one.rows(schema.session)) == 2


# ---- several instances ----------------------------------------------------------------------------------


TROUBLE: dict[str, Callable[[Valkey], object] | None] = {
    "without Redis": None,
    "with Redis": lambda valkey: valkey,
    "Redis has stopped": Valkey.kill,
    "Redis is frozen": Valkey.freeze,
}


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_a_session_that_another_instance_ended_writes_nothing_here(
    database: str, tmp_path: Path, valkey: Valkey, trouble: str
) -> None:
    befall = TROUBLE[trouble]
    redis = None if befall is None else valkey.url
    async with AsyncExitStack() as stack:
        here, there = [
            await stack.enter_async_context(instance(database, tmp_path / name, redis)) for name in ("a", "b")
        ]
        about = (await here.say(None, author={"name": "Ba"})).json()["comment"]["id"]
        own = (await here.say(await here.token())).json()["comment"]["id"]
        if befall is not None:
            befall(valkey)
            stack.callback(valkey.thaw if trouble == "Redis is frozen" else lambda: None)
        for end in ("/sessions/current", "/me/sessions"):
            token = await here.token()
            assert (await there.say(token)).status_code == 201
            assert (await here.ask("DELETE", end, token)).status_code == 200
            for method, path, body in (
                ("POST", "/comments", {"key": "talk", "body": "Once more."}),
                ("PATCH", f"/comments/{own}", {"body": "Once more."}),
                ("DELETE", f"/comments/{own}", None),
                ("PUT", f"/comments/{about}/vote", {"value": 1}),
                ("POST", f"/comments/{about}/reports", {"reason": "spam"}),
                ("GET", "/me", None),
                ("GET", "/discussion?key=talk", None),
            ):
                assert code(await there.ask(method, path, token, json=body)) == (401, "unauthenticated"), path


async def test_whether_it_goes_on_is_asked_in_the_transaction_that_writes(
    one: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the look at the token and the commit somebody ends the session: nothing is written."""
    about = (await one.say(None, author={"name": "Ba"})).json()["comment"]["id"]
    token = await one.token()
    write = one.server.store.write_queue.submit

    async def late(command: Any) -> Any:
        ended = update(schema.session).values(revoked_at=1)
        await write(Custom(lambda connection: (connection.execute(ended), CommandResult(None))[1]))
        return await write(command)

    monkeypatch.setattr(one.server.store.write_queue, "submit", late)
    assert code(await one.say(token)) == (401, "unauthenticated")
    await one.do(update(schema.session).values(revoked_at=None))
    assert code(await one.ask("PUT", f"/comments/{about}/vote", token, json={"value": 1})) == (401, "unauthenticated")
    monkeypatch.undo()
    assert await one.rows(schema.vote) == []
    assert len(await one.rows(schema.comment)) == 1


async def test_two_instances_make_one_person(database: str, tmp_path: Path) -> None:
    import asyncio

    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(instance(database, tmp_path / name)) for name in ("a", "b")]
        answers = await asyncio.gather(*(each.sign_in("7/Lan") for each in both for _ in range(10)))
        assert len({answer.json()["viewer"]["id"] for answer in answers}) == 1
        assert len(await both[0].rows(schema.identity)) == 1
        assert len(await both[0].rows(schema.author)) == 1


def test_a_token_of_a_session_is_none_of_a_guest() -> None:
    with pytest.raises(Exception, match="unauthenticated"):
        Tokens(SECRET.encode()).read("ts_" + "a" * 43, None)


async def test_a_session_that_ended_long_ago_is_deleted(one: Instance) -> None:
    store = one.server.store
    await one.token()
    await make_older(store, timedelta(days=119))
    await store.write(SweepSignIns(utc_now()))
    assert len(await one.rows(schema.session)) == 1
    await make_older(store, timedelta(days=2))
    live = await one.token("2/Minh")
    await store.write(SweepSignIns(utc_now()))
    assert len(await one.rows(schema.session)) == 1
    assert (await one.say(live)).status_code == 201
