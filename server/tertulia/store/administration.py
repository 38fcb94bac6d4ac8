"""Commands of the operator: sites, moderators and the epoch."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from tertulia.core.badges import Words
from tertulia.core.roles import Role
from tertulia.core.rules import OwnRules, differences, own_rules
from tertulia.core.text import is_site
from tertulia.errors import ErrorCode, Problem, no_such_site
from tertulia.store import mapping, schema, tasks
from tertulia.store.actions import OPERATOR, Action, By, Verb, record
from tertulia.store.commands import Command, CommandResult
from tertulia.store.commands.staff import add_grant, add_staff, end_staff, staff_named
from tertulia.store.database import EPOCH_BYTES
from tertulia.store.roles import ALL_SITES

SITE_RULES = "site-rules"
"""The queue of the sites whose discussions are to be told of other rules."""
BADGES = 20
"""Of one site: their words come with each page."""
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
class ChangeSiteRules(Command[OwnRules]):
    """Changes the rules of a site that are given, for the next comment on; its discussions are told by a task.

    ``change`` says which; the value is what the site says from now on. Raises unknown_site.
    """

    key: str
    change: Callable[[OwnRules], OwnRules]
    at: datetime
    by: By = OPERATOR

    def apply(self, connection: Connection) -> CommandResult[OwnRules]:
        s = schema.site.c
        found = connection.execute(select(s.id, s.settings).where(s.key == self.key).with_for_update()).one_or_none()
        if found is None:
            raise no_such_site()
        settings = dict(found.settings or {})
        before = own_rules(settings.get("rules"))
        after = self.change(before)
        if after != before:
            settings["rules"] = after.stored()
            changed = {"settings": settings, "version": s.version + 1}
            connection.execute(update(schema.site).where(s.id == found.id).values(changed))
            tasks.enqueue(connection, SITE_RULES, {"site": found.id}, name=f"{SITE_RULES}:{found.id}")
            data = {"rules": differences(before, after)}
            record(connection, Action(self.by, Verb.change_rules, found.id, data=data), self.at)
        return CommandResult(after, makes_tasks=after != before)


@dataclass(frozen=True, slots=True)
class ChangeSiteBadge(Command[None]):
    """Gives a badge of a site these words, by language, or takes it away without any. Raises unknown_site, invalid."""

    key: str
    badge: str
    words: Words
    at: datetime
    by: By = OPERATOR

    def apply(self, connection: Connection) -> CommandResult[None]:
        s = schema.site.c
        found = connection.execute(select(s.id, s.settings).where(s.key == self.key).with_for_update()).one_or_none()
        if found is None:
            raise no_such_site()
        settings = dict(found.settings or {})
        others = {key: words for key, words in settings.get("badges", {}).items() if key != self.badge}
        settings["badges"] = others | ({self.badge: dict(self.words)} if self.words else {})
        if len(settings["badges"]) > BADGES:
            raise Problem(ErrorCode.invalid, f"A site has at most {BADGES} badges.", field="badge")
        changed = {"settings": settings, "version": s.version + 1}
        connection.execute(update(schema.site).where(s.id == found.id).values(changed))
        data = {"badge": self.badge, "words": dict(self.words)}
        record(connection, Action(self.by, Verb.change_badge, found.id, data=data), self.at)
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class AddModerator(Command[None]):
    """Makes a moderator of all sites, of this name. Raises invalid when there is one."""

    name: str
    token_hash: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        if staff_named(connection, self.name) is not None:
            detail = f"There is a moderator {self.name} already; choose another name."
            raise Problem(ErrorCode.invalid, detail, field="name")
        author_id = add_staff(connection, self.name, self.token_hash, self.at, badge=Role.moderator)
        add_grant(connection, OPERATOR, author_id, ALL_SITES, Role.moderator, self.at)
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
    """Takes all roles of a moderator back; what was said and done stays, its badge too. Raises invalid."""

    name: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        m, g = schema.moderator.c, schema.grant.c
        author_id = connection.scalar(select(m.author_id).where(m.name == self.name))
        if author_id is None:
            raise _no_moderator(self.name)
        end_staff(connection, author_id, self.at)
        taken = delete(schema.grant).where(g.author_id == author_id).returning(g.site_id, g.role)
        for site_id, role in sorted(map(tuple, connection.execute(taken))):
            action = Action(OPERATOR, Verb.take, site_id, author_id=author_id, data={"role": role})
            record(connection, action, self.at)
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
