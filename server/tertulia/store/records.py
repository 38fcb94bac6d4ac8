"""The rows that commands and imports find and write besides events: discussions, authors, comments and requests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    Table,
    bindparam,
    case,
    func,
    literal_column,
    null,
    select,
    update,
)
from sqlalchemy.dialects import sqlite

from tertulia.core.comments import Author, Comment, Discussion, DiscussionKey, Mode, State
from tertulia.errors import no_such_site
from tertulia.store import clock, mapping, prepared, schema
from tertulia.store.prepared import Insert, Prepared

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql

_a, _c, _d = schema.author.c, schema.comment.c, schema.discussion.c
# built once: SQLAlchemy spends more on making a statement than SQLite on running it
_BY_KEY = mapping.discussions().where(schema.site.c.key == bindparam("site"), _d.key == bindparam("key"))
_AUTHOR_NAME = select(_a.name).where(_a.id == bindparam("author"))
_NEVER = literal_column(str(2**62), BigInteger)
"""Of tokens: later than any is made."""
TOKENS_AFTER = case((_a.merged_into.is_not(None), _NEVER), else_=_a.tokens_after)
"""Since when, in milliseconds since 1970, tokens of a guest are good: none of one who has become a member."""
_COMMENT = select(schema.comment).where(_c.id == bindparam("comment"))
_REQUEST = select(schema.comment).where(
    _c.author_id == bindparam("author"), _c.idempotency_key.in_([bindparam("request"), bindparam("unhashed")])
)
"""At most one comment; two where servers of an earlier version, which know unhashed keys alone, go on beside it."""
_BY_ALIAS = mapping.discussions().where(
    schema.site.c.key == bindparam("site"),
    _d.id
    == select(schema.key_alias.c.discussion_id)
    .where(schema.key_alias.c.site_id == schema.site.c.id, schema.key_alias.c.key == bindparam("key"))
    .scalar_subquery(),
)
_POST_CONTEXT = Prepared(
    _BY_KEY.add_columns(
        _AUTHOR_NAME.scalar_subquery().label("author_name"),
        _AUTHOR_NAME.with_only_columns(TOKENS_AFTER).scalar_subquery().label("tokens_after"),
        _AUTHOR_NAME.with_only_columns(_a.ban_effect).scalar_subquery().label("ban_effect"),
        _REQUEST.with_only_columns(func.min(_c.id)).scalar_subquery().label("repeated"),
        schema.site.c.networks_banned_until,
    )
)
_NEW_AUTHOR = Insert(schema.author, "id", "name", "badge", "created_at", is_shared=True)
_NEW_ORIGIN = Insert(schema.origin, "comment_id", "network", "sealed", "at")
_DECIDED = {"version", "hidden_by", "decision", "mark"}
_NEW_COMMENT = Insert(schema.comment, *(column.key for column in schema.comment.columns if column.key not in _DECIDED))


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An insert that can say what to do where the row is there already: each database has its own."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    from sqlalchemy.dialects import postgresql  # loaded with the engine; 20 ms that a server on SQLite saves

    return postgresql.insert(table)


# ---- discussions ----------------------------------------------------------------------------------------


def find_discussion(connection: Connection, key: DiscussionKey) -> Discussion | None:
    """The discussion that a key leads to, None when nobody has said or set anything in it.

    What is stored under exactly this key comes first, then what it is another key of, then both for its canonical form:
    so a key that was stored in another form keeps its meaning, and costs one query. The only place that resolves keys.
    """
    for name, query in _ways(key):
        row = connection.execute(query, {"site": name.site, "key": name.key}).mappings().one_or_none()
        if row is not None:
            return mapping.to_discussion(row)
    return None


def _ways(key: DiscussionKey) -> Iterator[tuple[DiscussionKey, Select[Any]]]:
    yield key, _BY_KEY
    yield key, _BY_ALIAS
    canonical = key.canonical
    if canonical != key:
        yield canonical, _BY_KEY
        yield canonical, _BY_ALIAS


def discussion_of(connection: Connection, comment: Comment) -> Discussion:
    """The discussion that a comment is in."""
    query = mapping.discussions().where(_d.id == comment.discussion_id)
    return mapping.to_discussion(connection.execute(query).mappings().one())


def ensure_discussion(
    connection: Connection, key: DiscussionKey, at: datetime, *, title: str = "", url: str = ""
) -> Discussion:
    """The discussion that a key leads to, made under its canonical form when there is none. Raises unknown_site."""
    found = find_discussion(connection, key)
    if found is not None:
        return found
    key = key.canonical
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
    connection.execute(insert_into(connection, schema.discussion).values(values).on_conflict_do_nothing())
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
    name = connection.scalar(_AUTHOR_NAME, {"author": author.id})
    if name is None:
        _NEW_AUTHOR.run(connection, mapping.author_row(author, at))
    elif name != author.name:
        _rename(connection, author)


def _rename(connection: Connection, author: Author) -> None:
    connection.execute(update(schema.author).where(_a.id == author.id).values(name=author.name))


def is_void(tokens_after: int | None, made_at: datetime) -> bool:
    """Whether a guest's token that was made then is good no more."""
    return tokens_after is not None and mapping.milliseconds(made_at) < tokens_after


# ---- comments -------------------------------------------------------------------------------------------


def find_comment(connection: Connection, comment_id: str, *, flushed: bool = False) -> Comment | None:
    """``flushed`` finds it as the whole batch so far left it.

    Otherwise rows that are queued are not looked at: a comment's id is told after the commit, so that nobody answers
    one of the same batch.
    """
    if flushed:
        prepared.flush(connection)
    row = connection.execute(_COMMENT, {"comment": comment_id}).mappings().one_or_none()
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


def insert_comment(connection: Connection, comment: Comment, *, published: bool) -> None:
    """For a comment that no request made."""
    _NEW_COMMENT.run(connection, mapping.comment_row(comment, published=published, digest=None))


def update_comment(connection: Connection, comment_id: str, **values: Any) -> None:
    if values.get("decision", ...) is None:
        values["decision"] = null()  # None would be stored as JSON
    connection.execute(update(schema.comment).where(schema.comment.c.id == comment_id).values(**values))


# ---- requests -------------------------------------------------------------------------------------------


class RequestId(NamedTuple):
    """What makes a post the same as an earlier one: its author, and its idempotency key in either form."""

    author: str
    request: str
    unhashed: str


@dataclass(frozen=True, slots=True)
class FoundRequest:
    """The comment that a request made, and the digest of what was asked for then."""

    comment: Comment
    digest: str | None


@dataclass(frozen=True, slots=True)
class PostContext:
    """What a new comment depends on; ``author_name`` is None for an author without a row.

    Tokens of the author that were made before ``tokens_after``, in milliseconds since 1970, are void. ``ban_effect`` is
    not None where the author is banned, or was until lately; until ``networks_banned_until``, likewise, a network is.
    """

    discussion: Discussion
    discussion_id: int
    site_id: int
    author_name: str | None
    is_repeated: bool
    tokens_after: int | None
    ban_effect: str | None = None
    networks_banned_until: int = 0


def post_context(
    connection: Connection,
    key: DiscussionKey,
    request: RequestId,
    *,
    at: datetime,
    title: str,
    url: str,
) -> PostContext:
    """All that a comment depends on, in one query; the discussion is made where there is none. Raises unknown_site."""
    named = {"site": key.site, "key": key.key, **request._asdict()}
    row = _POST_CONTEXT.row(connection, named)
    if row is None:  # another instance may make it at this moment, and the same comment in it
        prepared.flush(connection)
        made = ensure_discussion(connection, key, at, title=title, url=url)
        row = _POST_CONTEXT.row(connection, {**named, "key": made.key.key})
        assert row is not None  # noqa: S101 - the discussion is there
    repeated = row["repeated"] is not None
    return PostContext(
        mapping.to_discussion(row),
        row["id"],
        row["site_id"],
        row["author_name"],
        repeated,
        row["tokens_after"],
        row["ban_effect"],
        row["networks_banned_until"],
    )


def insert_post(connection: Connection, comment: Comment, context: PostContext, *, at: datetime, digest: str) -> None:
    """Queues a new comment, and its author where there is no row of that name; ``digest`` is of the request."""
    author = mapping.author_row(comment.author, at)
    row = mapping.comment_row(comment, published=comment.state is State.visible, digest=digest)
    if context.author_name is None:
        _NEW_AUTHOR.queue(connection, author)
    elif context.author_name != comment.author.name:
        _rename(connection, comment.author)
    _NEW_COMMENT.queue(connection, row)


def note_origin(connection: Connection, comment_id: str, network: str, at: datetime, sealed: str | None = None) -> None:
    """Queues where a comment came from; its time is the database's, that all instances share."""
    noted = mapping.milliseconds(clock.shared(connection, at))
    _NEW_ORIGIN.queue(connection, {"comment_id": comment_id, "network": network, "sealed": sealed, "at": noted})


def find_request(connection: Connection, request: RequestId) -> FoundRequest | None:
    """What the same request came to before, in this batch, too."""
    prepared.flush(connection)
    row = connection.execute(_REQUEST, request._asdict()).mappings().first()
    return None if row is None else FoundRequest(mapping.to_comment(row), row["request_digest"])


# ---- reports --------------------------------------------------------------------------------------------


def show_reports(connection: Connection, comment_id: str, *, listed: bool) -> None:
    """What was reported of a comment is in moderators' lists, or in none while the comment cannot be read."""
    connection.execute(update(schema.report).where(schema.report.c.comment_id == comment_id).values(open=listed))
