"""What people do with a store, one action after the other, and what its tables hold then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

from sqlalchemy import Connection, select

from tertulia.core import documents
from tertulia.core.comments import Author, Comment, DiscussionKey, Mode, Sort
from tertulia.core.ids import uuid7
from tertulia.protocol import Event
from tertulia.store import Store, administration, commands, queries, schema
from tertulia.store.commands import Actor, Ballot, Command, CommandResult, Draft, PostResult, VoteTotals
from tertulia.store.commands.base import T
from tertulia.store.locks import LockTarget

START = datetime(2026, 5, 1, 12, tzinfo=UTC)
HERE = DiscussionKey("default", "here")
THERE = DiscussionKey("default", "there")
ABROAD = DiscussionKey("magazine", "here")

LAN = Author("0190a000-0000-8000-8000-00000000000a", "Lan")
MINH = Author("0190a000-0000-8000-8000-00000000000b", "Minh")
EVA = Author("0190a000-0000-8000-8000-00000000000c", "Éva")
WINDOW = timedelta(minutes=15)
MODERATOR_HASH = "f" * 64


def digest(text: str) -> str:
    return text.encode().hex()[:64]


class StoreActions:
    """Every action is one command, ``step`` after the one before; ``moderator`` is there after ``begin``."""

    def __init__(self, store: Store, step: timedelta = timedelta(seconds=1)) -> None:
        self.store = store
        self.moderator = Author("", "")
        self._step = step
        self._steps = count(1)

    def now(self) -> datetime:
        return START + next(self._steps) * self._step

    async def begin(self) -> StoreActions:
        """A second site and a moderator."""
        await self.do(administration.AddSite("magazine", ["https://magazine.example"], self.now()))
        await self.do(administration.AddModerator("Editor", MODERATOR_HASH, self.now()))
        found = await self.store.read(queries.moderator, MODERATOR_HASH)
        assert found is not None
        self.moderator = found
        return self

    @property
    def as_moderator(self) -> Actor:
        return Actor(self.moderator.id, moderator=True)

    async def do(self, command: Command[T]) -> T:
        return await self.store.write(command)

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
        return Draft(
            id=uuid7(),
            key=key,
            title=f"About {key.key}",
            url="https://news.example/",
            parent_id=None if parent is None else _id(parent),
            author=by,
            text=text,
            body=documents.parse(text),
            at=at or self.now(),
            idempotency_key=idempotency_key or uuid7(),
            digest=digest(text),
        )

    async def post(self, draft: Draft) -> PostResult:
        return await self.do(commands.PostComment(draft))

    async def post_comment(
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
        self, comment: PostResult | str, actor: Actor, text: str = "Edited", *, late: timedelta = timedelta()
    ) -> PostResult:
        at, body = self.now() + late, documents.parse(text)
        return await self.do(commands.EditComment(_id(comment), actor, text, body, at, WINDOW))

    async def delete_comment(self, comment: PostResult | str, actor: Actor) -> PostResult:
        return await self.do(commands.DeleteComment(_id(comment), actor, self.now()))

    async def restore(self, comment: PostResult | str) -> PostResult:
        return await self._decide(comment, commands.Act.restore)

    async def approve(self, comment: PostResult | str) -> PostResult:
        return await self._decide(comment, commands.Act.approve)

    async def _decide(self, comment: PostResult | str, act: commands.Act) -> PostResult:
        decided = await self.do(commands.DecideComment(_id(comment), act, None, self.now()))
        return PostResult(decided.comment, decided.seq)

    async def vote(self, comment: PostResult | str, actor: Actor, value: int) -> VoteTotals:
        tally = await self.do(commands.CastVotes(_id(comment), [Ballot(actor, value)], self.now()))
        (answer,) = tally.answers
        assert isinstance(answer, VoteTotals), "the refusal of a single ballot is raised"
        return answer

    async def report(self, comment: PostResult | str, actor: Actor | None, network: str | None = None) -> str:
        return await self.do(commands.ReportComment(_id(comment), actor, "spam", "look at it", self.now(), network))

    async def mode(self, mode: Mode, key: DiscussionKey = HERE) -> int:
        return (await self.do(commands.ChangeDiscussion(key, self.now(), mode))).seq


def _id(comment: PostResult | str) -> str:
    return comment if isinstance(comment, str) else comment.comment.id


def actor(author: Author, site: str = "default") -> Actor:
    return Actor(author.id, site=site)


@dataclass(frozen=True)
class Custom(Command[T]):
    """A command of a test's own."""

    function: Callable[[Connection], CommandResult[T]]
    target: LockTarget = None

    @property
    def locks(self) -> LockTarget:
        return self.target

    def apply(self, connection: Connection) -> CommandResult[T]:
        return self.function(connection)


def author_of(connection: Connection, author_id: str) -> Author | None:
    """A query: the author as the table has it."""
    row = connection.execute(select(schema.author).where(schema.author.c.id == author_id)).one_or_none()
    return None if row is None else Author(row.id, row.name, row.badge)


async def tables(store: Store) -> dict[str, list[str]]:
    """Every row of every table, whole: the repr of a row leaves the middle of a long text out."""

    def read(connection: Connection) -> dict[str, list[str]]:
        return {
            table.name: sorted(repr(tuple(row)) for row in connection.execute(select(table)))
            for table in schema.metadata.sorted_tables
        }

    return await store.read(read)


async def log(store: Store, key: DiscussionKey = HERE) -> list[Event]:
    """The events of a discussion."""
    found = await store.read(queries.events, key, 0, 100_000)
    return [Event.model_validate_json(event.payload) for event in found.events]


async def listed(store: Store, key: DiscussionKey = HERE, viewer: str | None = None) -> list[Comment]:
    """What a whole page shows, oldest first."""
    snapshot = await store.read(queries.snapshot, key, sort=Sort.oldest, limit=1000, viewer=viewer)
    return snapshot.page.comments
