"""From rows to the domain and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import RowMapping, Select, Text, cast, select

from tertulia.core import documents
from tertulia.core.comments import Author, Comment, Discussion, DiscussionKey, HiddenBy, Mode, State
from tertulia.core.hooks import site_checks_of
from tertulia.core.rules import own_rules_of, site_rules_of
from tertulia.store.schema import discussion, site


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
        version=row["version"],
        hidden_by=None if row["hidden_by"] is None else HiddenBy(row["hidden_by"]),
    )


def discussions() -> Select[Any]:
    """Every discussion with its site's key, and the rules of both as texts: each driver reads JSON in its own way."""
    rules, settings = cast(discussion.c.rules, Text).label("own_rules"), cast(site.c.settings, Text).label("settings")
    named = select(discussion, site.c.key.label("site_key"), rules, settings)
    return named.join(site, site.c.id == discussion.c.site_id)


def to_discussion(row: RowMapping | Any) -> Discussion:
    return Discussion(
        key=DiscussionKey(row["site_key"], row["key"]),
        id=row["id"],
        title=row["title"],
        url=row["url"],
        mode=Mode(row["mode"]),
        comment_count=row["comment_count"],
        seq=row["seq"],
        own_rules=own_rules_of(row["own_rules"]),
        site_rules=site_rules_of(row["settings"]),
        closes_at=None if row["closes_at"] is None else to_datetime(row["closes_at"]),
        checks=site_checks_of(row["settings"]),
    )


def author_row(author: Author, created_at: datetime) -> dict[str, Any]:
    return {"id": author.id, "name": author.name, "badge": author.badge, "created_at": milliseconds(created_at)}


def comment_row(comment: Comment, *, published: bool, digest: str | None) -> dict[str, Any]:
    """Of a new comment, which nobody has decided about."""
    return {
        "id": comment.id,
        "discussion_id": comment.discussion_id,
        "parent_id": comment.parent_id,
        "root_id": comment.root_id,
        "author_id": comment.author.id,
        "author_name": comment.author.name,
        "author_badge": comment.author.badge,
        "text": comment.text,
        "body": comment.body,
        "created_at": milliseconds(comment.created_at),
        "edited_at": milliseconds(comment.edited_at) if comment.edited_at else None,
        "state": comment.state.value,
        "published": published,
        "up": comment.up,
        "down": comment.down,
        "reply_count": comment.reply_count,
        "pinned": comment.pinned,
        "idempotency_key": comment.idempotency_key,
        "request_digest": digest,
    }
