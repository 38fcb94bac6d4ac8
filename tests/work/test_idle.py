"""A server to which nobody writes commits nothing, with all of its background work and people who are signed in."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event

from tertulia.identity import utc_now
from tertulia.store import schema
from tertulia.store.mapping import milliseconds
from tertulia.work import Workers
from tertulia.work.workers import LOOK_SECONDS, WorkTuning
from tests.people.test_sessions import Instance, instance
from tests.support.waiting import until

A_MINUTE = int(60 / LOOK_SECONDS)
"""Looks for work."""


async def test_a_minute_in_which_nobody_writes_has_no_commit(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counted at the connection that writes, over as many looks as a minute has, while a member and a guest read."""
    monkeypatch.setattr("tertulia.app.Workers", partial(Workers, tuning=WorkTuning(look=0.02, pause=0.005)))
    mail = {"smtp_url": "smtp://localhost:1", "mail_from": "comments@news.test"}
    async with instance(database, tmp_path / "one", work="all", search=True, **mail) as one:
        member = await one.token()
        guest = (await one.say(None, author={"name": "Ba"})).json()["token"]
        await until(partial(_is_all_done, one), "the first run of everything")
        commits: list[None] = []
        looks: list[None] = []
        event.listen(one.server.store.database.write.engine, "commit", lambda _connection: commits.append(None))
        event.listen(one.server.store.database.read.engine, "begin", lambda _connection: looks.append(None))
        for token in (member, guest, None):
            for path in ("/discussion?key=talk", "/search?q=evening"):
                assert (await one.ask("GET", path, token)).status_code == 200
        seen = len(looks)
        await until(lambda: len(looks) > seen + A_MINUTE, "a minute of looks")
        assert commits == []


async def _is_all_done(one: Instance) -> bool:
    """Whether each task has been done and waits for its next hour, and the index has the comment."""
    tasks = await one.rows(schema.task)
    indexed = await one.rows(schema.search_entry)
    return bool(indexed) and all(task["run_at"] > milliseconds(utc_now()) and not task["attempts"] for task in tasks)
