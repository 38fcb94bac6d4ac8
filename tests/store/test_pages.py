"""Pages end at 1 MiB and go on: whatever comments weigh, nothing is lost, doubled, or read in vain."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event as sqlalchemy_event

from tertulia.core.comments import Comment, Mode, Sort
from tertulia.protocol import PAGE_BYTES, comment_view
from tertulia.store import Store, queries
from tertulia.store.commands import PostResult
from tertulia.store.listing import SLICE
from tertulia.store.queries.moderation import LOOKED
from tests.support.store_actions import ABROAD, HERE, LAN, MINH, START, StoreActions, actor

HEAVY = [{"type": "code", "text": "ộ" * 10_000}]
"""A document of 60 KB in the database and of 30 KB on the wire."""


def weight(comments: list[Comment]) -> int:
    return sum(len(comment_view(comment, reveal=True).model_dump_json().encode()) for comment in comments)


async def many(actions: StoreActions, count: int, **details: Any) -> list[PostResult]:
    return [await actions.post(replace(actions.draft(f"{number}", **details), body=HEAVY)) for number in range(count)]


@pytest.mark.parametrize("sort", list(Sort))
async def test_top_level_comments_end_at_a_megabyte_and_go_on(store: Store, actions: StoreActions, sort: Sort) -> None:
    said = await many(actions, 40)
    found: list[str] = []
    cursor, pages = None, 0
    while cursor is not None or not pages:
        snapshot = await store.read(queries.snapshot, HERE, sort=sort, limit=100, viewer=MINH.id, cursor=cursor)
        assert 0 < weight(snapshot.page.comments) <= PAGE_BYTES
        found += [comment.id for comment in snapshot.page.comments]
        cursor, pages = snapshot.page.next, pages + 1
    assert len(found) == len(set(found)) == len(said)
    assert pages == 3


@pytest.mark.parametrize("viewer", [None, MINH.id])
async def test_a_thread_that_is_cut_names_the_cursor_of_its_rest(
    store: Store, actions: StoreActions, viewer: str | None
) -> None:
    first = await actions.post_comment("first")
    replies = await many(actions, 30, parent=first)
    last = await actions.post_comment("last")
    page = (await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=50, viewer=viewer)).page
    assert weight(page.comments) <= PAGE_BYTES
    assert page.comments[0].id == first.comment.id
    assert len(page.comments) < 30
    further = (
        await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=50, viewer=viewer, cursor=page.next)
    ).page
    assert [comment.id for comment in further.comments] == [last.comment.id]
    found = [comment.id for comment in page.comments[1:]]
    cursor: str | None = page.replies[first.comment.id]
    while cursor is not None:
        rest = await store.read(queries.thread, HERE, first.comment.id, limit=100, viewer=viewer, cursor=cursor)
        assert weight(rest.page.comments) <= PAGE_BYTES
        found += [comment.id for comment in rest.page.comments]
        cursor = rest.page.next
    assert found == [reply.comment.id for reply in replies]


async def test_a_page_that_ends_at_a_root_has_the_whole_rest_of_its_thread(store: Store, actions: StoreActions) -> None:
    """The bytes may be used up by the top-level comment itself; then all its replies are still to come."""
    roots = await many(actions, 17)
    light = await actions.post_comment("light")
    reply = (await many(actions, 1, parent=light))[0]
    page = (await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=50, viewer=None)).page
    assert [comment.id for comment in page.comments] == [*(one.comment.id for one in roots), light.comment.id]
    assert page.next is None
    rest = await store.read(
        queries.thread, HERE, light.comment.id, limit=10, viewer=None, cursor=page.replies[light.comment.id]
    )
    assert [comment.id for comment in rest.page.comments] == [reply.comment.id]


async def test_one_comment_is_a_page_whatever_it_weighs(store: Store, actions: StoreActions) -> None:
    """Stored before there was a bound for a document."""
    huge = [{"type": "code", "text": "x" * (PAGE_BYTES + 1)}]
    for _ in range(3):
        await actions.post(replace(actions.draft(), body=huge))
    pages, cursor = 0, None
    while cursor is not None or not pages:
        snapshot = await store.read(queries.snapshot, HERE, sort=Sort.newest, limit=50, viewer=None, cursor=cursor)
        assert len(snapshot.page.comments) == 1
        cursor, pages = snapshot.page.next, pages + 1
    assert pages == 3
    head, events = await store.read(queries.events, HERE, 0, 500)
    assert (head, [event.seq for event in events]) == (3, [1, 2, 3]), "events are cut to what is shown of a document"


async def test_a_short_page_reads_no_more_than_a_slice_in_vain(store: Store, actions: StoreActions) -> None:
    """A page of 5,000 heavy comments would be 300 MB."""
    await many(actions, 3 * SLICE)
    asked: list[int] = []

    def note(_c: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if "AS bytes" in statement:
            asked.append(len(parameters))

    engine = store.database.read.engine
    sqlalchemy_event.listen(engine, "before_cursor_execute", note)
    page = (await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=100, viewer=None)).page
    sqlalchemy_event.remove(engine, "before_cursor_execute", note)
    assert 0 < len(page.comments) < SLICE
    assert asked == [SLICE]


async def test_events_end_at_a_megabyte_and_go_on(store: Store, actions: StoreActions) -> None:
    await many(actions, 80)
    found: list[int] = []
    while True:
        head, events = await store.read(queries.events, HERE, found[-1] if found else 0, 500)
        assert 0 < sum(event.size for event in events) <= PAGE_BYTES
        found += [event.seq for event in events]
        if events[-1].seq == head:
            break
    assert found == list(range(1, 81))


@pytest.mark.parametrize("limit", [1, SLICE - 1, SLICE, SLICE + 1, 3 * SLICE, 500])
async def test_events_are_as_many_as_asked_for(store: Store, actions: StoreActions, limit: int) -> None:
    for _ in range(2 * SLICE + 1):
        await actions.post_comment()
    _, events = await store.read(queries.events, HERE, 0, limit)
    assert [event.seq for event in events] == list(range(1, min(limit, 2 * SLICE + 1) + 1))


async def test_lists_of_moderators_end_at_a_megabyte_and_go_on(store: Store, actions: StoreActions) -> None:
    await actions.mode(Mode.held)
    waiting = await many(actions, 40)
    await actions.mode(Mode.open)
    reports = [await actions.report(one.comment.id, None) for one in await many(actions, 40)]
    held: list[str] = []
    reported: list[str] = []
    cursor, pages = None, 0
    while cursor is not None or not pages:
        found, cursor = await store.read(queries.held, "default", 100, cursor)
        assert weight([each.comment for each in found]) <= PAGE_BYTES
        held, pages = held + [each.comment.id for each in found], pages + 1
    assert pages > 1
    pages = 0
    while cursor is not None or not pages:
        told, cursor = await store.read(queries.reported, "default", 100, cursor)
        assert weight([each.comment for each in told]) <= PAGE_BYTES
        reported, pages = reported + [each.id for each in told], pages + 1
    assert pages > 1
    assert held == [each.comment.id for each in waiting]
    assert sorted(reported) == sorted(reports)


async def test_another_sites_waiting_comments_are_passed_page_by_page(
    store: Store, actions: StoreActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.store.queries.moderation.LOOKED", 5)
    await actions.mode(Mode.held, ABROAD)
    await actions.mode(Mode.held)
    for _ in range(12):
        await actions.post_comment("theirs", key=ABROAD)
    mine = [await actions.post_comment("ours") for _ in range(3)]
    found: list[str] = []
    cursor, pages = None, 0
    while cursor is not None or not pages:
        held, cursor = await store.read(queries.held, "default", 2, cursor)
        assert len(held) <= 2
        found, pages = found + [each.comment.id for each in held], pages + 1
        assert pages < 10
    assert found == [each.comment.id for each in mine]
    assert LOOKED >= 100, "a page of 100 is full where there is one site"


async def test_the_feed_and_a_permalink_end_at_a_megabyte(store: Store, actions: StoreActions) -> None:
    said: list[PostResult] = []
    for _ in range(60):
        draft = actions.draft(parent=said[-1] if said else None)
        said.append(await actions.post(replace(draft, body=HEAVY)))
    _, newest = await store.read(queries.newest, HERE, 50)
    assert weight(newest) <= PAGE_BYTES
    assert [comment.id for comment in newest] == [one.comment.id for one in said[: -len(newest) - 1 : -1]]
    _, chain, _ = await store.read(queries.permalink, said[-1].comment.id)
    assert weight(chain) <= PAGE_BYTES
    assert [comment.id for comment in chain] == [one.comment.id for one in said[-len(chain) :]]
    assert len(newest) > 10
    assert len(chain) > 10


async def test_replies_below_a_reply_are_followed_to_a_bound(
    store: Store, actions: StoreActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.store.listing.BELOW", 20)
    root = await actions.post_comment("root")
    reply = await actions.post_comment("reply", parent=root)
    below = [
        await actions.post_comment("below", parent=reply, at=START + timedelta(seconds=number)) for number in range(30)
    ]
    snapshot = await store.read(queries.thread, HERE, reply.comment.id, limit=100, viewer=None, cursor=None)
    assert len(snapshot.page.comments) == 20
    assert {comment.id for comment in snapshot.page.comments} <= {one.comment.id for one in below}
    snapshot = await store.read(queries.thread, HERE, root.comment.id, limit=100, viewer=None, cursor=None)
    assert len(snapshot.page.comments) == 31, "below a top-level comment there is no such bound"


async def test_what_waits_stands_in_its_place_among_the_others(store: Store, actions: StoreActions) -> None:
    """For its author, on every page of every order, once."""
    first = await actions.post_comment("0", by=MINH)
    await actions.vote(first.comment.id, actor(LAN), 1)
    ids = [first.comment.id]
    for number in range(1, 12):
        await actions.mode(Mode.held if number % 3 == 0 else Mode.open)
        ids.append((await actions.post_comment(str(number), by=LAN)).comment.id)
    await actions.mode(Mode.held)
    reply = await actions.post_comment("a reply", by=LAN, parent=first)
    for sort, expected in ((Sort.oldest, ids), (Sort.newest, ids[::-1]), (Sort.top, ids)):
        for viewer, shown in ((LAN.id, expected), (None, [one for n, one in enumerate(ids) if n % 3 or n == 0])):
            found: list[str] = []
            cursor, pages = None, 0
            while cursor is not None or not pages:
                snapshot = await store.read(queries.snapshot, HERE, sort=sort, limit=2, viewer=viewer, cursor=cursor)
                found += [comment.id for comment in snapshot.page.comments]
                cursor, pages = snapshot.page.next, pages + 1
            assert (reply.comment.id in found) == (viewer is not None)
            wanted = shown if viewer else [one for one in expected if one in shown]
            assert [one for one in found if one != reply.comment.id] == wanted, (sort, viewer)
