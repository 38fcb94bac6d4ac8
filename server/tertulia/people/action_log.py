"""The log of actions as lines of JSON, for those who keep it elsewhere."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict
from datetime import UTC, datetime

from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import timestamp
from tertulia.store.actions import LogPage, Recorded

LINES = 500
"""Read at once."""
ReadPage = Callable[[str | None], Awaitable[LogPage]]
"""The page of a cursor, the newest actions first; None is the first page."""


async def log_lines(read: ReadPage, since: datetime | None, until: datetime | None) -> AsyncIterator[str]:
    """All actions from ``since`` on and before ``until``, the newest first, many lines at a time."""
    cursor = None
    while True:
        page = await read(cursor)
        yield "".join(_line(one) for one in page.actions if _is_within(one.at, since, until))
        if page.next is None or (since is not None and page.actions and page.actions[-1].at < since):
            return
        cursor = page.next


def moment(given: str | None, name: str) -> datetime | None:
    """A day or a moment, of UTC where it has no zone. Raises invalid for what is neither, of the field ``name``."""
    if not given:
        return None
    try:
        found = datetime.fromisoformat(given)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Problem(ErrorCode.invalid, "Give a day such as 2026-11-24.", field=name) from None


def _is_within(at: datetime, since: datetime | None, until: datetime | None) -> bool:
    return (until is None or at < until) and (since is None or at >= since)


def _line(one: Recorded) -> str:
    return json.dumps({**asdict(one), "at": timestamp(one.at)}, ensure_ascii=False) + "\n"
