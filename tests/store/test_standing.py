"""What somebody has written so far, as rules ask for it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, update

from tertulia.core.rules import Trust
from tertulia.store import Store, schema, standing
from tertulia.store.mapping import milliseconds
from tests.support.store_actions import LAN, MINH, StoreActions
from tests.support.tables import execute

DAY = timedelta(hours=24)


async def trusted(store: Store, at: datetime, *authors: str) -> Trust:
    return await store.read(standing.trust, authors, at)


async def shown(store: Store, authors: Iterable[str], enough: int) -> int:
    return await store.read(standing.shown, authors, enough)


async def test_who_wrote_nothing_is_new(store: Store, actions: StoreActions) -> None:
    assert await trusted(store, actions.now(), LAN.id) is Trust.new
    assert await shown(store, [LAN.id], 5) == 0


async def test_what_is_shown_is_counted_no_further_than_it_is_asked(store: Store, actions: StoreActions) -> None:
    posted = [await actions.post_comment(by=author) for author in (LAN, LAN, LAN, MINH)]
    await actions.delete_comment(posted[0], actions.as_moderator)
    assert await shown(store, [LAN.id], 5) == 2
    assert await shown(store, [LAN.id], 1) == 1
    assert await shown(store, [LAN.id, MINH.id], 5) == 3
    assert await shown(store, [LAN.id, MINH.id], 2) == 2


async def test_a_day_makes_somebody_known_and_a_removal_new_again(store: Store, actions: StoreActions) -> None:
    first = await actions.post_comment(by=LAN)
    at = first.comment.created_at
    assert await trusted(store, at + DAY - timedelta(milliseconds=1), LAN.id) is Trust.new
    assert await trusted(store, at + DAY, LAN.id) is Trust.known
    assert await trusted(store, at + DAY, MINH.id, LAN.id) is Trust.known, "as a guest that the member was"
    removed = await actions.post_comment(by=LAN)
    await actions.delete_comment(removed, actions.as_moderator)
    assert await trusted(store, at + DAY, LAN.id) is Trust.new
    for number in range(5):
        assert await trusted(store, at + DAY, LAN.id) is Trust.new, number
        await actions.post_comment(by=LAN)
    assert await trusted(store, at + DAY, LAN.id) is Trust.known


async def test_trust_that_is_given_needs_no_comment(store: Store, actions: StoreActions) -> None:
    posted = await actions.post_comment(by=LAN)
    await execute(store, update(schema.author).where(schema.author.c.id == LAN.id).values(trust=2))
    await actions.delete_comment(posted, actions.as_moderator)
    assert await trusted(store, actions.now(), MINH.id, LAN.id) is Trust.given


@pytest.mark.parametrize("earlier", [0, 1])
async def test_the_newest_is_the_newest_of_the_person_in_the_discussion(
    store: Store, actions: StoreActions, earlier: int
) -> None:
    posted = await actions.post_comment(by=LAN)
    at = milliseconds(posted.comment.created_at)

    def newest(connection: Connection) -> int | None:
        return standing.newest(connection, [MINH.id, LAN.id], posted.comment.discussion_id, at - earlier)

    assert await store.read(newest) == (at if earlier else None)
    assert await store.read(standing.newest, [LAN.id], posted.comment.discussion_id + 1, at - 1) is None
    assert await store.read(standing.newest_near, "near", posted.comment.discussion_id, 0) is None
    assert posted.comment.author.id == LAN.id
