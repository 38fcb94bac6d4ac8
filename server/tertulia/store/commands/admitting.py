"""Whether a comment may be said, at once or once a moderator has seen it, as the rules of its discussion have it.

What a rule asks of the database is asked where the rule is set, and for ``links`` where a comment has some.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection

from tertulia.core.causes import Cause, CauseKind
from tertulia.core.comments import Discussion, Mode
from tertulia.core.rules import FREE_LINKS, FirstComments, Links, Trust, WhoMayWrite
from tertulia.core.waits import wait_of
from tertulia.errors import ErrorCode, Problem
from tertulia.store import clock, standing
from tertulia.store.commands.drafts import Draft, DraftHead
from tertulia.store.mapping import milliseconds


def require_admitted(connection: Connection, discussion: Discussion, head: DraftHead) -> None:
    """Raises closed, members_only, slow_mode."""
    if head.is_staff:
        return
    rules = discussion.rules
    if discussion.mode is Mode.closed or rules.who is WhoMayWrite.nobody or is_over(connection, discussion, head.at):
        raise Problem(ErrorCode.closed, "This discussion is closed to new comments.")
    if rules.who is WhoMayWrite.members and not head.signed_in:
        raise Problem(
            ErrorCode.members_only, "Only those who are signed in may write here; sign in, then send it again."
        )
    if rules.slow and discussion.id is not None:
        _require_slow(connection, discussion.id, head, rules.slow)


def is_over(connection: Connection, discussion: Discussion, at: datetime) -> bool:
    """Whether the time has come at which it closes."""
    return discussion.closes_at is not None and clock.shared(connection, at) >= discussion.closes_at


def causes(connection: Connection, discussion: Discussion, draft: Draft) -> Iterator[Cause]:
    """Why a comment has to wait for a moderator. Raises links."""
    if draft.is_staff:
        return
    rules = discussion.rules
    if discussion.mode is Mode.held:
        yield Cause(CauseKind.mode)
    if rules.first is FirstComments.hold and standing.shown(connection, draft.authors, rules.first_n) < rules.first_n:
        yield Cause(CauseKind.first)
    if draft.links and has_to_wait(connection, rules.links, draft.links, draft.authors, draft.at):
        yield Cause(CauseKind.links, {"links": draft.links})
    yield from draft.causes


def has_to_wait(connection: Connection, rule: Links, links: int, authors: tuple[str, ...], at: datetime) -> bool:
    """Whether a text with so many links is for a moderator to see first. Raises links."""
    if rule is Links.refuse:
        raise too_many_links()
    if rule is Links.new and links > FREE_LINKS:
        return standing.trust(connection, authors, at) is Trust.new
    return rule is Links.hold


def too_many_links() -> Problem:
    return Problem(
        ErrorCode.links, "So many links may not be posted here; take them out, then send it again.", field="body"
    )


def _require_slow(connection: Connection, discussion_id: int, head: DraftHead, seconds: int) -> None:
    """Raises slow_mode. By the clocks of those who wrote, but for networks, whose times are the database's own."""
    at = milliseconds(head.at)
    wait = _wait(standing.newest(connection, head.authors, discussion_id, at - seconds * 1_000), at, seconds)
    if (origin := head.origin()) is not None:
        at = milliseconds(clock.shared(connection, head.at))
        newest = standing.newest_near(connection, origin, discussion_id, at - seconds * 1_000)
        wait = max(wait, _wait(newest, at, seconds))
    if wait:
        raise Problem(
            ErrorCode.slow_mode,
            f"One comment in {wait_of(seconds)} is what this discussion takes of each; send it again then.",
            retry_after=wait,
        )


def _wait(newest: int | None, at: int, seconds: int) -> int:
    """Whole seconds until the next comment; an instance's clock that is ahead makes them no more than those asked."""
    if newest is None:
        return 0
    return min(max(1, math.ceil((newest - at) / 1_000) + seconds), seconds)
