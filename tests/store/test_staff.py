"""Roles given and taken, one-time links, sessions of staff, and the log that tells of each."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from tertulia.checks import check
from tertulia.core.roles import DECIDING, Role
from tertulia.errors import ErrorCode, Problem
from tertulia.store import Store, administration, queries, schema
from tertulia.store.actions import OPERATOR, Action, By, Verb, log_page, record
from tertulia.store.commands import (
    Command,
    CommandResult,
    EndPersonsSessions,
    InRole,
    Invite,
    SignIn,
    SignInStaff,
    TakeRole,
    Who,
)
from tertulia.store.commands.base import T
from tests.support.store_actions import START, Custom
from tests.support.tables import make_older

HOUR = timedelta(hours=1)


class Desk:
    """What is done with a store at an hour of one's choice; links and tokens are numbers."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.numbers = 0

    def new(self) -> str:
        self.numbers += 1
        return f"{self.numbers:064x}"

    async def do(self, command: Command[T]) -> T:
        return await self.store.write(command)

    async def invite(
        self, name: str, role: Role = Role.owner, site: str | None = "news", by: By = OPERATOR, at: datetime = START
    ) -> tuple[str, str | None]:
        """The person's id, and the link where there is one."""
        link = self.new()
        invited = await self.do(Invite(by, name, site, role, link, at))
        return invited.author_id, link if invited.has_link else None

    async def sign_in(self, link: str | None, at: datetime = START) -> str:
        """The token."""
        token = self.new()
        await self.do(SignInStaff(token, at, link_hash=link))
        return token

    async def is_in(self, token: str, at: datetime = START) -> bool:
        return await self.store.read(queries.staff_session, token, at) is not None

    async def held(self, site: str | None = None) -> set[tuple[str, str | None, str]]:
        return {(one.name, one.site, one.role) for one in await self.store.read(queries.staff_of, site)}

    async def log(self, site: str | None = None) -> list[tuple[str, str, str | None]]:
        """Actor, verb and whom it is about, in no order: rows of one millisecond have none."""
        page = await self.store.read(log_page, site, 100)
        return sorted((one.actor, one.verb, one.about) for one in page.actions)


@pytest.fixture
async def desk(store: Store) -> AsyncIterator[Desk]:
    for key in ("news", "magazine"):
        await store.write(administration.AddSite(key, [], START))
    yield Desk(store)
    assert await check(store) == []


async def refused(desk: Desk, command: Command[Any], code: ErrorCode) -> None:
    with pytest.raises(Problem) as found:
        await desk.do(command)
    assert found.value.code is code


# ---- links and sessions ---------------------------------------------------------------------------------


async def test_a_link_is_good_once(desk: Desk) -> None:
    author_id, link = await desk.invite("Mai")
    token = await desk.sign_in(link)
    session = await desk.store.read(queries.staff_session, token, START)
    assert session is not None
    assert (session.author_id, session.name, session.roles) == (author_id, "Mai", [("news", "owner")])
    await refused(desk, SignInStaff(desk.new(), START, link_hash=link), ErrorCode.spent)
    assert await desk.log("news") == [
        ("Mai", "staff.sign_in", "Mai"),
        ("operator", "role.grant", "Mai"),
        ("operator", "staff.invite", "Mai"),
    ]


async def test_a_link_ends_after_a_day_and_with_the_next_one(desk: Desk) -> None:
    _, first = await desk.invite("Mai")
    _, second = await desk.invite("Mai")
    for link in (first, "0" * 64):
        await refused(desk, SignInStaff(desk.new(), START, link_hash=link), ErrorCode.spent)
    await make_older(desk.store, 24 * HOUR - timedelta(minutes=1))
    await desk.sign_in(second)
    _, third = await desk.invite("Mai")
    await make_older(desk.store, 24 * HOUR)
    await refused(desk, SignInStaff(desk.new(), START, link_hash=third), ErrorCode.spent)


async def test_a_link_is_no_session_and_a_session_no_link(desk: Desk) -> None:
    _, link = await desk.invite("Mai")
    assert link is not None
    assert not await desk.is_in(link)
    token = await desk.sign_in(link)
    await refused(desk, SignInStaff(desk.new(), START, link_hash=token), ErrorCode.spent)


async def test_a_token_of_a_moderator_opens_a_session_and_nobody_elses_does(desk: Desk) -> None:
    await desk.do(administration.AddModerator("Mai", "e" * 64, START))
    token = desk.new()
    await desk.do(SignInStaff(token, START, moderator_hash="e" * 64))
    assert await desk.is_in(token)
    await make_older(desk.store, 12 * HOUR)
    assert not await desk.is_in(token)
    await desk.do(SignInStaff(token := desk.new(), START, moderator_hash="e" * 64))
    assert await desk.is_in(token)
    await refused(desk, SignInStaff(desk.new(), START, moderator_hash="d" * 64), ErrorCode.unauthenticated)
    await desk.do(administration.RemoveModerator("Mai", START))
    assert not await desk.is_in(token)
    assert ("operator", "role.take", "Mai") in await desk.log()


@pytest.mark.parametrize("role", [Role.host, Role.staff])
async def test_who_decides_nothing_has_nothing_to_sign_in_to(desk: Desk, role: Role) -> None:
    _, link = await desk.invite("Mai", role)
    await refused(desk, SignInStaff(desk.new(), START, link_hash=link), ErrorCode.unauthenticated)


# ---- roles ----------------------------------------------------------------------------------------------


async def test_roles_are_of_a_site_or_of_all(desk: Desk) -> None:
    await desk.invite("Mai", Role.moderator, "news")
    await desk.invite("Mai", Role.moderator, "news")
    await desk.invite("Mai", Role.host, "magazine")
    await desk.invite("Ba", Role.owner, None)
    everything = {("Mai", "news", "moderator"), ("Mai", "magazine", "host"), ("Ba", None, "owner")}
    assert await desk.held() == everything
    assert await desk.held("news") == everything - {("Mai", "magazine", "host")}
    assert await desk.store.read(queries.staff_names) == ["Ba", "Mai"]
    assert await desk.store.read(queries.moderators) == []


async def test_a_name_that_looks_like_anothers_of_the_staff_is_refused(desk: Desk) -> None:
    await desk.invite("Mai")
    before = await desk.held()
    await refused(desk, Invite(OPERATOR, "Mаi", "news", Role.owner, desk.new(), START), ErrorCode.name_taken)
    await refused(desk, Invite(OPERATOR, "Ba", "nowhere", Role.owner, desk.new(), START), ErrorCode.unknown_site)
    assert await desk.held() == before


async def test_who_has_no_role_left_is_signed_out_and_the_name_is_free(desk: Desk) -> None:
    author_id, link = await desk.invite("Mai", Role.moderator)
    await desk.invite("Mai", Role.host, "magazine")
    _, link = await desk.invite("Mai", Role.moderator)
    token = await desk.sign_in(link)
    _, unused = await desk.invite("Mai", Role.moderator)
    assert await desk.do(TakeRole(OPERATOR, "Mai", "news", None, START)) == author_id
    assert await desk.is_in(token), "a role is left"
    await desk.do(TakeRole(OPERATOR, author_id, "magazine", Role.host, START))
    assert not await desk.is_in(token)
    await refused(desk, SignInStaff(desk.new(), START, link_hash=unused), ErrorCode.spent)
    assert await desk.store.read(queries.staff_names) == []
    await refused(desk, TakeRole(OPERATOR, "Mai", "news", None, START), ErrorCode.not_found)
    again, _ = await desk.invite("Mai")
    assert again != author_id


async def test_a_site_keeps_its_last_owner_but_for_the_operator(desk: Desk) -> None:
    mai, _ = await desk.invite("Mai")
    ba, _ = await desk.invite("Ba")
    await desk.do(TakeRole(By(mai, "Mai"), ba, "news", Role.owner, START))
    await refused(desk, TakeRole(By(mai, "Mai"), mai, "news", Role.owner, START), ErrorCode.invalid)
    assert await desk.held() == {("Mai", "news", "owner")}
    await desk.invite("Lan", Role.owner, None)
    await desk.do(TakeRole(By(mai, "Mai"), mai, "news", Role.owner, START))
    await desk.do(TakeRole(OPERATOR, "Lan", None, Role.owner, START))
    assert await desk.held() == set()


async def test_an_owner_gets_no_link_for_somebody_who_acts_elsewhere(desk: Desk) -> None:
    """Whoever has a link acts as that person, wherever the person may."""
    owner = By((await desk.invite("Mai"))[0], "Mai")
    assert (await desk.invite("Ba", Role.moderator, by=owner))[1] is not None
    await desk.invite("Lan", Role.owner, "magazine")
    await desk.do(administration.AddModerator("Minh", "e" * 64, START))
    for name in ("Lan", "Minh"):
        assert (await desk.invite(name, Role.host, by=owner))[1] is None
        assert (name, "news", "host") in await desk.held()
    everywhere = By((await desk.invite("Hoa", Role.owner, None))[0], "Hoa")
    assert (await desk.invite("Lan", Role.host, by=everywhere))[1] is not None


# ---- authority ------------------------------------------------------------------------------------------


class Done(Command[str]):
    def apply(self, connection: Connection) -> CommandResult[str]:
        return CommandResult("done")


@pytest.mark.parametrize(
    ("role", "at", "asked", "is_done"),
    [
        (Role.owner, "news", "news", True),
        (Role.moderator, "news", "news", True),
        (Role.moderator, None, "news", True),
        (Role.moderator, None, None, True),
        (Role.moderator, "news", None, False),
        (Role.owner, "magazine", "news", False),
        (Role.host, "news", "news", False),
        (Role.staff, None, "news", False),
        (Role.owner, "news", "nowhere", False),
    ],
)
async def test_a_command_needs_its_role_when_it_is_applied(
    desk: Desk, role: Role, at: str | None, asked: str | None, is_done: bool
) -> None:
    author_id, _ = await desk.invite("Mai", role, at)
    command = InRole(author_id, asked, DECIDING, Done(), START)
    if is_done:
        assert await desk.do(command) == "done"
        await desk.do(TakeRole(OPERATOR, author_id, at, role, START))
    await refused(desk, command, ErrorCode.forbidden)


async def test_a_command_of_a_session_needs_one_of_staff_that_goes_on(desk: Desk) -> None:
    author_id, link = await desk.invite("Mai")
    token = await desk.sign_in(link)
    session = await desk.store.read(queries.staff_session, token, START)
    assert session is not None
    command = InRole(author_id, "news", DECIDING, Done(), START, session.id)
    assert await desk.do(command) == "done"
    sessions = schema.session.c
    for ended in ({"scope": "reader"}, {"scope": "staff", "revoked_at": 1}):

        def end(connection: Connection, values: dict[str, Any] = ended) -> CommandResult[None]:
            connection.execute(update(schema.session).where(sessions.id == session.id).values(**values))
            return CommandResult(None)

        await desk.do(Custom(end))
        await refused(desk, command, ErrorCode.unauthenticated)


async def test_a_members_sessions_are_ended_by_the_staff_of_their_site(desk: Desk) -> None:
    who = Who("news", "https://news.example", "1" * 64, "Lan")
    for _ in range(2):
        await desk.do(SignIn(who, desk.new(), "test", 24 * HOUR, START))
    page = await desk.store.read(queries.member_sessions, "news", START, 1)
    assert [(one.name, one.via) for one in page.sessions] == [("Lan", "test")]
    rest = await desk.store.read(queries.member_sessions, "news", START, 1, page.next)
    assert (len(rest.sessions), rest.next) == (1, None)
    assert (await desk.store.read(queries.member_sessions, "magazine", START, 1)).sessions == []
    lan = page.sessions[0].author_id
    by = By(None, "operator")
    await refused(desk, EndPersonsSessions(by, lan, "magazine", START), ErrorCode.not_found)
    assert await desk.do(EndPersonsSessions(by, lan, "news", START)) == 2
    assert (await desk.store.read(queries.member_sessions, "news", START, 9)).sessions == []
    assert await desk.log("news") == [("operator", "sessions.end", "Lan")]
    await desk.do(SignIn(who, desk.new(), "test", 24 * HOUR, START))
    assert len((await desk.store.read(queries.member_sessions, "news", START, 9)).sessions) == 1
    await make_older(desk.store, 24 * HOUR)
    assert (await desk.store.read(queries.member_sessions, "news", START, 9)).sessions == []


# ---- the log --------------------------------------------------------------------------------------------


async def test_the_log_is_read_page_by_page_the_newest_first(desk: Desk) -> None:
    for number in range(5):
        await desk.invite(f"Person {number}", Role.host, "news")
    everything = await desk.store.read(log_page, "news", 100)
    assert len(everything.actions) == 10
    ids, cursor = [], None
    while True:
        page = await desk.store.read(log_page, "news", 3, cursor)
        ids += [one.id for one in page.actions]
        cursor = page.next
        if cursor is None:
            break
    assert ids == [one.id for one in everything.actions] == sorted(ids, reverse=True)
    assert (await desk.store.read(log_page, "magazine", 3)).actions == []
    assert (await desk.store.read(log_page, "nowhere", 3)).actions == []
    with pytest.raises(Problem, match="bad_cursor"):
        await desk.store.read(log_page, "magazine", 3, page.next or (await desk.store.read(log_page, "news", 3)).next)


async def test_an_action_and_what_it_tells_of_are_of_one_transaction(desk: Desk) -> None:
    """A command that fails after it has told the log leaves neither."""

    def fail(connection: Connection) -> CommandResult[None]:
        record(connection, Action(OPERATOR, Verb.grant, 0), START)
        raise Problem(ErrorCode.invalid, "not now")

    await refused(desk, Custom(fail), ErrorCode.invalid)
    assert await desk.log() == []


async def test_no_action_is_changed_or_deleted(desk: Desk) -> None:
    await desk.invite("Mai")
    before = await desk.log()
    for statement in (delete(schema.action), update(schema.action).values(reason="none")):

        def change(connection: Connection, statement: Any = statement) -> CommandResult[None]:
            connection.execute(statement)
            return CommandResult(None)

        with pytest.raises(Exception, match="kept as they are"):
            await desk.do(Custom(change))
    assert await desk.log() == before
    assert len(await desk.store.read(lambda connection: connection.execute(select(schema.action)).all())) == 2
