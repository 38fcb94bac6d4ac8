"""What changes the database: each command is a value that knows what it locks and how it is applied.

A command raises Problem to refuse (its savepoint is rolled back, its neighbours in the batch go on) and returns
a CommandResult: a value for the caller and the events that came of it. Comment, event and counters change together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, NamedTuple, TypeVar

from sqlalchemy import Connection, insert, select, update

from tertulia.core.comments import Author, Block, Comment, Discussion, DiscussionKey, Mode, State
from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem, no_such_comment
from tertulia.protocol import CommentView, DiscussionState, Event, EventKind, comment_view, timestamp
from tertulia.store import event_log, records, schema
from tertulia.store.event_log import CommittedEvent
from tertulia.store.listing import IS_KEPT
from tertulia.store.locks import LockTarget
from tertulia.store.mapping import milliseconds

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CommandResult(Generic[T]):
    """``erases`` where something is stored no more that was meant to be forgotten."""

    value: T
    events: tuple[CommittedEvent, ...] = ()
    erases: bool = False


class Command(Generic[T]):
    """One change, applied in the write queue's transaction."""

    __slots__ = ()

    @property
    def locks(self) -> LockTarget:
        """What to lock before ``apply``: no other transaction changes it until this one ends."""
        return None

    def apply(self, connection: Connection) -> CommandResult[T]:
        """Makes the change; it may be called again, after a rollback. Raises Problem to refuse it."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class PostResult:
    """A comment and the seq of the event it came with; ``seq`` is None while it is held.

    ``view`` is the comment as the event shows it to everybody, where this command made the event.
    """

    comment: Comment
    seq: int | None
    repeated: bool = False
    view: CommentView | None = None


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


# ---- posting --------------------------------------------------------------------------------------------


class Request(NamedTuple):
    """What identifies a post: the idempotency key, and the digest of everything that the key stands for."""

    key: str
    digest: str


_NO_REQUEST = Request("", "")


@dataclass(frozen=True, slots=True)
class Draft:
    """A comment that somebody wants to post.

    ``idempotency_key`` and ``digest`` are stored of the request; ``unhashed`` is what earlier versions stored of it.
    ``corrects`` is whether title and address take the place of what is known; else they fill in what is missing.
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
    unhashed: Request = _NO_REQUEST
    corrects: bool = False

    @property
    def request(self) -> records.RequestId:
        return records.RequestId(self.author.id, self.idempotency_key, self.unhashed.key)


@dataclass(frozen=True, slots=True)
class PostComment(Command[PostResult]):
    """Stores a comment, once for one idempotency key. Raises unknown_site, closed, bad_parent, idempotency_conflict."""

    draft: Draft

    @property
    def locks(self) -> LockTarget:
        return self.draft.key

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        draft = self.draft
        context = records.post_context(
            connection, draft.key, draft.request, at=draft.at, title=draft.title, url=draft.url
        )
        earlier = _earlier(connection, draft) if context.is_repeated else None
        if earlier is not None:
            return CommandResult(earlier)
        _refuse_closed(context.discussion, draft)
        comment = _comment(draft, context, _require_parent(connection, context.discussion, draft.parent_id))
        corrected = _named(connection, context.discussion, draft)
        records.insert_post(connection, comment, context, at=draft.at, digest=draft.digest)
        if comment.state is State.held:
            return CommandResult(PostResult(comment, None), corrected)
        view = comment_view(comment)
        event = event_log.append(connection, "comment.created", comment, draft.at, shown=+1, view=view, queued=True)
        return CommandResult(PostResult(comment, event.event.seq, view=view), (*corrected, event))


def _named(connection: Connection, discussion: Discussion, draft: Draft) -> tuple[CommittedEvent, ...]:
    """Gives a discussion the title and the address that come with a comment; what is corrected makes an event."""
    if not draft.corrects:
        records.fill_in(connection, discussion, title=draft.title, url=draft.url)
        return ()
    return _changed(connection, discussion, draft.at, title=draft.title or None, url=draft.url or None).events


def check_post(connection: Connection, draft: Draft) -> None:
    """Refuses what PostComment would refuse whatever the text is: asked before a long one is read.

    Raises closed, bad_parent.
    """
    discussion = records.find_discussion(connection, draft.key) or Discussion(draft.key)
    if records.find_request(connection, draft.request) is None:
        _refuse_closed(discussion, draft)
        _require_parent(connection, discussion, draft.parent_id)


def _comment(draft: Draft, context: records.PostContext, parent: Comment | None) -> Comment:
    held = context.discussion.mode is Mode.held and draft.author.badge != "moderator"
    return Comment(
        id=draft.id,
        discussion_id=context.discussion_id,
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


def _reply_time(parent: Comment | None, at: datetime) -> datetime:
    """A reply is younger than what it answers, although clocks go back and those of two instances differ."""
    return at if parent is None else max(at, parent.created_at + timedelta(milliseconds=1))


def _refuse_closed(discussion: Discussion, draft: Draft) -> None:
    if discussion.mode is Mode.closed and draft.author.badge != "moderator":
        raise Problem(ErrorCode.closed, "This discussion is closed; it can be read, not continued.")


def _require_parent(connection: Connection, discussion: Discussion, parent_id: str | None) -> Comment | None:
    if parent_id is None:
        return None
    parent = records.find_comment(connection, parent_id)
    if parent is None or parent.discussion_id != discussion.id or parent.state is State.held:
        raise Problem(ErrorCode.bad_parent, "The comment replied to is not in this discussion.", field="parent_id")
    if parent.state.is_tombstone:
        raise Problem(ErrorCode.bad_parent, "The comment replied to is no longer there.", field="parent_id")
    return parent


def _earlier(connection: Connection, draft: Draft) -> PostResult | None:
    """What the same request came to before. Raises idempotency_conflict."""
    earlier = records.find_request(connection, draft.request)
    if earlier is None:
        return None
    is_new_form = earlier.comment.idempotency_key == draft.idempotency_key
    if earlier.digest != (draft.digest if is_new_form else draft.unhashed.digest):
        raise Problem(
            ErrorCode.idempotency_conflict,
            "This Idempotency-Key was used with another content; make a new key for a new comment.",
            field="Idempotency-Key",
        )
    return PostResult(earlier.comment, event_log.created_seq(connection, earlier.comment.id), repeated=True)


# ---- changing a comment ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _CommentCommand(Command[T]):
    comment_id: str

    @property
    def locks(self) -> LockTarget:
        return self.comment_id


@dataclass(frozen=True, slots=True)
class EditComment(_CommentCommand[PostResult]):
    """Replaces a comment's text; the same text as before is neither a change nor an event.

    Its author may do so for ``window`` after posting. Raises not_found, forbidden, gone, edit_window_over.
    """

    actor: Actor
    text: str
    body: list[Block]
    at: datetime
    window: timedelta

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        comment = check_edit(connection, self.comment_id, self.actor, self.at, self.window)
        if comment.text == self.text:
            return CommandResult(PostResult(comment, event_log.shown_seq(connection, comment)))
        comment = replace(comment, text=self.text, body=self.body, edited_at=self.at)
        edited_at = milliseconds(self.at)
        records.update_comment(connection, comment.id, text=self.text, body=self.body, edited_at=edited_at)
        if comment.state is State.held:
            return CommandResult(PostResult(comment, None), erases=True)
        return _logged(connection, "comment.edited", comment, self.at, erases=True)


def check_edit(connection: Connection, comment_id: str, actor: Actor, at: datetime, window: timedelta) -> Comment:
    """The comment, where its text may be changed. Raises not_found, forbidden, gone, edit_window_over."""
    comment = _changeable(connection, comment_id, actor)
    if not actor.moderator and at - comment.created_at > window:
        raise Problem(ErrorCode.edit_window_over, "This comment is too old to be edited.")
    return comment


@dataclass(frozen=True, slots=True)
class DeleteComment(_CommentCommand[PostResult]):
    """Deletes one's own comment for good, or removes another's as a moderator; old events become tombstones.

    What a moderator removed can still be deleted by its author. Raises not_found, forbidden, gone.
    """

    actor: Actor
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        comment = _existing(connection, self.comment_id, self.actor.site)
        own = comment.author.id == self.actor.id
        if not (own and comment.state is State.removed):
            comment = _changeable(connection, self.comment_id, self.actor)
        was_visible = comment.state is State.visible
        published = records.is_published(connection, comment.id)
        comment = _delete(connection, comment) if own else _remove(connection, comment)
        if was_visible:
            records.show_reports(connection, comment.id, listed=False)
        if not published:
            return CommandResult(PostResult(comment, None), erases=own)
        shown = -1 if was_visible else 0
        return _logged(connection, "comment.removed", comment, self.at, shown=shown, erases=own)


def _delete(connection: Connection, comment: Comment) -> Comment:
    records.update_comment(connection, comment.id, state=State.deleted.value, text="", body=[], author_name="")
    _forget_name(connection, comment.author.id)
    return replace(comment, state=State.deleted, text="", body=[], author=Author(comment.author.id, ""))


def _remove(connection: Connection, comment: Comment) -> Comment:
    records.update_comment(connection, comment.id, state=State.removed.value)
    return replace(comment, state=State.removed)


def _forget_name(connection: Connection, author_id: str) -> None:
    """An author whose comments are all deleted leaves no name behind."""
    c = schema.comment.c
    query = select(c.id).where(c.author_id == author_id, IS_KEPT).limit(1)
    if connection.dialect.name == "postgresql":
        # in the order of an index: else it looks for a comment of a busy author from the beginning of the table
        query = query.order_by(c.created_at)
    if connection.scalar(query) is None:
        connection.execute(update(schema.author).where(schema.author.c.id == author_id).values(name=""))


@dataclass(frozen=True, slots=True)
class RestoreComment(_CommentCommand[PostResult]):
    """Shows a removed comment again. Raises not_found, bad_state."""

    at: datetime

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        comment = _existing(connection, self.comment_id)
        if comment.state is not State.removed:
            raise Problem(ErrorCode.bad_state, "Only a removed comment can be restored.")
        published = records.is_published(connection, comment.id)
        records.show_reports(connection, comment.id, listed=True)
        return _show(connection, "comment.restored" if published else "comment.created", comment, self.at)


@dataclass(frozen=True, slots=True)
class ApproveComment(_CommentCommand[PostResult]):
    """Shows a held comment: only now does its comment.created happen. Raises not_found, bad_state."""

    at: datetime

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        comment = _existing(connection, self.comment_id)
        if comment.state is not State.held:
            raise Problem(ErrorCode.bad_state, "Only a held comment can be approved.")
        return _show(connection, "comment.created", comment, self.at)


def _show(connection: Connection, kind: EventKind, comment: Comment, at: datetime) -> CommandResult[PostResult]:
    comment = replace(comment, state=State.visible)
    records.update_comment(connection, comment.id, state=State.visible.value, published=True)
    return _logged(connection, kind, comment, at, shown=+1)


def _logged(
    connection: Connection, kind: EventKind, comment: Comment, at: datetime, *, shown: int = 0, erases: bool = False
) -> CommandResult[PostResult]:
    event = event_log.append(connection, kind, comment, at, shown=shown)
    return CommandResult(PostResult(comment, event.event.seq), (event,), erases=erases)


# ---- votes and reports ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CastVotes(_CommentCommand[Tally]):
    """Votes of several people, in the order they were given, and one event of what came of them, if anything.

    One vote a voter; 0 takes it back. Each ballot is answered by the totals or by its refusal: not_found, forbidden,
    gone. Raises not_found, and where there is one ballot alone its refusal: then there is nothing to commit.
    """

    ballots: Sequence[Ballot]
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[Tally]:
        comment = _existing(connection, self.comment_id)
        site = records.site_of(connection, comment) if any(ballot.actor.site for ballot in self.ballots) else None
        refusals = [_refusal(comment, site, ballot.actor) for ballot in self.ballots]
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


def _refusal(comment: Comment, site: str | None, voter: Actor) -> Problem | None:
    if comment.state is State.held or (voter.site is not None and voter.site != site):
        return no_such_comment()
    if comment.state.is_tombstone:
        return _gone()
    if comment.author.id == voter.id:
        return Problem(ErrorCode.forbidden, "Nobody votes on what they said themselves.")
    return None


def _cast(connection: Connection, comment: Comment, given: dict[str, int]) -> Comment:
    """Keeps the votes given, by voter; the comment with its totals after it."""
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

    def gained(of: int) -> int:
        return sum((value == of) - (before.get(voter, 0) == of) for voter, value in changed.items())

    return replace(comment, up=comment.up + gained(1), down=comment.down + gained(-1))


@dataclass(frozen=True, slots=True)
class ReportComment(_CommentCommand[str]):
    """Reports a comment to the moderators; the value is the report's id. Raises not_found, gone."""

    reporter: Actor | None
    reason: str
    note: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[str]:
        comment = _existing(connection, self.comment_id, self.reporter.site if self.reporter else None)
        if comment.state is State.held:
            raise no_such_comment()
        if comment.state.is_tombstone:
            raise _gone()
        report_id = uuid7()
        connection.execute(
            insert(schema.report).values(
                id=report_id,
                comment_id=self.comment_id,
                reporter_id=self.reporter.id if self.reporter else None,
                reason=self.reason,
                note=self.note,
                at=milliseconds(self.at),
            )
        )
        return CommandResult(report_id)


# ---- a discussion ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SetMode(Command[Discussion]):
    """Opens, holds or closes a discussion, also one that nobody has written in. Raises unknown_site."""

    key: DiscussionKey
    mode: Mode
    at: datetime

    @property
    def locks(self) -> LockTarget:
        return self.key

    def apply(self, connection: Connection) -> CommandResult[Discussion]:
        discussion = records.ensure_discussion(connection, self.key, self.at)
        return _changed(connection, discussion, self.at, mode=self.mode)


@dataclass(frozen=True, slots=True)
class ChangeDiscussion(Command[Discussion]):
    """Gives a discussion another mode, title or address, also one that nobody has written in; None leaves it as it is.

    Raises unknown_site.
    """

    key: DiscussionKey
    at: datetime
    mode: Mode | None = None
    title: str | None = None
    url: str | None = None

    @property
    def locks(self) -> LockTarget:
        return self.key

    def apply(self, connection: Connection) -> CommandResult[Discussion]:
        discussion = records.ensure_discussion(connection, self.key, self.at)
        return _changed(connection, discussion, self.at, mode=self.mode, title=self.title, url=self.url)


def _changed(
    connection: Connection,
    discussion: Discussion,
    at: datetime,
    *,
    mode: Mode | None = None,
    title: str | None = None,
    url: str | None = None,
) -> CommandResult[Discussion]:
    """The discussion after the change, and the event of it unless it was so already. It is stored."""
    changed = replace(
        discussion,
        mode=discussion.mode if mode is None else mode,
        title=discussion.title if title is None else title,
        url=discussion.url if url is None else url,
    )
    if changed == discussion:
        return CommandResult(discussion)
    row_id = records.stored_id(discussion)
    values = {"mode": changed.mode.value, "title": changed.title, "url": changed.url}
    connection.execute(update(schema.discussion).where(schema.discussion.c.id == row_id).values(values))
    now = event_log.advance(connection, row_id, shown=0)
    state = DiscussionState(
        mode=changed.mode,
        title=None if changed.title == discussion.title else changed.title,
        url=None if changed.url == discussion.url else changed.url,
    )
    event = Event(seq=now.seq, kind="discussion.changed", at=timestamp(at), discussion=state)
    committed = event_log.insert(connection, row_id, now.key, event, at)
    return CommandResult(replace(changed, seq=now.seq, comment_count=now.comment_count), (committed,))


# ---- what may be changed --------------------------------------------------------------------------------


def _changeable(connection: Connection, comment_id: str, actor: Actor) -> Comment:
    comment = _existing(connection, comment_id, actor.site)
    if comment.author.id != actor.id and not actor.moderator:
        raise (
            no_such_comment()
            if comment.state is State.held
            else Problem(ErrorCode.forbidden, "Only its author or a moderator may change a comment.")
        )
    if comment.state.is_tombstone:
        raise _gone()
    return comment


def _existing(connection: Connection, comment_id: str, site: str | None = None) -> Comment:
    comment = records.find_comment(connection, comment_id, flushed=True)
    if comment is None or (site is not None and records.site_of(connection, comment) != site):
        raise no_such_comment()
    return comment


def _gone() -> Problem:
    return Problem(ErrorCode.gone, "The comment is no longer there.")
