"""Acts on a store, a second after each other, by people with names; and what the tables hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import Connection, select

from tertulia.core import documents
from tertulia.core.comments import Author, Comment, DiscussionKey, Mode, Sort
from tertulia.core.ids import uuid7
from tertulia.errors import Problem
from tertulia.protocol import Event
from tertulia.store import Store, administration, commands, schema
from tertulia.store.commands import Actor, Ballot, CommandResult, Draft, PostResult, VoteTotals
from tertulia.store.locks import LockTarget
from tertulia.store.write_queue import Command

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
HERE = DiscussionKey("default", "here")
THERE = DiscussionKey("default", "there")
ABROAD = DiscussionKey("magazine", "here")

LAN = Author("0190a000-0000-8000-8000-00000000000a", "Lan")
MINH = Author("0190a000-0000-8000-8000-00000000000b", "Minh")
EVA = Author("0190a000-0000-8000-8000-00000000000c", "Éva")
WINDOW = timedelta(minutes=15)


def digest(text: str) -> str:
    return text.encode().hex()[:64]


class Acts:
    """Every act is one command given to the write queue; ``moderator`` is there after ``begin``."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.moderator = Author("", "")
        self._seconds = count(1)

    def now(self) -> datetime:
        return START + timedelta(seconds=next(self._seconds))

    async def begin(self) -> Acts:
        at = self.now()
        await self.do(lambda c: administration.add_site(c, "magazine", ["https://magazine.example"], at))
        await self.do(lambda c: administration.add_moderator(c, "Editor", "f" * 64, at))
        found = await self.store.reads.moderator("f" * 64)
        assert found is not None
        self.moderator = found
        return self

    async def do(self, command: Command[commands.T], about: LockTarget = None) -> commands.T:
        return await self.store.write_queue.submit(command, about)

    def draft(
        self,
        text: str = "Something",
        *,
        key: DiscussionKey = HERE,
        by: Author = LAN,
        parent: PostResult | str | None = None,
        at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> Draft:
        parent_id = parent.comment.id if isinstance(parent, PostResult) else parent
        return Draft(
            id=uuid7(),
            key=key,
            title=f"About {key.key}",
            url="https://news.example/",
            parent_id=parent_id,
            author=by,
            text=text,
            body=documents.parse(text),
            at=at or self.now(),
            idempotency_key=idempotency_key or uuid7(),
            digest=digest(text),
        )

    async def post(self, draft: Draft) -> PostResult:
        return await self.do(lambda c: commands.post(c, draft), draft.key)

    async def say(
        self,
        text: str = "Something",
        *,
        key: DiscussionKey = HERE,
        by: Author = LAN,
        parent: PostResult | None = None,
        at: datetime | None = None,
    ) -> PostResult:
        return await self.post(self.draft(text, key=key, by=by, parent=parent, at=at))

    async def edit(
        self, comment_id: str, actor: Actor, text: str = "Edited", *, late: timedelta = timedelta()
    ) -> PostResult:
        at = self.now() + late
        return await self.do(
            lambda c: commands.edit(c, comment_id, actor, text, documents.parse(text), at, WINDOW), comment_id
        )

    async def conceal(self, comment_id: str, actor: Actor) -> PostResult:
        at = self.now()
        return await self.do(lambda c: commands.delete_comment(c, comment_id, actor, at), comment_id)

    async def restore(self, comment_id: str) -> PostResult:
        at = self.now()
        return await self.do(lambda c: commands.restore(c, comment_id, at), comment_id)

    async def approve(self, comment_id: str) -> PostResult:
        at = self.now()
        return await self.do(lambda c: commands.approve(c, comment_id, at), comment_id)

    async def vote(self, comment_id: str, actor: Actor, value: int) -> VoteTotals:
        at = self.now()
        return await self.do(lambda c: one_vote(c, comment_id, actor, value, at), comment_id)

    async def report(self, comment_id: str, actor: Actor | None) -> str:
        at = self.now()
        return await self.do(lambda c: commands.report(c, comment_id, actor, "spam", "look at it", at), comment_id)

    async def mode(self, mode: Mode, key: DiscussionKey = HERE) -> int:
        at = self.now()
        return (await self.do(lambda c: commands.set_mode(c, key, mode, at), key)).seq

    @property
    def judge(self) -> Actor:
        """The moderator as an actor."""
        return Actor(self.moderator.id, moderator=True)


def actor(author: Author, site: str = "default") -> Actor:
    return Actor(author.id, site=site)


def one_vote(
    connection: Connection, comment_id: str, actor: Actor, value: int, at: datetime
) -> CommandResult[VoteTotals]:
    """The command of a single voter."""
    outcome = commands.vote(connection, comment_id, [Ballot(actor, value)], at)
    (answer,) = outcome.value.answers
    if isinstance(answer, Problem):
        raise answer
    return CommandResult(answer, outcome.events)


async def tables(store: Store) -> dict[str, list[str]]:
    """Every row of every table, whole: the repr of a row leaves the middle of a long text out."""
    async with store.database.read.connect() as connection:
        return {
            table.name: sorted(repr(tuple(row)) for row in await connection.execute(select(table)))
            for table in schema.metadata.sorted_tables
        }


async def log(store: Store, key: DiscussionKey = HERE) -> list[Event]:
    """The events of a discussion."""
    _, found = await store.reads.events(key, 0, 100_000)
    return [Event.model_validate_json(event.payload) for event in found]


async def listed(store: Store, key: DiscussionKey = HERE, viewer: str | None = None) -> list[Comment]:
    """What a whole page shows, oldest first."""
    snapshot = await store.reads.snapshot(key, sort=Sort.oldest, limit=1000, viewer=viewer)
    return snapshot.page.comments


async def until(true: Callable[[], object], seconds: float = 10) -> None:
    """Lets everything else run until it is true."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it never came true"
        await asyncio.sleep(0)
