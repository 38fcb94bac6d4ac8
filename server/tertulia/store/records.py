"""The rows that commands and imports find and write besides events: discussions, authors, comments and requests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tertulia.core.comments import Author, Comment, Discussion, DiscussionKey, Mode
from tertulia.errors import no_such_site
from tertulia.store import mapping, prepared, schema

# ---- discussions ----------------------------------------------------------------------------------------

# built once: SQLAlchemy spends more on making a statement than SQLite on running it
_BY_KEY = mapping.discussions().where(
    schema.site.c.key == bindparam("site"), schema.discussion.c.key == bindparam("key")
)


def find_discussion(connection: Connection, key: DiscussionKey) -> Discussion | None:
    """The discussion of this name, None when nobody has said or set anything in it."""
    row = connection.execute(_BY_KEY, {"site": key.site, "key": key.key}).mappings().one_or_none()
    return None if row is None else mapping.to_discussion(row)


def ensure_discussion(
    connection: Connection, key: DiscussionKey, at: datetime, *, title: str = "", url: str = ""
) -> Discussion:
    """The discussion of this name, made when there is none. Raises unknown_site."""
    found = find_discussion(connection, key)
    if found is not None:
        return found
    site_id = connection.scalar(select(schema.site.c.id).where(schema.site.c.key == key.site))
    if site_id is None:
        raise no_such_site()
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
    made = find_discussion(connection, key)
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


def note_name(connection: Connection, author: Author, name: str | None, at: datetime, *, queued: bool = False) -> None:
    """Makes the author's row where the ``name`` it is known by is None, or replaces a name that is another."""
    if name is None:
        prepared.NEW_AUTHOR.put(connection, mapping.author_row(author, at), queued=queued)
    elif name != author.name:
        connection.execute(update(schema.author).where(schema.author.c.id == author.id).values(name=author.name))


# ---- comments -------------------------------------------------------------------------------------------


def find_comment(connection: Connection, comment_id: str, *, flushed: bool = False) -> Comment | None:
    """``flushed`` finds it as the whole batch so far left it.

    Otherwise rows that are queued are not looked at: a comment's id is told after the commit, so that nobody answers
    one of the same batch.
    """
    if flushed:
        prepared.flush(connection)
    row = connection.execute(prepared.COMMENT, {"comment": comment_id}).mappings().one_or_none()
    return None if row is None else mapping.to_comment(row)


def is_published(connection: Connection, comment_id: str) -> bool:
    """Whether the log tells of it."""
    return bool(connection.scalar(select(schema.comment.c.published).where(schema.comment.c.id == comment_id)))


def site_of(connection: Connection, comment: Comment) -> str | None:
    """The key of a comment's site."""
    s, d = schema.site.c, schema.discussion.c
    query = select(s.key).join(schema.discussion, d.site_id == s.id).where(d.id == comment.discussion_id)
    site: str | None = connection.scalar(query)
    return site


def insert_comment(
    connection: Connection, comment: Comment, *, published: bool, digest: str | None, queued: bool = False
) -> None:
    """``digest`` is that of the request it came with."""
    row = mapping.comment_row(comment, published=published, digest=digest)
    prepared.NEW_COMMENT.put(connection, row, queued=queued)


def update_comment(connection: Connection, comment_id: str, **values: Any) -> None:
    connection.execute(update(schema.comment).where(schema.comment.c.id == comment_id).values(**values))


# ---- requests -------------------------------------------------------------------------------------------


class RequestId(NamedTuple):
    """What makes a post the same as an earlier one: its author, and its idempotency key in either form."""

    author: str
    request: str
    bare: str


@dataclass(frozen=True, slots=True)
class FoundRequest:
    """The comment that a request made, and the digest of what was asked for then."""

    comment: Comment
    digest: str | None


@dataclass(frozen=True, slots=True)
class PostContext:
    """What a new comment depends on; ``author_name`` is None for an author without a row."""

    discussion: Discussion
    author_name: str | None
    is_repeated: bool


def post_context(connection: Connection, key: DiscussionKey, request: RequestId) -> PostContext | None:
    """All that a comment depends on, in one query; None in a discussion that does not exist yet."""
    row = prepared.POST_CONTEXT.row(connection, {"site": key.site, "key": key.key, **request._asdict()})
    if row is None:
        return None
    return PostContext(mapping.to_discussion(row), row["author_name"], row["repeated"] is not None)


def find_request(connection: Connection, request: RequestId) -> FoundRequest | None:
    """What the same request came to before, in this batch, too."""
    prepared.flush(connection)
    row = connection.execute(prepared.REQUEST, request._asdict()).mappings().first()
    return None if row is None else FoundRequest(mapping.to_comment(row), row["request_digest"])


# ---- reports --------------------------------------------------------------------------------------------


def show_reports(connection: Connection, comment_id: str, *, listed: bool) -> None:
    """What was reported of a comment is in moderators' lists, or in none while the comment cannot be read."""
    connection.execute(update(schema.report).where(schema.report.c.comment_id == comment_id).values(open=listed))
