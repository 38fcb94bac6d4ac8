"""Banning somebody from a site, and lifting a ban: each is a row in the log of actions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, insert, select, update

from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem
from tertulia.store import bans, clock, persons, schema
from tertulia.store.actions import Action, By, Verb, record
from tertulia.store.bans import AUTHOR, Ban, BanEffect
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.mapping import milliseconds
from tertulia.store.roles import roles_at, site_id_of

_b = schema.ban.c


class Banned(NamedTuple):
    """The ban, and the id of the action that tells of it."""

    ban: Ban
    action: str


@dataclass(frozen=True, slots=True)
class BanAuthor(Command[Banned]):
    """Bans who wrote something at the site; of a guest who became a member, the member.

    Raises unknown_site, not_found, forbidden for somebody with a role; invalid where it ends before it begins.
    """

    by: By
    site: str
    author_id: str
    effect: BanEffect
    at: datetime
    until: datetime | None = None
    reason: str = ""
    note: str = ""

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({self.author_id})

    def apply(self, connection: Connection) -> CommandResult[Banned]:
        site_id = site_id_of(connection, self.site)
        person = persons.at_site(connection, site_id, self.author_id)
        author_id = str(person.merged_into or person.id)
        if roles_at(connection, author_id, site_id):
            raise Problem(ErrorCode.forbidden, "Somebody with a role cannot be banned; take the role away first.")
        at = clock.shared(connection, self.at)
        if self.until is not None and self.until <= at:
            raise Problem(ErrorCode.invalid, "A ban has to end in the future.", field="until")
        ban = Ban(uuid7(), author_id, self.effect, self.reason, self.note, at, self.until, self.by.name, person.name)
        values = {
            "id": ban.id,
            "site_id": site_id,
            "kind": AUTHOR,
            "target": author_id,
            "author_id": author_id,
            "effect": ban.effect.value,
            "reason": ban.reason,
            "note": ban.note,
            "at": milliseconds(ban.at),
            "until": None if ban.until is None else milliseconds(ban.until),
            "by": ban.by,
        }
        connection.execute(insert(schema.ban).values(**values))
        bans.note(connection, author_id)
        data = {"ban": ban.id, "effect": ban.effect.value, "until": values["until"]}
        action = Action(self.by, Verb.ban, site_id, author_id, reason=ban.reason, note=ban.note, data=data)
        return CommandResult(Banned(ban, record(connection, action, self.at)))


@dataclass(frozen=True, slots=True)
class LiftBan(Command[str]):
    """Ends a ban of the site before its time; the id of the action that tells of it.

    Raises unknown_site; not_found where there is none that goes on.
    """

    by: By
    site: str
    ban_id: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[str]:
        site_id = site_id_of(connection, self.site)
        its = (_b.id == self.ban_id, _b.site_id == site_id, _b.lifted_at.is_(None))
        target = connection.scalar(select(_b.target).where(*its))
        lifted = update(schema.ban).where(*its).values(lifted_at=milliseconds(self.at), lifted_by=self.by.name)
        if target is None or not connection.execute(lifted).rowcount:
            raise Problem(ErrorCode.not_found, "There is no such ban, or it was lifted already.")
        bans.note(connection, target)
        action = Action(self.by, Verb.lift_ban, site_id, target, data={"ban": self.ban_id})
        return CommandResult(record(connection, action, self.at))
