"""Reads: lists that lose and repeat nothing while things come between, threads, places, and who sees what."""

from __future__ import annotations

import base64
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from tertulia.core.comments import DiscussionKey, Mode, Sort, State
from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem
from tertulia.store import Store, queries
from tertulia.store.commands import Actor, PostResult
from tertulia.store.listing import REPLIES_OF_ONE
from tertulia.store.queries import ANCESTORS
from tests.support.store_actions import (
    ABROAD,
    EVA,
    HERE,
    LAN,
    MINH,
    START,
    THERE,
    StoreActions,
    actor,
    author_of,
    listed,
)

NOWHERE = DiscussionKey("nowhere", "here")
Meanwhile = Callable[[int], Awaitable[object]]


async def nothing(_page: int) -> None:
    return None


async def paged(
    store: Store, sort: Sort, limit: int, meanwhile: Meanwhile = nothing, viewer: str | None = None
) -> list[str]:
    """The ids of a whole list, page after page."""
    found: list[str] = []
    cursor, page = None, 0
    while cursor is not None or page == 0:
        snapshot = await store.read(queries.snapshot, HERE, sort=sort, limit=limit, viewer=viewer, cursor=cursor)
        roots = [comment.id for comment in snapshot.page.comments if comment.parent_id is None]
        assert len(roots) <= limit
        found += roots
        cursor, page = snapshot.page.next, page + 1
        await meanwhile(page)
    return found


def expected(sort: Sort, said: list[PostResult], score: dict[str, int]) -> list[str]:
    """The order a list has to have, by itself."""
    by_time = sorted((one.comment.created_at, one.comment.id) for one in said)
    if sort is Sort.newest:
        by_time.reverse()
    if sort is Sort.top:
        by_time.sort(key=lambda place: -score[place[1]])
    return [comment_id for _, comment_id in by_time]


async def full(actions: StoreActions) -> tuple[list[PostResult], dict[str, int]]:
    """Fourteen top-level comments, many of one millisecond and of one score; and their scores."""
    said, score = [], {}
    for number in range(14):
        one = await actions.post_comment(str(number), at=START + timedelta(milliseconds=number // 4))
        votes = (0, 2, -1, 0, 2, 1, 0)[number % 7]
        for _ in range(abs(votes)):
            await actions.vote(one.comment.id, Actor(uuid7()), 1 if votes > 0 else -1)
        said.append(one)
        score[one.comment.id] = votes
        await actions.post_comment("Reply", by=MINH, parent=one)
    return said, score


@pytest.mark.parametrize("sort", Sort)
@pytest.mark.parametrize("limit", [1, 3, 5, 13, 14, 15])
async def test_pages_make_the_whole_list_in_its_order(
    store: Store, actions: StoreActions, sort: Sort, limit: int
) -> None:
    said, score = await full(actions)
    assert await paged(store, sort, limit) == expected(sort, said, score)


@pytest.mark.parametrize("sort", Sort)
async def test_what_comes_and_goes_between_pages_repeats_and_hides_nothing(
    store: Store, actions: StoreActions, sort: Sort
) -> None:
    said, score = await full(actions)
    wanted = expected(sort, said, score)

    async def meanwhile(page: int) -> None:
        if page > len(wanted):
            return  # a walk through an order that changes ends where pages come faster than comments
        early = await actions.post_comment("early", at=START + timedelta(microseconds=-page * 1000))
        await actions.post_comment("between", at=START + timedelta(milliseconds=1))
        late = await actions.post_comment("late", at=START + timedelta(hours=page))
        await actions.vote(early.comment.id, Actor(uuid7()), 1)
        await actions.vote(late.comment.id, Actor(uuid7()), -1)
        if page < 3:
            await actions.delete_comment(
                wanted[page * 3 - 1], actions.as_moderator
            )  # the last of the page, which the cursor names
            await actions.delete_comment(wanted[page * 3], actor(LAN))  # and the one after it

    found = await paged(store, sort, 3, meanwhile)
    assert [comment_id for comment_id in found if comment_id in score] == wanted
    assert sort is Sort.top or len(set(found)) == len(found)  # of an order that changed, an answer says so


async def test_a_page_and_its_seq_are_of_one_moment(store: Store, actions: StoreActions) -> None:
    said = await actions.post_comment()
    await actions.vote(said.comment.id, actor(MINH), 1)
    snapshot = await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=10, viewer=MINH.id)
    assert (snapshot.discussion.seq, snapshot.discussion.comment_count) == (2, 1)
    assert snapshot.votes == {said.comment.id: 1}
    assert (await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=10, viewer=EVA.id)).votes == {}
    assert (await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=10, viewer=None)).votes == {}


async def test_a_discussion_that_nobody_has_written_in_is_empty(store: Store, actions: StoreActions) -> None:
    snapshot = await store.read(queries.snapshot, HERE, sort=Sort.top, limit=10, viewer=LAN.id)
    assert (snapshot.page.comments, snapshot.page.next, snapshot.page.replies, snapshot.votes) == ([], None, {}, {})
    assert (snapshot.discussion.key, snapshot.discussion.id, snapshot.discussion.seq) == (HERE, None, 0)
    assert await store.read(queries.events, HERE, 0, 10) == (0, [])
    assert (await store.read(queries.newest, HERE, 10))[1] == []
    assert not await store.read(queries.any_discussion)
    await actions.post_comment()
    assert await store.read(queries.any_discussion)


# ---- replies --------------------------------------------------------------------------------------------


async def test_replies_stand_under_their_root_oldest_first(store: Store, actions: StoreActions) -> None:
    first, second = await actions.post_comment("1"), await actions.post_comment("2")
    deep = await actions.post_comment("1.1", parent=first)
    await actions.post_comment("2.1", parent=second)
    await actions.post_comment("1.1.1", parent=deep)
    await actions.post_comment("1.2", parent=first)
    assert [comment.text for comment in await listed(store)] == ["1", "1.1", "1.1.1", "1.2", "2", "2.1"]
    snapshot = await store.read(queries.snapshot, HERE, sort=Sort.newest, limit=10, viewer=None)
    assert [comment.text for comment in snapshot.page.comments] == ["2", "2.1", "1", "1.1", "1.1.1", "1.2"]


@pytest.mark.parametrize("more", [0, 1, 7])
async def test_replies_that_do_not_fit_are_continued_by_their_cursor(
    store: Store, actions: StoreActions, more: int
) -> None:
    root, quiet = await actions.post_comment("root"), await actions.post_comment("quiet")
    await actions.post_comment("a reply", parent=quiet)
    parent, texts = root, []
    for number in range(REPLIES_OF_ONE + more):
        at = START + timedelta(minutes=number // 4)
        said = await actions.post_comment(
            str(number), parent=parent if number % 3 else root, at=max(at, root.comment.created_at)
        )
        texts.append((said.comment.created_at, said.comment.id))
        parent = said
    snapshot = await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=10, viewer=None)
    shown = [comment.id for comment in snapshot.page.comments if comment.root_id == root.comment.id][1:]
    assert len(shown) == REPLIES_OF_ONE
    assert set(snapshot.page.replies) == ({root.comment.id} if more else set())
    cursor = snapshot.page.replies.get(root.comment.id)
    while cursor is not None:
        await actions.post_comment("a newer root")
        page = (await store.read(queries.thread, HERE, root.comment.id, limit=3, viewer=None, cursor=cursor)).page
        assert len(page.comments) <= 3
        shown += [comment.id for comment in page.comments]
        cursor = page.next
    assert shown == [comment_id for _, comment_id in sorted(texts)]


async def test_a_thread_is_everything_below_a_comment(store: Store, actions: StoreActions) -> None:
    root = await actions.post_comment("root")
    inner = await actions.post_comment("inner", parent=root)
    await actions.post_comment("beside", parent=root)
    for number in range(5):
        inner_reply = await actions.post_comment(str(number), parent=inner)
        await actions.post_comment(f"{number} deep", parent=inner_reply, by=MINH)
    found: list[str] = []
    cursor, pages = None, 0
    while cursor is not None or pages == 0:
        snapshot = await store.read(queries.thread, HERE, inner.comment.id, limit=4, viewer=None, cursor=cursor)
        found += [comment.text for comment in snapshot.page.comments]
        cursor, pages = snapshot.page.next, pages + 1
    assert found == [text for number in range(5) for text in (str(number), f"{number} deep")]
    assert pages == 3
    await actions.vote(inner_reply.comment.id, actor(EVA), -1)
    snapshot = await store.read(queries.thread, HERE, inner.comment.id, limit=20, viewer=EVA.id, cursor=None)
    assert snapshot.votes == {inner_reply.comment.id: -1}


async def test_a_thread_of_nothing_is_not_found(store: Store, actions: StoreActions) -> None:
    said = await actions.post_comment(key=THERE)
    await actions.mode(Mode.held)
    waiting = await actions.post_comment()
    for parent in (uuid7(), said.comment.id, waiting.comment.id):
        with pytest.raises(Problem, match="not_found"):
            await store.read(queries.thread, HERE, parent, limit=5, viewer=None, cursor=None)
    with pytest.raises(Problem, match="not_found"):
        await store.read(queries.thread, DiscussionKey("default", "new"), uuid7(), limit=5, viewer=None, cursor=None)


# ---- cursors --------------------------------------------------------------------------------------------


def forged(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).decode().rstrip("=")


def bad_cursors(scope: str) -> dict[str, str]:
    good = uuid7()
    spaced = json.dumps([scope, [1], good]).encode()
    spaced += b" " * (-len(spaced) % 3 + 1)
    well = forged([scope, [1], good])
    return {
        "padding": well + "=" * (-len(well) % 4 or 4),
        "blanks in JSON": base64.urlsafe_b64encode(spaced).decode().rstrip("="),
        "loose bits": base64.urlsafe_b64encode(spaced).decode().rstrip("=")[:-1] + "B",
        "a blank": well[:8] + " " + well[8:],
        "a line after": well + "\n",
        "empty": "",
        "no base64": "%%%",
        "not ASCII": "điểm",
        "no JSON": "AAAA",
        "deep": base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        "a number": forged(1),
        "an object": forged({"a": 1, "b": 2, "c": 3}),
        "too short": forged([scope, [1]]),
        "another list": forged(["oldest:999999", [1], good]),
        "no values": forged([scope, [], good]),
        "two values": forged([scope, [1, 2], good]),
        "a float": forged([scope, [1.5], good]),
        "a truth": forged([scope, [True], good]),
        "a text": forged([scope, ["1"], good]),
        "a text of values": forged([scope, "1", good]),
        "too large": forged([scope, [2**53], good]),
        "far too large": forged([scope, [10**40], good]),
        "no id": forged([scope, [1], None]),
        "an id that is none": forged([scope, [1], "x"]),
        "half a surrogate": forged([scope, [1], "\ud800"]),
        "NUL": forged([scope, [1], "\0"]),
    }


@pytest.mark.parametrize("name", bad_cursors(""))
async def test_a_cursor_that_this_list_did_not_give_is_refused(store: Store, actions: StoreActions, name: str) -> None:
    said = await actions.post_comment()
    discussion = (await store.read(queries.discussion, HERE)).id
    root = said.comment.id
    cursor = bad_cursors(f"oldest:{discussion}")[name]
    with pytest.raises(Problem) as refused:
        await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=5, viewer=None, cursor=cursor)
    assert refused.value.code is ErrorCode.bad_cursor
    cursor = bad_cursors(f"thread:{root}")[name]
    with pytest.raises(Problem, match="bad_cursor"):
        await store.read(queries.thread, HERE, root, limit=5, viewer=None, cursor=cursor)
    with pytest.raises(Problem, match="bad_cursor"):
        await store.read(queries.held, "default", 5, bad_cursors("held:default")[name])
    with pytest.raises(Problem, match="bad_cursor"):
        await store.read(queries.reported, "default", 5, bad_cursors("reported:default")[name])


async def test_a_cursor_of_another_order_or_discussion_is_refused(store: Store, actions: StoreActions) -> None:
    for key in (HERE, THERE):
        for _ in range(3):
            await actions.post_comment(key=key)
    for given in Sort:
        cursor = (await store.read(queries.snapshot, HERE, sort=given, limit=1, viewer=None)).page.next
        for key in (HERE, THERE):
            for asked in Sort:
                if (key, asked) != (HERE, given):
                    with pytest.raises(Problem, match="bad_cursor"):
                        await store.read(queries.snapshot, key, sort=asked, limit=1, viewer=None, cursor=cursor)


# ---- places ---------------------------------------------------------------------------------------------


async def test_a_permalink_names_the_page_before_its_thread(store: Store, actions: StoreActions) -> None:
    said = [await actions.post_comment(str(number), at=START + timedelta(seconds=number // 2)) for number in range(6)]
    said.sort(key=lambda one: (one.comment.created_at, one.comment.id))
    for at, root in enumerate(said):
        reply = await actions.post_comment("reply", parent=root)
        for target in (root, reply):
            discussion, chain, cursor = await store.read(queries.permalink, target.comment.id)
            assert discussion.key == HERE
            assert [comment.id for comment in chain] == [root.comment.id, target.comment.id][target is root :]
            assert (cursor is None) is (at == 0)
            page = await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=1, viewer=None, cursor=cursor)
            assert page.page.comments[0].id == root.comment.id


async def test_a_permalink_into_the_deep_has_the_nearest_ancestors(store: Store, actions: StoreActions) -> None:
    before = await actions.post_comment("before")
    chain = [await actions.post_comment("0")]
    for number in range(1, ANCESTORS + 20):
        chain.append(await actions.post_comment(str(number), parent=chain[-1]))
    for depth in (0, 1, ANCESTORS - 1, ANCESTORS, ANCESTORS + 1, ANCESTORS + 19):
        _, found, cursor = await store.read(queries.permalink, chain[depth].comment.id)
        expected_texts = [str(number) for number in range(max(0, depth - ANCESTORS), depth + 1)]
        assert [comment.text for comment in found] == expected_texts
        page = await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=1, viewer=None, cursor=cursor)
        assert page.page.comments[0].id == chain[0].comment.id != before.comment.id


async def test_there_is_no_permalink_to_what_was_never_shown(store: Store, actions: StoreActions) -> None:
    await actions.mode(Mode.held)
    waiting, rejected = await actions.post_comment(), await actions.post_comment()
    await actions.delete_comment(rejected.comment.id, actions.as_moderator)
    for comment_id in (waiting.comment.id, rejected.comment.id, uuid7(), "x"):
        with pytest.raises(Problem, match="not_found"):
            await store.read(queries.permalink, comment_id)
    await actions.approve(waiting.comment.id)
    await actions.delete_comment(waiting.comment.id, actions.as_moderator)
    _, (tombstone,), _ = await store.read(queries.permalink, waiting.comment.id)
    assert tombstone.state is State.removed


# ---- who sees what --------------------------------------------------------------------------------------


async def test_a_held_comment_is_seen_by_its_author_alone(store: Store, actions: StoreActions) -> None:
    root = await actions.post_comment("root", by=MINH)
    await actions.mode(Mode.held)
    await actions.post_comment("held root")
    await actions.post_comment("held reply", parent=root)
    mine, others = ["root", "held reply", "held root"], ["root"]
    for viewer, texts in ((LAN.id, mine), (MINH.id, others), (None, others), (actions.moderator.id, others)):
        assert [comment.text for comment in await listed(store, viewer=viewer)] == texts
        snapshot = await store.read(queries.thread, HERE, root.comment.id, limit=9, viewer=viewer, cursor=None)
        assert [comment.text for comment in snapshot.page.comments] == texts[1:2]
    assert [comment.text for comment in (await store.read(queries.newest, HERE, 9))[1]] == ["root"]
    assert await store.read(queries.comment_counts, "default", ["here"]) == {"here": 1}


async def test_what_waits_is_listed_for_moderators_page_by_page(store: Store, actions: StoreActions) -> None:
    for key in (HERE, THERE, ABROAD):
        await actions.mode(Mode.held, key)
    said = [
        await actions.post_comment(
            str(number), key=(HERE, THERE)[number % 2], at=START + timedelta(milliseconds=number // 3)
        )
        for number in range(10)
    ]
    await actions.post_comment("abroad", key=ABROAD)
    places = sorted((one.comment.created_at, one.comment.id) for one in said)
    found: list[str] = []
    cursor, pages = None, 0
    while cursor is not None or pages == 0:
        held, cursor = await store.read(queries.held, "default", 3, cursor)
        found += [one.comment.id for one in held]
        assert all(one.key in (HERE, THERE) for one in held)
        await actions.approve(held[-1].comment.id)
        await actions.post_comment("new", at=START + timedelta(days=1)) if pages == 0 else None
        pages += 1
    assert found[:10] == [comment_id for _, comment_id in places]
    assert len(set(found)) == len(found) == 11
    assert [one.comment.text for one in (await store.read(queries.held, "magazine", 3, None))[0]] == ["abroad"]


async def test_reports_are_listed_page_by_page_without_a_double_or_a_gap(store: Store, actions: StoreActions) -> None:
    said = [await actions.post_comment(str(number), key=(HERE, THERE)[number % 2]) for number in range(3)]
    gone, abroad = await actions.post_comment("gone"), await actions.post_comment("abroad", key=ABROAD)
    # several within a millisecond
    made = [await actions.report(said[number % 3].comment.id, None) for number in range(7)]
    await actions.report(gone.comment.id, None)
    await actions.report(abroad.comment.id, None)
    await actions.delete_comment(gone.comment.id, actions.as_moderator)
    found: list[str] = []
    cursor, pages = None, 0
    while cursor is not None or pages == 0:
        reports, cursor = await store.read(queries.reported, "default", 3, cursor)
        found += [one.id for one in reports]
        pages += 1
    assert sorted(found) == sorted(made)
    assert [one.comment.text for one in (await store.read(queries.reported, "magazine", 3, None))[0]] == ["abroad"]


async def test_counts_newest_and_heads(store: Store, actions: StoreActions) -> None:
    said = await actions.post_comment("one")
    await actions.post_comment("two", parent=said)
    gone = await actions.post_comment("three")
    await actions.delete_comment(gone.comment.id, actions.as_moderator)
    await actions.post_comment("there", key=THERE)
    await actions.post_comment("abroad", key=ABROAD)
    unknown = DiscussionKey("default", "unknown")
    assert await store.read(queries.comment_counts, "default", ["here", "there", "unknown"]) == {"here": 2, "there": 1}
    assert await store.read(queries.comment_counts, "magazine", ["here", "there"]) == {"here": 1}
    discussion, newest = await store.read(queries.newest, HERE, 1)
    assert (discussion.seq, [comment.text for comment in newest]) == (4, ["two"])
    heads = await store.read(
        queries.latest_seqs, [HERE, THERE, ABROAD, unknown, NOWHERE, DiscussionKey("magazine", "there")]
    )
    assert heads == {HERE: 4, THERE: 1, ABROAD: 1}
    assert await store.read(queries.latest_seqs, []) == {}
    many = [DiscussionKey("default", f"k{number}") for number in range(900)]
    assert await store.read(queries.latest_seqs, [HERE, *many, THERE]) == {HERE: 4, THERE: 1}


@pytest.mark.parametrize("after", range(8))
@pytest.mark.parametrize("limit", [1, 3, 100])
async def test_events_after_a_seq(store: Store, actions: StoreActions, after: int, limit: int) -> None:
    for _ in range(6):
        await actions.post_comment()
        await actions.post_comment(key=THERE)
    head, events = await store.read(queries.events, HERE, after, limit)
    assert head == 6
    assert [event.seq for event in events] == list(range(after + 1, 7))[:limit]
    assert all(json.loads(event.payload)["seq"] == event.seq and not event.conceals for event in events)


async def test_who_is_known(store: Store, actions: StoreActions) -> None:
    await actions.post_comment()
    assert await store.read(author_of, LAN.id) == LAN
    assert await store.read(author_of, "nobody") is None
    assert await store.read(queries.moderator, "f" * 64) == actions.moderator
    assert await store.read(queries.moderator, "0" * 64) is None
    assert await store.read(queries.moderators) == ["Editor"]
    assert await store.read(queries.sites) == {"default": [], "magazine": ["https://magazine.example"]}
    assert await store.read(queries.epoch) == store.epoch


async def test_an_unknown_site_is_told(store: Store) -> None:
    attempts: list[Awaitable[Any]] = [
        store.read(queries.snapshot, NOWHERE, sort=Sort.oldest, limit=5, viewer=None),
        store.read(queries.thread, NOWHERE, uuid7(), limit=5, viewer=None, cursor=None),
        store.read(queries.discussion, NOWHERE),
        store.read(queries.events, NOWHERE, 0, 5),
        store.read(queries.comment_counts, "nowhere", ["here"]),
        store.read(queries.newest, NOWHERE, 5),
        store.read(queries.held, "nowhere", 5, None),
    ]
    for attempt in attempts:
        with pytest.raises(Problem) as refused:
            await attempt
        assert refused.value.code is ErrorCode.unknown_site


class _Refusing:
    """Connections that fail with this SQLSTATE; the driver has no class of its own for some of them."""

    def __init__(self, state: str) -> None:
        self._error = DBAPIError("connect", None, Exception("no"))
        self._error.orig.sqlstate = state  # type: ignore[union-attr]

    async def run(self, _work: object) -> None:
        raise self._error


def refusing(store: Store, state: str) -> Store:
    """A store whose database refuses to be read."""
    return Store(replace(store.database, read=_Refusing(state)))  # type: ignore[arg-type]


@pytest.mark.parametrize("state", ["57P03", "57P01", "53300", "08006"])
async def test_a_database_that_starts_or_is_full_is_unavailable(store: Store, state: str) -> None:
    with pytest.raises(Problem) as refused:
        await refusing(store, state).read(queries.epoch)
    assert refused.value.code is ErrorCode.unavailable


async def test_a_query_that_is_wrong_is_no_matter_of_time(store: Store) -> None:
    with pytest.raises(DBAPIError):
        await refusing(store, "42P01").read(queries.epoch)
