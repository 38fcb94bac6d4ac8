"""What waits for moderators: held comments, and reports of comments that can be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, select, tuple_

from tertulia.core.comments import Comment, DiscussionKey, State
from tertulia.core.ordering import PageCursor, decode_page_cursor, encode_page_cursor
from tertulia.store import listing, mapping, schema
from tertulia.store.queries.discussions import known_site

c = schema.comment.c

LOOKED = 1_000
"""How many waiting comments or reports of all sites are looked at for a page of one site; the next goes on there."""
_KEY_BYTES = 64 + 4 * 512
"""What the names of a site and a discussion have at most."""
_NOTE_BYTES = 512 + 4 * 1000
"""What a report has at most besides its comment: ids, a time, and a note of 1,000 characters."""


@dataclass(frozen=True, slots=True)
class Held:
    key: DiscussionKey
    comment: Comment


class HeldPage(NamedTuple):
    """``next`` is the cursor that goes on, None at the end."""

    comments: list[Held]
    next: str | None


@dataclass(frozen=True, slots=True)
class Reported:
    id: str
    reason: str
    note: str
    at: datetime
    reporter_id: str | None
    key: DiscussionKey
    comment: Comment


class ReportPage(NamedTuple):
    """``next`` is the cursor that goes on, None at the end."""

    reports: list[Reported]
    next: str | None


def held(connection: Connection, site: str, limit: int, cursor: str | None) -> HeldPage:
    """Comments that wait for approval, oldest first; a page may be short. Raises unknown_site, bad_cursor."""
    site_id, scope = known_site(connection, site), f"held:{site}"
    after = decode_page_cursor(cursor, scope, 1)
    looked = select(c.id, c.created_at.label("at"), c.discussion_id).where(listing.IS_HELD)
    if after is not None:
        looked = looked.where(listing.later(after))
    first = looked.order_by(c.created_at, c.id).limit(LOOKED).subquery()
    query = select(first.c.id, first.c.at, *_discussion_of(first.c.discussion_id)).order_by(first.c.at, first.c.id)
    found = connection.execute(query).all()
    own = [row for row in found if row.site_id == site_id]
    comments = listing.fitting(connection, [row.id for row in own[:limit]], extra=_KEY_BYTES)
    shown = [Held(DiscussionKey(site, row.key), comment) for row, comment in zip(own, comments, strict=False)]
    return HeldPage(shown, _following(scope, found, own, len(shown)))


def reported(connection: Connection, site: str, limit: int, cursor: str | None) -> ReportPage:
    """Reports of comments that can be read, oldest first. Raises unknown_site, bad_cursor."""
    site_id, scope = known_site(connection, site), f"reported:{site}"
    after = decode_page_cursor(cursor, scope, 1)
    r = schema.report.c
    looked = select(schema.report).where(r.open)
    if after is not None:
        looked = looked.where(tuple_(r.at, r.id) > listing.position_of(after))
    first = looked.order_by(r.at, r.id).limit(LOOKED).subquery()
    query = (
        select(first, c.state.label("comment_state"), *_discussion_of(c.discussion_id))
        .join(schema.comment, c.id == first.c.comment_id)
        .order_by(first.c.at, first.c.id)
    )
    found = connection.execute(query).all()
    # an instance of the version before may have removed a comment without closing what was reported of it
    own = [row for row in found if row.site_id == site_id and row.comment_state == State.visible]
    ids = [row.comment_id for row in own[:limit]]
    comments = listing.fitting(connection, ids, extra=_KEY_BYTES + _NOTE_BYTES)
    shown = [_to_reported(row, site, comment) for row, comment in zip(own, comments, strict=False)]
    return ReportPage(shown, _following(scope, found, own, len(shown)))


def _to_reported(row: Any, site: str, comment: Comment) -> Reported:
    return Reported(
        id=row.id,
        reason=row.reason,
        note=row.note,
        at=mapping.to_datetime(row.at),
        reporter_id=row.reporter_id,
        key=DiscussionKey(site, row.key),
        comment=comment,
    )


def _discussion_of(discussion_id: ColumnElement[int]) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Key and site of a row's discussion, looked up by row: for a join PostgreSQL may read all discussions."""
    d = schema.discussion.c
    key, site_id = (select(column).where(d.id == discussion_id).scalar_subquery() for column in (d.key, d.site_id))
    return key.label("key"), site_id.label("site_id")


def _following(scope: str, found: Sequence[Any], own: Sequence[Any], shown: int) -> str | None:
    """The cursor of the next page: after the last row shown, or after the last row read if LOOKED were read.

    found: rows that were read; own: those of the site; shown: how many of these are on the page
    """
    if shown < len(own):
        last = own[shown - 1]
    elif len(found) == LOOKED:
        last = found[-1]
    else:
        return None
    return encode_page_cursor(PageCursor(scope, (last.at,), last.id))
