"""Changing a discussion: its mode and rules, what its page is called and where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, update

from tertulia.core.comments import Discussion, DiscussionKey, Mode
from tertulia.core.rules import RuleValue, differences
from tertulia.protocol import DiscussionState, Event, moment, rules_view, timestamp
from tertulia.store import clock, event_log, records, schema, tasks
from tertulia.store.actions import SERVER, Action, By, Verb, record
from tertulia.store.commands.admitting import is_over
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.event_log import Advanced, CommittedEvent
from tertulia.store.locks import LockTarget
from tertulia.store.mapping import milliseconds
from tertulia.store.roles import site_id_of

CLOSING = "closing"
"""The queue of the discussions that close at a time."""
_TOLD = {"closes_at": "closes_at", "mode": "mode", "rules": "own_rules", "title": "title", "url": "url"}


class Closing(NamedTuple):
    """When a discussion is to be closed; None where it is not."""

    at: datetime | None


@dataclass(frozen=True, slots=True)
class ChangeDiscussion(Command[Discussion]):
    """Changes what is given of a discussion, also of one that nobody has written in; None leaves it as it is.

    The log of actions tells of a change that somebody decided (``by``). Raises unknown_site.
    """

    key: DiscussionKey
    at: datetime
    mode: Mode | None = None
    title: str | None = None
    url: str | None = None
    rules: Mapping[str, RuleValue | None] | None = None
    closing: Closing | None = None
    by: By | None = None

    @property
    def locks(self) -> LockTarget:
        return self.key

    def apply(self, connection: Connection) -> CommandResult[Discussion]:
        discussion = records.ensure_discussion(connection, self.key, self.at)
        result = change_discussion(
            connection,
            discussion,
            self.at,
            mode=self.mode,
            title=self.title,
            url=self.url,
            rules=self.rules,
            closing=self._closing(connection, discussion),
        )
        if self.by is not None and result.events:
            _record(connection, self.by, discussion, result.value, self.at)
        return result

    def _closing(self, connection: Connection, discussion: Discussion) -> Closing | None:
        """Whoever opens what its time has closed takes back the time, too."""
        opens = self.closing is None and self.mode not in (None, Mode.closed)
        return Closing(None) if opens and is_over(connection, discussion, self.at) else self.closing


@dataclass(frozen=True, slots=True)
class CloseDiscussion(Command[None]):
    """Closes a discussion whose time has come, once."""

    key: DiscussionKey
    at: datetime

    @property
    def locks(self) -> LockTarget:
        return self.key

    def apply(self, connection: Connection) -> CommandResult[None]:
        discussion = records.find_discussion(connection, self.key)
        if discussion is None or not is_over(connection, discussion, self.at):
            return CommandResult(None)
        result = change_discussion(connection, discussion, self.at, mode=Mode.closed, closing=Closing(None))
        _record(connection, SERVER, discussion, result.value, self.at)
        return CommandResult(None, result.events)


def change_discussion(
    connection: Connection,
    discussion: Discussion,
    at: datetime,
    *,
    mode: Mode | None = None,
    title: str | None = None,
    url: str | None = None,
    rules: Mapping[str, RuleValue | None] | None = None,
    closing: Closing | None = None,
) -> CommandResult[Discussion]:
    """The discussion after the change, and the event of it unless it was so already. It is stored."""
    changed = replace(
        discussion,
        mode=discussion.mode if mode is None else mode,
        title=discussion.title if title is None else title,
        url=discussion.url if url is None else url,
        own_rules=discussion.own_rules.changed(rules) if rules else discussion.own_rules,
        closes_at=discussion.closes_at if closing is None else closing.at,
    )
    if changed == discussion:
        return CommandResult(discussion)
    row_id = records.stored_id(discussion)
    values: dict[str, Any] = {"mode": changed.mode.value, "title": changed.title, "url": changed.url}
    if changed.own_rules != discussion.own_rules:
        values["rules"] = changed.own_rules.stored()
    if changed.closes_at != discussion.closes_at:
        values["closes_at"] = None if changed.closes_at is None else milliseconds(changed.closes_at)
    connection.execute(update(schema.discussion).where(schema.discussion.c.id == row_id).values(values))
    state = _state(changed).model_copy(
        update={
            name: getattr(changed, name)
            for name in ("title", "url")
            if getattr(changed, name) != getattr(discussion, name)
        }
    )
    now = event_log.advance(connection, row_id, shown=0)
    told = _tell(connection, row_id, now, state, at)
    makes_task = changed.closes_at is not None and changed.closes_at != discussion.closes_at
    if changed.closes_at is not None and makes_task:
        _close_then(connection, row_id, changed.closes_at)
    changed = replace(changed, seq=now.seq, comment_count=now.comment_count)
    return CommandResult(changed, (told,), makes_tasks=makes_task)


def _close_then(connection: Connection, row_id: int, closes_at: datetime) -> None:
    """A task for each time that was set: one whose time was changed finds nothing to do."""
    at = milliseconds(closes_at)
    delay = max(0, at - clock.now(connection))
    tasks.enqueue(connection, CLOSING, {"discussion": row_id}, name=f"{CLOSING}:{row_id}:{at}", delay=delay)


def _record(connection: Connection, by: By, before: Discussion, after: Discussion, at: datetime) -> None:
    """What was, and what is: of title and address only that they are others, since they are somebody's words."""
    changed = [name for name, of in _TOLD.items() if getattr(before, of) != getattr(after, of)]
    data: dict[str, Any] = {"changed": changed}
    if before.mode is not after.mode:
        data["mode"] = [before.mode.value, after.mode.value]
    if before.closes_at != after.closes_at:
        data["closes_at"] = [moment(before.closes_at), moment(after.closes_at)]
    if rules := differences(before.own_rules, after.own_rules):
        data["rules"] = rules
    site_id = site_id_of(connection, after.key.site)
    record(connection, Action(by, Verb.change_discussion, site_id, discussion_id=after.id, data=data), at)


@dataclass(frozen=True, slots=True)
class TellRules(Command[None]):
    """Says in a discussion's log which rules its site has now, unless it has its own in all of them."""

    key: DiscussionKey
    at: datetime

    @property
    def locks(self) -> LockTarget:
        return self.key

    def apply(self, connection: Connection) -> CommandResult[None]:
        discussion = records.find_discussion(connection, self.key)
        if discussion is None or discussion.own_rules.is_complete:
            return CommandResult(None)
        row_id = records.stored_id(discussion)
        now = event_log.advance(connection, row_id, shown=0)
        return CommandResult(None, (_tell(connection, row_id, now, _state(discussion), self.at),))


def _state(discussion: Discussion) -> DiscussionState:
    """How it is led."""
    return DiscussionState(
        mode=discussion.mode, closes_at=moment(discussion.closes_at), rules=rules_view(discussion.rules)
    )


def _tell(connection: Connection, row_id: int, now: Advanced, state: DiscussionState, at: datetime) -> CommittedEvent:
    event = Event(seq=now.seq, kind="discussion.changed", at=timestamp(at), discussion=state)
    return event_log.insert(connection, row_id, now.key, event, at)
