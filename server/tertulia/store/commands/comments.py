"""What commands about a comment share: who asks, whether it may be changed, and the event of the change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection

from tertulia.core.comments import Comment, State
from tertulia.errors import ErrorCode, Problem, no_such_comment
from tertulia.protocol import CommentView, EventKind
from tertulia.store import event_log, records
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.locks import LockTarget

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for a change; a guest's ``site`` is the only one where it may, a moderator has none.

    Whoever is signed in may as long as the session goes on, and a guest while the token, made at ``token_at``, is good.
    ``also`` are the guests that this person was.
    """

    id: str
    moderator: bool = False
    site: str | None = None
    session_id: str | None = None
    token_at: datetime | None = None
    also: tuple[str, ...] = ()

    def owns(self, comment: Comment) -> bool:
        """Whether it is one's own."""
        return comment.author.id == self.id or comment.author.id in self.also


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
class CommentCommand(Command[T]):
    comment_id: str

    @property
    def locks(self) -> LockTarget:
        return self.comment_id


def changeable(connection: Connection, comment_id: str, actor: Actor) -> Comment:
    """The comment, where ``actor`` may change it. Raises not_found, forbidden, gone."""
    comment = existing(connection, comment_id, actor.site)
    if not (actor.owns(comment) or actor.moderator):
        raise (
            no_such_comment()
            if comment.state is State.held
            else Problem(ErrorCode.forbidden, "Only its author or a moderator may change a comment.")
        )
    if comment.state.is_tombstone:
        raise gone()
    return comment


def existing(connection: Connection, comment_id: str, site: str | None = None) -> Comment:
    """A comment of any state, of ``site`` if that is given. Raises not_found."""
    comment = records.find_comment(connection, comment_id, flushed=True)
    if comment is None or (site is not None and records.site_of(connection, comment) != site):
        raise no_such_comment()
    return comment


def gone() -> Problem:
    return Problem(ErrorCode.gone, "The comment is no longer there.")


def logged(
    connection: Connection, kind: EventKind, comment: Comment, at: datetime, *, shown: int = 0, erases: bool = False
) -> CommandResult[PostResult]:
    """The comment with the event of what was done to it."""
    event = event_log.append(connection, kind, comment, at, shown=shown)
    return CommandResult(PostResult(comment, event.event.seq), (event,), erases=erases)
