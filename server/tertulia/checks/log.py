"""The log: every event by itself, then every comment against the last that events say of it.

Both go through the whole database in the order of an index, and hold a slice of it: a discussion of a million comments
is checked in the memory of a small one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, Select, Text, and_, cast, func, select

from tertulia.checks.findings import Finding
from tertulia.checks.replay import fold
from tertulia.checks.tables import of_comment, of_discussion
from tertulia.checks.trees import mistake
from tertulia.core import documents
from tertulia.core.comments import Block, Comment, Mode, State
from tertulia.protocol import CommentView, DeskEvent, Event, comment_view, timestamp, within
from tertulia.reporting import Progress
from tertulia.store import desk_log, mapping, schema
from tertulia.store.streaming import streamed

SLICE = 500
"""Comments that are compared at once: two queries for all of them, and each IN list well below what SQLite takes."""
SLICE_BYTES = 1024 * 1024
"""Of their bodies; as Python's objects a body is ten times as large."""

c, d, e = schema.comment.c, schema.discussion.c, schema.event.c
_Row = Row[*tuple[Any, ...]]
_HIDDEN = (State.held, State.removed, State.deleted)


def check(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Codes: row, body, payload, columns, stray, unpublished, created, exposed, outdated, replay."""
    yield from _check_events(connection, progress)
    yield from _check_comments(connection, progress)


# ---- events ---------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Totals:
    """What a discussion's events say of it as a whole."""

    comment_count: int = 0
    mode: str = Mode.open.value

    def take(self, event: Event) -> None:
        if event.comment_count is not None:
            self.comment_count = event.comment_count
        if event.discussion is not None:
            self.mode = event.discussion.mode


def _check_events(connection: Connection, progress: Progress) -> Iterator[Finding]:
    total = connection.scalar(select(func.count()).select_from(schema.event)) or 0
    done = 0
    site = schema.site.c
    discussions = select(d.id, d.key, d.mode, d.comment_count, site.key.label("site_key")).join(
        schema.site, site.id == d.site_id
    )
    events = streamed(connection, _events().order_by(e.discussion_id, e.seq))
    row = next(events, None)
    for discussion in streamed(connection, discussions.order_by(d.id)):
        totals = _Totals()
        while row is not None and row.discussion_id <= discussion.id:
            if row.discussion_id == discussion.id:  # else of none that is there, which the database's own check finds
                yield from _check_event(discussion, row, totals)
            done += 1
            progress("Checking events", done, total)
            row = next(events, None)
        if (totals.comment_count, totals.mode) != (discussion.comment_count, discussion.mode):
            said = f"the log says {totals.comment_count} comments and {totals.mode}"
            detail = f"{said}, the tables {discussion.comment_count} and {discussion.mode}"
            yield Finding("replay", of_discussion(discussion), detail)


def _events() -> Select[Any]:
    """With what the tables know of the comment that a row names, where it is one of the same discussion."""
    of_comment = (c.id.label("known"), c.published, c.state, c.parent_id, c.text, cast(c.body, Text).label("body"))
    return select(schema.event, *of_comment).outerjoin(
        schema.comment, and_(c.id == e.comment_id, c.discussion_id == e.discussion_id)
    )


def _check_event(discussion: _Row, row: _Row, totals: _Totals) -> Iterator[Finding]:
    where = f"{of_discussion(discussion)} event {row.seq}"
    try:
        event = _event(discussion, row)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        location = ".".join(map(str, first["loc"])) or "the whole"
        yield Finding("payload", where, f"its payload is no event: {location}: {first['msg']}")
        return
    unlike = [name for name, value in _columns(event) if value != getattr(row, name)]
    if timestamp(mapping.to_datetime(row.at)) != event.at:
        unlike.append("at")
    if unlike:
        yield Finding("columns", where, f"its payload differs from its row in: {', '.join(unlike)}")
    if isinstance(event, DeskEvent):
        return
    totals.take(event)
    if row.comment_id is not None:
        yield from _check_its_comment(where, row, event)


def _event(discussion: _Row, row: _Row) -> Event | DeskEvent:
    """Raises ValidationError."""
    if discussion.key == desk_log.KEY:
        return DeskEvent.model_validate_json(row.payload)
    return within(Event.model_validate_json(row.payload))


def _columns(event: Event | DeskEvent) -> list[tuple[str, object]]:
    comment_id = None
    if isinstance(event, Event):
        comment_id = event.comment.id if event.comment else event.comment_id
    return [("seq", event.seq), ("kind", event.kind), ("comment_id", comment_id)]


def _check_its_comment(where: str, row: _Row, event: Event) -> Iterator[Finding]:
    if row.known is None:
        yield Finding("stray", where, f"its comment {row.comment_id} is not in this discussion")
        return
    if not row.published:
        yield Finding("unpublished", where, f"its comment {row.comment_id} was never published")
    if event.parent is not None and event.parent.id != row.parent_id:
        yield Finding("replay", where, f"it counts the replies of {event.parent.id}, which its comment does not answer")
    view = event.comment
    if row.state in _HIDDEN and view is not None and (view.author, view.body) != (None, None):
        detail = f"it shows the author or the text of the {row.state} comment {row.comment_id}"
        yield Finding("exposed", where, detail)
    elif view is not None and view.body is not None and _is_another(row, view.body):
        yield Finding("outdated", where, f"it shows another text than the comment {row.comment_id} has")


def _is_another(row: _Row, body: list[Block]) -> bool:
    """Whether a document is not that of the comment; one whose own cannot be read is a finding of its own."""
    if mistake(row.body) is not None:
        return False
    return body != documents.within(json.loads(row.body), len(row.text))


# ---- comments -------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Known:
    """A row as a comment, and what of its events decides how a reader sees it.

    ``comment`` is None where the row cannot be read; ``intact`` says that its body can be compared with the log's.
    ``last`` has the newest event that shows the comment, that counts its votes, that counts its replies.
    """

    id: str
    discussion_id: int
    comment: Comment | None
    published: bool
    intact: bool
    created: int = 0
    first: Event | None = None
    last: dict[str, Event] = field(default_factory=dict)

    def take(self, event: Event) -> None:
        """One of its own events, in any order."""
        self.created += event.kind == "comment.created"
        if self.first is None or event.seq < self.first.seq:
            self.first = event
        if event.comment is not None:
            self._keep("shown", event)
        if event.votes is not None:
            self._keep("votes", event)

    def take_reply(self, event: Event) -> None:
        """One of a comment that answers it."""
        if event.parent is not None and event.parent.id == self.id:
            self._keep("replies", event)

    def _keep(self, what: str, event: Event) -> None:
        if what not in self.last or self.last[what].seq < event.seq:
            self.last[what] = event


def _check_comments(connection: Connection, progress: Progress) -> Iterator[Finding]:
    total = connection.scalar(select(func.count()).select_from(schema.comment)) or 0
    done = 0
    for part in _slices(connection):
        known: dict[str, _Known] = {}
        for row in part:
            yield from _read(row, known)
        _take_events(connection, known)
        for one in known.values():
            yield from _created(one)
            yield from _replay(one)
        done += len(part)
        progress("Checking comments", done, total)


def _slices(connection: Connection) -> Iterator[list[_Row]]:
    # the body is taken as it is stored: one that is no JSON is a finding, not the end of the check
    columns = [column for column in c if column is not c.body]
    part: list[_Row] = []
    size = 0
    for row in streamed(connection, select(*columns, cast(c.body, Text).label("body")).order_by(c.id)):
        part.append(row)
        size += len(row.body)
        if len(part) >= SLICE or size >= SLICE_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _read(row: _Row, known: dict[str, _Known]) -> Iterator[Finding]:
    trouble = mistake(row.body)
    if trouble is not None:
        yield Finding("body", of_comment(row.id), f"its body is no document tree: {trouble}")
    found = known[row.id] = _Known(row.id, row.discussion_id, None, row.published, trouble is None)
    try:
        found.comment = mapping.to_comment({**row._mapping, "body": [] if trouble else json.loads(row.body)})
    except (ValueError, TypeError, OverflowError, OSError) as error:
        yield Finding("row", of_comment(row.id), f"its row cannot be read: {error}")


def _take_events(connection: Connection, known: dict[str, _Known]) -> None:
    own = select(e.comment_id.label("of"), e.discussion_id, e.payload).where(e.comment_id.in_(known))
    for one, event in _read_events(connection, own, known):
        one.take(event)
    replies = select(c.parent_id.label("of"), e.discussion_id, e.payload).join(schema.event, e.comment_id == c.id)
    for one, event in _read_events(connection, replies.where(c.parent_id.in_(known)), known):
        one.take_reply(event)


def _read_events(
    connection: Connection, query: Select[Any], known: dict[str, _Known]
) -> Iterator[tuple[_Known, Event]]:
    """Those that can be read, of the comment's own discussion: what is wrong with the others is told above."""
    for row in streamed(connection, query):
        one = known[row.of]
        if row.discussion_id == one.discussion_id:
            try:
                event = within(Event.model_validate_json(row.payload))
            except ValidationError:
                continue
            yield one, event


def _created(one: _Known) -> Iterator[Finding]:
    if not one.published or one.comment is None:
        return
    if one.created != 1:
        yield Finding("created", of_comment(one.id), f"it has {one.created} comment.created, not 1")
    elif one.first is not None and one.first.kind != "comment.created":
        yield Finding("created", of_comment(one.id), f"its first event is {one.first.kind}")


def _replay(one: _Known) -> Iterator[Finding]:
    # what came before the event that shows the comment last is told anew by it; fold takes them in their order
    seen = fold(sorted(one.last.values(), key=lambda event: event.seq)).comments.get(one.id)
    if seen is None:
        if one.published and one.comment is not None:
            yield Finding("replay", of_comment(one.id), "it is published, and the log does not have it")
    elif not one.published or one.comment is None:
        yield Finding("replay", of_comment(one.id), "the log has it, and the tables do not show it")
    elif one.intact:
        unlike = _unlike(comment_view(one.comment), seen)
        if unlike:
            yield Finding("replay", of_comment(one.id), f"log and tables differ in: {', '.join(unlike)}")


def _unlike(one: CommentView, other: CommentView) -> list[str]:
    return [name for name in CommentView.model_fields if getattr(one, name) != getattr(other, name)]
