"""Changing a stored comment: its text, and whether it is shown."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sqlalchemy import Connection, select, update

from tertulia.core.comments import Author, Block, Comment, State
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import EventKind
from tertulia.store import event_log, records, schema
from tertulia.store.commands.base import CommandResult
from tertulia.store.commands.comments import Actor, CommentCommand, PostResult, changeable, existing, logged
from tertulia.store.listing import IS_KEPT
from tertulia.store.mapping import milliseconds


@dataclass(frozen=True, slots=True)
class EditComment(CommentCommand[PostResult]):
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
        return logged(connection, "comment.edited", comment, self.at, erases=True)


def check_edit(connection: Connection, comment_id: str, actor: Actor, at: datetime, window: timedelta) -> Comment:
    """The comment, where its text may be changed. Raises not_found, forbidden, gone, edit_window_over."""
    comment = changeable(connection, comment_id, actor)
    if not actor.moderator and at - comment.created_at > window:
        raise Problem(ErrorCode.edit_window_over, "This comment is too old to be edited.")
    return comment


@dataclass(frozen=True, slots=True)
class DeleteComment(CommentCommand[PostResult]):
    """Deletes one's own comment for good, or removes another's as a moderator; old events become tombstones.

    What a moderator removed can still be deleted by its author. Raises not_found, forbidden, gone.
    """

    actor: Actor
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        comment = existing(connection, self.comment_id, self.actor.site)
        own = self.actor.owns(comment)
        if not (own and comment.state is State.removed):
            comment = changeable(connection, self.comment_id, self.actor)
        was_visible = comment.state is State.visible
        published = records.is_published(connection, comment.id)
        comment = _delete(connection, comment) if own else _remove(connection, comment)
        if was_visible:
            records.show_reports(connection, comment.id, listed=False)
        if not published:
            return CommandResult(PostResult(comment, None), erases=own)
        shown = -1 if was_visible else 0
        return logged(connection, "comment.removed", comment, self.at, shown=shown, erases=own)


def _delete(connection: Connection, comment: Comment) -> Comment:
    records.update_comment(connection, comment.id, state=State.deleted.value, text="", body=[], author_name="")
    _forget_name(connection, comment.author.id)
    return replace(comment, state=State.deleted, text="", body=[], author=Author(comment.author.id, ""))


def _remove(connection: Connection, comment: Comment) -> Comment:
    records.update_comment(connection, comment.id, state=State.removed.value)
    return replace(comment, state=State.removed)


def _forget_name(connection: Connection, author_id: str) -> None:
    """A guest whose comments are all deleted leaves no name behind; whoever signs in goes on to have one."""
    a, c = schema.author.c, schema.comment.c
    query = select(c.id).where(c.author_id == author_id, IS_KEPT).limit(1)
    if connection.dialect.name == "postgresql":
        # in the order of an index: else it looks for a comment of a busy author from the beginning of the table
        query = query.order_by(c.created_at)
    if connection.scalar(query) is None:
        connection.execute(update(schema.author).where(a.id == author_id, a.kind == "guest").values(name=""))


@dataclass(frozen=True, slots=True)
class RestoreComment(CommentCommand[PostResult]):
    """Shows a removed comment again. Raises not_found, bad_state."""

    at: datetime

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        comment = _in_state(connection, self.comment_id, State.removed, "Only a removed comment can be restored.")
        published = records.is_published(connection, comment.id)
        records.show_reports(connection, comment.id, listed=True)
        return _show(connection, "comment.restored" if published else "comment.created", comment, self.at)


@dataclass(frozen=True, slots=True)
class ApproveComment(CommentCommand[PostResult]):
    """Shows a held comment: only now does its comment.created happen. Raises not_found, bad_state."""

    at: datetime

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        comment = _in_state(connection, self.comment_id, State.held, "Only a held comment can be approved.")
        return _show(connection, "comment.created", comment, self.at)


def _in_state(connection: Connection, comment_id: str, state: State, otherwise: str) -> Comment:
    """Raises not_found, and bad_state with this sentence."""
    comment = existing(connection, comment_id)
    if comment.state is not state:
        raise Problem(ErrorCode.bad_state, otherwise)
    return comment


def _show(connection: Connection, kind: EventKind, comment: Comment, at: datetime) -> CommandResult[PostResult]:
    comment = replace(comment, state=State.visible)
    records.update_comment(connection, comment.id, state=State.visible.value, published=True)
    return logged(connection, kind, comment, at, shown=+1)
