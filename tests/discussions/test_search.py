"""The search: what can be read is found, by the same words on both databases, and what was taken back is not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import Connection, text

from tertulia.core import documents
from tertulia.core.comments import DiscussionKey
from tertulia.discussions.search import ForgetIndex, Search, SearchFollower, SearchSort
from tertulia.errors import ErrorCode, Problem
from tertulia.limits import PostingLimits
from tertulia.protocol import PAGE_BYTES, SearchPage
from tertulia.store import Store, search
from tertulia.store.commands import PostResult
from tertulia.store.search import Scope
from tertulia.work import Following, Workers
from tertulia.work.workers import WorkTuning
from tests.support.store_actions import ABROAD, EVA, HERE, LAN, MINH, THERE, StoreActions, actor
from tests.support.waiting import until

HOME = Scope("default")
UNLIMITED = PostingLimits("off", "off")


@pytest.fixture
async def actions(store: Store) -> StoreActions:
    return await StoreActions(store).begin()


@pytest.fixture
async def following(store: Store) -> AsyncIterator[Workers]:
    """Workers that keep the index."""
    follows = Following(store, [SearchFollower()])
    workers = Workers(store, follows.queues(), WorkTuning(look=0.1, pause=0.001))
    store.write_queue.on_tasks = workers.wake
    follows.start()
    workers.start()
    yield workers
    await workers.close()


async def indexed(store: Store, count: int) -> None:
    async def has() -> bool:
        return await store.read(search.size) == count

    await until(has, f"{count} comments to be indexed")


async def find(store: Store, asked: str, scope: Scope = HOME, **options: object) -> SearchPage:
    sort = SearchSort(str(options.pop("sort", "newest")))
    return await Search(store, UNLIMITED).find(scope, asked, sort=sort, limit=20, cursor=None)


async def ids(store: Store, asked: str, scope: Scope = HOME, **options: object) -> list[str]:
    return [result.comment.id for result in (await find(store, asked, scope, **options)).results]


async def finds(store: Store, asked: str, expected: list[str]) -> bool:
    return await ids(store, asked) == expected


def of(*posts: PostResult) -> list[str]:
    return [post.comment.id for post in posts]


async def test_words_phrases_and_what_is_not_wanted(store: Store, actions: StoreActions, following: Workers) -> None:
    first = await actions.post_comment("The quick brown fox")
    second = await actions.post_comment("A brown, quick dog")
    await actions.post_comment("Nothing of the kind")
    await indexed(store, 3)
    assert await ids(store, "quick brown") == of(second, first)
    assert await ids(store, '"quick brown"') == of(first)
    assert await ids(store, "quick -dog") == of(first)
    assert await ids(store, 'quick -"quick brown"') == of(second)
    assert await ids(store, "QUICK Fox") == of(first)
    assert await ids(store, "qui") == []
    assert await ids(store, "cat") == []


async def test_marks_do_not_matter_but_come_first(store: Store, actions: StoreActions, following: Workers) -> None:
    marked = await actions.post_comment("Con đường này rất đẹp")
    plain = await actions.post_comment("con duong nay rat dep")
    await indexed(store, 2)
    for asked in ("duong dep", "đường đẹp", "Đuong ĐẸP"):
        assert await ids(store, asked) == of(plain, marked)
    assert await ids(store, "đường", sort="best") == of(marked, plain)
    assert await ids(store, "duong", sort="best") == of(plain, marked)


async def test_scripts_without_blanks(store: Store, actions: StoreActions, following: Workers) -> None:
    japanese = await actions.post_comment("今日は東京タワーに行きました")
    thai = await actions.post_comment("สวัสดีครับ ยินดีที่ได้รู้จัก")
    korean = await actions.post_comment("대한민국 만세")
    await indexed(store, 3)
    assert await ids(store, "東京タワー") == of(japanese)
    assert await ids(store, "東") == of(japanese)
    assert await ids(store, "京東") == []
    assert await ids(store, "ยินดี") == of(thai)
    assert await ids(store, "민국") == of(korean)


async def test_authors_are_found_by_name(store: Store, actions: StoreActions, following: Workers) -> None:
    post = await actions.post_comment("Bonjour", by=EVA)
    await actions.post_comment("Salut", by=LAN)
    await indexed(store, 2)
    assert await ids(store, "eva") == of(post)


async def test_a_scope(store: Store, actions: StoreActions, following: Workers) -> None:
    here = await actions.post_comment("word", key=HERE)
    there = await actions.post_comment("word", key=THERE, by=MINH)
    abroad = await actions.post_comment("word", key=ABROAD)
    await indexed(store, 3)
    assert await ids(store, "word") == of(there, here)
    assert await ids(store, "word", Scope("magazine")) == of(abroad)
    assert await ids(store, "word", Scope("default", HERE.key)) == of(here)
    assert await ids(store, "word", Scope("default", author_id=MINH.id)) == of(there)
    assert await ids(store, "word", Scope("default", "nowhere")) == []
    with pytest.raises(Problem) as refused:
        await ids(store, "word", Scope("no-such-site"))
    assert refused.value.code is ErrorCode.unknown_site


async def test_what_was_taken_back_is_not_found_even_before_the_index_knows(
    store: Store, actions: StoreActions, following: Workers
) -> None:
    removed, deleted, edited = [await actions.post_comment("needle") for _ in range(3)]
    await indexed(store, 3)
    await following.close()
    await actions.delete_comment(removed, actions.as_moderator)
    await actions.delete_comment(deleted, actor(LAN))
    assert await ids(store, "needle") == of(edited)


async def test_the_index_forgets_what_was_taken_back(store: Store, actions: StoreActions, following: Workers) -> None:
    removed, deleted, edited = [await actions.post_comment("needle") for _ in range(3)]
    await indexed(store, 3)
    await actions.delete_comment(removed, actions.as_moderator)
    await actions.delete_comment(deleted, actor(LAN))
    await actions.edit(edited, actor(LAN), "haystack")
    await until(lambda: finds(store, "haystack", of(edited)), "the edit to be indexed")
    assert await ids(store, "needle") == []
    assert await rows(store) == 1
    await actions.restore(removed)
    await indexed(store, 2)
    assert await ids(store, "needle") == of(removed)


async def rows(store: Store) -> int:
    def count(connection: Connection) -> int:
        found: int = connection.execute(text("SELECT count(*) FROM search_text")).scalar_one()
        return found

    return await store.read(count)


async def test_what_was_written_before_the_search_was_switched_on_is_found(store: Store, actions: StoreActions) -> None:
    posts = [await actions.post_comment("early", key=key) for key in (HERE, THERE) for _ in range(3)]
    follows = Following(store, [SearchFollower()])
    workers = Workers(store, follows.queues(), WorkTuning(look=0.1, pause=0.001))
    workers.start()
    await indexed(store, 6)
    await workers.close()
    assert sorted(await ids(store, "early")) == sorted(of(*posts))


async def test_an_index_that_was_emptied_is_made_again(store: Store, actions: StoreActions, following: Workers) -> None:
    await asyncio.gather(*(actions.post_comment("word", key=DiscussionKey("default", str(n % 3))) for n in range(9)))
    await indexed(store, 9)
    await store.write(ForgetIndex())
    following.wake()
    await indexed(store, 9)
    assert len(await ids(store, "word")) == 9


@pytest.mark.parametrize("sort", [*SearchSort])
async def test_pages_show_each_match_once(
    store: Store, actions: StoreActions, following: Workers, sort: SearchSort
) -> None:
    posts = [await actions.post_comment("đường" if number % 2 else "duong") for number in range(11)]
    await indexed(store, 11)
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await Search(store, UNLIMITED).find(HOME, "đường", sort=sort, limit=3, cursor=cursor)
        found += [result.comment.id for result in page.results]
        cursor = page.next
        if cursor is None:
            break
    assert sorted(found) == sorted(of(*posts))
    assert len(found) == 11
    newest = of(*reversed(posts))
    expected = newest if sort is SearchSort.newest else [*newest[1::2], *newest[0::2]]
    assert found == expected
    with pytest.raises(Problem) as refused:
        await Search(store, UNLIMITED).find(
            HOME, "other", sort=sort, limit=3, cursor=(await find(store, "đường")).next or "x"
        )
    assert refused.value.code is ErrorCode.bad_cursor


@pytest.mark.parametrize(
    ("asked", "code"),
    [("", ErrorCode.empty), ("  ", ErrorCode.empty), ("?!", ErrorCode.empty), ("-no", ErrorCode.empty)],
)
async def test_a_question_without_words(store: Store, asked: str, code: ErrorCode) -> None:
    with pytest.raises(Problem) as refused:
        await find(store, asked)
    assert refused.value.code is code


async def test_a_question_that_is_too_long(store: Store) -> None:
    with pytest.raises(Problem) as refused:
        await find(store, "a" * 201)
    assert refused.value.code is ErrorCode.too_long


@pytest.mark.parametrize(
    "asked",
    [
        "a AND b",
        "a OR b",
        "NEAR(a b)",
        "a*",
        "words : a",
        "{a b}",
        "a' & 'b",
        "a:*",
        "!a | b",
        "a <-> b",
        "\\",
        "'; --",
    ],
)
async def test_the_languages_of_the_databases_mean_nothing(
    store: Store, actions: StoreActions, following: Workers, asked: str
) -> None:
    await actions.post_comment("a stray b")
    await indexed(store, 1)
    try:
        found = await ids(store, asked)
    except Problem as problem:
        assert problem.code is ErrorCode.empty  # noqa: PT017
    else:
        assert found in ([], await ids(store, "stray"))


async def test_where_it_is_and_what_matched(store: Store, actions: StoreActions, following: Workers) -> None:
    await actions.post_comment("Một con đường\n\ndài")
    await indexed(store, 1)
    [result] = (await find(store, "duong dai")).results
    assert (result.site, result.key, result.title) == ("default", "here", "About here")
    assert [(part.text, part.match) for part in result.snippet] == [
        ("Một con ", False),
        ("đường", True),
        (" ", False),
        ("dài", True),
    ]


async def test_what_results_stand_below_comes_along_in_one_discussion(
    store: Store, actions: StoreActions, following: Workers
) -> None:
    root = await actions.post_comment("The root")
    middle = await actions.post_comment("A needle in the middle", parent=root)
    other = await actions.post_comment("Beside it", parent=root)
    deep = await actions.post_comment("A needle below", parent=middle)
    deeper = await actions.post_comment("Another needle", parent=other)
    await indexed(store, 5)

    async def above(asked: str, scope: Scope) -> list[str]:
        return [comment.id for comment in (await find(store, asked, scope)).ancestors]

    here = Scope(HERE.site, HERE.key)
    assert await ids(store, "needle", here) == of(deeper, deep, middle)
    assert await above("needle", here) == of(root, other)
    assert await above("below", here) == of(root, middle)
    assert await above("root", here) == []
    assert await above("needle", HOME) == [], "nobody shows the results of a site in their threads"


async def test_a_page_of_results_has_a_bound_in_bytes(store: Store, actions: StoreActions, following: Workers) -> None:
    body = documents.parse("x" * 9_000) * 7
    root = await actions.post(replace(actions.draft("needle"), body=body))
    posts = [await actions.post(replace(actions.draft("needle", parent=root), body=body)) for _ in range(29)]
    await indexed(store, 30)
    searching = Search(store, UNLIMITED)
    seen: list[str] = []
    cursor = None
    for sort in SearchSort:
        seen.clear()
        while True:
            page = await searching.find(Scope(HERE.site, HERE.key), "needle", sort=sort, limit=50, cursor=cursor)
            assert len(page.model_dump_json()) <= PAGE_BYTES + 100
            seen += [result.comment.id for result in page.results]
            cursor = page.next
            if cursor is None:
                break
        assert seen == of(*reversed(posts), root)
