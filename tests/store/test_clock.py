"""An instance whose clock is an hour off, on PostgreSQL: the database's clock says what is over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta

import pytest

from tertulia.core.ids import uuid7
from tertulia.core.roles import Role
from tertulia.discussions.actors import Actors
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import Tokens, new_session_token, utc_now
from tertulia.limits import PostingLimits
from tertulia.people import SharedClock, Staff, by_site_token
from tertulia.people.sessions import TOKENS_AHEAD
from tertulia.protocol import NewSession
from tertulia.store import Store, queries, schema, sessions
from tertulia.store.actions import OPERATOR
from tertulia.store.challenges import CODE_SECONDS, CODES_AN_HOUR, AskForCode, TryCode, code_to_send
from tertulia.store.commands import EndSessions, Invite, ProlongSession, SignIn, SignInStaff, VoidTokens, Who
from tertulia.store.guests import GuestToken, admit
from tertulia.store.issuers import EndSessionsBy
from tertulia.store.sign_ins import (
    BeginSignIn,
    GiveSignInCode,
    SignInBegun,
    SignInCode,
    SweepSignIns,
    TakeSignIn,
    sign_in_code,
)
from tests.people.test_site_tokens import ISS, News
from tests.support.postgres import Postgres
from tests.support.tables import make_older, rows

HOUR, LIFE = timedelta(hours=1), timedelta(minutes=10)
BOTH_WAYS = pytest.mark.parametrize("off", [HOUR, -HOUR], ids=["ahead", "behind"])
ADDRESS, CODE = "a" * 64, "c" * 64


@pytest.fixture
async def store(postgres: Postgres) -> AsyncIterator[Store]:
    name = await postgres.create()
    opened = await Store.open(postgres.address(name))
    opened.start()
    yield opened
    await opened.close()
    await postgres.drop(name)


def here_and_there(off: timedelta) -> list[tuple[timedelta, timedelta]]:
    """Who makes something and who judges it: one of them has a clock that is ``off``."""
    return [(off, timedelta()), (timedelta(), off)]


@BOTH_WAYS
async def test_a_code_by_mail_is_good_for_its_minutes(store: Store, off: timedelta) -> None:
    for number, (maker, judge) in enumerate(here_and_there(off)):
        id_, address = uuid7(), f"{number}" * 64
        await store.write(AskForCode(id_, "default", address, "sealed", CODE, "en", utc_now() + maker))
        trying = TryCode(id_, "default", address, CODE, utc_now() + judge)
        assert (await store.write(trying)).sealed == "sealed"
        assert await store.read(code_to_send, id_, utc_now() + judge) is not None
        await store.write(SweepSignIns(utc_now() + judge))
        assert (await store.write(trying)).sealed == "sealed", "nothing is swept before its end"
        await make_older(store, timedelta(seconds=CODE_SECONDS))
        assert (await store.write(trying)).sealed is None
        assert await store.read(code_to_send, id_, utc_now() + judge) is None


@BOTH_WAYS
async def test_codes_are_few_an_hour_whoever_is_asked(store: Store, off: timedelta) -> None:
    for number in range(CODES_AN_HOUR):
        at = utc_now() + (off if number % 2 else timedelta())
        await store.write(AskForCode(uuid7(), "default", ADDRESS, "", CODE, "en", at))
    for at in (utc_now(), utc_now() + off):
        with pytest.raises(Problem) as refused:
            await store.write(AskForCode(uuid7(), "default", ADDRESS, "", CODE, "en", at))
        assert refused.value.code is ErrorCode.rate_limited
        assert 3000 < (refused.value.retry_after or 0) <= 3600


@BOTH_WAYS
async def test_a_session_is_good_for_its_life(store: Store, off: timedelta) -> None:
    async def is_good(token: str, at: datetime) -> bool:
        return await store.read(sessions.signed_in, token, at) is not None

    for maker, judge in here_and_there(off):
        token = uuid7()
        opened = await store.write(SignIn(Who("default", "news", token, "Lan"), token, "test", LIFE, utc_now() + maker))
        assert await is_good(token, utc_now() + judge)
        found = await store.read(sessions.signed_in, token, utc_now() + judge)
        assert found is not None
        assert found.session.expires_at == opened.session.expires_at
        id_, author_id = found.session.id, found.session.author_id
        await store.write(ProlongSession(id_, author_id, utc_now() + judge, LIFE))
        await make_older(store, LIFE / 2)
        assert await is_good(token, utc_now() + maker)
        await make_older(store, LIFE / 2)
        assert not await is_good(token, utc_now() + maker)
        assert not await is_good(token, utc_now() + judge)
        assert await store.write(EndSessions(author_id, utc_now() + judge)) == []


@BOTH_WAYS
async def test_the_staffs_links_and_sessions_too(store: Store, off: timedelta) -> None:
    for number, (maker, judge) in enumerate(here_and_there(off)):
        link, token = f"{number}" * 64, f"{number + 5}" * 64
        await store.write(Invite(OPERATOR, f"Editor {number}", None, Role.owner, link, utc_now() + maker))
        await make_older(store, timedelta(hours=23.5))
        await store.write(SignInStaff(token, utc_now() + judge, link_hash=link))
        await make_older(store, timedelta(hours=11.5))
        assert await store.read(queries.staff_session, token, utc_now() + maker) is not None
        await make_older(store, timedelta(hours=0.5))
        assert await store.read(queries.staff_session, token, utc_now() + judge) is None


@BOTH_WAYS
async def test_the_way_to_a_provider_too(store: Store, off: timedelta) -> None:
    for number, (maker, judge) in enumerate(here_and_there(off)):
        state = code = f"{number}" * 64
        then = utc_now() + maker
        begun = SignInBegun(
            state, "default", "house", "s", "c", "https://page.example", "en", "b", "n", "", then + LIFE
        )
        await store.write(BeginSignIn(begun, then))
        await store.write(GiveSignInCode(SignInCode(code, "default", "c", "o", "", then + LIFE), then))
        assert await store.write(SweepSignIns(utc_now() + judge)) == 0
        assert await store.read(sign_in_code, code, utc_now() + judge) is not None
        await make_older(store, LIFE)
        assert await store.write(TakeSignIn(state, "b", "house", utc_now() + judge)) is None
        assert await store.read(sign_in_code, code, utc_now() + judge) is None
        assert await store.write(SweepSignIns(utc_now() + judge)) == 2


@BOTH_WAYS
async def test_whoever_an_issuer_let_in_is_put_out(store: Store, off: timedelta) -> None:
    for maker, judge in here_and_there(off):
        token = uuid7()
        await store.write(SignIn(Who("default", "news", token, "Lan"), token, "test", LIFE, utc_now() + maker))
        assert await store.write(EndSessionsBy("default", "news", utc_now() + judge)) == 1
        assert await store.read(sessions.signed_in, token, utc_now() + maker) is None
        late = uuid7()
        await store.write(SignIn(Who("default", "news", late, "Lan"), late, "test", LIFE, utc_now() + maker))
        await make_older(store, LIFE)
        assert await store.write(EndSessionsBy("default", "news", utc_now() + judge)) == 0, "it was over"


@BOTH_WAYS
async def test_a_guests_tokens_are_void_whoever_made_them(store: Store, off: timedelta) -> None:
    for maker, judge in here_and_there(off):
        token = GuestToken(uuid7(), utc_now() + maker)
        await store.read(admit, token)
        await store.write(VoidTokens(token.author_id, utc_now() + judge, TOKENS_AHEAD))
        with pytest.raises(Problem) as refused:
            await store.read(admit, token)
        assert refused.value.code is ErrorCode.unauthenticated
        await store.read(admit, GuestToken(uuid7(), utc_now() + maker))


@BOTH_WAYS
async def test_a_session_of_a_day_is_not_prolonged(
    store: Store, off: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour before its end it looks, to an instance that is ahead, as if it had not been used for a day."""
    monkeypatch.setattr("tertulia.discussions.actors.utc_now", lambda: utc_now() + off)
    actors = Actors(store, Tokens(b"k" * 32), PostingLimits("off", "off"))
    token, hashed = new_session_token()
    await store.write(SignIn(Who("default", "news", "1", "Lan"), hashed, "test", timedelta(days=1), utc_now()))
    await make_older(store, timedelta(hours=23.5))
    before = await rows(store, schema.session)
    assert await actors.identify(f"Bearer {token}", "default") is not None
    assert await rows(store, schema.session) == before


async def nobody_named(_site: str, _given: str) -> str:
    raise AssertionError("no member is asked for")


@BOTH_WAYS
async def test_that_staff_are_there_is_noted(store: Store, off: timedelta, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.people.staff.utc_now", lambda: utc_now() + off)
    link, (token, hashed) = "a" * 64, new_session_token()
    staff = Staff(store, PostingLimits("off", "off"), nobody_named)
    await store.write(Invite(OPERATOR, "Editor", None, Role.owner, link, utc_now()))
    await store.write(SignInStaff(hashed, utc_now(), link_hash=link))
    made = {row["id"]: row["used_at"] for row in await rows(store, schema.session)}
    assert await staff.member(token) is not None
    assert {row["id"]: row["used_at"] for row in await rows(store, schema.session)} == made, "it was just used"
    await make_older(store, timedelta(minutes=6))
    member = await staff.member(token)
    assert member is not None
    [used_at] = [row["used_at"] for row in await rows(store, schema.session) if row["id"] == member.session_id]
    assert used_at >= made[member.session_id]


@BOTH_WAYS
async def test_a_token_of_a_sites_server_is_judged_by_it_too(
    store: Store, off: timedelta, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("site_tokens", "clock"):
        monkeypatch.setattr(f"tertulia.people.{module}.utc_now", lambda: utc_now() + off, raising=False)
    news, seconds = News(), [0.0]
    shared = SharedClock(store, lambda: seconds[0])
    vouch = by_site_token(news.issuers, shared.now)

    def asking(age: int) -> NewSession:
        made = int(utc_now().timestamp()) - age
        said = {"iss": ISS, "aud": "default", "sub": "4711", "iat": made, "exp": made + 300, "name": "Lan"}
        return NewSession(grant="jwt", token=news.server.token(said))

    assert (await vouch(asking(0), None)).name == "Lan"
    with pytest.raises(Problem):
        await vouch(asking(400), None)
    first = await shared.now()
    seconds[0] += 50
    assert await shared.now() == first + timedelta(seconds=50), "for a minute it is measured"
    seconds[0] += 20
    assert await shared.now() < first + timedelta(seconds=50), "and then asked again"
