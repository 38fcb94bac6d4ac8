"""Tokens of a site's programs: made and removed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from tertulia.core.ids import uuid7
from tertulia.core.scopes import TokenScope
from tertulia.errors import ErrorCode, Problem
from tertulia.store import schema
from tertulia.store.actions import Action, By, Verb, record
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.mapping import milliseconds
from tertulia.store.roles import site_id_of

SCOPES = tuple(scope.value for scope in TokenScope)
"""What a token may be good for."""
_t = schema.site_token.c


@dataclass(frozen=True, slots=True)
class AddSiteToken(Command[None]):
    """Makes a token for a program of the site. Raises unknown_site; invalid where the site has one of this name."""

    by: By
    site: str
    name: str
    scopes: tuple[str, ...]
    token_hash: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        site_id = site_id_of(connection, self.site)
        if not self.scopes or not set(self.scopes) <= set(SCOPES):
            raise Problem(ErrorCode.invalid, f"Choose among the scopes {', '.join(SCOPES)}.", field="scopes")
        if connection.scalar(select(_t.id).where(_t.site_id == site_id, _t.name == self.name)) is not None:
            raise Problem(ErrorCode.invalid, "The site has a token of this name; choose another.", field="name")
        values = {"id": uuid7(), "site_id": site_id, "name": self.name, "token_hash": self.token_hash}
        scopes = [scope for scope in SCOPES if scope in self.scopes]
        connection.execute(insert(schema.site_token).values(**values, scopes=scopes, at=milliseconds(self.at)))
        data = {"token": self.name, "scopes": scopes}
        record(connection, Action(self.by, Verb.add_token, site_id, data=data), self.at)
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class RemoveSiteToken(Command[None]):
    """Removes a token, which no instance takes from the commit on. Raises unknown_site, not_found."""

    by: By
    site: str
    name: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        site_id = site_id_of(connection, self.site)
        which = delete(schema.site_token).where(_t.site_id == site_id, _t.name == self.name)
        if not connection.execute(which).rowcount:
            raise Problem(ErrorCode.not_found, f"The site has no token {self.name}.", field="name")
        record(connection, Action(self.by, Verb.remove_token, site_id, data={"token": self.name}), self.at)
        return CommandResult(None)
