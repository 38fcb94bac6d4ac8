"""Banning somebody, or the guests of a network, from a site, and lifting a ban: each is a row in the log of actions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select, update

from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem
from tertulia.store import bans, clock, persons, schema, tasks
from tertulia.store.actions import Action, By, Verb, record
from tertulia.store.bans import Ban, BanEffect, Reach
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.mapping import milliseconds
from tertulia.store.roles import roles_at, site_id_of

REMOVING = "removing"
"""The queue of tasks that remove what somebody wrote who was banned."""
_a, _b, _c, _d, _o = schema.author.c, schema.ban.c, schema.comment.c, schema.discussion.c, schema.origin.c


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """``until`` is None without an end; what was written from ``remove_since`` on is removed, None removes nothing.

    ``note`` is for moderators.
    """

    effect: BanEffect = BanEffect.refuse
    until: datetime | None = None
    reason: str = ""
    note: str = ""
    remove_since: datetime | None = None


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
    terms: Terms
    at: datetime

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({self.author_id})

    def apply(self, connection: Connection) -> CommandResult[Banned]:
        site_id = site_id_of(connection, self.site)
        person = persons.at_site(connection, site_id, self.author_id)
        author_id = str(person.merged_into or person.id)
        _require_no_role(connection, author_id, site_id)
        whom = (Reach.author, author_id, author_id)
        banned = _put(connection, self.by, site_id, whom, self.terms, self.at, person.name)
        bans.note(connection, author_id)
        return CommandResult(banned)


@dataclass(frozen=True, slots=True)
class BanNetwork(Command[Banned]):
    """Bans the guests of the network that a comment of the site came from; ``reach`` is near or wide.

    Raises unknown_site; not_found where it is not known any more where the comment came from; forbidden and invalid as
    BanAuthor does.
    """

    by: By
    site: str
    comment_id: str
    reach: Reach
    terms: Terms
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[Banned]:
        site_id = site_id_of(connection, self.site)
        query = (
            select(_c.author_id, _a.name, _o.network)
            .join(schema.author, _a.id == _c.author_id)
            .join(schema.origin, _o.comment_id == _c.id)
        )
        query = query.join(schema.discussion, _d.id == _c.discussion_id)
        row = connection.execute(query.where(_c.id == self.comment_id, _d.site_id == site_id)).one_or_none()
        if row is None:
            detail = "It is not known where this comment came from, or no longer; ban its author."
            raise Problem(ErrorCode.not_found, detail, field="comment_id")
        _require_no_role(connection, row.author_id, site_id)
        whom = (self.reach, bans.target_of(row.network, self.reach), row.author_id)
        banned = _put(connection, self.by, site_id, whom, self.terms, self.at, row.name)
        bans.note_networks(connection, site_id)
        return CommandResult(banned)


def _require_no_role(connection: Connection, author_id: str, site_id: int) -> None:
    if roles_at(connection, author_id, site_id):
        raise Problem(ErrorCode.forbidden, "Somebody with a role cannot be banned; take the role away first.")


def _put(
    connection: Connection,
    by: By,
    site_id: int,
    whom: tuple[Reach, str, str],
    terms: Terms,
    given_at: datetime,
    name: str,
) -> Banned:
    """``whom``: reach, target, and whose comment led to it, of this name. Raises invalid."""
    at = clock.shared(connection, given_at)
    if terms.until is not None and terms.until <= at:
        raise Problem(ErrorCode.invalid, "A ban has to end in the future.", field="until")
    reach, target, author_id = whom
    ban = Ban(uuid7(), reach, target, author_id, terms.effect, terms.reason, terms.note, at, terms.until, by.name, name)
    until = None if ban.until is None else milliseconds(ban.until)
    values: dict[str, Any] = {
        "id": ban.id,
        "site_id": site_id,
        "kind": ban.reach.value,
        "target": ban.target,
        "author_id": ban.author_id,
        "effect": ban.effect.value,
        "reason": ban.reason,
        "note": ban.note,
        "at": milliseconds(ban.at),
        "until": until,
        "by": ban.by,
    }
    connection.execute(insert(schema.ban).values(**values))
    removes = terms.remove_since is not None
    data = {"ban": ban.id, "effect": ban.effect.value, "until": until, "reach": reach.value, "removes": removes}
    action = record(
        connection,
        Action(by, Verb.ban, site_id, author_id, reason=ban.reason, note=ban.note, data=data),
        given_at,
    )
    if terms.remove_since is not None:
        since = max(0, milliseconds(terms.remove_since))
        tasks.enqueue(connection, REMOVING, {"site": site_id, "ban": ban.id, "since": since, "action": action})
    return Banned(ban, action)


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
        found = bans.find(connection, site_id, self.ban_id)
        its = (_b.id == self.ban_id, _b.site_id == site_id, _b.lifted_at.is_(None))
        lifted = update(schema.ban).where(*its).values(lifted_at=milliseconds(self.at), lifted_by=self.by.name)
        if found is None or not connection.execute(lifted).rowcount:
            raise Problem(ErrorCode.not_found, "There is no such ban, or it was lifted already.")
        if found.reach is Reach.author:
            bans.note(connection, found.target)
        else:
            bans.note_networks(connection, site_id)
        data = {"ban": self.ban_id, "reach": found.reach.value}
        action = Action(self.by, Verb.lift_ban, site_id, found.author_id or None, data=data)
        return CommandResult(record(connection, action, self.at))
