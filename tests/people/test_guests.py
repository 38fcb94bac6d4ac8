"""A guest becomes a member and keeps what was said; and guests' tokens that are void."""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from tertulia.checks import check
from tertulia.core.ids import uuid7
from tertulia.identity import new_moderator_token, utc_now
from tertulia.identity.compact import encoded
from tertulia.protocol import API
from tertulia.settings import secret_key
from tertulia.store import administration, schema
from tertulia.store.commands import merging
from tertulia.store.mapping import milliseconds
from tests.people.test_sessions import Instance, code, instance
from tests.support.unlimited import unlimited
from tests.support.valkey import Valkey


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one") as found:
        yield found


async def guest(one: Instance, name: str = "A guest", **more: Any) -> tuple[str, str, str]:
    """The token of a new guest, the guest's id, and the id of what was said."""
    said = (await one.say(None, author={"name": name}, **more)).json()
    return said["token"], said["comment"]["author"]["id"], said["comment"]["id"]


async def vote(one: Instance, token: str | None, comment_id: str, value: int = 1) -> dict[str, Any]:
    answer = await one.ask("PUT", f"/comments/{comment_id}/vote", token, json={"value": value})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def totals(one: Instance, comment_id: str) -> tuple[int, int]:
    votes = (await one.ask("GET", f"/comments/{comment_id}")).json()["comment"]["votes"]
    return votes["up"], votes["down"]


async def head(one: Instance, key: str = "talk") -> int:
    return int((await one.client.get(f"{API}/discussion?key={key}")).json()["discussion"]["seq"])


async def events(one: Instance, after: int) -> list[tuple[str, str | None]]:
    told = (await one.client.get(f"{API}/events?key=talk&after={after}")).json()["events"]
    return [(event["kind"], event.get("comment_id")) for event in told]


async def become(one: Instance, subject: str, token: str, **more: str) -> dict[str, Any]:
    answer = await one.sign_in(subject, guest=token, **more)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def signed(key: bytes, token: str, **claims: Any) -> str:
    """The token with other claims, as a site signs them that has the server's key."""
    header, payload, _ = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    text = f"{header}.{encoded(json.dumps(said | claims).encode())}"
    return f"{text}.{encoded(hmac.digest(key, text.encode(), 'sha256'))}"


# ---- a guest becomes a member -----------------------------------------------------------------------------


async def test_a_guest_keeps_thirty_comments_and_votes(one: Instance) -> None:
    _, _, others = await guest(one, "Ba")
    token, was, first = await guest(one)
    own = [first] + [(await one.say(token, body=f"Number {n}.")).json()["comment"]["id"] for n in range(29)]
    for _ in range(3):
        await guest(one, "Minh")
    await vote(one, token, others, -1)
    before, shown = await head(one), (await one.client.get(f"{API}/comments/{own[4]}")).json()["comment"]
    signed_in = await become(one, "1/Lan N.", token)
    session, viewer = signed_in["token"], signed_in["viewer"]
    assert viewer["also"] == [was]
    assert viewer["id"] != was
    assert await head(one) == before, "nobody hears of it"
    page = (await one.ask("GET", "/discussion?key=talk&limit=100", session)).json()
    assert page["viewer"] == {"id": viewer["id"], "also": [was], "name": "Lan N.", "kind": "member", "moderator": False}
    assert page["votes"] == {others: -1}
    assert (await one.ask("GET", "/me", session)).json()["also"] == [was]
    for comment in own[:15]:
        changed = await one.ask("PATCH", f"/comments/{comment}", session, json={"body": "Better said."})
        assert changed.status_code == 200, changed.text
        assert changed.json()["comment"]["author"] == shown["author"], "signed as it was"
    for comment in own[15:]:
        assert (await one.ask("DELETE", f"/comments/{comment}", session)).json()["comment"]["state"] == "deleted"
    assert code(await one.ask("DELETE", f"/comments/{others}", session)) == (403, "forbidden")
    assert code(await one.ask("PUT", f"/comments/{own[0]}/vote", session, json={"value": 1})) == (403, "forbidden")
    assert await check(one.server.store) == []


async def test_a_vote_of_both_counts_once_and_none_on_what_is_ones_own(one: Instance) -> None:
    _, _, both = await guest(one, "Ba")
    _, _, opposed = await guest(one, "Ba")
    _, _, alone = await guest(one, "Ba")
    token, was, by_guest = await guest(one)
    session = await one.token("1/Lan N.")
    by_member = (await one.say(session)).json()["comment"]["id"]
    await vote(one, session, both)
    await vote(one, session, opposed, -1)
    await vote(one, session, by_guest)
    for comment in (both, opposed, alone, by_member):
        await vote(one, token, comment)
    assert await totals(one, both) == (2, 0)
    assert await totals(one, opposed) == (1, 1)
    before = await head(one)
    again = (await become(one, "1/Lan N.", token))["token"]
    after = {"both": (1, 0), "opposed": (0, 1), "alone": (1, 0), "by_guest": (0, 0), "by_member": (0, 0)}
    ids = {"both": both, "opposed": opposed, "alone": alone, "by_guest": by_guest, "by_member": by_member}
    assert {name: await totals(one, comment) for name, comment in ids.items()} == after
    told = await events(one, before)
    assert {kind for kind, _ in told} == {"comment.voted"}
    assert sorted(str(comment) for _, comment in told) == sorted([both, opposed, by_guest, by_member])
    votes = (await one.ask("GET", "/discussion?key=talk", again)).json()["votes"]
    assert votes == {both: 1, opposed: -1, alone: 1}
    assert {row["voter_id"] for row in await one.rows(schema.vote)}.isdisjoint({was})
    assert await check(one.server.store) == []


async def test_who_has_only_voted_is_taken_along(one: Instance) -> None:
    _, _, comment = await guest(one, "Ba")
    token = str((await vote(one, None, comment))["token"])
    session = (await become(one, "1/Lan", token))["token"]
    assert (await one.ask("GET", "/discussion?key=talk", session)).json()["votes"] == {comment: 1}
    assert (await vote(one, session, comment, 0))["votes"] == {"up": 0, "down": 0}
    assert await check(one.server.store) == []


async def test_what_waits_for_approval_is_shown_to_the_member(one: Instance) -> None:
    moderator, hashed = new_moderator_token()
    await one.server.store.write(administration.AddModerator("Mai", hashed, utc_now()))
    _, _, root = await guest(one, "Ba")
    await one.ask("PATCH", "/discussion?key=talk", moderator, json={"mode": "held"})
    first, _, top = await guest(one)
    second, _, reply = await guest(one, parent_id=root)
    session = (await become(one, "1/Lan", first))["token"]
    session = (await become(one, "1/Lan", second))["token"]
    third = (await one.say(session)).json()["comment"]["id"]
    for path in ("/discussion?key=talk", f"/comments?key=talk&parent={root}"):
        shown = {one["id"]: one for one in (await one.ask("GET", path, session)).json()["comments"]}
        wanted = {reply} if "parent" in path else {top, reply, third}
        assert {id_ for id_, each in shown.items() if each["state"] == "held" and each["body"]} == wanted, path
    assert (await one.ask("GET", f"/comments?key=talk&parent={top}", session)).status_code == 200
    assert (await one.ask("GET", f"/comments?key=talk&parent={top}", await one.token("2/Minh"))).status_code == 404
    assert (await one.ask("PATCH", f"/comments/{reply}", session, json={"body": "Better."})).status_code == 200


async def test_a_guest_is_one_persons_only_and_once(one: Instance) -> None:
    token, was, comment = await guest(one)
    mine = await become(one, "1/Lan", token)
    assert (await become(one, "1/Lan", token))["viewer"]["also"] == [was], "signing in again is no harm"
    theirs = await become(one, "2/Minh", token)
    assert theirs["viewer"]["also"] == []
    assert code(await one.ask("DELETE", f"/comments/{comment}", theirs["token"])) == (403, "forbidden")
    assert (await one.ask("DELETE", f"/comments/{comment}", mine["token"])).status_code == 200
    assert await check(one.server.store) == []


async def test_a_token_that_is_not_good_takes_nothing_along(one: Instance, tmp_path: Path) -> None:
    await one.server.store.write(administration.AddSite("second", [], utc_now()))
    token, _, _ = await guest(one)
    elsewhere, _, _ = await guest(one, site="second")
    forged = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")
    session = await one.token("3/Ba")
    key = secret_key(unlimited(tmp_path / "one"))
    programs = [signed(key, token, **{kind: True}) for kind in ("member", "program")]
    for odd in (forged, elsewhere, session, *programs, "tm_" + "m" * 43, "", "a.b.c", "x" * 2048):
        found = await become(one, f"{uuid7()}/Lan", odd)
        assert found["viewer"]["also"] == [], odd
    assert code(await one.sign_in("1/Lan", guest="x" * 2049)) == (422, "invalid")
    assert [row["merged_into"] for row in await one.rows(schema.author) if row["merged_into"]] == []
    assert (await become(one, "1/Lan", elsewhere, site="second"))["viewer"]["also"] != []


async def test_nothing_is_taken_along_where_the_sign_in_is_refused(one: Instance) -> None:
    token, _, _ = await guest(one)
    await one.token("once-1/Lan")
    assert code(await one.sign_in("once-1/Lan", guest=token)) == (410, "spent")
    assert code(await one.sign_in("1/Moderator", guest=token)) == (409, "name_taken")
    assert [row["merged_into"] for row in await one.rows(schema.author) if row["merged_into"]] == []
    assert (await one.say(token)).status_code == 201


async def test_how_many_one_was_and_how_much_goes_along_is_bounded(
    one: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, comment = await guest(one, "Ba")
    for name, number in (("GUESTS", 1), ("VOTES", 2), ("CHANGED", 0)):
        with monkeypatch.context() as patch:
            patch.setattr(merging, name, number)
            session = await one.token(f"{name}/Lan")
            await vote(one, session, comment)
            tokens = [(await guest(one))[0] for _ in range(2)]
            for token in tokens:
                for _ in range(1 if name != "VOTES" else 3):
                    _, _, another = await guest(one, "Ba")
                    await vote(one, token, another)
                if name == "CHANGED":
                    await vote(one, token, comment)
            found = [(await become(one, f"{name}/Lan", token))["viewer"]["also"] for token in tokens]
            assert [len(also) for also in found] == ([1, 1] if name == "GUESTS" else [0, 0]), name
            assert (await one.say(tokens[1])).status_code == 201, "who is nobody's stays a guest"
    assert await check(one.server.store) == []


async def test_two_instances_give_a_guest_to_one_person(database: str, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        both = [await stack.enter_async_context(instance(database, tmp_path / name)) for name in ("a", "b")]
        here, there = both
        _, _, comment = await guest(here, "Ba")
        for n in range(5):
            token, was, _ = await guest(here)
            await vote(here, token, comment)
            answers = await asyncio.gather(
                *(become(both[person % 2], f"{n}-{person}/Lan", token) for person in range(4)),
                *(each.ask("PUT", f"/comments/{comment}/vote", token, json={"value": 1}) for each in both),
                *(each.say(token) for each in both),
            )
            owners = [each for each in answers[:4] if isinstance(each, dict) and each["viewer"]["also"] == [was]]
            assert len(owners) == 1
        assert await check(there.server.store) == []


# ---- void tokens ------------------------------------------------------------------------------------------


async def test_the_token_of_a_guest_who_is_a_member_now_is_void(one: Instance) -> None:
    _, _, others = await guest(one, "Ba")
    token, _, comment = await guest(one)
    await become(one, "1/Lan", token)
    await _is_void(one, token, comment, others)
    assert (await one.say(None, author={"name": "Lan Anh"})).status_code == 201


async def test_tokens_from_before_are_void(one: Instance) -> None:
    _, _, others = await guest(one, "Ba")
    token, was, comment = await guest(one)
    mine = update(schema.author).where(schema.author.c.id == was)
    await one.do(mine.values(tokens_after=milliseconds(utc_now()) + 60_000))
    await _is_void(one, token, comment, others)
    assert (await become(one, "1/Lan", token))["viewer"]["also"] == [], "it takes nothing along either"
    await one.do(mine.values(tokens_after=milliseconds(utc_now()) - 60_000))
    assert (await one.say(token)).status_code == 201


TROUBLE: dict[str, Callable[[Valkey], object]] = {
    "with Redis": lambda valkey: valkey,
    "Redis has stopped": Valkey.kill,
    "Redis is frozen": Valkey.freeze,
}


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_a_guest_who_ends_it_is_nobody_at_any_instance(
    database: str, tmp_path: Path, valkey: Valkey, trouble: str
) -> None:
    """Who lost a phone, say: at once, with another browser, and also who has only voted."""
    async with AsyncExitStack() as stack:
        here, there = [
            await stack.enter_async_context(instance(database, tmp_path / name, valkey.url)) for name in ("a", "b")
        ]
        _, _, others = await guest(here, "Ba")
        token, _, comment = await guest(here)
        voted = await here.ask("PUT", f"/comments/{comment}/vote", None, json={"value": 1})
        TROUBLE[trouble](valkey)
        stack.callback(valkey.thaw if trouble == "Redis is frozen" else lambda: None)
        assert (await there.say(token)).status_code == 201
        ended = await here.ask("DELETE", "/me/sessions", token)
        assert (ended.status_code, ended.json()) == (200, {"ended": 0})
        await _is_void(there, token, comment, others)
        assert code(await there.ask("DELETE", "/me/sessions", token)) == (401, "unauthenticated")
        assert (await here.ask("DELETE", "/me/sessions", voted.json()["token"])).status_code == 200
        assert code(await there.say(voted.json()["token"], author={"name": "A voter"})) == (401, "unauthenticated")
        assert await check(here.server.store) == []


async def test_the_key_of_a_first_comment_brings_no_good_token_back(one: Instance) -> None:
    headers = {"Idempotency-Key": "k" * 32}
    content = {"key": "talk", "body": "Good evening.", "author": {"name": "Lan"}}
    said = (await one.client.post(f"{API}/comments", json=content, headers=headers)).json()
    comment = said["comment"]["id"]
    await become(one, "1/Lan", said["token"])
    assert code(await one.client.post(f"{API}/comments", json=content, headers=headers)) == (401, "unauthenticated")
    _, _, others = await guest(one, "Ba")
    voted = await one.client.put(f"{API}/comments/{others}/vote", json={"value": 1}, headers=headers)
    assert code(voted) == (401, "unauthenticated")
    assert await totals(one, comment) == (0, 0)


async def _is_void(one: Instance, token: str, own: str, others: str) -> None:
    for method, path, body in (
        ("POST", "/comments", {"key": "talk", "body": "Once more."}),
        ("PATCH", f"/comments/{own}", {"body": "Once more."}),
        ("DELETE", f"/comments/{own}", None),
        ("PUT", f"/comments/{others}/vote", {"value": 1}),
        ("POST", f"/comments/{others}/reports", {"reason": "spam"}),
        ("GET", "/me", None),
        ("GET", "/discussion?key=talk", None),
        ("GET", "/comments?key=talk", None),
        ("GET", f"/comments?key=talk&parent={others}", None),
    ):
        assert code(await one.ask(method, path, token, json=body)) == (401, "unauthenticated"), (method, path)
    assert await totals(one, others) == (0, 0)


async def test_a_member_keeps_the_name_when_all_comments_are_deleted(one: Instance) -> None:
    session = await one.token("1/Lan")
    comment = (await one.say(session)).json()["comment"]["id"]
    assert (await one.ask("DELETE", f"/comments/{comment}", session)).status_code == 200
    assert (await one.say(session)).json()["comment"]["author"]["name"] == "Lan"
