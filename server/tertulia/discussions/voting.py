"""Votes on their way to the write queue: those on one comment within a second are committed together, as one event.

    first ──▶ COMMIT ──▶ answer    more meanwhile ──▶ wait, a second at most ──▶ one COMMIT, one event ──▶ all answers

A vote that waits is not acknowledged: who loses the server meanwhile votes again. Instances do so each for itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

from tertulia.identity import utc_now
from tertulia.store.commands import Ballot, CastVotes, Tally, VoteTotals

VOTE_SECONDS = 1.0
"""From the event of a vote to the next of the same comment: sooner nobody can tell two totals apart, and each event is
kept for ever and told to every reader."""
BALLOTS = 1_000
"""In one commit, about 10 ms of the writer; more than so many go into the next at once."""


@dataclass(slots=True)
class _Waiting:
    ballot: Ballot
    answer: asyncio.Future[VoteTotals]


@dataclass(slots=True)
class _Box:
    """The votes on one comment that wait; it is there from a vote until ``seconds`` after its event."""

    waiting: list[_Waiting] = field(default_factory=list)
    task: asyncio.Task[None] | None = None


class Voting:
    """``write`` commits votes; ``seconds`` is the time between two events of one comment."""

    def __init__(self, write: Callable[[CastVotes], Awaitable[Tally]], seconds: float) -> None:
        self._write = write
        self._seconds = seconds
        self._boxes: dict[str, _Box] = {}
        self._closing = asyncio.Event()

    @property
    def waiting(self) -> dict[str, int]:
        """How many votes wait for each comment that was voted on within the last ``seconds``."""
        return {comment_id: len(box.waiting) for comment_id, box in self._boxes.items()}

    async def vote(self, comment_id: str, ballot: Ballot) -> VoteTotals:
        """The totals and the seq once the vote is durable. Raises not_found, forbidden, gone, banned, unavailable."""
        answer: asyncio.Future[VoteTotals] = asyncio.get_running_loop().create_future()
        box = self._boxes.get(comment_id)
        if box is None:
            box = self._boxes[comment_id] = _Box()
            box.task = asyncio.create_task(self._run(comment_id, box), name="votes")
        box.waiting.append(_Waiting(ballot, answer))
        return await answer

    async def close(self) -> None:
        """Commits what waits, without waiting any longer."""
        self._closing.set()
        await asyncio.gather(*(box.task for box in self._boxes.values() if box.task), return_exceptions=True)

    async def _run(self, comment_id: str, box: _Box) -> None:
        try:
            while box.waiting:
                taken, box.waiting = box.waiting[:BALLOTS], box.waiting[BALLOTS:]
                is_rest_left = bool(box.waiting)  # what comes during the commit is no reason to hurry
                if await self._commit(comment_id, taken) and not is_rest_left:
                    await self._rest()
        finally:
            del self._boxes[comment_id]

    async def _rest(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
                await self._closing.wait()

    async def _commit(self, comment_id: str, taken: list[_Waiting]) -> bool:
        """Answers everybody; whether there was an event."""
        ballots = [one.ballot for one in taken]
        try:
            tally = await self._write(CastVotes(comment_id, ballots, utc_now()))
        except Exception as error:
            for one in taken:
                _answer(one, error)
            return False
        for one, result in zip(taken, tally.answers, strict=True):
            _answer(one, result)
        return tally.has_event


def _answer(one: _Waiting, result: VoteTotals | Exception) -> None:
    if one.answer.done():
        return  # who asked is gone
    if isinstance(result, Exception):
        one.answer.set_exception(result)
    else:
        one.answer.set_result(result)
