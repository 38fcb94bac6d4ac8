"""Changing a discussion: its mode and rules, what its page is called and where it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, update

from tertulia.core.comments import Discussion, DiscussionKey, Mode
from tertulia.core.rules import RuleValue, differences
from tertulia.protocol import DiscussionState, Event, rules_view, timestamp
from tertulia.store import event_log, records, schema
from tertulia.store.actions import Action, By, Verb, record
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.event_log import Advanced, CommittedEvent
from tertulia.store.locks import LockTarget
from tertulia.store.roles import site_id_of

_TOLD = {"mode": "mode", "rules": "own_rules", "title": "title", "url": "url"}


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
    by: By | None = None

    @property
    def locks(self) -> LockTarget:
        return self.key

    def apply(self, connection: Connection) -> CommandResult[Discussion]:
        discussion = records.ensure_discussion(connection, self.key, self.at)
        result = change_discussion(
            connection, discussion, self.at, mode=self.mode, title=self.title, url=self.url, rules=self.rules
        )
        if self.by is not None and result.events:
            _record(connection, self.by, discussion, result.value, self.at)
        return result


def change_discussion(
    connection: Connection,
    discussion: Discussion,
    at: datetime,
    *,
    mode: Mode | None = None,
    title: str | None = None,
    url: str | None = None,
    rules: Mapping[str, RuleValue | None] | None = None,
) -> CommandResult[Discussion]:
    """The discussion after the change, and the event of it unless it was so already. It is stored."""
    changed = replace(
        discussion,
        mode=discussion.mode if mode is None else mode,
        title=discussion.title if title is None else title,
        url=discussion.url if url is None else url,
        own_rules=discussion.own_rules.changed(rules) if rules else discussion.own_rules,
    )
    if changed == discussion:
        return CommandResult(discussion)
    row_id = records.stored_id(discussion)
    values: dict[str, Any] = {"mode": changed.mode.value, "title": changed.title, "url": changed.url}
    if changed.own_rules != discussion.own_rules:
        values["rules"] = changed.own_rules.stored()
    connection.execute(update(schema.discussion).where(schema.discussion.c.id == row_id).values(values))
    state = DiscussionState(
        mode=changed.mode,
        rules=None if changed.rules == discussion.rules else rules_view(changed.rules),
        title=None if changed.title == discussion.title else changed.title,
        url=None if changed.url == discussion.url else changed.url,
    )
    now = event_log.advance(connection, row_id, shown=0)
    told = _tell(connection, row_id, now, state, at)
    return CommandResult(replace(changed, seq=now.seq, comment_count=now.comment_count), (told,))


def _record(connection: Connection, by: By, before: Discussion, after: Discussion, at: datetime) -> None:
    """What was, and what is: of title and address only that they are others, since they are somebody's words."""
    changed = [name for name, of in _TOLD.items() if getattr(before, of) != getattr(after, of)]
    data: dict[str, Any] = {"changed": changed}
    if before.mode is not after.mode:
        data["mode"] = [before.mode.value, after.mode.value]
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
        state = DiscussionState(mode=discussion.mode, rules=rules_view(discussion.rules))
        row_id = records.stored_id(discussion)
        now = event_log.advance(connection, row_id, shown=0)
        return CommandResult(None, (_tell(connection, row_id, now, state, self.at),))


def _tell(connection: Connection, row_id: int, now: Advanced, state: DiscussionState, at: datetime) -> CommittedEvent:
    event = Event(seq=now.seq, kind="discussion.changed", at=timestamp(at), discussion=state)
    return event_log.insert(connection, row_id, now.key, event, at)
