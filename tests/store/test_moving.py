"""A walk through an order that changes while it goes on: every comment is on one of its pages, or it says so."""

from __future__ import annotations

import random

import pytest

from tertulia.core.comments import Sort
from tertulia.core.ids import uuid7
from tertulia.core.ordering import PageCursor, decode_page_cursor, encode_page_cursor
from tertulia.store import Store, listing, queries
from tertulia.store.commands import Actor, PostResult
from tertulia.store.queries import CommentPage
from tests.support.store_actions import HERE, LAN, MINH, StoreActions, actor


async def page_of(store: Store, cursor: str | None, limit: int = 3) -> CommentPage:
    found = await store.read(queries.snapshot, HERE, sort=Sort.top, limit=limit, viewer=None, cursor=cursor)
    return found.page


def ids(page: CommentPage) -> list[str]:
    return [comment.id for comment in page.comments if comment.parent_id is None]


async def vote(actions: StoreActions, comment: PostResult, value: int) -> None:
    await actions.vote(comment, Actor(uuid7(), site="default"), value)


async def test_what_moves_up_between_two_pages_is_on_the_next(store: Store, actions: StoreActions) -> None:
    said = [await actions.post_comment(f"{n}") for n in range(7)]
    first = await page_of(store, None)
    assert ids(first) == [one.comment.id for one in said[:3]]
    assert not first.changed
    reply = await actions.post_comment("reply", parent=said[5])
    await vote(actions, said[5], 1)
    second = await page_of(store, first.next)
    assert second.changed
    assert [comment.id for comment in second.comments][:2] == [said[5].comment.id, reply.comment.id]
    assert ids(second)[1:] == [one.comment.id for one in said[3:5]]
    third = await page_of(store, second.next)
    assert (ids(third), third.next, third.changed) == ([said[6].comment.id], None, False)


async def test_what_was_shown_and_moves_down_comes_again_and_is_told(store: Store, actions: StoreActions) -> None:
    said = [await actions.post_comment(f"{n}") for n in range(5)]
    first = await page_of(store, None)
    await vote(actions, said[0], -1)
    second = await page_of(store, first.next)
    assert (ids(second), second.changed) == ([said[n].comment.id for n in (3, 4, 0)], True)


async def test_what_is_said_meanwhile_is_not_left_out(store: Store, actions: StoreActions) -> None:
    said = [await actions.post_comment(f"{n}") for n in range(5)]
    for one in said:
        await vote(actions, one, -1)
    first = await page_of(store, None)
    new = await actions.post_comment("new")  # its rank of 0 is above all
    assert ids(await page_of(store, first.next))[0] == new.comment.id


async def test_where_nothing_moves_nothing_is_told(store: Store, actions: StoreActions) -> None:
    said = [await actions.post_comment(f"{n}") for n in range(4)]
    first = await page_of(store, None)
    await actions.edit(said[3], actor(LAN))
    await actions.post_comment("reply", by=MINH, parent=said[0])
    second = await page_of(store, first.next)
    assert (ids(second), second.changed, second.next) == ([said[3].comment.id], False, None)


@pytest.mark.parametrize("moves", [2, 500])
@pytest.mark.parametrize("seed", range(4))
async def test_every_walk_has_every_comment(
    store: Store, actions: StoreActions, monkeypatch: pytest.MonkeyPatch, moves: int, seed: int
) -> None:
    monkeypatch.setattr(listing, "MOVES", moves)
    chance = random.Random(seed)
    said = [await actions.post_comment(f"{n}") for n in range(12)]
    for one in said:
        await vote(actions, one, chance.choice([1, -1]))
    seen: list[str] = []
    told = False
    cursor = None
    for number in range(60):
        page = await page_of(store, cursor, limit=chance.choice([1, 2, 4]))
        seen += ids(page)
        told |= page.changed
        cursor = page.next
        if cursor is None:
            break
        for _ in range(chance.randrange(4) if number < 8 else 0):
            if chance.random() < 0.2:
                said.append(await actions.post_comment("more"))
            else:
                await vote(actions, chance.choice(said), chance.choice([1, 1, -1]))
    assert cursor is None
    assert {one.comment.id for one in said} == set(seen)
    assert told or len(seen) == len(set(seen))


async def test_a_cursor_of_the_version_before_goes_on_as_it_did(store: Store, actions: StoreActions) -> None:
    said = [await actions.post_comment(f"{n}") for n in range(5)]
    first = await page_of(store, None)
    assert first.next is not None
    scope = f"top:{said[0].comment.discussion_id}"
    known = decode_page_cursor(first.next, scope, 3)
    assert known is not None
    old = encode_page_cursor(PageCursor(scope, (known.values[0], known.values[-1]), known.id))
    await vote(actions, said[4], 1)
    assert ids(await page_of(store, old)) == [said[3].comment.id]
