"""What an author deleted is in no file of the database soon after, whoever reads meanwhile."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tertulia.store import Store, erasing
from tests.support.store_actions import LAN, StoreActions, actor
from tests.support.waiting import until

MARKER = "Marker-of-what-is-to-be-forgotten"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
async def actions(path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StoreActions]:
    monkeypatch.setattr(erasing, "ERASE_SECONDS", 0.02)
    store = await Store.open(f"sqlite+aiosqlite:///{path}")
    store.start()
    yield await StoreActions(store).begin()
    await store.close()


def holds(path: Path) -> bool:
    """Whether the words stand in a file of the database."""
    files = (path.with_name(path.name + end) for end in ("", "-wal"))
    return any(MARKER.encode() in file.read_bytes() for file in files if file.exists())


async def forgotten(path: Path) -> None:
    await until(lambda: not holds(path), "the words to be erased")


async def test_what_was_deleted_is_in_no_file(actions: StoreActions, path: Path) -> None:
    said = await actions.post_comment(MARKER)
    assert holds(path)
    await actions.delete_comment(said.comment.id, actor(LAN))
    await forgotten(path)


async def test_a_long_reader_is_waited_for_and_holds_up_nobody(actions: StoreActions, path: Path) -> None:
    said = await actions.post_comment(MARKER)
    reader = sqlite3.connect(path, isolation_level=None)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM comment").fetchone()
        await actions.delete_comment(said.comment.id, actor(LAN))
        for number in range(20):
            assert (await actions.post_comment(str(number))).seq == 3 + number
        assert reader.execute("SELECT text FROM comment").fetchall() == [(MARKER,)], "its moment is its own"
        assert holds(path)
    finally:
        reader.close()
    await forgotten(path)


async def test_only_what_erases_empties_the_log(actions: StoreActions, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(actions.store.write_queue, "on_erased", lambda: asked.append(True))
    said = await actions.post_comment(MARKER)
    await actions.delete_comment((await actions.post_comment("Removed")).comment.id, actions.as_moderator)
    assert asked == [], "what a moderator removes is kept"
    await actions.edit(said.comment.id, actor(LAN))
    await actions.delete_comment(said.comment.id, actor(LAN))
    assert asked == [True, True]
