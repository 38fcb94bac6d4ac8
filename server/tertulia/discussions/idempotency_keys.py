"""Requests of an earlier version: idempotency keys that are stored as they were sent become keyed hashes.

Whoever has a key can repeat the post, and within a day is given its guest's token; so the database knows hashes alone.
No migration has the secret key. The server has it, and replaces what it finds while it serves; until then, and while
servers of the earlier version go on beside it, a repeat is known by either form.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, bindparam, case, null, select, update
from sqlalchemy.exc import SQLAlchemyError

from tertulia.core.ids import lowest_uuid7
from tertulia.errors import Problem
from tertulia.identity import HASH_PREFIX, Tokens
from tertulia.store import Store, schema
from tertulia.store.commands import Command, CommandResult
from tertulia.store.records import insert_into

PAGE = 500
"""Comments looked through, and replaced, at a time: some 15 ms in which whoever posts has to wait."""
PAUSE_SECONDS = 0.05
"""Between two pages, so that a million comments take two minutes and nobody notices."""
AGAIN_SECONDS = 10.0
"""Between two attempts while the database is away."""
OVERLAP_MILLISECONDS = 86_400_000
"""Of what was looked through before: servers of the earlier version may have gone on for a while, with wrong clocks."""
DONE = "requests_hidden"
"""The name in ``meta`` of the time, in milliseconds since 1970, before which nothing more has to be replaced."""

log = logging.getLogger(__name__)
T = TypeVar("T")


class Row(NamedTuple):
    """A comment's id, its idempotency key and the digest of what the key stands for."""

    comment: str
    key: str | None
    digest: str | None


c, m = schema.comment.c, schema.meta.c
_MARKED = select(m.value).where(m.name == DONE)
_other = schema.comment.alias("other")
_SAID_TWICE = (
    select(_other.c.id)
    .where(_other.c.author_id == c.author_id, _other.c.idempotency_key == bindparam("hashed"))
    .exists()
)
"""A server of the earlier version did not recognise the hash: the first comment keeps the key."""
_REPLACE = (
    update(schema.comment)
    .where(c.id == bindparam("comment"), c.idempotency_key == bindparam("unhashed"))
    .values(idempotency_key=case((_SAID_TWICE, null()), else_=bindparam("hashed")), request_digest=bindparam("digest"))
)


async def hash_stored_keys(store: Store, tokens: Tokens) -> None:
    """Looks once through the comments that may have an unhashed key; several servers may do so at once."""
    try:
        await _replace_all(store, tokens)
    except Exception:
        log.exception("Idempotency keys could not be replaced")  # the next start looks again


async def _replace_all(store: Store, tokens: Tokens) -> None:
    began = time.time_ns() // 1_000_000
    after, last = await _persistently(partial(store.read, _beginning)), ""
    hashed = 0
    while found := await _persistently(partial(store.read, _page, max(after, last))):
        last = found[-1].comment
        unhashed = [row for row in found if row.key is not None and not row.key.startswith(HASH_PREFIX)]
        if unhashed:
            await _persistently(partial(store.write, ReplaceKeys(unhashed, tokens)))
            hashed += len(unhashed)
        await asyncio.sleep(PAUSE_SECONDS)
    if last:
        await _persistently(partial(store.write, MarkReplaced(began)))
    if hashed:
        log.info("Idempotency keys of an earlier version are stored as keyed hashes now", extra={"comments": hashed})


async def _persistently(attempt: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await attempt()
        except (Problem, SQLAlchemyError, OSError) as error:
            log.warning("Idempotency keys are not replaced yet", extra={"reason": str(error).split("\n")[0]})
        await asyncio.sleep(AGAIN_SECONDS)


def _beginning(connection: Connection) -> str:
    """The id after which comments have to be looked at: they are in the order of time, but for some of imports."""
    marked = connection.scalar(_MARKED)
    return "" if marked is None else lowest_uuid7(int(marked) - OVERLAP_MILLISECONDS)


def _page(connection: Connection, after: str) -> list[Row]:
    query = select(c.id, c.idempotency_key, c.request_digest).where(c.id > after).order_by(c.id).limit(PAGE)
    return [Row(row[0], row[1], row[2]) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class ReplaceKeys(Command[None]):
    """Replaces unhashed keys and their digests by keyed hashes."""

    rows: Sequence[Row]
    tokens: Tokens

    def apply(self, connection: Connection) -> CommandResult[None]:
        values = []
        for row in self.rows:
            assert row.key is not None  # noqa: S101 - the others are left out
            hashed, digest = self.tokens.hashed_key(row.key), self.tokens.hashed_digest(row.digest or "")
            values.append({"comment": row.comment, "unhashed": row.key, "hashed": hashed, "digest": digest})
        connection.execute(_REPLACE, values)
        return CommandResult(None, erases=True)


@dataclass(frozen=True, slots=True)
class MarkReplaced(Command[None]):
    """Notes that every key from before ``at``, in milliseconds since 1970, is replaced."""

    at: int

    def apply(self, connection: Connection) -> CommandResult[None]:
        marked = insert_into(connection, schema.meta).values(name=DONE, value=str(self.at))
        connection.execute(marked.on_conflict_do_update(index_elements=[m.name], set_={"value": str(self.at)}))
        return CommandResult(None)
