"""The queue of what is derived from the log: each follower reads on in a discussion until it has read all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from tertulia.store import Store, followers
from tertulia.store.commands import Command, CommandResult
from tertulia.store.followers import NextEvents
from tertulia.work.queues import HOUR, Job, Queue

AT_ONCE = 2
BATCHES = 50
"""That one follower reads of a discussion before others have their turn."""
LOOKED = 500
"""Discussions whose tasks the hourly look makes in one transaction."""


class Follower(Protocol):
    """Derives something from the log. ``name`` is that of its cursors: another one begins at the beginning."""

    name: str

    def read(self, connection: Connection, next_events: NextEvents) -> object:
        """What these events are about, as it is now: in a transaction that only reads."""
        raise NotImplementedError

    def store(self, connection: Connection, read: object) -> None:
        """Stores what came of it, in the transaction that moves the cursor."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class _Advance(Command[None]):
    """Stores what a follower made of events and moves its cursor behind them. Raises LeaseLostError."""

    follower: Follower
    next_events: NextEvents
    read: object

    def apply(self, connection: Connection) -> CommandResult[None]:
        self.follower.store(connection, self.read)
        followers.move_cursor(connection, self.follower.name, self.next_events)
        return CommandResult(None)


class Following:
    """The work of these followers."""

    def __init__(self, store: Store, all_followers: Sequence[Follower]) -> None:
        self._store = store
        self._followers = all_followers

    def start(self) -> None:
        """From now on events make tasks."""
        if self._followers:
            self._store.write_queue.before_commit = followers.touch

    def queues(self) -> list[Queue]:
        if not self._followers:
            return []
        return [
            Queue(followers.QUEUE, self._follow, at_once=AT_ONCE),
            # what was written while nobody touched tasks: by instances without followers, or before there were any
            Queue(followers.CATCH_UP, self._catch_up, period=HOUR, seconds=600),
        ]

    async def _follow(self, job: Job) -> None:
        discussion_id = int(job.payload["discussion"])
        for follower in self._followers:
            for _ in range(BATCHES):
                if not await self._advance(follower, discussion_id):
                    break
            else:  # others' turn: it is due again as soon as it is complete
                await self._store.write(followers.FollowDiscussions((discussion_id,)))

    async def _advance(self, follower: Follower, discussion_id: int) -> bool:
        """Whether there may be more."""
        next_events, read = await self._store.read(_read, follower, discussion_id)
        if not next_events.events:
            return False
        await self._store.write(_Advance(follower, next_events, read))
        return len(next_events.events) == followers.BATCH

    async def _catch_up(self, _job: Job) -> None:
        for follower in self._followers:
            last = 0
            while found := await self._store.read(followers.behind, follower.name, last, LOOKED):
                await self._store.write(followers.FollowDiscussions(tuple(found)))
                last = found[-1]


def _read(connection: Connection, follower: Follower, discussion_id: int) -> tuple[NextEvents, object]:
    next_events = followers.next_events(connection, follower.name, discussion_id)
    return next_events, follower.read(connection, next_events) if next_events.events else None
