"""Votes on one comment within a second: one commit, one event, an answer to each; other comments do not wait."""

from __future__ import annotations

import asyncio

import pytest

from tertulia.checks import check
from tertulia.core.comments import State
from tertulia.core.ids import uuid7
from tertulia.discussions import voting
from tertulia.discussions.voting import Voting
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import Votes
from tertulia.store import Store
from tertulia.store.commands import Actor, Ballot, CastVotes, Tally, VoteTotals
from tests.support.store_actions import LAN, MINH, StoreActions, actor, listed, log
from tests.support.waiting import until

LONG = 3600.0
"""Seconds that no test waits: what waits so long is committed by closing, or not at all."""


@pytest.fixture
async def actions(store: Store) -> StoreActions:
    return await StoreActions(store).begin()


def voter() -> Actor:
    return Actor(uuid7())


async def given(votes: Voting, comment: str, ballots: list[Ballot]) -> list[asyncio.Task[VoteTotals]]:
    """The votes on their way, all of them waiting."""
    tasks = [asyncio.create_task(votes.vote(comment, ballot)) for ballot in ballots]
    await asyncio.sleep(0)  # each comes as far as its answer, and what commits them has not begun
    assert votes.waiting[comment] == len(ballots)
    return tasks


async def test_the_first_is_answered_at_once_and_the_next_fifty_are_one_event(
    store: Store, actions: StoreActions
) -> None:
    comment = (await actions.post_comment()).comment.id
    votes = Voting(store.write, LONG)
    first = await votes.vote(comment, Ballot(voter(), 1))
    assert (first.up, first.down, first.seq) == (1, 0, 2)
    waiting = await given(votes, comment, [Ballot(voter(), 1 if n % 5 else -1) for n in range(50)])
    assert len(await log(store)) == 2, "what waits is not there yet"
    assert not any(task.done() for task in waiting)
    await votes.close()
    answers = {(answer.up, answer.down, answer.seq) for answer in await asyncio.gather(*waiting)}
    assert answers == {(41, 10, 3)}
    last = (await log(store))[-1]
    assert (last.seq, last.kind, last.votes) == (3, "comment.voted", Votes(up=41, down=10))
    assert await check(store) == []


async def test_those_who_come_during_a_commit_wait_like_those_after_it(store: Store, actions: StoreActions) -> None:
    comment = (await actions.post_comment()).comment.id
    has_begun, may_go_on = asyncio.Event(), asyncio.Event()

    async def write(command: CastVotes) -> Tally:
        has_begun.set()
        await may_go_on.wait()
        return await store.write(command)

    votes = Voting(write, LONG)
    first = (await given(votes, comment, [Ballot(voter(), 1)]))[0]
    await has_begun.wait()
    waiting = await given(votes, comment, [Ballot(voter(), 1) for _ in range(3)])
    may_go_on.set()
    assert (await first).seq == 2
    for _ in range(20):
        await actions.post_comment("meanwhile")  # time enough for a vote that does not wait
    assert not any(task.done() for task in waiting)
    await votes.close()
    assert {(answer.up, answer.seq) for answer in await asyncio.gather(*waiting)} == {(4, 23)}


async def test_who_waits_is_answered_after_the_pause(store: Store, actions: StoreActions) -> None:
    comment = (await actions.post_comment()).comment.id
    votes = Voting(store.write, 0.001)
    seqs = {(await votes.vote(comment, Ballot(voter(), 1))).seq for _ in range(5)}
    assert seqs == {2, 3, 4, 5, 6}
    # nothing is kept of a comment that nobody votes on any more
    await until(lambda: not votes.waiting, "the end of the pause")


async def test_votes_on_other_comments_do_not_wait(store: Store, actions: StoreActions) -> None:
    one, other = (await actions.post_comment()).comment.id, (await actions.post_comment()).comment.id
    votes = Voting(store.write, LONG)
    assert [(await votes.vote(comment, Ballot(voter(), 1))).seq for comment in (one, other)] == [3, 4]
    await votes.close()


async def test_each_is_answered_for_itself(store: Store, actions: StoreActions) -> None:
    comment = (await actions.post_comment(by=LAN)).comment.id
    votes = Voting(store.write, LONG)
    minh = actor(MINH)
    await votes.vote(comment, Ballot(minh, 1))
    ballots = [Ballot(voter(), 1), Ballot(actor(LAN), 1), Ballot(actor(MINH, "magazine"), 1), Ballot(minh, -1)]
    waiting = await given(votes, comment, [*ballots, Ballot(minh, 0), Ballot(voter(), 0)])
    await votes.close()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    codes = [answer.code if isinstance(answer, Problem) else answer for answer in answers]
    done = VoteTotals(1, 0, 2)
    assert codes == [done, ErrorCode.forbidden, ErrorCode.not_found, done, done, done]
    assert [comment.up for comment in await listed(store)] == [1]
    assert len(await log(store)) == 2, "one came, one was taken back: the totals are as they were"
    assert await check(store) == []


async def test_a_vote_that_changes_nothing_is_no_event_and_nobody_waits_for_it(
    store: Store, actions: StoreActions
) -> None:
    comment = (await actions.post_comment()).comment.id
    votes = Voting(store.write, LONG)
    for _ in range(3):
        assert (await votes.vote(comment, Ballot(voter(), 0))).seq == 1
    assert len(await log(store)) == 1
    await until(lambda: not votes.waiting, "the end of the pause")


async def test_what_is_refused_holds_up_nobody(store: Store, actions: StoreActions) -> None:
    comment = (await actions.post_comment(by=LAN)).comment.id
    votes = Voting(store.write, LONG)
    for found, who, code in ((comment, actor(LAN), ErrorCode.forbidden), (uuid7(), voter(), ErrorCode.not_found)):
        with pytest.raises(Problem) as refused:
            await votes.vote(found, Ballot(who, 1))
        assert refused.value.code is code
    assert (await votes.vote(comment, Ballot(voter(), 1))).seq == 2
    waiting = await given(votes, comment, [Ballot(voter(), 1), Ballot(voter(), 1)])
    await actions.delete_comment(comment, actions.as_moderator)
    await votes.close()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [answer.code for answer in answers if isinstance(answer, Problem)] == [ErrorCode.gone] * 2
    assert [comment.state for comment in await listed(store)] == [State.removed]
    assert await check(store) == []


async def test_so_many_at_most_are_one_commit_and_the_rest_follows_at_once(
    store: Store, actions: StoreActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(voting, "BALLOTS", 10)
    comment = (await actions.post_comment()).comment.id
    votes = Voting(store.write, LONG)
    await votes.vote(comment, Ballot(voter(), 1))
    waiting = await given(votes, comment, [Ballot(voter(), 1) for _ in range(35)])
    await votes.close()
    assert [(await task).up for task in waiting] == [11] * 10 + [21] * 10 + [31] * 10 + [36] * 5
    assert len(await log(store)) == 6


async def test_who_is_gone_is_counted_and_the_others_are_answered(store: Store, actions: StoreActions) -> None:
    comment = (await actions.post_comment()).comment.id
    votes = Voting(store.write, LONG)
    await votes.vote(comment, Ballot(voter(), 1))
    waiting = await given(votes, comment, [Ballot(voter(), 1) for _ in range(3)])
    waiting[1].cancel()
    await votes.close()
    assert [(await task).up for task in (waiting[0], waiting[2])] == [4, 4]


async def test_a_commit_that_fails_is_told_to_all(store: Store, actions: StoreActions) -> None:
    comment = (await actions.post_comment()).comment.id
    votes = Voting(store.write, LONG)
    await votes.vote(comment, Ballot(voter(), 1))
    waiting = await given(votes, comment, [Ballot(voter(), 1) for _ in range(3)])
    await store.write_queue.close()
    await votes.close()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [answer.code for answer in answers if isinstance(answer, Problem)] == [ErrorCode.unavailable] * 3
    assert votes.waiting == {}
