"""Importing: what a file says is there afterwards, in order, once."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from tertulia import transfer
from tertulia.articles import Articles
from tertulia.checks import check
from tertulia.core import documents
from tertulia.core.comments import Comment, DiscussionKey, Mode, Sort, State
from tertulia.core.ids import is_uuid
from tertulia.errors import ErrorCode, Problem
from tertulia.store import Store, queries
from tertulia.transfer import importing, naming
from tertulia.transfer.format import read
from tertulia.transfer.plan import plan
from tests.support.full_store import MINH, NEWS, dump, everything, exported, opened, planted
from tests.support.store_actions import author_of
from tests.transfer.test_format import AT, DIGEST, KEY, UUID_A, UUID_B, article, comment, file

HERE = DiscussionKey("default", "a-key")

PAGE: dict[str, Any] = {
    "title": "Ferries stop for a day",
    "key": "ferries-stop-for-a-day",
    "lang": "en",
    "timezone": "Asia/Ho_Chi_Minh",
    "paragraphs": ["The ferries rest on Sunday.", "They sail again on Monday, at *five* [sic]."],
    "comments": [
        {"author": "Nguyễn Văn Ân", "at": "2026-05-02T23:10:00+07:00", "text": "And how do I get home?"},
        {"author": "Bảo Châu", "at": "2026-05-02T23:10:00+07:00", "text": "Over the bridge."},
        {"author": "Đặng Hòa", "at": "2026-05-02T23:10:00+07:00", "text": "There is a **bus**."},
        {"author": "Nguyễn Văn Ân", "at": "2026-05-03T00:05:30.250+07:00", "text": "Thanks!\n\nBoth of you."},
        {"author": "Zoë", "at": "2026-05-02T18:00:00+02:00", "text": "Ten past eleven, so at the same moment: no."},
    ],
}


async def run(store: Store, folder: Path, content: Any) -> transfer.Imported:
    return await transfer.import_file(store, folder / "articles", json.dumps(content).encode())


async def shown(store: Store, key: DiscussionKey, viewer: str | None = None) -> list[Comment]:
    snapshot = await store.read(queries.snapshot, key, sort=Sort.oldest, limit=100, viewer=viewer)
    return snapshot.page.comments


async def test_an_article_and_its_comments_come_in_order_with_names_texts_and_times(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        imported = await run(store, tmp_path, PAGE)
        assert imported == transfer.Imported(articles=1, comments=5, known=0)
        comments = await shown(store, DiscussionKey("default", PAGE["key"]))
        written = [PAGE["comments"][number] for number in (4, 0, 1, 2, 3)]
        assert [(one.author.name, one.text) for one in comments] == [(one["author"], one["text"]) for one in written]
        milliseconds = [0, 0, 1, 2, 0]
        expected = [datetime.fromisoformat(one["at"]).timestamp() for one in written]
        found = [
            round(one.created_at.timestamp() * 1000 - more) for one, more in zip(comments, milliseconds, strict=True)
        ]
        assert found == [round(at * 1000) for at in expected]
        assert comments[1].author.id == comments[4].author.id
        assert all(is_uuid(one.id) and is_uuid(one.author.id) for one in comments)
        assert await check(store) == []


async def test_the_article_becomes_a_page_that_shows_what_was_written(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        await run(store, tmp_path, PAGE)
    [found] = Articles(tmp_path / "articles").all()
    assert (found.slug, found.key, found.title, found.language) == (PAGE["key"], PAGE["key"], PAGE["title"], "en")
    assert found.date == datetime.fromisoformat("2026-05-02T00:00:00+07:00")
    assert MarkdownIt().render(found.markdown) == "".join(f"<p>{text}</p>\n" for text in PAGE["paragraphs"])


@pytest.mark.parametrize(
    "paragraph",
    [
        "# no heading",
        "- no item",
        "+ no item",
        "1. May",
        "12) no",
        "> no",
        "a *b* _c_ `d` ~~e~~",
        "<b>&amp;</b>",
        "[a](b)",
        "= =",
        r"a\b",
    ],
)
def test_a_paragraph_is_shown_as_it_is(paragraph: str) -> None:
    found = plan(*_read(article(comment(), paragraphs=[f"  {paragraph}\n"])))
    [block, inline, _] = MarkdownIt("gfm-like", {"linkify": False}).parse(found.articles[0].markdown)
    assert (block.type, "".join(child.content for child in inline.children or [])) == ("paragraph_open", paragraph)


def _read(content: Any) -> Any:
    return read(json.dumps(content).encode())


async def test_the_same_file_twice_changes_nothing(tmp_path: Path) -> None:
    path, folder = tmp_path / "store.db", tmp_path / "articles"
    async with opened(path) as store:
        whole = article(
            comment(id="a", state="removed", votes={"up": 2, "down": 1}, edited_at="2026-02-03T12:00:00Z"),
            comment(parent="a", edited_at=AT),
            comment(state="deleted", text=None, author=None),
            comment(state="held"),
            comment(text="Same"),
            comment(text="Same"),
            markdown="One\r\n\r\nTwo\r",
            mode="closed",
        )
        first = await run(store, tmp_path, whole)
        before = dump(path), [one.read_bytes() for one in folder.iterdir()]
        second = await run(store, tmp_path, whole)
        assert (first.comments, second.comments, second.known, second.kept) == (6, 0, 6, ())
        assert (dump(path), [one.read_bytes() for one in folder.iterdir()]) == before
        assert await check(store) == []


async def test_replies_votes_and_states(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        content = article(
            comment(text="Reply before its parent", parent="top", at="2026-02-03T09:00:00+07:00"),
            comment(text="Top", id="top", votes={"up": 3, "down": 1}, pinned=True, badge="moderator"),
            comment(text="Gone", id="gone", parent="top", state="deleted", author_id=UUID_A),
            comment(text="Below", parent="gone", votes=[{"voter": UUID_B.upper(), "value": -1}]),
            comment(text="Waits", parent="top", state="held", author_id=UUID_A),
            comment(text="Never seen", state="removed", published=False),
            comment(text="Removed", id=UUID_A.upper(), state="removed", at="2026-02-03T10:01:00+07:00"),
        )
        await run(store, tmp_path, content)
        comments = await shown(store, HERE)
        assert [one.text for one in comments] == ["Top", "Reply before its parent", "", "Below", "Removed"]
        top, early, gone, below, removed = comments
        assert (top.up, top.down, top.pinned, top.author.badge, top.reply_count) == (3, 1, True, "moderator", 1)
        assert (early.parent_id, gone.root_id, below.parent_id, below.root_id) == (top.id, top.id, gone.id, top.id)
        assert (gone.state, gone.author.id, gone.author.name, gone.body) == (State.deleted, UUID_A, "", [])
        assert (below.up, below.down, removed.id, removed.state) == (0, 1, UUID_A, State.removed)
        snapshot = await store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=9, viewer=UUID_B)
        assert snapshot.votes == {below.id: -1}
        assert (snapshot.discussion.comment_count, snapshot.discussion.seq) == (3, 7)
        held, _ = await store.read(queries.held, "default", 10, None)
        assert [one.comment.text for one in held] == ["Waits"]
        assert await check(store) == []


async def test_an_author_has_the_name_last_used_and_an_older_one_never_replaces_it(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        content = article(
            comment(author="Second", author_id=UUID_A, at="2026-02-03T11:00:00Z"),
            comment(author="Third", author_id=UUID_A, at="2026-02-03T12:00:00Z", state="deleted"),
            comment(author="First", author_id=UUID_A, at="2026-02-03T10:00:00Z"),
            comment(author=None, author_id=UUID_B, at="2026-02-03T09:00:00Z", state="deleted"),
            comment(author="Known", author_id=UUID_B, at="2026-02-03T08:00:00Z"),
        )
        await run(store, tmp_path, content)
        older = article(comment(author="Zeroth", author_id=UUID_A, at="2025-01-01T00:00:00Z"), key="b")
        await run(store, tmp_path, older)
        names = [await store.read(author_of, author_id) for author_id in (UUID_A, UUID_B)]
        assert [one.name for one in names if one is not None] == ["Second", "Known"]


async def test_what_is_here_already_stays_as_it_is(tmp_path: Path) -> None:
    """Comments, titles, modes and articles; what is new in the file is added to them."""
    path = tmp_path / "store.db"
    async with opened(path) as store:
        ids = await everything(store)
        known = [comment(id=ids[name], text="Forged", author="Forger") for name in ("first", "gone", "waiting")]
        before = dump(path)
        content = article(*known, key=NEWS.key, title="Another title", mode="closed")
        assert (await run(store, tmp_path, content)).known == 3
        assert dump(path) == before
        # the file calls it a top-level comment; here it is a reply, and an answer belongs to the thread it has here
        reply = comment(id=ids["reply"])
        more = article(reply, comment(id=UUID_A, parent=ids["reply"], text="New here"), key=NEWS.key)
        assert await run(store, tmp_path, more) == transfer.Imported(1, 1, 1)
        added = next(one for one in await shown(store, NEWS) if one.id == UUID_A)
        assert (added.parent_id, added.root_id) == (ids["reply"], ids["first"])
        assert (await store.read(queries.discussion, NEWS)).mode is Mode.held
        assert await check(store) == []


async def test_a_database_takes_its_own_export_for_known(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    async with opened(path) as store:
        await everything(store)
        before = dump(path)
        document = await exported(store, tmp_path / "articles")
        assert (await run(store, tmp_path, document)).comments == 0
        assert dump(path) == before


async def test_an_article_that_differs_is_kept_and_told(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        await run(store, tmp_path, PAGE)
        [written] = (tmp_path / "articles").iterdir()
        before = written.read_bytes()
        imported = await run(
            store, tmp_path, {**PAGE, "title": "Ferries sail", "comments": []} | {"date": "2026-01-01"}
        )
        [line] = imported.kept
        assert "ferries-stop-for-a-day" in line
        assert written.read_bytes() == before


async def test_a_large_discussion_is_written_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "CHUNK", 3)
    monkeypatch.setattr(importing, "CHUNK_VOTES", 4)
    monkeypatch.setattr(importing, "_NAMES", 2)
    comments = [comment(id=f"c{number}", parent=f"c{number - 3}" if number > 3 else None) for number in range(10)]
    comments[4]["votes"] = {"up": 5}
    reported: list[tuple[int, int]] = []

    def report(step: str, done: int = 0, total: int = 0) -> None:
        if step == "Writing comments":
            reported.append((done, total))

    async with opened(tmp_path / "store.db") as store:
        data = json.dumps(article(*comments, mode="held")).encode()
        await transfer.import_file(store, tmp_path, data, report)
        assert reported == [(3, 10), (5, 10), (8, 10), (10, 10)]
        assert len(await shown(store, HERE)) == 10
        assert await check(store) == []


async def test_keys_in_an_export_of_an_earlier_version_are_read_and_not_kept(tmp_path: Path) -> None:
    """Whoever has the file has the keys: they are no secret any more."""
    path = tmp_path / "store.db"
    request = {"idempotency_key": KEY, "request_digest": DIGEST, "author_id": MINH.id}
    async with opened(path) as store:
        await run(store, tmp_path, article(comment(**request), comment(text="Twice", **request)))
        assert len(await shown(store, HERE)) == 2
        text = "\n".join(dump(path))
        assert KEY not in text
        assert DIGEST not in text


async def test_a_database_that_changes_meanwhile_is_not_given_orphans(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(tmp_path / "store.db") as store:
        await run(store, tmp_path, article(comment(id="a", state="held")))
        [held], _ = await store.read(queries.held, "default", 10, None)
        monkeypatch.setattr(importing, "_compare", lambda connection, planned: None)
        before = dump(tmp_path / "store.db")
        content = article(comment(id=held.comment.id), comment(parent=held.comment.id))
        with pytest.raises(Problem) as refused:
            await run(store, tmp_path, content)
        assert refused.value.code is ErrorCode.bad_parent
        assert dump(tmp_path / "store.db") == before


async def test_sites_are_made_and_get_origins_only_while_they_have_none(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        made = [
            {"key": "default", "origins": ["https://a.example"]},
            {"key": "other", "origins": ["http://b.example:8080"]},
        ]
        await run(store, tmp_path, file(article(comment()), sites=made, site="other"))
        await run(store, tmp_path, file(sites=[{"key": "default", "origins": ["https://c.example"]}, {"key": "other"}]))
        assert await store.read(queries.sites) == {"default": ["https://a.example"], "other": ["http://b.example:8080"]}
        assert (await store.read(queries.discussion, DiscussionKey("other", "a-key"))).comment_count == 1


async def test_a_text_alone_makes_no_discussion_and_a_mode_alone_does(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        text = article(markdown="Text", date="2026-01-02T03:04:05Z", key="Chợ đêm Đà Lạt")
        await run(
            store, tmp_path, file(text, article(key="b", mode="held"), article(key="c", url="https://a.example/c"))
        )
        found = [
            (await store.read(queries.discussion, DiscussionKey("default", key))) for key in (text["key"], "b", "c")
        ]
        assert [one.id is None for one in found] == [True, False, False]
        assert (found[1].mode, found[1].seq, found[2].url) == (Mode.held, 1, "https://a.example/c")
        [written] = Articles(tmp_path / "articles").all()
        assert (written.key, written.slug) == (text["key"], naming.slug(text["key"]))
        assert written.date == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_slugs_of_keys() -> None:
    assert naming.slug("a-good-one") == "a-good-one"
    assert naming.slug("Chợ đêm Đà Lạt").startswith("cho-dem-da-lat-")
    assert naming.slug("Chợ") != naming.slug("Chờ")
    assert len(naming.slug("夜市")) == 8
    assert len(naming.slug("x " * 256)) <= 109


@pytest.mark.parametrize("typed", ["*a* b\n" * 1500, "[" * 5000, "a\n" * 5000])
async def test_a_text_past_the_limits_comes_without_its_marks(tmp_path: Path, typed: str) -> None:
    async with opened(tmp_path / "store.db") as store:
        said = comment(text=typed.strip())
        assert (await run(store, tmp_path, file(article(comments=[said])))).comments == 1
        [imported] = await shown(store, HERE)
        assert imported.text == typed.strip()
        assert imported.body == documents.parse_any(typed.strip())
        assert len(json.dumps(imported.body)) <= documents.TREE_BYTES
        assert await check(store) == []


SPELLINGS = ("https://news.example/%C4%91", "http://news.example/\u0111/?utm_source=x", "https://news.example/\u0111")


async def test_articles_whose_keys_are_spellings_of_one_address_become_one_discussion(tmp_path: Path) -> None:
    content = file(*(article(comment(text=f"By {key}"), key=key, title=key) for key in SPELLINGS))
    async with opened(tmp_path / "store.db") as store:
        assert (await run(store, tmp_path, content)).comments == 3
        assert await run(store, tmp_path, content) == transfer.Imported(articles=3, comments=0, known=3)
        for key in SPELLINGS:
            found = await store.read(queries.discussion, DiscussionKey("default", key))
            assert (found.key.key, found.comment_count, found.title) == (SPELLINGS[2], 3, SPELLINGS[0])
        assert await check(store) == []


async def test_an_export_with_spellings_of_one_address_is_one_discussion_elsewhere(tmp_path: Path) -> None:
    async with opened(tmp_path / "old.db") as store:
        for number, key in enumerate(("talk", "walk", "form")):
            await run(store, tmp_path, file(article(comment(text=f"Comment {number}"), key=key)))
    # as a version stored them that compared keys by their letters
    for before, key in zip(("talk", "walk", "form"), SPELLINGS, strict=True):
        planted(tmp_path / "old.db", f"UPDATE discussion SET key = '{key}' WHERE key = '{before}'")
    async with opened(tmp_path / "old.db") as store:
        assert [len(await shown(store, DiscussionKey("default", key))) for key in SPELLINGS] == [1, 1, 1]
        document = await exported(store, tmp_path)
        await run(store, tmp_path, document)
        assert [len(await shown(store, DiscussionKey("default", key))) for key in SPELLINGS] == [1, 1, 1], (
            "as they were"
        )
    async with opened(tmp_path / "new.db") as store:
        await run(store, tmp_path, document)
        assert [len(await shown(store, DiscussionKey("default", key))) for key in SPELLINGS] == [3, 3, 3]
        assert await check(store) == []
