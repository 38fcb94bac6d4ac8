"""The log: each discussion's events, read like a reader does, against its tables."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import Connection, Row, Text, cast, select

from tertulia.checks.findings import Finding
from tertulia.checks.replay import fold
from tertulia.checks.tables import of_comment, of_discussion
from tertulia.checks.trees import mistake
from tertulia.core.comments import Comment, State
from tertulia.protocol import CommentView, Event, comment_view, timestamp
from tertulia.store import rows, schema

c, d, e = schema.comment.c, schema.discussion.c, schema.event.c
_Row = Row[*tuple[Any, ...]]
_CONCEALED = (State.held, State.removed, State.deleted)


@dataclass(frozen=True, slots=True)
class _Known:
    """A row as a comment; ``intact`` when its body can be compared with what the log says."""

    comment: Comment
    published: bool
    intact: bool


@dataclass(frozen=True, slots=True)
class _Logged:
    """An event, and the comment that its row names."""

    comment_id: str | None
    event: Event


def check(connection: Connection) -> Iterator[Finding]:
    """Codes: row, body, payload, columns, stray, unpublished, created, exposed, outdated, replay."""
    site = schema.site.c
    query = select(d.id, d.key, d.mode, d.comment_count, site.key.label("site_key")).join(
        schema.site, site.id == d.site_id
    )
    for row in connection.execute(query.order_by(d.id)).all():
        yield from _discussion(connection, row)


def _discussion(connection: Connection, row: _Row) -> Iterator[Finding]:
    known: dict[str, _Known] = {}
    log: list[_Logged] = []
    yield from _read_comments(connection, row.id, known)
    yield from _read_events(connection, row, log)
    yield from _of_known_comments(row, known, log)
    yield from _created(known, log)
    yield from _replay(row, known, log)


# ---- reading --------------------------------------------------------------------------------------------


def _read_comments(connection: Connection, discussion_id: int, known: dict[str, _Known]) -> Iterator[Finding]:
    # the body is taken as it is stored: one that is no JSON is a finding, not the end of the check
    columns = [column for column in c if column is not c.body]
    query = select(*columns, cast(c.body, Text).label("body")).where(c.discussion_id == discussion_id)
    for row in connection.execute(query).mappings():
        trouble = mistake(row["body"])
        if trouble is not None:
            yield Finding("body", of_comment(row["id"]), f"its body is no document tree: {trouble}")
        try:
            comment = rows.to_comment({**row, "body": [] if trouble else json.loads(row["body"])})
        except (ValueError, TypeError, OverflowError, OSError) as error:
            yield Finding("row", of_comment(row["id"]), f"its row cannot be read: {error}")
        else:
            known[comment.id] = _Known(comment, row["published"], trouble is None)


def _read_events(connection: Connection, discussion: _Row, log: list[_Logged]) -> Iterator[Finding]:
    query = select(schema.event).where(e.discussion_id == discussion.id).order_by(e.seq)
    for row in connection.execute(query):
        where = f"{of_discussion(discussion)} event {row.seq}"
        try:
            event = Event.model_validate_json(row.payload)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(map(str, first["loc"])) or "the whole"
            yield Finding("payload", where, f"its payload is no event: {place}: {first['msg']}")
            continue
        log.append(_Logged(row.comment_id, event))
        unlike = [name for name, value in _columns(event) if value != getattr(row, name)]
        if timestamp(rows.moment(row.at)) != event.at:
            unlike.append("at")
        if unlike:
            yield Finding("columns", where, f"its payload differs from its row in: {', '.join(unlike)}")


def _columns(event: Event) -> list[tuple[str, object]]:
    comment_id = event.comment.id if event.comment else event.comment_id
    return [("seq", event.seq), ("kind", event.kind), ("comment_id", comment_id)]


# ---- events against comments ----------------------------------------------------------------------------


def _of_known_comments(row: _Row, known: dict[str, _Known], log: list[_Logged]) -> Iterator[Finding]:
    for logged in log:
        if logged.comment_id is None:
            continue
        where = f"{of_discussion(row)} event {logged.event.seq}"
        found = known.get(logged.comment_id)
        if found is None:
            yield Finding("stray", where, f"its comment {logged.comment_id} is not in this discussion")
            continue
        if not found.published:
            yield Finding("unpublished", where, f"its comment {logged.comment_id} was never published")
        view = logged.event.comment
        if found.comment.state in _CONCEALED and view is not None and (view.author, view.body) != (None, None):
            detail = f"it shows the author or the text of the {found.comment.state} comment {logged.comment_id}"
            yield Finding("exposed", where, detail)
        elif found.intact and view is not None and view.body not in (None, found.comment.body):
            yield Finding("outdated", where, f"it shows another text than the comment {logged.comment_id} has")


def _created(known: dict[str, _Known], log: list[_Logged]) -> Iterator[Finding]:
    created = Counter(logged.comment_id for logged in log if logged.event.kind == "comment.created")
    first: dict[str | None, str] = {}
    for logged in log:
        first.setdefault(logged.comment_id, logged.event.kind)
    for comment_id, found in known.items():
        if found.published and created[comment_id] != 1:
            yield Finding("created", of_comment(comment_id), f"it has {created[comment_id]} comment.created, not 1")
        elif found.published and first[comment_id] != "comment.created":
            yield Finding("created", of_comment(comment_id), f"its first event is {first[comment_id]}")


def _replay(row: _Row, known: dict[str, _Known], log: list[_Logged]) -> Iterator[Finding]:
    seen = fold(logged.event for logged in log)
    if (seen.comment_count, seen.mode) != (row.comment_count, row.mode):
        detail = f"the log says {seen.comment_count} comments and {seen.mode}, the tables {row.comment_count} and "
        yield Finding("replay", of_discussion(row), f"{detail}{row.mode}")
    expected = {comment_id: found for comment_id, found in known.items() if found.published}
    for comment_id in sorted(expected.keys() | seen.comments.keys()):
        if comment_id not in seen.comments:
            yield Finding("replay", of_comment(comment_id), "it is published, and the log does not have it")
        elif comment_id not in expected:
            yield Finding("replay", of_comment(comment_id), "the log has it, and the tables do not show it")
        elif expected[comment_id].intact:
            unlike = _unlike(comment_view(expected[comment_id].comment), seen.comments[comment_id])
            if unlike:
                yield Finding("replay", of_comment(comment_id), f"log and tables differ in: {', '.join(unlike)}")


def _unlike(one: CommentView, other: CommentView) -> list[str]:
    return [name for name in CommentView.model_fields if getattr(one, name) != getattr(other, name)]
