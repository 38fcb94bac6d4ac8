"""Programs of sites, each known by a token: whose it is and what it is good for, as the database says just now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from tertulia.core.scopes import TokenScope
from tertulia.errors import ErrorCode, Problem, unauthenticated
from tertulia.store import schema

_t, _s = schema.site_token.c, schema.site.c


@dataclass(frozen=True, slots=True)
class Program:
    """``id`` is that of its token, ``site`` the key of the only site where that is good."""

    id: str
    name: str
    site: str
    site_id: int
    scopes: tuple[str, ...]

    def require(self, scope: TokenScope) -> None:
        """Raises forbidden for a scope that its token does not have."""
        if scope not in self.scopes:
            raise Problem(ErrorCode.forbidden, f"This needs a token with the scope {scope}.")


def program_of(connection: Connection, token_hash: str) -> Program:
    """Raises unauthenticated for a token that was removed, or never was."""
    return _found(connection, _t.token_hash == token_hash)


def program(connection: Connection, token_id: str) -> Program:
    """Raises unauthenticated once its token is removed."""
    return _found(connection, _t.id == token_id)


def _found(connection: Connection, which: ColumnElement[bool]) -> Program:
    query = select(_t.id, _t.name, _s.key, _t.site_id, _t.scopes).join(schema.site, _s.id == _t.site_id).where(which)
    row: Any = connection.execute(query).one_or_none()
    if row is None:
        raise unauthenticated()
    return Program(row.id, row.name, row.key, row.site_id, tuple(row.scopes))


def elsewhere() -> Problem:
    """The refusal of whoever decides at another site."""
    return Problem(ErrorCode.forbidden, "This token is not good for that site.")
