"""From rows to the domain and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, Select, bindparam, select

from tertulia.core import documents
from tertulia.core.comments import Author, Comment, Discussion, DiscussionKey, Mode, State
from tertulia.store.schema import comment, discussion, site


def milliseconds(at: datetime) -> int:
    """Milliseconds since 1970."""
    return round(at.timestamp() * 1000)


def to_datetime(value: int) -> datetime:
    return datetime.fromtimestamp(value / 1000, UTC)


def to_comment(row: RowMapping | Any) -> Comment:
    return Comment(
        id=row["id"],
        discussion_id=row["discussion_id"],
        parent_id=row["parent_id"],
        root_id=row["root_id"],
        author=Author(row["author_id"], row["author_name"], row["author_badge"]),
        text=row["text"],
        body=documents.within(row["body"], len(row["text"])),
        created_at=to_datetime(row["created_at"]),
        edited_at=to_datetime(row["edited_at"]) if row["edited_at"] is not None else None,
        state=State(row["state"]),
        up=row["up"],
        down=row["down"],
        reply_count=row["reply_count"],
        pinned=row["pinned"],
        idempotency_key=row["idempotency_key"],
    )


def discussions() -> Select[Any]:
    """Every discussion with its site's key."""
    return select(discussion, site.c.key.label("site_key")).join(site, site.c.id == discussion.c.site_id)


# built once: SQLAlchemy spends more on making a statement than SQLite on running it
_NAMED = discussions().where(site.c.key == bindparam("site"), discussion.c.key == bindparam("key"))


def named(connection: Connection, key: DiscussionKey) -> Discussion | None:
    """The discussion of this name, None when nobody has said or set anything in it."""
    row = connection.execute(_NAMED, {"site": key.site, "key": key.key}).mappings().one_or_none()
    return None if row is None else to_discussion(row)


def to_discussion(row: RowMapping | Any) -> Discussion:
    return Discussion(
        key=DiscussionKey(row["site_key"], row["key"]),
        id=row["id"],
        title=row["title"],
        url=row["url"],
        mode=Mode(row["mode"]),
        comment_count=row["comment_count"],
        seq=row["seq"],
    )


def comments() -> Select[Any]:
    return select(comment)
