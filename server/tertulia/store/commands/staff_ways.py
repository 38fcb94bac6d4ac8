"""The ways in of people who decide: attached and removed by themselves, in a session of the staff's pages.

An issuer means one author at a site, whichever pages somebody signs in to: there is one table of that, ``identity``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, update

from tertulia.errors import ErrorCode, Problem, unauthenticated
from tertulia.store import schema
from tertulia.store.actions import Action, By, Verb, record
from tertulia.store.clock import instant
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.commands.sessions import spend
from tertulia.store.commands.staff import MEMBER, Vouched
from tertulia.store.mapping import milliseconds
from tertulia.store.records import insert_into
from tertulia.store.roles import site_id_of
from tertulia.store.sessions import INVITATION, STAFF, is_open, open_now

WAYS = 20
"""Of one person, at all sites."""
_a, _g, _i, _n = schema.author.c, schema.grant.c, schema.identity.c, schema.session.c


@dataclass(frozen=True, slots=True)
class AttachWay(Command[None]):
    """From now on who is vouched for like this signs in as ``by``; stands in ``InRole``, which asks for the role.

    What leads to the person already stays. Raises unknown_site, spent; name_taken where it leads to somebody else, who
    would lose it; invalid for one too many.
    """

    by: By
    vouched: Vouched
    at: datetime

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({str(self.by.id), self.vouched.once.digest})

    def apply(self, connection: Connection) -> CommandResult[None]:
        vouched, site_id = self.vouched, site_id_of(connection, self.vouched.site)
        spend(connection, vouched.once, self.at)
        # who is taken the last role at this moment is waited for: what they attach then would lead to nobody
        connection.execute(select(_g.role).where(_g.author_id == self.by.id).with_for_update())
        known = select(func.count()).select_from(schema.identity).where(_i.author_id == self.by.id)
        if (connection.scalar(known) or 0) >= WAYS:
            raise Problem(ErrorCode.invalid, f"Nobody has more than {WAYS} ways in; remove one first.", field="ways")
        row = {"site_id": site_id, "issuer": vouched.issuer, "subject": vouched.subject, "author_id": self.by.id}
        new = insert_into(connection, schema.identity).values(row | {"at": milliseconds(self.at)})
        if connection.execute(new.on_conflict_do_nothing()).rowcount:
            done = Action(self.by, Verb.attach_way, site_id, author_id=self.by.id, data={"via": vouched.via})
            record(connection, done, self.at)
            return CommandResult(None)
        its = (_i.site_id == site_id, _i.issuer == vouched.issuer, _i.subject == vouched.subject)
        if connection.scalar(select(_i.author_id).where(*its)) != self.by.id:
            detail = "Somebody else signs in to this site like this already."
            raise Problem(ErrorCode.name_taken, detail, field="way")
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class DetachWay(Command[None]):
    """Takes one of one's own ways in away, and ends all of one's other sessions, which may have come by it.

    A member keeps the last one: nothing else leads to what they said. Raises unauthenticated where the session has
    ended, unknown_site, not_found, invalid.
    """

    by: By
    session_id: str
    site: str
    issuer: str
    subject: str
    via: str
    at: datetime

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({str(self.by.id)})

    def apply(self, connection: Connection) -> CommandResult[None]:
        if not is_open(connection, self.session_id, self.at, STAFF):
            raise unauthenticated()
        site_id = site_id_of(connection, self.site)
        kind = connection.scalar(select(_a.kind).where(_a.id == self.by.id).with_for_update())
        own = set(
            map(tuple, connection.execute(select(_i.site_id, _i.issuer, _i.subject).where(_i.author_id == self.by.id)))
        )
        its = (site_id, self.issuer, self.subject)
        if its not in own:
            raise Problem(ErrorCode.not_found, "You have no such way in.", field="way")
        if kind == MEMBER and own == {its}:
            raise Problem(ErrorCode.invalid, "This is your only way in; add another one first.", field="way")
        which = (_i.site_id == site_id, _i.issuer == self.issuer, _i.subject == self.subject)
        connection.execute(delete(schema.identity).where(*which))
        self._end_others(connection)
        done = Action(self.by, Verb.detach_way, site_id, author_id=self.by.id, data={"via": self.via})
        record(connection, done, self.at)
        return CommandResult(None)

    def _end_others(self, connection: Connection) -> None:
        others = (_n.author_id == self.by.id, _n.id != self.session_id, _n.scope != INVITATION)
        ended = update(schema.session).where(*others, *open_now(connection, self.at))
        connection.execute(ended.values(revoked_at=instant(connection, self.at)))
