"""Idempotency keys: nobody finds one in the database, and those that an earlier version stored are replaced."""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import Connection, select, update

from tertulia.app import Running, running
from tertulia.core.ids import lowest_uuid7, uuid7
from tertulia.discussions import idempotency_keys
from tertulia.discussions.idempotency_keys import DONE, hash_stored_keys
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import HASH_PREFIX, REPEAT_HOURS, Tokens
from tertulia.settings import Settings
from tertulia.store import Store, mapping, schema
from tertulia.store.commands import Command, Draft, PostResult
from tests.support.store_actions import EVA, StoreActions, tables

TOKENS = Tokens(b"the key of these tests, of 32 bytes or more")
KEY = "key-of-the-author-0123456789"
SAID = {"key": "talk", "body": "Only once.", "author": {"name": "Lan"}}
c = schema.comment.c


@pytest.fixture
async def actions(store: Store) -> StoreActions:
    return await StoreActions(store).begin()


async def post_comment(client: httpx.AsyncClient, key: str = KEY, **more: object) -> httpx.Response:
    return await client.post("/api/v1/comments", json={**SAID, **more}, headers={"Idempotency-Key": key})


async def changed(store: Store, **values: object) -> None:
    """Changes all comments behind everybody's back."""
    await store.database.write.transact(lambda connection: connection.execute(update(schema.comment).values(**values)))


def stored(key: str, digest: str, tokens: Tokens = TOKENS) -> tuple[str, str]:
    """What this version stores of a request."""
    return tokens.hashed_key(key), tokens.hashed_digest(digest)


def hashed(draft: Draft) -> Draft:
    """The same, as this version stores it."""
    key, digest = stored(draft.idempotency_key, draft.digest)
    sent, unhashed = draft.idempotency_key, draft.digest
    return replace(draft, idempotency_key=key, digest=digest, unhashed_key=sent, unhashed_digest=unhashed)


def test_what_is_stored_says_nothing_without_the_secret_key() -> None:
    found = {
        stored(KEY, "0" * 64),
        stored(KEY, "0" * 64, Tokens(b"another key, of 32 bytes or more!")),
    }
    assert len(found) == len({key for key, _ in found}) == len({digest for _, digest in found}) == 2
    for key, digest in found:
        assert (len(key), len(digest)) == (48, 64), "as much as the columns take"
        assert key.startswith(HASH_PREFIX)
        assert hashlib.sha256(KEY.encode()).hexdigest() not in key
    assert stored(KEY, "") == stored(KEY, "")


async def test_the_database_holds_neither_keys_nor_digests_of_texts(server: Running, client: httpx.AsyncClient) -> None:
    """Nor what a guest's id is made of: who reads it can be nobody."""
    first = await post_comment(client)
    assert (first.status_code, first.json()["comment"]["idempotency_key"]) == (201, KEY)
    everything = str(await tables(server.store))
    digest = hashlib.sha256("\0".join(("default", "talk", "", "Lan", "Only once.")).encode()).hexdigest()
    for secret in (KEY, hashlib.sha256(KEY.encode()).hexdigest(), digest, first.json()["token"]):
        assert secret not in everything
    again = await post_comment(client)
    assert (again.status_code, again.json()["comment"]) == (200, first.json()["comment"])
    assert (await post_comment(client, body="Something else.")).json()["code"] == "idempotency_conflict"


@pytest.mark.parametrize(
    ("hours", "given"), [(0, True), (REPEAT_HOURS - 1, True), (REPEAT_HOURS + 1, False), (9999, False)]
)
async def test_a_token_is_given_to_a_repeat_for_a_day(
    server: Running, client: httpx.AsyncClient, hours: int, given: bool
) -> None:
    """Later the comment is answered as ever, and whoever found the key somewhere is still nobody."""
    first = await post_comment(client)
    at = mapping.milliseconds(mapping.to_datetime(await _time(server.store)) - timedelta(hours=hours))
    await changed(server.store, created_at=at)
    again = await post_comment(client)
    assert (again.status_code, again.json()["comment"]["id"]) == (200, first.json()["comment"]["id"])
    assert (again.json().get("token") is not None) == given
    assert first.json()["token"]


async def _time(store: Store) -> int:
    return int(await store.read(lambda connection: connection.execute(select(c.created_at)).scalar_one()))


# ---- what an earlier version stored ---------------------------------------------------------------------


async def test_a_repeat_is_known_by_either_form(actions: StoreActions) -> None:
    draft = actions.draft("Once", idempotency_key=KEY)
    first = await actions.post(draft)
    for _ in range(2):
        again = await actions.post(hashed(actions.draft("Once", idempotency_key=KEY)))
        assert (again.comment.id, again.repeated) == (first.comment.id, True)
        with pytest.raises(Problem) as refused:
            await actions.post(hashed(actions.draft("Something else", idempotency_key=KEY)))
        assert refused.value.code is ErrorCode.idempotency_conflict
        assert not (await actions.post(hashed(actions.draft("Once", by=EVA, idempotency_key=uuid7())))).repeated
        await hash_stored_keys(actions.store, TOKENS)
    assert KEY not in str(await tables(actions.store))


async def test_all_of_them_are_replaced_once(actions: StoreActions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency_keys, "PAGE", 3)
    monkeypatch.setattr(idempotency_keys, "PAUSE_SECONDS", 0)
    said = [await actions.post(actions.draft(str(number), idempotency_key=f"{KEY}-{number}")) for number in range(8)]
    new = await actions.post(hashed(actions.draft("new", idempotency_key=f"{KEY}-new")))
    before = await _requests(actions.store)
    await asyncio.gather(*(hash_stored_keys(actions.store, TOKENS) for _ in range(3)))
    after = await _requests(actions.store)
    assert after == {
        one.comment.id: stored(f"{KEY}-{number}", before[one.comment.id][1] or "") for number, one in enumerate(said)
    } | {new.comment.id: before[new.comment.id]}
    looked: list[str] = []
    page = idempotency_keys._page

    def looking(connection: Connection, after: str) -> list[idempotency_keys.Row]:
        looked.append(after)
        return page(connection, after)

    monkeypatch.setattr(idempotency_keys, "_page", looking)
    await hash_stored_keys(actions.store, TOKENS)
    assert await _requests(actions.store) == after
    mark = select(schema.meta.c.value).where(schema.meta.c.name == DONE)
    marked = int(await actions.store.read(lambda connection: connection.execute(mark).scalar_one()))
    overlap = 3 * idempotency_keys.OVERLAP_MILLISECONDS
    assert looked[0] > lowest_uuid7(marked - overlap), "the past is looked through again"


async def _requests(store: Store) -> dict[str, tuple[str, str]]:
    query = select(c.id, c.idempotency_key, c.request_digest)
    found = await store.read(lambda connection: connection.execute(query).all())
    return {row[0]: (row[1], row[2]) for row in found}


async def test_a_comment_said_twice_by_two_versions_does_not_end_it(actions: StoreActions) -> None:
    """A server of the earlier version does not know the hash: the one that has it keeps it."""
    new = await actions.post(hashed(actions.draft("Once", idempotency_key=KEY)))
    old = await actions.post(actions.draft("Once", idempotency_key=KEY))
    assert old.comment.id != new.comment.id
    assert (await actions.post(hashed(actions.draft("Once", idempotency_key=KEY)))).repeated
    await hash_stored_keys(actions.store, TOKENS)
    found = await _requests(actions.store)
    assert found[old.comment.id][0] is None
    again: PostResult = await actions.post(hashed(actions.draft("Once", idempotency_key=KEY)))
    assert (again.comment.id, again.repeated) == (new.comment.id, True)


async def test_a_server_replaces_them_when_it_starts(settings: Settings) -> None:
    async with running(settings) as server:
        await StoreActions(server.store).begin()
        actions = StoreActions(server.store)
        await actions.post(actions.draft("Once", idempotency_key=KEY))
    async with running(settings) as server:
        [hashing] = [task for task in asyncio.all_tasks() if task.get_name() == "hash-stored-keys"]
        await hashing
        found = await _requests(server.store)
        assert [key.startswith(HASH_PREFIX) for key, _ in found.values()] == [True]


async def test_a_database_that_is_away_is_tried_again(actions: StoreActions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency_keys, "AGAIN_SECONDS", 0.0)
    await actions.post(actions.draft("Once", idempotency_key=KEY))
    submit, refusals = actions.store.write_queue.submit, iter(range(3))

    async def submitting(command: Command[object]) -> object:
        if next(refusals, None) is not None:
            raise Problem(ErrorCode.unavailable, "Not now.")
        return await submit(command)

    monkeypatch.setattr(actions.store.write_queue, "submit", submitting)
    await hash_stored_keys(actions.store, TOKENS)
    assert KEY not in str(await tables(actions.store))
