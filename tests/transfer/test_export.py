"""Exporting: what comes out makes the same discussions when it goes into an empty database."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tertulia import articles, transfer
from tertulia.articles import Article
from tertulia.checks import check
from tertulia.core.comments import Comment, DiscussionKey, Sort
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import comment_view
from tertulia.store import Store, queries, streaming
from tertulia.store.commands import Actor
from tertulia.transfer import naming
from tests.support.full_store import BARE, EVA, LAN, MINH, NEWS, OTHER, QUIET, everything, exported, opened
from tests.support.store_actions import MODERATOR_HASH, StoreActions, author_of, digest

ALL = (NEWS, QUIET, OTHER, BARE)
TEXT = Article(
    slug="river-market",
    key=NEWS.key,
    title=f"About {NEWS.key}",
    language="vi",
    date=datetime(2026, 2, 28, 6, 0, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh")),
    time_zone="Asia/Ho_Chi_Minh",
    author="Lê “Chi”: biên tập",
    summary="Một câu.",
    markdown="# Chợ\n\nMột *đoạn* văn.\n\n```\ncode\n```",
)


def write_articles(folder: Path) -> None:
    """One that the discussion tells of, one with a title of its own, and one that nobody discussed."""
    articles.write(TEXT, folder)
    articles.write(replace(TEXT, slug="quiet", key=QUIET.key, title="Another title"), folder)
    articles.write(replace(TEXT, slug="alone", key="alone", title="Alone"), folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in folder.iterdir()}


async def seen(store: Store, key: DiscussionKey) -> Any:
    """A discussion as guests, authors and moderators see it, in every order; not the ids of the database's own."""
    found: list[Any] = []
    for sort in Sort:
        for viewer in (None, LAN.id, MINH.id, EVA.id):
            snapshot = await store.read(queries.snapshot, key, sort=sort, limit=100, viewer=viewer)
            views = [comment_view(one, reveal=reveal) for one in snapshot.page.comments for reveal in (False, True)]
            found.append((replace(snapshot.discussion, id=None, seq=0), views, snapshot.page.replies, snapshot.votes))
            found.append([_same(one) for one in snapshot.page.comments])
    return found


async def held(store: Store) -> Any:
    found = [await store.read(queries.held, site, 100, None) for site in ("default", "magazine")]
    return [[(one.key, _same(one.comment)) for one in page] for page, _ in found]


def _same(comment: Comment) -> Comment:
    """But for what a file does not have: ids of rows, keys of requests, and who decided how often."""
    return replace(comment, discussion_id=0, idempotency_key=None, version=1, hidden_by=None)


async def test_an_empty_database_becomes_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "FETCH", 3)
    async with opened(tmp_path / "old.db") as old, opened(tmp_path / "new.db") as new:
        await everything(old)
        write_articles(tmp_path / "old")
        document = await exported(old, tmp_path / "old")
        imported = await transfer.import_file(new, tmp_path / "new", json.dumps(document).encode())
        assert (imported.comments, imported.known, imported.kept) == (16, 0, ())
        for key in ALL:
            assert await seen(new, key) == await seen(old, key)
        assert await held(new) == await held(old)
        assert await new.read(queries.sites) == await old.read(queries.sites)
        assert contents(tmp_path / "new") == contents(tmp_path / "old")
        for author in (LAN, MINH, EVA):
            assert await new.read(author_of, author.id) == author
        assert await exported(new, tmp_path / "new") == document
        assert await check(old) == []
        assert await check(new) == []


async def test_what_was_deleted_and_what_is_secret_is_not_in_it(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        actions = await StoreActions(store).begin()
        said = await actions.post_comment("To be forgotten", key=NEWS, by=EVA)
        await actions.delete_comment(said, Actor(EVA.id))
        await actions.post(actions.draft("To be kept", key=NEWS, by=LAN, idempotency_key="key-of-the-tests"))
        text = json.dumps(await exported(store, tmp_path), ensure_ascii=False)
        assert EVA.name not in text
        assert "forgotten" not in text
        assert store.epoch not in text
        assert "token" not in text
        for secret in ("idempotency", "digest", "key-of-the-tests", MODERATOR_HASH, digest("To be kept")):
            assert secret not in text


async def test_what_only_a_file_can_say_comes_out_again(tmp_path: Path) -> None:
    """A pinned comment, and one that nobody asked for with a key."""
    content = {"key": "a", "comments": [{"author": "Lan", "at": "2026-01-01T00:00:00Z", "text": "A", "pinned": True}]}
    async with opened(tmp_path / "store.db") as store:
        await transfer.import_file(store, tmp_path / "articles", json.dumps(content).encode())
        document = await exported(store, tmp_path / "articles")
        [comment] = document["articles"][0]["comments"]
        assert comment == {
            "id": comment["id"],
            "author": "Lan",
            "author_id": naming.author_id("default", "Lan"),
            "at": "2026-01-01T00:00:00.000Z",
            "text": "A",
            "pinned": True,
        }


async def test_one_site_alone(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        await everything(store)
        write_articles(tmp_path / "articles")
        magazine = await exported(store, tmp_path / "articles", "magazine")
        assert [(one["site"], one["key"]) for one in magazine["articles"]] == [
            ("magazine", "not-yet"),
            ("magazine", "river-market"),
        ]
        assert magazine["sites"] == [
            {
                "key": "magazine",
                "origins": ["https://a.example", "https://b.example"],
                "rules": {"who": "members"},
            }
        ]
        default = await exported(store, tmp_path / "articles", "default")
        told = [(one["key"], "mode" in one, "markdown" in one) for one in default["articles"]]
        assert told == [
            (NEWS.key, True, True),
            (QUIET.key, True, False),
            ("alone", False, True),
            (QUIET.key, False, True),
        ]


async def test_there_is_nothing_to_export_of_an_unknown_site(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        with pytest.raises(Problem) as refused:
            await exported(store, tmp_path, "nowhere")
        assert refused.value.code is ErrorCode.unknown_site
