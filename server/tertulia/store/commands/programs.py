"""What a site's program does by its token.

The token is read in the transaction that writes: one that was removed at one instance is good for no write at another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, select

from tertulia.core.comments import DiscussionKey
from tertulia.core.scopes import TokenScope
from tertulia.errors import no_such_comment
from tertulia.store import records, schema
from tertulia.store.actions import Action, By, Verb, record
from tertulia.store.commands.base import Command, CommandResult, Wrapping
from tertulia.store.commands.staff import end_sessions
from tertulia.store.locks import LockTarget
from tertulia.store.programs import Program, elsewhere, program

T = TypeVar("T")
_c, _d, _i = schema.comment.c, schema.discussion.c, schema.identity.c


def by_program(name: str) -> By:
    """Who acts where a token of this name does; no author, so that nobody of that name is meant."""
    return By(None, f"token {name}")


class Deed(NamedTuple):
    """What a program does: what its token has to be good for, the word for it, and more for the log of actions.

    ``verb`` is None of a command that tells the log itself.
    """

    scope: TokenScope
    verb: Verb | None
    data: tuple[tuple[str, object], ...] = ()


class _About(NamedTuple):
    comment_id: str | None = None
    author_id: str | None = None
    discussion_id: int | None = None


@dataclass(frozen=True, slots=True)
class AsProgram(Wrapping[T]):
    """A command of a program about a comment or a discussion; what it changes is told in the log of actions.

    Raises unauthenticated where the token was removed, forbidden where it is not good for this, and what the command
    raises.
    """

    token_id: str
    deed: Deed
    command: Command[T]
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[T]:
        asking = program(connection, self.token_id)
        asking.require(self.deed.scope)
        target = self.command.locks
        about = _admitted(connection, asking, target)
        result = self.command.apply(connection)
        if isinstance(target, DiscussionKey):
            found = records.find_discussion(connection, target)
            about = _About(discussion_id=None if found is None else records.stored_id(found))
        if self.deed.verb is None:
            return result
        # what waits for approval is removed without an event
        if result.events or result.erases or self.deed.verb is Verb.remove_comment:
            who, data = by_program(asking.name), dict(self.deed.data)
            record(connection, Action(who, self.deed.verb, asking.site_id, **about._asdict(), data=data), self.at)
        return result


def check_program(connection: Connection, token_id: str, target: LockTarget) -> None:
    """Whether the token is good where the target is. Raises unauthenticated, forbidden, not_found."""
    _admitted(connection, program(connection, token_id), target)


def _admitted(connection: Connection, asking: Program, target: LockTarget) -> _About:
    """What is to be changed. Raises forbidden where it is another site's, not_found."""
    if isinstance(target, DiscussionKey):
        if target.site != asking.site:
            raise elsewhere()
        return _About()
    query = select(_c.author_id, _c.discussion_id, _d.site_id).join(schema.discussion, _d.id == _c.discussion_id)
    row = connection.execute(query.where(_c.id == target)).one_or_none()
    if row is None:
        raise no_such_comment()
    if row.site_id != asking.site_id:
        raise elsewhere()
    return _About(str(target), row.author_id, row.discussion_id)


@dataclass(frozen=True, slots=True)
class EndAccountsSessions(Command[int]):
    """Signs out everywhere whom an issuer of the program's site calls ``subject``, which is keyed.

    ``issuer`` is what that calls itself. The value says how many sessions were open. Raises unauthenticated, forbidden.
    """

    token_id: str
    site: str
    issuer: str
    subject: str
    at: datetime

    @property
    def holds(self) -> frozenset[str]:
        # as whoever signs in just now under this name
        return frozenset({f"{self.site}\0{self.issuer}\0{self.subject}"})

    def apply(self, connection: Connection) -> CommandResult[int]:
        asking = program(connection, self.token_id)
        asking.require(TokenScope.people)
        named = (_i.site_id == asking.site_id, _i.issuer == self.issuer, _i.subject == self.subject)
        author_id = connection.scalar(select(_i.author_id).where(*named))
        if author_id is None:
            return CommandResult(0)
        ended = len(end_sessions(connection, author_id, self.at))
        action = Action(by_program(asking.name), Verb.end_sessions, asking.site_id, author_id, data={"ended": ended})
        record(connection, action, self.at)
        return CommandResult(ended)
