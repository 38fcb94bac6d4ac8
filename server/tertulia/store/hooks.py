"""Whom a site asks from outside: the rows of hooks, and who of them is down.

A hook is down after FAILURES in a row, for all instances; from ``probe_at`` on one of them may ask it once more.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, func, select, update

from tertulia.core.hooks import CHECKING, FAILURES, HookConfig, HookKind, hook_config
from tertulia.store import schema

_h, _s = schema.hook.c, schema.site.c


@dataclass(frozen=True, slots=True)
class Hook:
    """A row. ``sealed`` is its secret; ``failing_since`` and ``probe_at`` are milliseconds since 1970."""

    id: int
    site: str
    name: str
    kind: HookKind
    config: HookConfig
    sealed: str | None
    failures: int
    failing_since: int | None
    probe_at: int | None

    @property
    def is_down(self) -> bool:
        return self.failures >= FAILURES


def hooks(connection: Connection, site: str | None = None) -> list[Hook]:
    """Those of a site, or of all, by site and name; kinds of a version after this one are left out."""
    query = _rows(HookKind)
    return [_hook(row) for row in connection.execute(query if site is None else query.where(_s.key == site))]


def known(connection: Connection, site_id: int, kinds: Iterable[HookKind]) -> list[Hook]:
    """The site's of these kinds, by name."""
    return [_hook(row) for row in connection.execute(_rows(kinds).where(_h.site_id == site_id))]


def _rows(kinds: Iterable[HookKind]) -> Select[Any]:
    query = select(schema.hook, _s.key).join(schema.site, _s.id == _h.site_id)
    return query.where(_h.kind.in_(sorted(kinds))).order_by(_s.key, _h.name)


def _hook(row: Any) -> Hook:
    config = hook_config(row.config)
    kept = (row.sealed_secret, row.failures, row.failing_since, row.probe_at)
    return Hook(row.id, row.key, row.name, HookKind(row.kind), config, *kept)


def down_since(connection: Connection, site_id: int) -> int | None:
    """Since when one of the site's checks has been down, in milliseconds since 1970; None while none is."""
    is_down = (_h.site_id == site_id, _h.kind.in_(sorted(CHECKING)), _h.failures >= FAILURES)
    found: int | None = connection.scalar(select(func.min(_h.failing_since)).where(*is_down))
    return found


def note_answer(connection: Connection, hook_id: int) -> None:
    """It answers, and does not fail any more."""
    mended = update(schema.hook).where(_h.id == hook_id, _h.failures > 0)
    connection.execute(mended.values(failures=0, failing_since=None, probe_at=None))
