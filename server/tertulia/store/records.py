"""The rows that commands and imports write besides events: discussions, authors and comments."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tertulia.core.comments import Author, Comment, Discussion, DiscussionKey, Mode
from tertulia.errors import ErrorCode, Problem
from tertulia.store import mapping, prepared, schema

# ---- discussions ----------------------------------------------------------------------------------------


def ensure_discussion(
    connection: Connection, key: DiscussionKey, at: datetime, *, title: str = "", url: str = ""
) -> Discussion:
    """The discussion of this name, made when there is none. Raises unknown_site."""
    found = mapping.named(connection, key)
    if found is not None:
        return found
    site_id = connection.scalar(select(schema.site.c.id).where(schema.site.c.key == key.site))
    if site_id is None:
        raise Problem(ErrorCode.unknown_site, "There is no such site.", field="site")
    values = {
        "site_id": site_id,
        "key": key.key,
        "title": title,
        "url": url,
        "mode": Mode.open.value,
        "seq": 0,
        "comment_count": 0,
        "created_at": mapping.milliseconds(at),
    }
    # where another instance makes it at this moment, this waits for that and makes none
    new = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert
    connection.execute(new(schema.discussion).values(values).on_conflict_do_nothing())
    made = mapping.named(connection, key)
    assert made is not None  # noqa: S101 - it was inserted, here or there
    return made


def fill_in(connection: Connection, discussion: Discussion, *, title: str, url: str) -> None:
    """A discussion that a moderator made ready gets its title and address with its first comment."""
    named = {"title": title, "url": url}
    missing = {name: value for name, value in named.items() if value and not getattr(discussion, name)}
    if missing:
        connection.execute(update(schema.discussion).where(schema.discussion.c.id == discussion.id).values(**missing))


def stored_id(discussion: Discussion) -> int:
    """The row of a discussion that is stored."""
    assert discussion.id is not None  # noqa: S101 - ensure_discussion gives stored discussions only
    return discussion.id


# ---- authors --------------------------------------------------------------------------------------------


def remember_author(connection: Connection, author: Author, at: datetime) -> None:
    """Makes the author's row, or notes the name last used."""
    note_name(connection, author, connection.scalar(prepared.AUTHOR_NAME, {"author": author.id}), at)


def note_name(connection: Connection, author: Author, name: str | None, at: datetime, *, later: bool = False) -> None:
    if name is None:
        values = {"id": author.id, "name": author.name, "badge": author.badge, "created_at": mapping.milliseconds(at)}
        insert_ = prepared.NEW_AUTHOR.queue if later else prepared.NEW_AUTHOR.run
        insert_(connection, values)
    elif name != author.name:
        connection.execute(update(schema.author).where(schema.author.c.id == author.id).values(name=author.name))


# ---- comments -------------------------------------------------------------------------------------------


def find(connection: Connection, comment_id: str) -> Comment | None:
    row = connection.execute(prepared.COMMENT, {"comment": comment_id}).mappings().one_or_none()
    return None if row is None else mapping.to_comment(row)


def site_of(connection: Connection, comment: Comment) -> str | None:
    s, d = schema.site.c, schema.discussion.c
    query = select(s.key).join(schema.discussion, d.site_id == s.id).where(d.id == comment.discussion_id)
    site: str | None = connection.scalar(query)
    return site


def insert_comment(connection: Connection, comment: Comment, *, published: bool, digest: str | None) -> None:
    prepared.NEW_COMMENT.run(connection, comment_row(comment, published=published, digest=digest))


def comment_row(comment: Comment, *, published: bool, digest: str | None) -> dict[str, Any]:
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
        "created_at": mapping.milliseconds(comment.created_at),
        "edited_at": mapping.milliseconds(comment.edited_at) if comment.edited_at else None,
        "state": comment.state.value,
        "published": published,
        "up": comment.up,
        "down": comment.down,
        "reply_count": comment.reply_count,
        "pinned": comment.pinned,
        "idempotency_key": comment.idempotency_key,
        "request_digest": digest,
    }


def update_comment(connection: Connection, comment_id: str, **values: Any) -> None:
    connection.execute(update(schema.comment).where(schema.comment.c.id == comment_id).values(**values))


# ---- reports --------------------------------------------------------------------------------------------


def show_reports(connection: Connection, comment_id: str, *, listed: bool) -> None:
    """What was reported of a comment is in moderators' lists, or in none while the comment cannot be read."""
    connection.execute(update(schema.report).where(schema.report.c.comment_id == comment_id).values(open=listed))
