"""The hooks of a site: added and removed by the operator, and noted where they do not answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, case, delete, func, insert, select, update

from tertulia.core.hooks import CHECKS, FAILURES, PROBE_SECONDS, HookConfig, HookKind, site_checks
from tertulia.errors import ErrorCode, Problem
from tertulia.store import clock, schema
from tertulia.store.actions import OPERATOR, Action, By, Verb, record
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.hooks import hooks
from tertulia.store.roles import lock_site

MOST_HOOKS = 10
"""Of one site: each is asked about each comment."""
_PROBE = PROBE_SECONDS * 1_000
_h, _s = schema.hook.c, schema.site.c


class NewHook(NamedTuple):
    site: str
    name: str
    kind: HookKind
    config: HookConfig
    sealed: str | None


@dataclass(frozen=True, slots=True)
class AddHook(Command[None]):
    """Asks one more. Raises unknown_site, and invalid where the site has one of this name, or MOST_HOOKS."""

    hook: NewHook
    at: datetime
    by: By = OPERATOR

    def apply(self, connection: Connection) -> CommandResult[None]:
        new = self.hook
        site_id = lock_site(connection, new.site)
        known = {one.name for one in hooks(connection, new.site)}
        if new.name in known:
            detail = f"The site {new.site} has a hook {new.name} already; choose another name, or remove that one."
            raise Problem(ErrorCode.invalid, detail, field="name")
        if len(known) >= MOST_HOOKS:
            raise Problem(ErrorCode.invalid, f"A site has at most {MOST_HOOKS} hooks.", field="name")
        values = {"site_id": site_id, "name": new.name, "kind": new.kind.value, "config": new.config.stored()}
        connection.execute(insert(schema.hook).values(**values, sealed_secret=new.sealed))
        _changed(connection, self.by, Verb.add_hook, site_id, new.site, {"name": new.name, "kind": new.kind}, self.at)
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class RemoveHook(Command[None]):
    """Asks one no more; what it said of comments stays. Raises unknown_site, invalid."""

    site: str
    name: str
    at: datetime
    by: By = OPERATOR

    def apply(self, connection: Connection) -> CommandResult[None]:
        site_id = lock_site(connection, self.site)
        gone = delete(schema.hook).where(_h.site_id == site_id, _h.name == self.name)
        if not connection.execute(gone).rowcount:
            detail = f"The site {self.site} has no hook {self.name}; see: tertulia hooks list"
            raise Problem(ErrorCode.invalid, detail, field="name")
        _changed(connection, self.by, Verb.remove_hook, site_id, self.site, {"name": self.name}, self.at)
        return CommandResult(None)


def _changed(
    connection: Connection, by: By, verb: Verb, site_id: int, site: str, data: dict[str, str], at: datetime
) -> None:
    """Says in the site's settings what its hooks want now, and in the log what was done."""
    wanted = site_checks((one.kind, one.config) for one in hooks(connection, site))
    settings = dict(connection.scalar(select(_s.settings).where(_s.id == site_id)) or {}) | {CHECKS: int(wanted)}
    if not wanted:
        del settings[CHECKS]
    changed = {"settings": settings, "version": _s.version + 1}
    connection.execute(update(schema.site).where(_s.id == site_id).values(changed))
    record(connection, Action(by, verb, site_id, data=data), at)


@dataclass(frozen=True, slots=True)
class NoteFailures(Command[None]):
    """These did not answer, or nothing that can be understood."""

    hook_ids: tuple[int, ...]

    def apply(self, connection: Connection) -> CommandResult[None]:
        at = clock.now(connection)
        values = {
            "failures": _h.failures + 1,
            "failing_since": func.coalesce(_h.failing_since, at),
            "probe_at": case((_h.failures + 1 >= FAILURES, at + _PROBE), else_=None),
        }
        for hook_id in sorted(self.hook_ids):  # so that no two instances wait for each other
            connection.execute(update(schema.hook).where(_h.id == hook_id).values(values))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class TakeProbes(Command[frozenset[int]]):
    """Which of these, that are down, this instance may ask once: nobody else does for PROBE_SECONDS."""

    hook_ids: tuple[int, ...]

    def apply(self, connection: Connection) -> CommandResult[frozenset[int]]:
        at = clock.now(connection)
        due = update(schema.hook).where(_h.failures >= FAILURES, _h.probe_at <= at).values(probe_at=at + _PROBE)
        taken = {one for one in sorted(self.hook_ids) if connection.execute(due.where(_h.id == one)).rowcount}
        return CommandResult(frozenset(taken))
