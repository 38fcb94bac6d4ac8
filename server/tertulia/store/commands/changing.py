"""Changing a stored comment: its text, and taking it back for good."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from tertulia.core.causes import Cause, CauseKind, Queue, queue_for
from tertulia.core.comments import Author, Block, Comment, Discussion, HiddenBy, Mode, State
from tertulia.errors import ErrorCode, Problem
from tertulia.store import bans, event_log, records, reviews, schema
from tertulia.store.actions import SERVER, Action, By, Verb, record
from tertulia.store.commands.admitting import has_to_wait, too_many_links
from tertulia.store.commands.base import CommandResult
from tertulia.store.commands.checking import CheckedText, begin_check, forget_notes, waits_for_check
from tertulia.store.commands.comments import Actor, CommentCommand, PostResult, changeable, existing, logged
from tertulia.store.commands.deciding import Act, DecideComment, move, record_edit
from tertulia.store.listing import IS_KEPT
from tertulia.store.mapping import milliseconds
from tertulia.store.reviews import Review, Touched

_d = schema.discussion.c


@dataclass(frozen=True, slots=True)
class EditComment(CommentCommand[PostResult]):
    """Replaces a comment's text; the same text as before is neither a change nor an event.

    Its author may do so as long as the rules say, or for ``window`` after posting. With ``causes`` nobody sees it with
    this text before a moderator has; ``links`` is how many links of the text lead away from the site. ``by`` is who
    decides where it is another's; see DecideComment. ``is_checked`` is whether the site's hooks look at it.
    Raises not_found, forbidden, gone, edit_window_over, links.
    """

    actor: Actor
    text: str
    body: list[Block]
    at: datetime
    window: timedelta
    causes: tuple[Cause, ...] = ()
    links: int = 0
    by: By | None = None
    is_checked: bool = True

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        comment, discussion = _editable(connection, self.comment_id, self.actor, self.at, self.window)
        if not self.actor.moderator:
            bans.require_none(connection, self.actor.id, self.at)
        if comment.text == self.text:
            return CommandResult(PostResult(comment, event_log.shown_seq(connection, comment)))
        if self.links and comment.state is State.visible and not self.actor.moderator:
            self._require_links(connection, comment)
        version, edited_at = comment.version + 1, milliseconds(self.at)
        comment = replace(comment, text=self.text, body=self.body, edited_at=self.at, version=version)
        records.update_comment(
            connection, comment.id, text=self.text, body=self.body, edited_at=edited_at, version=version
        )
        changed = self._changed(connection, comment)
        if discussion is None or not discussion.checks or not self.is_checked:
            return changed
        begin_check(connection, CheckedText(comment.id, version, edited_at))
        return replace(changed, makes_tasks=True)

    def _changed(self, connection: Connection, comment: Comment) -> CommandResult[PostResult]:
        """What comes of the text, which is stored."""
        if self.causes and (comment.state is State.visible or waits_for_check(comment)):
            return self._hide(connection, comment)
        touched = touch_waiting(connection, comment.id)
        if self.by is not None and not self.actor.owns(comment):
            record_edit(connection, comment, self.by, self.at)
        if comment.state is State.held:
            review = reviews.find(connection, comment.id)
            if review is not None and review.is_open:
                reviews.put(connection, _explained(review, self.causes))
            return CommandResult(PostResult(comment, None), erases=True, touched=touched)
        return replace(logged(connection, "comment.edited", comment, self.at, erases=True), touched=touched)

    def _require_links(self, connection: Connection, comment: Comment) -> None:
        """What would have to wait is refused: nobody gets past the moderators by an edit. Raises links."""
        rule = records.discussion_of(connection, comment).rules.links
        authors = (self.actor.id, *self.actor.also)
        if has_to_wait(connection, rule, self.links, authors, self.at):
            raise too_many_links()

    def _hide(self, connection: Connection, comment: Comment) -> CommandResult[PostResult]:
        """Takes it from view until a moderator has decided; what waits for its check was in nobody's."""
        target = State.removed if comment.state is State.visible else State.held
        changed, events = move(connection, comment, target, self.at, hidden_by=HiddenBy.rule)
        site_id = connection.execute(select(_d.site_id).where(_d.id == comment.discussion_id)).scalar_one()
        at, found = milliseconds(self.at), reviews.find(connection, comment.id)
        review = found or Review(comment_id=comment.id, site_id=site_id, queue=Queue.suspected, since=at)
        if not review.is_open:
            review = replace(review, causes=(), since=at, closed_at=None, closed_by=None, decision=None)
        reviews.put(connection, _explained(review, self.causes))
        about = (site_id, comment.author.id, comment.id, comment.discussion_id)
        data = {"version": changed.version}
        record(connection, Action(SERVER, Verb.hide_comment, *about, reason="words", data=data), self.at)
        seq = events[0].event.seq if events else None
        touched = (Touched(site_id, comment.id),)
        return CommandResult(PostResult(changed, seq), events, erases=True, touched=touched)


def _explained(review: Review, causes: tuple[Cause, ...]) -> Review:
    """The review with what is found in the text as it is now."""
    others = tuple(one for one in review.causes if one.kind is not CauseKind.word)
    return replace(review, causes=(*others, *causes), queue=queue_for((*others, *causes)))


def check_edit(
    connection: Connection, comment_id: str, actor: Actor, at: datetime, window: timedelta | None
) -> Comment:
    """The comment, where its text may be changed, or without a ``window`` read.

    Raises not_found, forbidden, gone, edit_window_over.
    """
    return _editable(connection, comment_id, actor, at, window)[0]


def _editable(
    connection: Connection, comment_id: str, actor: Actor, at: datetime, window: timedelta | None
) -> tuple[Comment, Discussion | None]:
    """The same, with its discussion where the rules were asked."""
    comment, discussion = changeable(connection, comment_id, actor), None
    if window is not None and not actor.moderator:
        discussion = records.discussion_of(connection, comment)
        if at - comment.created_at > discussion.rules.edit_window(window):
            raise Problem(ErrorCode.edit_window_over, "This comment is too old to be edited.")
        if comment.state is State.visible and _is_approved(connection, comment, discussion):
            raise Problem(
                ErrorCode.edit_window_over, "What a moderator has approved, or has to, can no longer be edited."
            )
    return comment, discussion


def _is_approved(connection: Connection, comment: Comment, discussion: Discussion) -> bool:
    """Whether a moderator has seen what it says, or would have to see what it is to say."""
    if discussion.mode is Mode.held:
        return True
    review = reviews.find(connection, comment.id)
    return review is not None and review.approved_at is not None


@dataclass(frozen=True, slots=True)
class DeleteComment(CommentCommand[PostResult]):
    """Deletes one's own comment for good, or removes another's as a moderator; old events become tombstones.

    What a moderator removed can still be deleted by its author. ``by`` is who decides where it is another's; see
    DecideComment. Raises not_found, forbidden, gone.
    """

    actor: Actor
    at: datetime
    by: By | None = None

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        comment = existing(connection, self.comment_id, self.actor.site)
        if not self.actor.owns(comment):
            changeable(connection, self.comment_id, self.actor)
            removed = DecideComment(self.comment_id, Act.remove, self.by, self.at).apply(connection)
            value = PostResult(removed.value.comment, removed.value.seq)
            return CommandResult(value, removed.events, touched=removed.touched)
        if comment.state is not State.removed:
            comment = changeable(connection, self.comment_id, self.actor)
        return _delete(connection, comment, self.at)


def _delete(connection: Connection, comment: Comment, at: datetime) -> CommandResult[PostResult]:
    was_visible, published = comment.state is State.visible, records.is_published(connection, comment.id)
    if was_visible:
        records.show_reports(connection, comment.id, listed=False)
    gone, version = State.deleted, comment.version + 1
    records.update_comment(
        connection, comment.id, state=gone.value, text="", body=[], author_name="", version=version, decision=None
    )
    _forget_name(connection, comment.author.id)
    review = reviews.find(connection, comment.id)
    touched = _touched(review)
    if review is not None and any(one.kind is CauseKind.check for one in review.causes):
        forget_notes(connection, comment.id)
    reviews.forget(connection, comment.id, milliseconds(at))
    deleted = replace(comment, state=gone, text="", body=[], author=Author(comment.author.id, ""), version=version)
    if not published:
        return CommandResult(PostResult(deleted, None), erases=True, touched=touched)
    shown = -1 if was_visible else 0
    result = logged(connection, "comment.removed", deleted, at, shown=shown, erases=True)
    return replace(result, touched=touched)


def touch_waiting(connection: Connection, comment_id: str) -> tuple[Touched, ...]:
    """What the desk has to be told of, where the comment waits for a moderator."""
    return _touched(reviews.find(connection, comment_id))


def _touched(review: Review | None) -> tuple[Touched, ...]:
    return (Touched(review.site_id, review.comment_id),) if review is not None and review.is_open else ()


def _forget_name(connection: Connection, author_id: str) -> None:
    """A guest whose comments are all deleted leaves no name behind; whoever signs in goes on to have one."""
    a, c = schema.author.c, schema.comment.c
    query = select(c.id).where(c.author_id == author_id, IS_KEPT).limit(1)
    if connection.dialect.name == "postgresql":
        # in the order of an index: else it looks for a comment of a busy author from the beginning of the table
        query = query.order_by(c.created_at)
    if connection.scalar(query) is None:
        connection.execute(update(schema.author).where(a.id == author_id, a.kind == "guest").values(name=""))
