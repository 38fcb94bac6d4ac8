"""Counting votes: those of several people on one comment, and one event of what came of them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, insert, select

from tertulia.core.comments import Comment, State
from tertulia.errors import ErrorCode, Problem, no_such_comment, unauthenticated
from tertulia.store import bans, event_log, records, schema
from tertulia.store.commands.base import CommandResult
from tertulia.store.commands.comments import Actor, CommentCommand, existing, gone
from tertulia.store.event_log import CommittedEvent
from tertulia.store.guests import GuestToken, void_among
from tertulia.store.sessions import open_among


@dataclass(frozen=True, slots=True)
class Ballot:
    """What somebody votes: 1, -1, or 0 to take it back."""

    actor: Actor
    value: int


@dataclass(frozen=True, slots=True)
class VoteTotals:
    up: int
    down: int
    seq: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of each ballot, in their order; ``has_event`` when the totals changed."""

    answers: list[VoteTotals | Problem]
    has_event: bool


@dataclass(frozen=True, slots=True)
class CastVotes(CommentCommand[Tally]):
    """Votes of several people, in the order they were given, and one event of what came of them, if anything.

    One vote a voter; 0 takes it back. Each ballot is answered by the totals or by its refusal: unauthenticated,
    not_found, forbidden, gone, banned. Raises not_found, and where there is one ballot alone its refusal: then there is
    nothing to commit.
    """

    ballots: Sequence[Ballot]
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[Tally]:
        comment = existing(connection, self.comment_id)
        site = records.site_of(connection, comment) if any(ballot.actor.site for ballot in self.ballots) else None
        sessions = {ballot.actor.session_id for ballot in self.ballots if ballot.actor.session_id is not None}
        ended = sessions - open_among(connection, sessions, self.at)
        ended |= void_among(connection, _guests(self.ballots))
        banned = bans.refused_among(connection, (ballot.actor.id for ballot in self.ballots), self.at)
        refusals = [
            _refusal(comment, site, ballot.actor, ended) or banned.get(ballot.actor.id) for ballot in self.ballots
        ]
        if len(self.ballots) == 1 and refusals[0] is not None:
            raise refusals[0]
        pairs = zip(self.ballots, refusals, strict=True)
        given = {ballot.actor.id: ballot.value for ballot, refusal in pairs if refusal is None}
        voted = _cast(connection, comment, given)
        events: list[CommittedEvent] = []
        if (voted.up, voted.down) == (comment.up, comment.down):
            seq = event_log.head(connection, comment.discussion_id)
        else:
            records.update_comment(connection, comment.id, up=voted.up, down=voted.down)
            events.append(event_log.append(connection, "comment.voted", voted, self.at))
            seq = events[0].event.seq
        answers = [refusal or VoteTotals(voted.up, voted.down, seq) for refusal in refusals]
        return CommandResult(Tally(answers, has_event=bool(events)), tuple(events))


def _guests(ballots: Sequence[Ballot]) -> list[GuestToken]:
    actors = (ballot.actor for ballot in ballots)
    return [GuestToken(actor.id, actor.token_at) for actor in actors if actor.token_at is not None]


def _refusal(comment: Comment, site: str | None, voter: Actor, ended: Set[str]) -> Problem | None:
    """``ended`` are sessions that are over, and guests whose tokens are void."""
    if (voter.session_id or voter.id) in ended:
        return unauthenticated()
    if comment.state is State.held or (voter.site is not None and voter.site != site):
        return no_such_comment()
    if comment.state.is_tombstone:
        return gone()
    if voter.owns(comment):
        return Problem(ErrorCode.forbidden, "You can't vote on your own comment.")
    return None


def _cast(connection: Connection, comment: Comment, given: dict[str, int]) -> Comment:
    """Keeps the votes given, by voter; the comment with its totals after it."""
    v = schema.vote.c
    known = select(v.voter_id, v.value).where(v.comment_id == comment.id, v.voter_id.in_(given))
    before: dict[str, int] = {row.voter_id: row.value for row in connection.execute(known)} if given else {}
    changed = {voter: value for voter, value in given.items() if value != before.get(voter, 0)}
    # no vote is changed but taken away and given anew: on one comment few change their mind within a second
    taken_back = [voter for voter in changed if voter in before]
    new = [{"comment_id": comment.id, "voter_id": voter, "value": value} for voter, value in changed.items() if value]
    if taken_back:
        connection.execute(schema.vote.delete().where(v.comment_id == comment.id, v.voter_id.in_(taken_back)))
    if new:
        connection.execute(insert(schema.vote), new)

    def gained(of: int) -> int:
        return sum((value == of) - (before.get(voter, 0) == of) for voter, value in changed.items())

    return replace(comment, up=comment.up + gained(1), down=comment.down + gained(-1))
