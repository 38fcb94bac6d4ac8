"""What changes the database: each command is one function over the write queue's transaction.

A command raises Problem to refuse (its savepoint is rolled back, its neighbours in the batch go on) and returns
a CommandResult: a value for the caller and the events that came of it. Comment, event and counters change together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from sqlalchemy import Connection, insert, select, update

from tertulia.core.comments import Author, Block, Comment, Discussion, DiscussionKey, Mode, State
from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import DiscussionState, Event, EventKind, timestamp
from tertulia.store import event_log, mapping, prepared, records, schema
from tertulia.store.event_log import CommittedEvent
from tertulia.store.listing import IS_KEPT

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CommandResult(Generic[T]):
    """``erases`` where something is stored no more that was meant to be forgotten."""

    value: T
    events: tuple[CommittedEvent, ...] = ()
    erases: bool = False


@dataclass(frozen=True, slots=True)
class Draft:
    """A comment that somebody wants to say; ``digest`` is of everything the idempotency key stands for.

    Both are what is stored of them; ``bare`` is the same two as earlier versions stored them.
    """

    id: str
    key: DiscussionKey
    title: str
    url: str
    parent_id: str | None
    author: Author
    text: str
    body: list[Block]
    at: datetime
    idempotency_key: str
    digest: str
    bare: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class PostResult:
    """A comment and the seq of the event it came with; ``seq`` is None while it is held."""

    comment: Comment
    seq: int | None
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class VoteTotals:
    up: int
    down: int
    seq: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What came of each ballot, in their order; ``is_told`` when the totals changed, so that there is an event."""

    answers: list[VoteTotals | Problem]
    is_told: bool


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for a change; a guest's ``site`` is the only one where it may, a moderator has none."""

    id: str
    moderator: bool = False
    site: str | None = None


@dataclass(frozen=True, slots=True)
class Ballot:
    """What somebody votes: 1, -1, or 0 to take it back."""

    actor: Actor
    value: int


# ---- saying something -----------------------------------------------------------------------------------


def post(connection: Connection, draft: Draft) -> CommandResult[PostResult]:
    """Raises unknown_site, closed, bad_parent, idempotency_conflict."""
    context = _post_context(connection, draft)
    if context is None:
        discussion = records.ensure_discussion(connection, draft.key, draft.at, title=draft.title, url=draft.url)
    else:
        discussion = context.discussion
    if context is None or context.is_repeated:  # once it is there: another instance may have made both
        earlier = _same_request(connection, draft)
        if earlier is not None:
            return CommandResult(earlier)
    records.fill_in(connection, discussion, title=draft.title, url=draft.url)
    _refuse_closed(discussion, draft)
    parent = _require_parent(connection, discussion, draft.parent_id)
    if context is None:
        records.remember_author(connection, draft.author, draft.at)
    else:
        records.note_name(connection, draft.author, context.author_name, draft.at, later=True)
    held = discussion.mode is Mode.held and draft.author.badge != "moderator"
    comment = Comment(
        id=draft.id,
        discussion_id=records.stored_id(discussion),
        parent_id=draft.parent_id,
        root_id=parent.root_id if parent else draft.id,
        author=draft.author,
        text=draft.text,
        body=draft.body,
        created_at=_reply_time(parent, draft.at),
        edited_at=None,
        state=State.held if held else State.visible,
        up=0,
        down=0,
        reply_count=0,
        pinned=False,
        idempotency_key=draft.idempotency_key,
    )
    prepared.NEW_COMMENT.queue(connection, records.comment_row(comment, published=not held, digest=draft.digest))
    if held:
        return CommandResult(PostResult(comment, None))
    happened = event_log.append(connection, "comment.created", comment, draft.at, shown=+1, later=True)
    return CommandResult(PostResult(comment, happened.event.seq), (happened,))


def may_post(connection: Connection, draft: Draft) -> None:
    """What ``post`` refuses whatever the text is, to be asked before a long one is read. Raises closed, bad_parent."""
    discussion = mapping.named(connection, draft.key) or Discussion(draft.key)
    named = {"author": draft.author.id, **_request(draft)}
    if connection.execute(prepared.REQUEST, named).first() is None:
        _refuse_closed(discussion, draft)
        _require_parent(connection, discussion, draft.parent_id)


def _refuse_closed(discussion: Discussion, draft: Draft) -> None:
    if discussion.mode is Mode.closed and draft.author.badge != "moderator":
        raise Problem(ErrorCode.closed, "This discussion is closed; it can be read, not continued.")


@dataclass(frozen=True, slots=True)
class PostContext:
    discussion: Discussion
    author_name: str | None
    is_repeated: bool


def _post_context(connection: Connection, draft: Draft) -> PostContext | None:
    """All that a comment depends on, in one query; None in a discussion that does not exist yet."""
    named = {
        "site": draft.key.site,
        "key": draft.key.key,
        "author": draft.author.id,
        **_request(draft),
    }
    row = prepared.POST_CONTEXT.row(connection, named)
    return None if row is None else PostContext(mapping.to_discussion(row), row["author_name"], row["said"] is not None)


def _same_request(connection: Connection, draft: Draft) -> PostResult | None:
    prepared.flush(connection)
    named = {"author": draft.author.id, **_request(draft)}
    row = connection.execute(prepared.REQUEST, named).mappings().first()
    if row is None:
        return None
    if row["request_digest"] != (draft.digest if row["idempotency_key"] == draft.idempotency_key else draft.bare[1]):
        raise Problem(
            ErrorCode.idempotency_conflict,
            "This Idempotency-Key was used with another content; make a new key for a new comment.",
            field="Idempotency-Key",
        )
    e = schema.event.c
    seq = connection.scalar(
        select(e.seq).where(e.comment_id == row["id"], e.kind == "comment.created").order_by(e.seq).limit(1)
    )
    return PostResult(mapping.to_comment(row), seq, repeated=True)


def _request(draft: Draft) -> dict[str, str]:
    return {"request": draft.idempotency_key, "bare": draft.bare[0]}


def _reply_time(parent: Comment | None, at: datetime) -> datetime:
    """A reply is younger than what it answers, although clocks go back and those of two instances differ."""
    return at if parent is None else max(at, parent.created_at + timedelta(milliseconds=1))


def _require_parent(connection: Connection, discussion: Discussion, parent_id: str | None) -> Comment | None:
    if parent_id is None:
        return None
    parent = records.find(connection, parent_id)
    if parent is None or parent.discussion_id != discussion.id or parent.state is State.held:
        raise Problem(ErrorCode.bad_parent, "The comment replied to is not in this discussion.", field="parent_id")
    if parent.state.is_tombstone:
        raise Problem(ErrorCode.bad_parent, "The comment replied to is no longer there.", field="parent_id")
    return parent


# ---- changing what was said -----------------------------------------------------------------------------


def edit(
    connection: Connection,
    comment_id: str,
    actor: Actor,
    text: str,
    body: list[Block],
    at: datetime,
    window: timedelta,
) -> CommandResult[PostResult]:
    """The same text as before is neither a change nor an event. Raises not_found, forbidden, gone, edit_window_over."""
    comment = may_edit(connection, comment_id, actor, at, window)
    if comment.text == text:
        return CommandResult(PostResult(comment, event_log.said_at(connection, comment)))
    comment = replace(comment, text=text, body=body, edited_at=at)
    records.update_comment(connection, comment.id, text=text, body=body, edited_at=mapping.milliseconds(at))
    if comment.state is State.held:
        return CommandResult(PostResult(comment, None), erases=True)
    happened = event_log.append(connection, "comment.edited", comment, at)
    return CommandResult(PostResult(comment, happened.event.seq), (happened,), erases=True)


def may_edit(connection: Connection, comment_id: str, actor: Actor, at: datetime, window: timedelta) -> Comment:
    """The comment, where its text may be changed. Raises not_found, forbidden, gone, edit_window_over."""
    comment = _changeable(connection, comment_id, actor)
    if not actor.moderator and at - comment.created_at > window:
        raise Problem(ErrorCode.edit_window_over, "This comment is too old to be edited.")
    return comment


def delete_comment(connection: Connection, comment_id: str, actor: Actor, at: datetime) -> CommandResult[PostResult]:
    """Deletes one's own comment for good, or removes another's as a moderator; old events become tombstones.

    What a moderator removed can still be deleted by its author. Raises not_found, forbidden, gone.
    """
    comment = _existing(connection, comment_id, actor.site)
    own = comment.author.id == actor.id
    if not (own and comment.state is State.removed):
        comment = _changeable(connection, comment_id, actor)
    before = comment.state
    published = connection.scalar(select(schema.comment.c.published).where(schema.comment.c.id == comment_id))
    if own:
        comment = replace(comment, state=State.deleted, text="", body=[], author=Author(actor.id, ""))
        records.update_comment(connection, comment.id, state=State.deleted.value, text="", body=[], author_name="")
        _forget_name(connection, actor.id)
    else:
        comment = replace(comment, state=State.removed)
        records.update_comment(connection, comment.id, state=State.removed.value)
    if before is State.visible:
        records.show_reports(connection, comment.id, listed=False)
    if not published:
        return CommandResult(PostResult(comment, None), erases=own)
    happened = event_log.append(connection, "comment.removed", comment, at, shown=-1 if before is State.visible else 0)
    return CommandResult(PostResult(comment, happened.event.seq), (happened,), erases=own)


def _forget_name(connection: Connection, author_id: str) -> None:
    """An author whose comments are all deleted leaves no name behind."""
    c = schema.comment.c
    query = select(c.id).where(c.author_id == author_id, IS_KEPT).limit(1)
    if connection.dialect.name == "postgresql":
        # in the order of an index: else it looks for a comment of a busy author from the beginning of the table
        query = query.order_by(c.created_at)
    if connection.scalar(query) is None:
        connection.execute(update(schema.author).where(schema.author.c.id == author_id).values(name=""))


def restore(connection: Connection, comment_id: str, at: datetime) -> CommandResult[PostResult]:
    """A removed comment is shown again. Raises not_found, bad_state."""
    comment = _existing(connection, comment_id)
    if comment.state is not State.removed:
        raise Problem(ErrorCode.bad_state, "Only a removed comment can be restored.")
    published = connection.scalar(select(schema.comment.c.published).where(schema.comment.c.id == comment_id))
    comment = replace(comment, state=State.visible)
    records.update_comment(connection, comment.id, state=State.visible.value, published=True)
    records.show_reports(connection, comment.id, listed=True)
    kind: EventKind = "comment.restored" if published else "comment.created"
    happened = event_log.append(connection, kind, comment, at, shown=+1)
    return CommandResult(PostResult(comment, happened.event.seq), (happened,))


def approve(connection: Connection, comment_id: str, at: datetime) -> CommandResult[PostResult]:
    """A held comment is shown: only now does its comment.created happen. Raises not_found, bad_state."""
    comment = _existing(connection, comment_id)
    if comment.state is not State.held:
        raise Problem(ErrorCode.bad_state, "Only a held comment can be approved.")
    comment = replace(comment, state=State.visible)
    records.update_comment(connection, comment.id, state=State.visible.value, published=True)
    happened = event_log.append(connection, "comment.created", comment, at, shown=+1)
    return CommandResult(PostResult(comment, happened.event.seq), (happened,))


def vote(connection: Connection, comment_id: str, ballots: Sequence[Ballot], at: datetime) -> CommandResult[Tally]:
    """Votes of several, in the order they were given, and one event of what came of them, if anything.

    One vote a voter; 0 takes it back. Each ballot is answered by the totals or by its refusal: not_found, forbidden,
    gone. Raises not_found, and where there is one ballot alone its refusal: then there is nothing to commit.
    """
    comment = _existing(connection, comment_id)
    site = records.site_of(connection, comment) if any(ballot.actor.site for ballot in ballots) else None
    refusals = [_refusal(comment, site, ballot.actor) for ballot in ballots]
    if len(ballots) == 1 and refusals[0] is not None:
        raise refusals[0]
    given = {one.actor.id: one.value for one, refusal in zip(ballots, refusals, strict=True) if refusal is None}
    up, down = _cast(connection, comment, given)
    happened = []
    if (up, down) == (comment.up, comment.down):
        seq = event_log.head(connection, comment.discussion_id)
    else:
        records.update_comment(connection, comment.id, up=up, down=down)
        happened.append(event_log.append(connection, "comment.voted", replace(comment, up=up, down=down), at))
        seq = happened[0].event.seq
    answers = [refusal or VoteTotals(up, down, seq) for refusal in refusals]
    return CommandResult(Tally(answers, is_told=bool(happened)), tuple(happened))


def _refusal(comment: Comment, site: str | None, voter: Actor) -> Problem | None:
    if comment.state is State.held or (voter.site is not None and voter.site != site):
        return _not_found()
    if comment.state.is_tombstone:
        return Problem(ErrorCode.gone, "The comment is no longer there.")
    if comment.author.id == voter.id:
        return Problem(ErrorCode.forbidden, "Nobody votes on what they said themselves.")
    return None


def _cast(connection: Connection, comment: Comment, given: dict[str, int]) -> tuple[int, int]:
    """Keeps the votes given, by voter; the comment's totals after it."""
    v = schema.vote.c
    known = select(v.voter_id, v.value).where(v.comment_id == comment.id, v.voter_id.in_(given))
    before: dict[str, int] = {row.voter_id: row.value for row in connection.execute(known)} if given else {}
    changed = {voter: value for voter, value in given.items() if value != before.get(voter, 0)}
    # no vote is changed but taken away and given anew: on one comment few change their mind within a second
    gone = [voter for voter in changed if voter in before]
    new = [{"comment_id": comment.id, "voter_id": voter, "value": value} for voter, value in changed.items() if value]
    if gone:
        connection.execute(schema.vote.delete().where(v.comment_id == comment.id, v.voter_id.in_(gone)))
    if new:
        connection.execute(insert(schema.vote), new)

    def total(of: int) -> int:
        return sum((value == of) - (before.get(voter, 0) == of) for voter, value in changed.items())

    return comment.up + total(1), comment.down + total(-1)


def report(
    connection: Connection, comment_id: str, reporter: Actor | None, reason: str, note: str, at: datetime
) -> CommandResult[str]:
    """The report's id. Raises not_found, gone."""
    comment = _existing(connection, comment_id, reporter.site if reporter else None)
    if comment.state is State.held:
        raise _not_found()
    if comment.state.is_tombstone:
        raise Problem(ErrorCode.gone, "The comment is no longer there.")
    report_id = uuid7()
    connection.execute(
        insert(schema.report).values(
            id=report_id,
            comment_id=comment_id,
            reporter_id=reporter.id if reporter else None,
            reason=reason,
            note=note,
            at=mapping.milliseconds(at),
        )
    )
    return CommandResult(report_id)


def set_mode(connection: Connection, key: DiscussionKey, mode: Mode, at: datetime) -> CommandResult[Discussion]:
    """Opens, holds or closes a discussion, also one that nobody has written in. Raises unknown_site."""
    discussion = records.ensure_discussion(connection, key, at)
    if discussion.mode is mode:
        return CommandResult(discussion)
    connection.execute(update(schema.discussion).where(schema.discussion.c.id == discussion.id).values(mode=mode.value))
    seq, count, _ = event_log.advance(connection, records.stored_id(discussion), shown=0)
    event = Event(seq=seq, kind="discussion.changed", at=timestamp(at), discussion=DiscussionState(mode=mode))
    happened = event_log.insert(connection, records.stored_id(discussion), key, event, at)
    return CommandResult(replace(discussion, mode=mode, seq=seq, comment_count=count), (happened,))


# ---- what may be changed --------------------------------------------------------------------------------


def _changeable(connection: Connection, comment_id: str, actor: Actor) -> Comment:
    comment = _existing(connection, comment_id, actor.site)
    if comment.author.id != actor.id and not actor.moderator:
        raise (
            _not_found()
            if comment.state is State.held
            else Problem(ErrorCode.forbidden, "Only its author or a moderator may change a comment.")
        )
    if comment.state.is_tombstone:
        raise Problem(ErrorCode.gone, "The comment is no longer there.")
    return comment


def _existing(connection: Connection, comment_id: str, site: str | None = None) -> Comment:
    prepared.flush(connection)
    comment = records.find(connection, comment_id)
    if comment is None or (site is not None and records.site_of(connection, comment) != site):
        raise _not_found()
    return comment


def _not_found() -> Problem:
    return Problem(ErrorCode.not_found, "There is no such comment.")
