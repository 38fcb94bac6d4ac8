"""Commands of the operator: sites, moderators and the epoch."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from tertulia.core.ids import uuid7
from tertulia.core.text import is_site
from tertulia.errors import ErrorCode, Problem
from tertulia.store import mapping, schema
from tertulia.store.commands import CommandResult
from tertulia.store.database import EPOCH_BYTES

PROOF_BYTES = 4096
"""Written in twice as many hexadecimal digits, which no database makes smaller: PostgreSQL needs a page for them."""


def add_site(connection: Connection, key: str, origins: Sequence[str], at: datetime) -> CommandResult[None]:
    """Makes a site, or gives one that is there these origins. Raises invalid."""
    if not is_site(key):
        raise Problem(ErrorCode.invalid, "A site's key has 1 to 64 of a-z, 0-9 and '-'.", field="site")
    s = schema.site.c
    if connection.scalar(select(s.id).where(s.key == key)) is None:
        values = {"key": key, "origins": list(origins), "created_at": mapping.milliseconds(at)}
        connection.execute(insert(schema.site).values(**values))
    else:
        connection.execute(update(schema.site).where(s.key == key).values(origins=list(origins)))
    return CommandResult(None)


def add_moderator(connection: Connection, name: str, token_hash: str, at: datetime) -> CommandResult[None]:
    """Makes a moderator of this name. Raises invalid when there is one."""
    m = schema.moderator.c
    if connection.scalar(select(m.author_id).where(m.name == name)) is not None:
        raise Problem(ErrorCode.invalid, f"There is a moderator {name} already; choose another name.", field="name")
    author_id, created_at = uuid7(), mapping.milliseconds(at)
    author = {"id": author_id, "name": name, "badge": "moderator", "created_at": created_at}
    connection.execute(insert(schema.author).values(**author))
    values = {"author_id": author_id, "name": name, "token_hash": token_hash, "created_at": created_at}
    connection.execute(insert(schema.moderator).values(**values))
    return CommandResult(None)


def renew_moderator(connection: Connection, name: str, token_hash: str) -> CommandResult[None]:
    """Gives a moderator another token; the one before is nobody's from the commit on. Raises invalid."""
    m = schema.moderator.c
    renewed = connection.execute(update(schema.moderator).where(m.name == name).values(token_hash=token_hash))
    if not renewed.rowcount:
        raise _no_moderator(name)
    return CommandResult(None)


def remove_moderator(connection: Connection, name: str) -> CommandResult[None]:
    """Takes a moderator's rights back; what was said and done stays, its badge too. Raises invalid."""
    if not connection.execute(delete(schema.moderator).where(schema.moderator.c.name == name)).rowcount:
        raise _no_moderator(name)
    return CommandResult(None)


def _no_moderator(name: str) -> Problem:
    return Problem(ErrorCode.invalid, f"There is no moderator {name}; see: tertulia moderator list", field="name")


def renew_epoch(connection: Connection) -> CommandResult[str]:
    """Gives the database a new epoch, so that every cursor from before is answered by reset; the new one."""
    epoch = secrets.token_urlsafe(EPOCH_BYTES)
    connection.execute(update(schema.meta).where(schema.meta.c.name == "epoch").values(value=epoch))
    return CommandResult(epoch)


def prove(connection: Connection) -> CommandResult[None]:
    """Writes as much as a long comment and takes it away again: nothing is left, and it meets what a comment meets.

    Rows of several instances have names of their own, so that none waits for another's.
    """
    name = f"proof-{secrets.token_hex(8)}"
    connection.execute(insert(schema.meta).values(name=name, value=secrets.token_hex(PROOF_BYTES)))
    connection.execute(delete(schema.meta).where(schema.meta.c.name == name))
    return CommandResult(None)
