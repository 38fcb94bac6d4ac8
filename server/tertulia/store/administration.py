"""Commands of the operator: sites, moderators and the epoch."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from tertulia.core.comments import Author
from tertulia.core.ids import uuid7
from tertulia.core.text import is_site
from tertulia.errors import ErrorCode, Problem
from tertulia.store import mapping, schema
from tertulia.store.commands import Command, CommandResult
from tertulia.store.database import EPOCH_BYTES

ALL_SITES = 0
"""Where a grant holds everywhere."""
PROBE_BYTES = 4096
"""Written in twice as many hexadecimal digits, which no database makes smaller: PostgreSQL needs a page for them."""


@dataclass(frozen=True, slots=True)
class AddSite(Command[None]):
    """Makes a site, or gives one that is there these origins. Raises invalid."""

    key: str
    origins: Sequence[str]
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        if not is_site(self.key):
            raise Problem(ErrorCode.invalid, "A site's key has 1 to 64 of a-z, 0-9 and '-'.", field="site")
        s, origins = schema.site.c, list(self.origins)
        if connection.scalar(select(s.id).where(s.key == self.key)) is None:
            values = {"key": self.key, "origins": origins, "created_at": mapping.milliseconds(self.at)}
            connection.execute(insert(schema.site).values(**values))
        else:
            connection.execute(update(schema.site).where(s.key == self.key).values(origins=origins))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class AddModerator(Command[None]):
    """Makes a moderator of this name. Raises invalid when there is one."""

    name: str
    token_hash: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        m = schema.moderator.c
        if connection.scalar(select(m.author_id).where(m.name == self.name)) is not None:
            detail = f"There is a moderator {self.name} already; choose another name."
            raise Problem(ErrorCode.invalid, detail, field="name")
        author = mapping.author_row(Author(uuid7(), self.name, "moderator"), self.at)
        connection.execute(insert(schema.author).values(**author, kind="staff"))
        values = {"author_id": author["id"], "name": self.name, "token_hash": self.token_hash}
        connection.execute(insert(schema.moderator).values(**values, created_at=author["created_at"]))
        grant = {"author_id": author["id"], "site_id": ALL_SITES, "role": "moderator"}
        connection.execute(insert(schema.grant).values(**grant))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class RenewModerator(Command[None]):
    """Gives a moderator another token; the one before is nobody's from the commit on. Raises invalid."""

    name: str
    token_hash: str

    def apply(self, connection: Connection) -> CommandResult[None]:
        named = update(schema.moderator).where(schema.moderator.c.name == self.name)
        if not connection.execute(named.values(token_hash=self.token_hash)).rowcount:
            raise _no_moderator(self.name)
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class RemoveModerator(Command[None]):
    """Takes a moderator's rights back; what was said and done stays, its badge too. Raises invalid."""

    name: str

    def apply(self, connection: Connection) -> CommandResult[None]:
        m, g = schema.moderator.c, schema.grant.c
        author_id = connection.scalar(delete(schema.moderator).where(m.name == self.name).returning(m.author_id))
        if author_id is None:
            raise _no_moderator(self.name)
        connection.execute(delete(schema.grant).where(g.author_id == author_id))
        return CommandResult(None)


def _no_moderator(name: str) -> Problem:
    return Problem(ErrorCode.invalid, f"There is no moderator {name}; see: tertulia moderator list", field="name")


@dataclass(frozen=True, slots=True)
class RenewEpoch(Command[str]):
    """Gives the database a new epoch, so that every cursor from before is answered by reset; the new one."""

    def apply(self, connection: Connection) -> CommandResult[str]:
        epoch = secrets.token_urlsafe(EPOCH_BYTES)
        connection.execute(update(schema.meta).where(schema.meta.c.name == "epoch").values(value=epoch))
        return CommandResult(epoch)


@dataclass(frozen=True, slots=True)
class ProbeWrite(Command[None]):
    """Writes as much as a long comment and takes it away again: nothing is left, and it meets what a comment meets.

    Rows of several instances have names of their own, so that none waits for another's.
    """

    def apply(self, connection: Connection) -> CommandResult[None]:
        name = f"proof-{secrets.token_hex(8)}"
        connection.execute(insert(schema.meta).values(name=name, value=secrets.token_hex(PROBE_BYTES)))
        connection.execute(delete(schema.meta).where(schema.meta.c.name == name))
        return CommandResult(None)
