"""Guests are known by signed tokens without a row: which of these are void is read where something is asked or written.

A token is void that was made before ``tokens_after`` of its author, and each of a guest who has become a member.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Concatenate, NamedTuple, ParamSpec, TypeVar

from sqlalchemy import Connection, select

from tertulia.errors import unauthenticated
from tertulia.store import schema
from tertulia.store.records import TOKENS_AFTER, is_void

P = ParamSpec("P")
T = TypeVar("T")
UNMADE = datetime.fromtimestamp(0, UTC)
"""When the token was made of somebody who has none yet."""
_a = schema.author.c


class GuestToken(NamedTuple):
    """Whom a token names, and when it was made."""

    author_id: str
    made_at: datetime


def void_among(connection: Connection, tokens: Iterable[GuestToken]) -> set[str]:
    """The authors of those of these tokens that are void."""
    given = {token.author_id: token.made_at for token in tokens}
    if not given:
        return set()
    query = select(_a.id, TOKENS_AFTER.label("after")).where(_a.id.in_(sorted(given)))
    return {row.id for row in connection.execute(query) if is_void(row.after, given[row.id])}


def admit(connection: Connection, token: GuestToken | None) -> None:
    """Raises unauthenticated for a token that is void."""
    if token is not None and void_among(connection, [token]):
        raise unauthenticated()


def asked_by(
    connection: Connection,
    token: GuestToken | None,
    query: Callable[Concatenate[Connection, P], T],
    *args: P.args,
    **kwargs: P.kwargs,
) -> T:
    """What a query gives for whoever has this token; raises unauthenticated, and what the query raises."""
    admit(connection, token)
    return query(connection, *args, **kwargs)
