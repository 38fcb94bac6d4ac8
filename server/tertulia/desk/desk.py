"""The desk's use-cases, for whoever decides at a site; see store/commands/deciding.py for what a decision is."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence

from tertulia import protocol
from tertulia.core.causes import Queue
from tertulia.core.ids import is_uuid
from tertulia.core.roles import DECIDING
from tertulia.core.text import clean_text
from tertulia.desk import views
from tertulia.errors import ErrorCode, Problem, no_such_comment
from tertulia.identity import utc_now
from tertulia.limits import PostingLimits, Write
from tertulia.people.staff import StaffMember, require
from tertulia.store import Store, queries
from tertulia.store.actions import Recorded, actions_of
from tertulia.store.commands import Act, Command, DecideComment, Decided, InRole, Reason, UndoDecision
from tertulia.store.queries import Filters

ITEMS = 50
"""Comments that are asked for at once."""
STALE = frozenset({ErrorCode.decided, ErrorCode.changed, ErrorCode.bad_state, ErrorCode.gone})


class Desk:
    """Each raises not_found where somebody has no role at the site, forbidden where it is one that does not decide."""

    def __init__(self, store: Store, limits: PostingLimits) -> None:
        self._store = store
        self._limits = limits

    async def counts(self, member: StaffMember, site: str) -> protocol.DeskCounts:
        """How many comments wait. Raises unknown_site."""
        require(member, site)
        # the place first: what comes between is told once more, and never missed
        seq = await self._store.read(queries.desk_head, site)
        waiting = await self._store.read(queries.desk_counts, site)
        banned = await self._store.read(queries.ban_count, site)
        numbers = {queue.value: count for queue, count in waiting.items()}
        down_since = await self._store.read(queries.checks_down_since, site)
        checks = protocol.ChecksView(down_since=protocol.moment(down_since))
        return protocol.DeskCounts(epoch=self._store.epoch, seq=seq, banned=banned, checks=checks, **numbers)

    async def queue(
        self, member: StaffMember, site: str, queue: Queue | None, filters: Filters, limit: int, cursor: str | None
    ) -> protocol.DeskPage:
        """A page of a queue, with None of all comments. Raises unknown_site, bad_cursor, invalid."""
        require(member, site)
        if filters.author is not None and not is_uuid(filters.author):
            raise Problem(ErrorCode.invalid, "Give the id of an author.", field="author")
        if queue is None:
            page = await self._store.read(queries.newest_page, site, filters, limit, cursor)
        else:
            page = await self._store.read(queries.queue_page, site, queue, filters, limit, cursor)
        return protocol.DeskPage(items=await self._items(site, page.ids), next=page.next)

    async def items(self, member: StaffMember, site: str, ids: Sequence[str]) -> protocol.DeskItems:
        """These comments, at most ITEMS; what is not of the site is left out. Raises unknown_site, invalid."""
        require(member, site)
        if not 0 < len(ids) <= ITEMS:
            raise Problem(ErrorCode.invalid, f"Ask for 1 to {ITEMS} comments.", field="id")
        return protocol.DeskItems(items=await self._items(site, ids))

    async def done(self, member: StaffMember, site: str, actions: Collection[str]) -> list[Recorded]:
        """What ``member`` did at the site, of these actions. Raises unknown_site."""
        require(member, site)
        known = [one for one in actions if is_uuid(one)][:ITEMS]
        return await self._store.read(actions_of, site, member.author_id, known) if known else []

    async def person(self, member: StaffMember, site: str, author_id: str) -> queries.Person:
        """Raises unknown_site, not_found."""
        require(member, site)
        if not is_uuid(author_id):
            raise Problem(ErrorCode.not_found, "There is no such person at this site.", field="author")
        return await self._store.read(queries.person, site, author_id)

    async def decide(
        self, member: StaffMember, site: str, decisions: Sequence[protocol.Decision], request: str = ""
    ) -> protocol.DecisionResults:
        """Each decision by itself, with its own result. Raises unknown_site, rate_limited."""
        require(member, site)
        await self._limits.count(member.author_id, None, Write.moderation)
        at, by = utc_now(), member.by
        commands = [
            DecideComment(one.comment_id, Act(one.do), by, at, site, one.version, _why(one), request)
            for one in decisions
        ]
        return await self._all(member, site, commands)

    async def undo(
        self, member: StaffMember, site: str, actions: Sequence[protocol.UndoneAction]
    ) -> protocol.DecisionResults:
        """Takes decisions back, each by itself. Raises unknown_site, rate_limited."""
        require(member, site)
        await self._limits.count(member.author_id, None, Write.moderation)
        at = utc_now()
        return await self._all(
            member, site, [UndoDecision(one.comment_id, one.action, member.by, at, site) for one in actions]
        )

    async def _all(
        self, member: StaffMember, site: str, commands: Iterable[DecideComment | UndoDecision]
    ) -> protocol.DecisionResults:
        results = await asyncio.gather(*(self._one(member, site, command) for command in commands))
        stale = [one.comment_id for one in results if one.problem is not None]
        now = {item.comment.id: item for item in await self._items(site, stale)} if stale else {}
        for one in results:
            one.item = now.get(one.comment_id)
        return protocol.DecisionResults(results=list(results))

    async def _one(
        self, member: StaffMember, site: str, command: DecideComment | UndoDecision
    ) -> protocol.DecisionResult:
        comment_id = command.comment_id
        try:
            if not is_uuid(comment_id):
                raise no_such_comment()
            decided = await self._store.write(self._as(member, site, command))
        except Problem as problem:
            if problem.code not in (*STALE, ErrorCode.not_found):
                raise
            told = protocol.DecisionProblem(code=problem.code.name, detail=problem.detail)
            named = comment_id.encode("ascii", "backslashreplace").decode()  # what is no id may hold half a pair
            return protocol.DecisionResult(comment_id=named, action=None, problem=told, item=None)
        return protocol.DecisionResult(comment_id=comment_id, action=decided.action, problem=None, item=None)

    def _as(self, member: StaffMember, site: str, command: Command[Decided]) -> Command[Decided]:
        return InRole(member.author_id, site, DECIDING, command, utc_now(), member.session_id)

    async def _items(self, site: str, ids: Sequence[str]) -> list[protocol.DeskItemView]:
        return [
            views.item(one) for one in await self._store.read(queries.items, site, [one for one in ids if is_uuid(one)])
        ]


def _why(decision: protocol.Decision) -> Reason:
    """Raises malformed, empty."""
    note = clean_text(decision.note, field="note") if decision.note else ""
    return Reason(reason=decision.reason or "", note=note)
