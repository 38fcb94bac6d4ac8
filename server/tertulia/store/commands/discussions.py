"""Changing a discussion: its mode, what its page is called and where it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import Connection, update

from tertulia.core.comments import Discussion, DiscussionKey, Mode
from tertulia.protocol import DiscussionState, Event, timestamp
from tertulia.store import event_log, records, schema
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.locks import LockTarget


@dataclass(frozen=True, slots=True)
class ChangeDiscussion(Command[Discussion]):
    """Gives a discussion another mode, title or address, also one that nobody has written in; None leaves it as it is.

    Raises unknown_site.
    """

    key: DiscussionKey
    at: datetime
    mode: Mode | None = None
    title: str | None = None
    url: str | None = None

    @property
    def locks(self) -> LockTarget:
        return self.key

    def apply(self, connection: Connection) -> CommandResult[Discussion]:
        discussion = records.ensure_discussion(connection, self.key, self.at)
        return change_discussion(connection, discussion, self.at, mode=self.mode, title=self.title, url=self.url)


def change_discussion(
    connection: Connection,
    discussion: Discussion,
    at: datetime,
    *,
    mode: Mode | None = None,
    title: str | None = None,
    url: str | None = None,
) -> CommandResult[Discussion]:
    """The discussion after the change, and the event of it unless it was so already. It is stored."""
    changed = replace(
        discussion,
        mode=discussion.mode if mode is None else mode,
        title=discussion.title if title is None else title,
        url=discussion.url if url is None else url,
    )
    if changed == discussion:
        return CommandResult(discussion)
    row_id = records.stored_id(discussion)
    values = {"mode": changed.mode.value, "title": changed.title, "url": changed.url}
    connection.execute(update(schema.discussion).where(schema.discussion.c.id == row_id).values(values))
    now = event_log.advance(connection, row_id, shown=0)
    state = DiscussionState(
        mode=changed.mode,
        title=None if changed.title == discussion.title else changed.title,
        url=None if changed.url == discussion.url else changed.url,
    )
    event = Event(seq=now.seq, kind="discussion.changed", at=timestamp(at), discussion=state)
    committed = event_log.insert(connection, row_id, now.key, event, at)
    return CommandResult(replace(changed, seq=now.seq, comment_count=now.comment_count), (committed,))
