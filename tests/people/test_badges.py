"""Badges: by a role or an issuer's word, called as the site says, and nobody's to type."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tertulia.core.badges import badge_of, in_language, is_badge
from tertulia.core.roles import Role
from tertulia.errors import Problem
from tertulia.identity import new_moderator_token, utc_now
from tertulia.people import Claim
from tertulia.protocol import API
from tertulia.store import administration, schema
from tests.people import test_sessions
from tests.people.test_sessions import Instance, code, instance
from tests.support import vouching

WORDS = {"en": "Our host", "vi": "Người dẫn"}


@pytest.fixture
async def one(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Instance]:
    """Whose way in says a badge after a plus."""

    async def with_badge(new: Any, origin: str | None) -> Claim:
        given, _, badge = (new.token or "").partition("+")
        claim = await vouching.vouched(new.model_copy(update={"token": given}), origin)
        return Claim(claim.issuer, claim.subject, claim.name, via="test", badge=badge)

    monkeypatch.setattr(test_sessions, "vouched", with_badge)
    async with instance(database, tmp_path / "one") as found:
        await found.server.store.write(administration.ChangeSiteBadge("default", "host", WORDS, utc_now()))
        yield found


async def said(one: Instance, token: str) -> Any:
    answer = await one.say(token)
    assert answer.status_code == 201, answer.text
    return answer.json()["comment"]["author"]["badge"]


async def test_who_was_given_one_carries_it_until_a_sign_in_says_otherwise(one: Instance) -> None:
    opened = (await one.sign_in("1/Lan+host")).json()
    assert opened["viewer"]["badge"] == "host"
    assert (await one.ask("GET", "/me", opened["token"])).json()["badge"] == "host"
    assert await said(one, opened["token"]) == "host"
    assert await said(one, await one.token("2/Minh")) is None
    assert await said(one, await one.token("1/Lan")) is None
    assert await said(one, await one.token("1/Lan+host")) == "host"
    assert await said(one, await one.token("3/Hoa+moderator")) is None, "that one is nobody's to give"


async def test_a_role_is_a_badge(one: Instance) -> None:
    session = await one.token("1/Lan")
    author_id = (await one.rows(schema.session))[0]["author_id"]
    await one.do(schema.grant.insert().values(author_id=author_id, site_id=0, role=Role.staff))
    assert await said(one, session) == "staff"
    await one.do(schema.grant.insert().values(author_id=author_id, site_id=0, role=Role.host))
    assert await said(one, session) == "host"


async def test_somebody_of_the_staff_who_decides_nothing_writes_under_their_own_name(one: Instance) -> None:
    made = new_moderator_token()
    await one.server.store.write(administration.AddModerator("Mai", made.hash, utc_now()))
    assert await said(one, made.token) == "moderator"
    await one.do(schema.grant.update().values(role=Role.host))
    assert await said(one, made.token) == "host"


async def test_a_snapshot_says_what_the_sites_are_called_in_the_language_asked_for(one: Instance) -> None:
    session = await one.token()
    for headers in ({}, {"Authorization": f"Bearer {session}"}):
        for language, word in (("en", "Our host"), ("vi", "Người dẫn"), ("fr", "Our host")):
            path = f"{API}/discussion?key=talk&lang={language}"
            assert (await one.client.get(path, headers=headers)).json()["badges"] == {"host": word}


async def test_without_any_nothing_is_said_of_them(database: str, tmp_path: Path) -> None:
    async with instance(database, tmp_path / "one") as one:
        assert "badges" not in (await one.client.get(f"{API}/discussion?key=talk")).json()


async def test_the_word_is_no_name(one: Instance) -> None:
    for name in ("Our host", "0ur Hоst", "Người dẫn", "nguoi dan"):
        assert code(await one.say(None, author={"name": name})) == (409, "name_taken")
        assert code(await one.sign_in(f"1/{name}")) == (409, "name_taken")
    assert (await one.say(None, author={"name": "Our hostess"})).status_code == 201


async def test_a_page_without_a_script_shows_it(one: Instance) -> None:
    await said(one, await one.token("1/Lan+host"))
    await said(one, await one.token("2/Minh+guide"))
    page = (await one.client.get("/d?key=talk")).text
    assert page.count('<span class="badge">') == 1, "what the site has no word for is not shown"
    assert '<span class="badge">Our host</span>' in page


async def test_a_site_has_a_few_and_takes_one_away(one: Instance) -> None:
    write = one.server.store.write
    for number in range(administration.BADGES - 1):
        await write(administration.ChangeSiteBadge("default", f"badge-{number}", {"en": "Guide"}, utc_now()))
    with pytest.raises(Problem, match="at most"):
        await write(administration.ChangeSiteBadge("default", "one-more", {"en": "Guide"}, utc_now()))
    await write(administration.ChangeSiteBadge("default", "host", {}, utc_now()))
    await write(administration.ChangeSiteBadge("default", "one-more", {"en": "Guide"}, utc_now()))
    with pytest.raises(Problem, match="no such site"):
        await write(administration.ChangeSiteBadge("nowhere", "host", {}, utc_now()))


def test_what_a_badge_is() -> None:
    assert [is_badge(key) for key in ("host", "a", "x" * 16, "our-guide")] == [True] * 4
    assert not any(is_badge(key) for key in ("", "Host", "x" * 17, "1st", "moderator", "a b"))
    assert badge_of("moderator", ()) is None
    assert badge_of("guide", ("host",)) == "guide"
    assert in_language({"a": {"fr": "Hôte"}}, "vi") == {"a": "Hôte"}
