"""What the desk of a site shows: its queues, and of each comment all that a decision needs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, func, literal, select, tuple_

from tertulia.core.causes import Cause, CauseKind, Queue
from tertulia.core.comments import Comment, DiscussionKey
from tertulia.core.ordering import PageCursor, decode_page_cursor, encode_page_cursor
from tertulia.store import desk_log, hooks, listing, mapping, schema
from tertulia.store.mapping import to_datetime
from tertulia.store.queries.discussions import known_site
from tertulia.store.reviews import IS_REPORT_OPEN, Review, to_review

LOOKED = 1_000
"""How many of the newest comments of all sites are looked at for a page of one; the next goes on there."""
COUNTED = 1_000
"""How far an author's comments are counted: "1,000 or more" says as much as a larger number."""
NOTES = 20
"""How many reports of a comment are shown with their words, the newest."""
REPLIES = 3
"""How many replies are shown below it."""
_r, _c, _d, _p = schema.review.c, schema.comment.c, schema.discussion.c, schema.report.c
_a, _n, _s = schema.action.c, schema.author.c, schema.site.c
_h, _v = schema.hook.c, schema.verdict.c


class QueuePage(NamedTuple):
    """Ids of comments in the order of a queue; ``next`` is the cursor that goes on, None at the end."""

    ids: list[str]
    next: str | None


class Filters(NamedTuple):
    """What of a queue is meant: of one discussion, of one author; None is all of it."""

    key: str | None = None
    author: str | None = None


@dataclass(frozen=True, slots=True)
class ReportNote:
    reason: str
    note: str
    at: datetime
    weight: int


class LastDecision(NamedTuple):
    """What a moderator, or the server itself, decided last."""

    id: str
    by: str
    verb: str
    at: datetime
    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class AuthorFacts:
    """Who wrote it; the counts go to COUNTED at most."""

    id: str
    name: str
    kind: str
    since: datetime
    shown: int
    removed: int


@dataclass(frozen=True, slots=True)
class Item:
    """A comment as a moderator needs it; ``review`` is None where it never had to be looked at."""

    comment: Comment
    key: DiscussionKey
    title: str
    url: str
    review: Review | None
    author: AuthorFacts
    reports: list[ReportNote]
    parent: Comment | None
    replies: list[Comment]
    decision: LastDecision | None


def desk_counts(connection: Connection, site: str) -> dict[Queue, int]:
    """How many comments wait in each queue. Raises unknown_site."""
    site_id = known_site(connection, site)
    query = select(_r.queue, func.count()).where(_r.site_id == site_id, _r.closed_at.is_(None)).group_by(_r.queue)
    found = {row[0]: row[1] for row in connection.execute(query)}
    return {queue: found.get(queue.value, 0) for queue in Queue}


def checks_down_since(connection: Connection, site: str) -> datetime | None:
    """Since when a check of the site has been down. Raises unknown_site."""
    at = hooks.down_since(connection, known_site(connection, site))
    return None if at is None else to_datetime(at)


def queue_page(
    connection: Connection, site: str, queue: Queue, filters: Filters, limit: int, cursor: str | None
) -> QueuePage:
    """What waits in a queue: what is urgent first, then what waits longest; a filtered page may be short.

    Raises unknown_site, bad_cursor.
    """
    site_id, scope = known_site(connection, site), f"desk:{site}:{queue.value}:{filters.key}:{filters.author}"
    after = decode_page_cursor(cursor, scope, 2)
    place = (_r.rank, _r.since, _r.comment_id)
    query = select(*place).where(_r.site_id == site_id, _r.queue == queue.value, _r.closed_at.is_(None))
    if after is not None:
        query = query.where(tuple_(*place) > tuple_(*(literal(value, BigInteger) for value in after.values), after.id))
    query = query.order_by(*place)

    def following(row: Any) -> str:
        return encode_page_cursor(PageCursor(scope, (row.rank, row.since), row.comment_id))

    if not any(filters):
        return _cut(connection.execute(query.limit(limit + 1)).all(), limit, following)
    looked = query.limit(LOOKED).subquery()
    # looked up by row: for a join PostgreSQL may read all comments
    columns = (_c.author_id, _c.discussion_id)
    of = [select(one).where(_c.id == looked.c.comment_id).scalar_subquery().label(one.name) for one in columns]
    rows = connection.execute(select(looked, *of).order_by(looked.c.rank, looked.c.since, looked.c.comment_id)).all()
    return _matching(rows, _meant(connection, site_id, filters), limit, following)


def newest_page(connection: Connection, site: str, filters: Filters, limit: int, cursor: str | None) -> QueuePage:
    """All comments of a site, the newest first; a page may be short. Raises unknown_site, bad_cursor."""
    site_id, scope = known_site(connection, site), f"desk:{site}:all:{filters.key}:{filters.author}"
    before = decode_page_cursor(cursor, scope, 1)
    query = select(_c.id.label("comment_id"), _c.created_at, _c.author_id, _c.discussion_id)
    if filters.author is not None:
        query = query.where(_c.author_id == filters.author)
        query = query.where(listing.earlier(before)) if before is not None else query
        query = query.order_by(_c.created_at.desc(), _c.id.desc())
    else:  # ids grow with the time, and there is an index of them anyway
        query = query.where(_c.id < (_AFTER_ALL if before is None else before.id)).order_by(_c.id.desc())
    looked = query.limit(LOOKED).subquery()
    site_of = select(_d.site_id).where(_d.id == looked.c.discussion_id).scalar_subquery()
    rows = connection.execute(select(looked, site_of.label("site_id"))).all()
    wanted = _meant(connection, site_id, filters)
    return _matching(
        sorted(
            rows, key=lambda row: (row.created_at, row.comment_id) if filters.author else row.comment_id, reverse=True
        ),
        lambda row: row.site_id == site_id and wanted(row),
        limit,
        lambda row: encode_page_cursor(PageCursor(scope, (row.created_at,), row.comment_id)),
    )


_AFTER_ALL = "g"
"""Comes after every id, which are written in hexadecimal."""


def _meant(connection: Connection, site_id: int, filters: Filters) -> Callable[[Any], bool]:
    """Whether a row with author_id and discussion_id is meant."""
    only = None
    if filters.key is not None:
        only = connection.scalar(select(_d.id).where(_d.site_id == site_id, _d.key == filters.key)) or 0

    def wanted(row: Any) -> bool:
        return filters.author in (None, row.author_id) and only in (None, row.discussion_id)

    return wanted


def _cut(rows: Sequence[Any], limit: int, following: Callable[[Any], str]) -> QueuePage:
    shown = rows[:limit]
    return QueuePage([row.comment_id for row in shown], following(shown[-1]) if len(rows) > limit else None)


def _matching(
    rows: Sequence[Any], wanted: Callable[[Any], bool], limit: int, following: Callable[[Any], str]
) -> QueuePage:
    """Those of LOOKED rows that are wanted; where there may be more, the next page goes on after the last of them."""
    found = [row for row in rows if wanted(row)]
    if len(found) > limit:
        return _cut(found, limit, following)
    return QueuePage([row.comment_id for row in found], following(rows[-1]) if len(rows) == LOOKED else None)


# ---- items ----------------------------------------------------------------------------------------------


def items(connection: Connection, site: str, ids: Sequence[str]) -> list[Item]:
    """These comments of a site in their order, as many as make a page; what is not there is left out.

    Raises unknown_site.
    """
    site_id = known_site(connection, site)
    # looked up by row: for a join PostgreSQL may read all discussions
    columns = (_d.site_id, _d.key, _d.title, _d.url)
    of = [select(column).where(_d.id == _c.discussion_id).scalar_subquery().label(column.name) for column in columns]
    found = connection.execute(select(_c.id, *of).where(_c.id.in_(ids)))
    places = {row.id: row for row in found if row.site_id == site_id}
    comments = listing.fitting(connection, [one for one in ids if one in places])
    reviewed = connection.execute(select(schema.review).where(_r.comment_id.in_([one.id for one in comments])))
    reviews = _noted(connection, {row["comment_id"]: to_review(row) for row in reviewed.mappings()})
    return [_item(connection, site, one, places[one.id], reviews.get(one.id)) for one in comments]


def _noted(connection: Connection, reviews: dict[str, Review]) -> dict[str, Review]:
    """With what checks said in words, which is kept with their verdicts."""
    checked = [one.comment_id for one in reviews.values() if any(map(_is_check, one.causes))]
    if not checked:
        return reviews
    query = select(_v.comment_id, _h.name, _v.note).join(schema.hook, _h.id == _v.hook_id)
    rows = connection.execute(query.where(_v.comment_id.in_(checked), _v.note != "").order_by(_v.version))
    notes = {(row.comment_id, row.name): row.note for row in rows}

    def noted(found: Cause, comment_id: str) -> Cause:
        note = notes.get((comment_id, found.detail.get("hook"))) if _is_check(found) else None
        return found if note is None else replace(found, detail={**found.detail, "note": note})

    return {key: replace(one, causes=tuple(noted(found, key) for found in one.causes)) for key, one in reviews.items()}


def _is_check(cause: Cause) -> bool:
    return cause.kind is CauseKind.check


def _item(connection: Connection, site: str, comment: Comment, place: Any, review: Review | None) -> Item:
    return Item(
        comment=comment,
        key=DiscussionKey(site, place.key),
        title=place.title,
        url=place.url,
        review=review,
        author=author_facts(connection, comment.author.id),
        reports=_reports(connection, comment.id),
        parent=_one(connection, comment.parent_id),
        replies=_replies(connection, comment.id),
        decision=_decision(connection, comment.id),
    )


def author_facts(connection: Connection, author_id: str) -> AuthorFacts:
    row = connection.execute(select(_n.id, _n.name, _n.kind, _n.created_at).where(_n.id == author_id)).one()
    counts = {state: _count(connection, author_id, state) for state in ("visible", "removed")}
    since = to_datetime(row.created_at)
    return AuthorFacts(row.id, row.name, row.kind, since, counts["visible"], counts["removed"])


def _count(connection: Connection, author_id: str, state: str) -> int:
    newest = select(_c.state).where(_c.author_id == author_id).order_by(_c.created_at.desc(), _c.id.desc())
    looked = newest.limit(COUNTED).subquery()
    return int(connection.execute(select(func.count()).where(looked.c.state == state)).scalar_one())


def _reports(connection: Connection, comment_id: str) -> list[ReportNote]:
    query = select(_p.reason, _p.note, _p.at, _p.weight).where(_p.comment_id == comment_id, IS_REPORT_OPEN)
    rows = connection.execute(query.order_by(_p.at.desc(), _p.id.desc()).limit(NOTES))
    return [ReportNote(row.reason, row.note, to_datetime(row.at), row.weight) for row in rows]


def _one(connection: Connection, comment_id: str | None) -> Comment | None:
    if comment_id is None:
        return None
    row = connection.execute(select(schema.comment).where(_c.id == comment_id)).mappings().one()
    return mapping.to_comment(row)


def _replies(connection: Connection, comment_id: str) -> list[Comment]:
    query = select(schema.comment).where(_c.parent_id == comment_id).order_by(_c.created_at, _c.id).limit(REPLIES)
    return [mapping.to_comment(row) for row in connection.execute(query).mappings()]


def _decision(connection: Connection, comment_id: str) -> LastDecision | None:
    query = select(schema.action).where(_a.comment_id == comment_id).order_by(_a.id.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    if row is None:
        return None
    return LastDecision(row.id, row.actor, row.verb, to_datetime(row.at), row.reason, row.note)


def since(review: Review) -> datetime:
    """Since when it waits."""
    return to_datetime(review.since)


def desk_head(connection: Connection, site: str) -> int:
    """The newest seq of a site's desk. Raises unknown_site."""
    site_id = known_site(connection, site)
    seq = connection.scalar(select(_d.seq).where(_d.site_id == site_id, _d.key == desk_log.KEY))
    return 0 if seq is None else int(seq)
