"""Databases for tests: one in which everything happened that can happen, made by the store's own commands."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert, select, update

from tertulia import transfer
from tertulia.articles import Articles
from tertulia.core import documents
from tertulia.core.comments import Author, DiscussionKey, Mode
from tertulia.core.ids import uuid7_of
from tertulia.store import Store, administration, commands, queries, schema
from tertulia.store.commands import Actor, Ballot, Command, CommandResult, Draft, PostResult
from tests.store.acts import Custom

START = datetime(2026, 3, 1, 8, 30, tzinfo=UTC)
NEWS = DiscussionKey("default", "river-market")
QUIET = DiscussionKey("default", "tranh-cãi/đêm")
OTHER = DiscussionKey("magazine", "river-market")
BARE = DiscussionKey("magazine", "not-yet")

LAN = Author("018f0000-0000-8000-8000-00000000000a", "Nguyễn Thị Lan")
MINH = Author("018f0000-0000-8000-8000-00000000000b", "Trần Minh")
EVA = Author("018f0000-0000-8000-8000-00000000000c", "Éva O’Hára 🦆")


def digest(number: int) -> str:
    return f"{number:064x}"


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite+aiosqlite:///{path}")
    store.start()
    try:
        yield store
    finally:
        await store.close()


async def exported(store: Store, articles: Path, site: str | None = None) -> Any:
    """An export, read again."""
    pieces: list[str] = []
    await transfer.export(store, Articles(articles), site, pieces.append)
    return json.loads("".join(pieces))


def dump(path: Path) -> list[str]:
    """Everything that a database holds."""
    connection = sqlite3.connect(path)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def planted(path: Path, *statements: str) -> None:
    """Changes a database behind the back of the store."""
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    finally:
        connection.close()


async def many(store: Store, count: int) -> None:
    """A discussion of so many comments, and half as many answers to one of them, as if each had been said.

    The first comments are said; all others are copies of them, made in SQL: saying them would take minutes.
    """
    world = World(store)
    await world.begin()
    first = await world.say(NEWS, LAN, "A comment of some words. " * 8)
    reply = await world.say(NEWS, MINH, "An answer of some words. " * 8, first)
    await world.do(Custom(partial(_multiplied, first=first.comment.id, reply=reply.comment.id, count=count)))


def _multiplied(connection: Connection, first: str, reply: str, count: int) -> CommandResult[None]:
    comment, event, discussion = schema.comment, schema.event, schema.discussion
    rows = {row["id"]: dict(row) for row in connection.execute(select(comment)).mappings()}
    logged = {row["comment_id"]: dict(row) for row in connection.execute(select(event)).mappings()}
    comments, events = [], []
    for number in range(2, count):
        source = reply if number % 3 == 0 else first
        new = f"018f{number:04x}-0000-7000-8000-00000000ffff"
        root = rows[source]["root_id"] if source == reply else new
        comments.append(
            {
                **rows[source],
                "id": new,
                "root_id": root,
                "reply_count": 0,
                "idempotency_key": f"copy-of-the-tests-{number}",
            }
        )
        said = json.loads(logged[source]["payload"])
        said["seq"] = said["comment_count"] = number + 1
        said["comment"]["id"] = new
        if source == reply:
            said["parent"]["reply_count"] = number // 3 + 1
        events.append({**logged[source], "seq": number + 1, "comment_id": new, "payload": json.dumps(said)})
    connection.execute(insert(comment), comments)
    connection.execute(insert(event), events)
    connection.execute(update(discussion).values(seq=count, comment_count=count))
    connection.execute(update(comment).where(comment.c.id == first).values(reply_count=(count - 1) // 3 + 1))
    return CommandResult(None)


class World:
    """Says and does things, a minute after each other."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.at = START
        self.number = 0
        self.moderator = Author("", "")

    async def begin(self) -> None:
        """Two sites and a moderator."""
        at = self._next()
        await self.do(administration.AddSite("default", ["https://news.example"], at))
        await self.do(administration.AddSite("magazine", ["https://a.example", "https://b.example"], at))
        await self.do(administration.AddModerator("Editor", digest(1), at))
        found = await self.store.read(queries.moderator, digest(1))
        assert found is not None
        self.moderator = found

    async def say(self, key: DiscussionKey, author: Author, text: str, parent: PostResult | None = None) -> PostResult:
        self.number += 1
        at = self._next()
        draft = Draft(
            id=uuid7_of(round(at.timestamp() * 1000), str(self.number)),
            key=key,
            title=f"About {key.key}",
            url=f"https://news.example/{key.site}",
            parent_id=parent.comment.id if parent else None,
            author=author,
            text=text,
            body=documents.parse(text),
            at=at,
            idempotency_key=f"key-of-the-tests-{self.number}",
            digest=digest(self.number),
        )
        return await self.do(commands.PostComment(draft))

    async def edit(self, said: PostResult, text: str) -> None:
        at, actor, tree = self._next(), Actor(said.comment.author.id), documents.parse(text)
        await self.do(commands.EditComment(said.comment.id, actor, text, tree, at, timedelta(days=1)))

    async def vote(self, said: PostResult, voter: Author, value: int) -> None:
        at = self._next()
        await self.do(commands.CastVotes(said.comment.id, [Ballot(Actor(voter.id), value)], at))

    async def delete(self, said: PostResult) -> None:
        at = self._next()
        await self.do(commands.DeleteComment(said.comment.id, Actor(said.comment.author.id), at))

    async def remove(self, said: PostResult) -> None:
        at = self._next()
        await self.do(commands.DeleteComment(said.comment.id, Actor(self.moderator.id, moderator=True), at))

    async def restore(self, said: PostResult) -> None:
        at = self._next()
        await self.do(commands.RestoreComment(said.comment.id, at))

    async def approve(self, said: PostResult) -> None:
        at = self._next()
        await self.do(commands.ApproveComment(said.comment.id, at))

    async def report(self, said: PostResult) -> None:
        at = self._next()
        await self.do(commands.ReportComment(said.comment.id, Actor(EVA.id), "spam", "look", at))

    async def mode(self, key: DiscussionKey, mode: Mode) -> None:
        at = self._next()
        await self.do(commands.SetMode(key, mode, at))

    async def do(self, command: Command[commands.T]) -> commands.T:
        return await self.store.write(command)

    def _next(self) -> datetime:
        self.at += timedelta(minutes=1, milliseconds=7)
        return self.at


async def everything(world: World) -> dict[str, str]:
    """Every kind of change; gives the ids of comments that a test wants to find again."""
    await world.begin()
    first = await world.say(NEWS, LAN, "Chợ nổi **đẹp** quá!\n\n> thật không?")
    reply = await world.say(NEWS, MINH, "Đúng vậy: https://news.example/cho", first)
    deep = await world.say(NEWS, EVA, "- one\n- two", reply)
    for said, voter, value in ((first, MINH, 1), (first, EVA, -1), (reply, LAN, 1), (reply, EVA, 1), (first, MINH, -1)):
        await world.vote(said, voter, value)
    await world.vote(reply, EVA, 0)
    await world.edit(deep, "```py\nprint('🦆')\n```")
    gone = await world.say(NEWS, MINH, "I take this back", first)
    under_gone = await world.say(NEWS, LAN, "An answer to it", gone)
    await world.vote(gone, LAN, 1)
    await world.delete(gone)
    removed = await world.say(NEWS, EVA, "Something unfit", first)
    await world.vote(removed, LAN, -1)
    await world.report(removed)
    await world.edit(removed, "Something unfit still")
    await world.remove(removed)
    back = await world.say(NEWS, EVA, "Judged too quickly")
    await world.remove(back)
    await world.restore(back)
    official = await world.say(NEWS, world.moderator, "Please be kind")
    await world.mode(NEWS, Mode.held)
    waiting = await world.say(NEWS, MINH, "May I?", deep)
    await world.edit(waiting, "May I, please?")
    approved = await world.say(NEWS, LAN, "I may", official)
    await world.approve(approved)
    rejected = await world.say(NEWS, LAN, "Rejected before anybody saw it")
    await world.remove(rejected)
    withdrawn = await world.say(NEWS, EVA, "Withdrawn before anybody saw it")
    await world.delete(withdrawn)
    late = await world.say(NEWS, EVA, "Rejected, then let in", official)
    await world.remove(late)
    await world.restore(late)
    await world.say(QUIET, LAN, "Một mình")
    await world.mode(QUIET, Mode.closed)
    elsewhere = await world.say(OTHER, MINH, "Another site")
    await world.say(OTHER, LAN, "An answer there", elsewhere)
    await world.mode(BARE, Mode.held)
    found = {
        "first": first, "reply": reply, "deep": deep, "gone": gone, "under_gone": under_gone, "removed": removed,
        "back": back, "official": official, "waiting": waiting, "approved": approved, "rejected": rejected,
        "withdrawn": withdrawn, "late": late, "elsewhere": elsewhere,
    }  # fmt: skip
    return {name: said.comment.id for name, said in found.items()}
