"""Signing in, going on, signing out; and commands of whoever is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem, no_such_site, unauthenticated
from tertulia.store import schema
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.locks import LockTarget
from tertulia.store.mapping import milliseconds
from tertulia.store.records import insert_into
from tertulia.store.sessions import open_among

KEPT_ENDED = timedelta(days=30)
"""How long the row of a session that has ended stays, at least until its author signs in the next time."""
T = TypeVar("T")
_n, _a, _i, _t = schema.session.c, schema.author.c, schema.identity.c, schema.spent_token.c


@dataclass(frozen=True, slots=True)
class InSession(Command[T]):
    """A command of somebody who is signed in; raises unauthenticated where that has ended, and what it raises."""

    session_id: str
    command: Command[T]
    at: datetime

    @property
    def locks(self) -> LockTarget:
        return self.command.locks

    def apply(self, connection: Connection) -> CommandResult[T]:
        if not open_among(connection, [self.session_id], self.at):
            raise unauthenticated()
        return self.command.apply(connection)


class Spent(NamedTuple):
    """What a token that is good once is told by, and until when it would be good."""

    digest: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Who:
    """A person as an issuer of a site knows them; ``subject`` is keyed, ``name`` as it is kept.

    Without a ``trust`` the one that is known stays.
    """

    site: str
    issuer: str
    subject: str
    name: str
    trust: int | None = None


@dataclass(frozen=True, slots=True)
class SignIn(Command[str]):
    """Opens a session for a person, who is made with the first one and renamed where the name is another now.

    The value is the session's id. ``once`` is remembered, and refused the next time. Raises unknown_site, spent.
    """

    who: Who
    token_hash: str
    via: str
    life: timedelta
    at: datetime
    once: Spent | None = None

    def apply(self, connection: Connection) -> CommandResult[str]:
        site_id = connection.scalar(select(schema.site.c.id).where(schema.site.c.key == self.who.site))
        if site_id is None:
            raise no_such_site()
        if self.once is not None:
            self._spend(connection, self.once)
        author_id = self._author(connection, site_id)
        _sweep(connection, author_id, self.at)
        values = {
            "id": uuid7(),
            "token_hash": self.token_hash,
            "author_id": author_id,
            "site_id": site_id,
            "scope": "reader",
            "roles": [],
            "via": self.via,
            "label": "",
            "at": milliseconds(self.at),
            "used_at": milliseconds(self.at),
            "expires_at": milliseconds(self.at + self.life),
        }
        connection.execute(insert(schema.session).values(values))
        return CommandResult(str(values["id"]))

    def _spend(self, connection: Connection, once: Spent) -> None:
        connection.execute(delete(schema.spent_token).where(_t.expires_at < milliseconds(self.at)))
        row = {"digest": once.digest, "expires_at": milliseconds(once.until)}
        # where another instance spends it at this moment, this waits for that
        added = connection.execute(insert_into(connection, schema.spent_token).values(row).on_conflict_do_nothing())
        if not added.rowcount:
            raise Problem(ErrorCode.spent, "This was used already; ask for a new one.")

    def _author(self, connection: Connection, site_id: int) -> str:
        who = self.who
        its = (_i.site_id == site_id, _i.issuer == who.issuer, _i.subject == who.subject)
        known = connection.scalar(select(_i.author_id).where(*its)) or self._new(connection, site_id)
        # another instance may have made the same person at this moment
        found = str(known or connection.execute(select(_i.author_id).where(*its)).scalar_one())
        said = {"name": who.name} | ({} if who.trust is None else {"trust": who.trust})
        is_other = or_(*(schema.author.c[column] != value for column, value in said.items()))
        connection.execute(update(schema.author).where(_a.id == found, is_other).values(**said))
        return found

    def _new(self, connection: Connection, site_id: int) -> str | None:
        """None where another instance was first."""
        who, at = self.who, milliseconds(self.at)
        author = {"id": uuid7(), "name": who.name, "created_at": at, "site_id": site_id, "kind": "member"}
        connection.execute(insert(schema.author).values(**author, trust=who.trust or 0))
        identity = {"site_id": site_id, "issuer": who.issuer, "subject": who.subject, "author_id": author["id"]}
        values = insert_into(connection, schema.identity).values(**identity, at=at)
        if connection.execute(values.on_conflict_do_nothing()).rowcount:
            return str(author["id"])
        connection.execute(delete(schema.author).where(_a.id == author["id"]))
        return None


def _sweep(connection: Connection, author_id: str, at: datetime) -> None:
    before = milliseconds(at - KEPT_ENDED)
    over: ColumnElement[bool] = or_(_n.expires_at < before, _n.revoked_at < before)
    connection.execute(delete(schema.session).where(_n.author_id == author_id, over))


@dataclass(frozen=True, slots=True)
class ProlongSession(Command[None]):
    """Notes that a session is used, so that it ends ``life`` later; one that has ended stays so."""

    session_id: str
    at: datetime
    life: timedelta

    def apply(self, connection: Connection) -> CommandResult[None]:
        times = {"used_at": milliseconds(self.at), "expires_at": milliseconds(self.at + self.life)}
        open_ = (_n.id == self.session_id, _n.revoked_at.is_(None), _n.expires_at > milliseconds(self.at))
        connection.execute(update(schema.session).where(*open_).values(**times))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class EndSessions(Command[list[str]]):
    """Ends an author's sessions, or one of them; the value are the ids of those that were open.

    From the commit on no instance takes their tokens.
    """

    author_id: str
    at: datetime
    session_id: str | None = None

    def apply(self, connection: Connection) -> CommandResult[list[str]]:
        which = [_n.author_id == self.author_id, _n.revoked_at.is_(None), _n.expires_at > milliseconds(self.at)]
        if self.session_id is not None:
            which.append(_n.id == self.session_id)
        ended = update(schema.session).where(*which).values(revoked_at=milliseconds(self.at)).returning(_n.id)
        return CommandResult(list(connection.scalars(ended)))


@dataclass(frozen=True, slots=True)
class RenameAuthor(Command[None]):
    """Gives an author another name for what they will say; what was said keeps the one it was said under."""

    author_id: str
    name: str

    def apply(self, connection: Connection) -> CommandResult[None]:
        connection.execute(update(schema.author).where(_a.id == self.author_id).values(name=self.name))
        return CommandResult(None)
