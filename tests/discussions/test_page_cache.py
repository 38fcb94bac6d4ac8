"""First pages are made once while nothing changes, and are never older than the asking."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tertulia.core.comments import Discussion, DiscussionKey, Mode, Sort
from tertulia.discussions import page_cache
from tertulia.discussions.page_cache import FirstPageCache, PageKey
from tertulia.discussions.single_flight import SingleFlight
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import comment_view
from tertulia.store import Store, queries
from tests.support.memory import memory_of
from tests.support.store_actions import EVA, HERE, LAN, MINH, THERE, StoreActions, actor
from tests.support.waiting import until

PAGE = PageKey(HERE, Sort.oldest, 50)


@pytest.fixture
async def actions(store: Store) -> StoreActions:
    return await StoreActions(store).begin()


class Counting:
    """The store, and which of the looks at it made a page."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.looks: list[bool] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def read(self, query: Any, key: DiscussionKey, **options: Any) -> queries.FirstPage:
        assert query is queries.first_page
        found: queries.FirstPage = await self._store.read(queries.first_page, key, **options)
        self.looks.append(found.page is not None)
        await self.gate.wait()
        return found


@pytest.fixture
def reads(store: Store) -> Counting:
    return Counting(store)


@pytest.fixture
def pages(reads: Counting) -> FirstPageCache:
    return FirstPageCache(reads)  # type: ignore[arg-type]


async def fresh(store: Store, asked: PageKey) -> tuple[Discussion, list[str]]:
    snapshot = await store.read(queries.snapshot, asked.discussion, sort=asked.sort, limit=asked.limit, viewer=None)
    return snapshot.discussion, [comment_view(comment).model_dump_json() for comment in snapshot.page.comments]


async def kept(pages: FirstPageCache, asked: PageKey) -> tuple[Discussion, list[str]]:
    discussion, first = await pages.get(asked)
    page = first.page()
    assert page.model_dump_json() == first.json
    return discussion, [comment.model_dump_json() for comment in page.comments]


async def test_every_kind_of_change_is_seen_at_once(store: Store, actions: StoreActions, pages: FirstPageCache) -> None:
    every = [PageKey(HERE, sort, limit) for sort in Sort for limit in (1, 50)]

    async def same() -> None:
        for asked in every:
            assert await kept(pages, asked) == await fresh(store, asked)
            assert await kept(pages, asked) == await fresh(store, asked)

    await same()  # before anything is said
    await actions.mode(Mode.held)
    await same()
    held = await actions.post_comment("first, held", by=MINH)  # gives the discussion its title, and no event
    await same()
    await actions.approve(held.comment.id)
    await same()
    await actions.mode(Mode.open)
    said = await actions.post_comment("second", by=LAN)
    await same()
    reply = await actions.post_comment("reply", by=EVA, parent=said)
    await same()
    await actions.edit(said.comment.id, actor(LAN), "second, better")
    await same()
    await actions.vote(reply.comment.id, actor(LAN), 1)
    await same()
    await actions.delete_comment(reply.comment.id, actions.as_moderator)
    await same()
    await actions.restore(reply.comment.id)
    await same()
    await actions.delete_comment(said.comment.id, actor(LAN))
    await same()
    await actions.mode(Mode.closed)
    await same()


async def test_a_page_that_has_to_go_while_it_is_looked_at_is_still_given(
    actions: StoreActions, reads: Counting, pages: FirstPageCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    await actions.post_comment()
    await actions.post_comment(key=THERE)
    before = await pages.get(PAGE)
    monkeypatch.setattr(page_cache, "KEPT_BYTES", 1)
    reads.gate.clear()
    other = asyncio.create_task(pages.get(PageKey(THERE, Sort.oldest, 50)))
    await until(lambda: len(reads.looks) == 2, "the second look")
    known = asyncio.create_task(pages.get(PAGE))
    await until(lambda: len(reads.looks) == 3, "the third look")
    reads.gate.set()
    await other
    assert await known == before


async def test_a_page_is_made_once_while_nothing_changes(
    actions: StoreActions, reads: Counting, pages: FirstPageCache
) -> None:
    await actions.post_comment()
    for _ in range(5):
        await pages.get(PAGE)
    assert reads.looks == [True, False, False, False, False]
    await actions.post_comment(key=THERE)
    await pages.get(PAGE)
    assert reads.looks[5:] == [False]
    await actions.post_comment()
    await pages.get(PAGE)
    await pages.get(PAGE)
    assert reads.looks[6:] == [True, False]


async def test_a_thousand_at_once_cost_one_look(actions: StoreActions, reads: Counting, pages: FirstPageCache) -> None:
    await actions.post_comment()
    found = await asyncio.gather(*(pages.get(PAGE) for _ in range(1_000)))
    assert len({id(first) for _, first in found}) == 1
    assert reads.looks == [True]
    assert pages.loading == 0


async def test_who_asks_during_a_look_gets_a_later_one(
    actions: StoreActions, reads: Counting, pages: FirstPageCache
) -> None:
    await actions.post_comment()
    reads.gate.clear()
    early = asyncio.create_task(pages.get(PAGE))
    await until(lambda: reads.looks, "the first look")
    said = await actions.post_comment()
    late = [asyncio.create_task(pages.get(PAGE)) for _ in range(10)]
    await asyncio.sleep(0)
    reads.gate.set()
    assert (await early)[0].seq == 1
    assert {(await one)[0].seq for one in late} == {said.seq} == {2}
    assert reads.looks == [True, True]


async def test_a_page_that_goes_during_a_look_is_answered(
    actions: StoreActions, reads: Counting, pages: FirstPageCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = await actions.post_comment()
    await actions.post_comment(key=THERE)
    await pages.get(PAGE)
    monkeypatch.setattr(page_cache, "KEPT_BYTES", pages.size + 10)
    opened, reads.gate = reads.gate, asyncio.Event()
    early = asyncio.create_task(pages.get(PAGE))
    await until(lambda: len(reads.looks) == 2, "the second look")
    closed, reads.gate = reads.gate, opened
    await pages.get(PageKey(THERE, Sort.oldest, 50))
    assert PAGE not in pages.kept
    closed.set()
    assert [comment.id for comment in (await early)[1].page().comments] == [said.comment.id]


async def test_an_error_is_everybodys_and_is_not_kept(actions: StoreActions, pages: FirstPageCache) -> None:
    nowhere = PageKey(DiscussionKey("nowhere", "x"), Sort.oldest, 50)
    found = await asyncio.gather(*(pages.get(nowhere) for _ in range(3)), return_exceptions=True)
    assert [error.code for error in found if isinstance(error, Problem)] == [ErrorCode.unknown_site] * 3
    assert pages.loading == 0
    assert pages.kept == {}


async def test_who_goes_takes_nothing_from_the_others(
    actions: StoreActions, reads: Counting, pages: FirstPageCache
) -> None:
    await actions.post_comment()
    reads.gate.clear()
    gone, stays = (asyncio.create_task(pages.get(PAGE)) for _ in range(2))
    await until(lambda: reads.looks, "the first look")
    gone.cancel()
    await asyncio.wait([gone])
    reads.gate.set()
    assert (await stays)[0].seq == 1
    assert gone.cancelled()
    assert reads.looks == [True]


async def test_what_is_kept_has_a_bound(
    actions: StoreActions, reads: Counting, pages: FirstPageCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [DiscussionKey("default", f"key {number}") for number in range(5)]
    for key in keys:
        await actions.post_comment(key=key)
    await pages.get(PageKey(keys[0], Sort.oldest, 50))
    size = pages.size
    monkeypatch.setattr(page_cache, "KEPT_BYTES", 3 * size + 3)
    for key in keys:
        await pages.get(PageKey(key, Sort.oldest, 50))
    assert [asked.discussion for asked in pages.kept] == keys[2:]
    assert pages.size == sum(map(page_cache.weight, pages.kept, pages.kept.values()))
    await pages.get(PageKey(keys[2], Sort.oldest, 50))  # asked for again: it is the last to go now
    await pages.get(PageKey(keys[0], Sort.oldest, 50))
    assert [asked.discussion for asked in pages.kept] == [keys[4], keys[2], keys[0]]
    for _ in range(30):
        await actions.post_comment("It grows.", key=keys[0])
        await pages.get(PageKey(keys[0], Sort.oldest, 50))
        assert pages.size == sum(map(page_cache.weight, pages.kept, pages.kept.values())) <= 3 * size + 3


@pytest.mark.parametrize("text", ["x" * 2_000, "ệ" * 1_000, "*a* " * 500, "x"])
async def test_what_is_kept_is_no_more_than_it_is_weighed(
    actions: StoreActions, pages: FirstPageCache, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the memory of the process, whatever the comments are made of."""
    monkeypatch.setattr(page_cache, "KEPT_BYTES", 200_000)
    keys = [DiscussionKey("default", f"key {number}") for number in range(10)]
    for key in keys:
        await actions.post_comment(text, key=key)
    for key in keys:
        for limit in range(1, 4):
            await pages.get(PageKey(DiscussionKey(key.site, "".join(key.key)), Sort.oldest, limit))
    assert len(pages.kept) > 1
    assert pages.size <= 200_000
    assert memory_of(pages.kept) <= pages.size


async def test_nothing_is_kept_where_nothing_was_said(
    actions: StoreActions, reads: Counting, pages: FirstPageCache
) -> None:
    for number in range(100):
        discussion, first = await pages.get(PageKey(DiscussionKey("default", f"nobody {number}"), Sort.oldest, 50))
        assert (discussion.seq, first.page().comments) == (0, [])
    said = await actions.post_comment()
    await actions.delete_comment(said.comment.id, actions.as_moderator)
    _, first = await pages.get(PAGE)
    assert reads.looks == [False] * 100 + [True]
    assert len(pages.kept) == len(first.page().comments)
    assert pages.loading == 0


async def test_shared_work_runs_one_at_a_time() -> None:
    running = most = runs = 0

    async def work() -> int:
        nonlocal running, most, runs
        running += 1
        most = max(most, running)
        runs += 1
        number = runs
        await asyncio.sleep(0)
        running -= 1
        return number

    shared = SingleFlight(work)

    async def ask() -> None:
        for _ in range(20):
            before = runs
            assert await shared.ask() > before  # it began after the asking

    await asyncio.gather(*(ask() for _ in range(20)))
    assert most == 1
    assert runs < 100
    assert not shared.is_busy
