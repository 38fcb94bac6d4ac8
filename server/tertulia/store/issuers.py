"""Whose word is taken for who a reader is: the rows of issuers, and the operator's commands that make and end them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from tertulia.core.strict_json import Json
from tertulia.errors import ErrorCode, Problem, no_such_site
from tertulia.store import schema
from tertulia.store.actions import OPERATOR, Action, By, Verb, record
from tertulia.store.clock import instant
from tertulia.store.commands import Command, CommandResult
from tertulia.store.sessions import open_now

_f, _i, _n, _s = schema.issuer.c, schema.identity.c, schema.session.c, schema.site.c


@dataclass(frozen=True, slots=True)
class IssuerRow:
    """``config`` is as its ``kind`` has it; ``sealed`` is its secret, where there is one."""

    site: str
    name: str
    kind: str
    config: Mapping[str, Json]
    sealed: str | None


def issuers(connection: Connection, kind: str) -> Sequence[IssuerRow]:
    """Those of all sites, by site and name."""
    query = select(schema.issuer, _s.key).join(schema.site).where(_f.kind == kind).order_by(_s.key, _f.name)
    return [IssuerRow(row.key, row.name, row.kind, row.config, row.sealed_secret) for row in connection.execute(query)]


def called(connection: Connection, site: str, name: str) -> str | None:
    """What the issuer or provider of this name calls itself, None where the site has none."""
    query = select(_f.config).join(schema.site).where(_s.key == site, _f.name == name)
    config = connection.scalar(query)
    return None if config is None else str(config.get("iss") or config.get("issuer") or "")


@dataclass(frozen=True, slots=True)
class AddIssuer(Command[None]):
    """Takes the word of one more. Raises unknown_site, and invalid where the site has one of this name."""

    row: IssuerRow
    at: datetime
    by: By = OPERATOR

    def apply(self, connection: Connection) -> CommandResult[None]:
        row = self.row
        site_id = _site_id(connection, row.site)
        if connection.scalar(select(_f.id).where(_f.site_id == site_id, _f.name == row.name)) is not None:
            detail = f"The site {row.site} has an issuer {row.name} already; choose another name, or remove that one."
            raise Problem(ErrorCode.invalid, detail, field="name")
        values = {"site_id": site_id, "name": row.name, "kind": row.kind, "config": row.config}
        connection.execute(insert(schema.issuer).values(**values, sealed_secret=row.sealed))
        record(connection, Action(self.by, Verb.add_issuer, site_id, data={"name": row.name}), self.at)
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class RemoveIssuer(Command[IssuerRow]):
    """Takes an issuer's word no more; who is signed in by it stays so.

    The value is the row. Raises unknown_site, invalid.
    """

    site: str
    name: str
    kind: str
    at: datetime
    by: By = OPERATOR

    def apply(self, connection: Connection) -> CommandResult[IssuerRow]:
        site_id = _site_id(connection, self.site)
        its = (_f.site_id == site_id, _f.name == self.name, _f.kind == self.kind)
        row = connection.execute(delete(schema.issuer).where(*its).returning(_f.config, _f.sealed_secret)).one_or_none()
        if row is None:
            what = "provider" if self.kind == "provider" else "issuer"
            detail = f"The site {self.site} has no {what} {self.name}; see: tertulia {what} list"
            raise Problem(ErrorCode.invalid, detail, field="name")
        record(connection, Action(self.by, Verb.remove_issuer, site_id, data={"name": self.name}), self.at)
        return CommandResult(IssuerRow(self.site, self.name, self.kind, row.config, row.sealed_secret))


@dataclass(frozen=True, slots=True)
class EndSessionsBy(Command[int]):
    """Ends all sessions of whom this issuer vouched for; the value is how many. Raises unknown_site."""

    site: str
    issuer: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[int]:
        site_id = _site_id(connection, self.site)
        vouched = select(_i.author_id).where(_i.site_id == site_id, _i.issuer == self.issuer)
        which = (_n.author_id.in_(vouched), *open_now(connection, self.at))
        ended = update(schema.session).where(*which).values(revoked_at=instant(connection, self.at))
        return CommandResult(connection.execute(ended).rowcount)


def _site_id(connection: Connection, key: str) -> int:
    found = connection.scalar(select(_s.id).where(_s.key == key))
    if found is None:
        raise no_such_site()
    return int(found)
