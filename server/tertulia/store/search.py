"""The search index, on both databases of the same words: FTS5 of SQLite, a tsvector of PostgreSQL.

An entry's number grows with its comment's time, so that the newest matches are read first and no others. Words have
letters, marks and digits alone, and a scope is a word as well: one index answers for a site or a discussion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, literal, select, text

from tertulia.core.comments import Comment, DiscussionKey, State
from tertulia.core.search_terms import SearchQuery, Term, words
from tertulia.errors import no_such_site
from tertulia.store import followers, mapping, records, schema
from tertulia.store.prepared import Insert, Prepared
from tertulia.store.queries import ANCESTORS

FOLLOWER = "search"
_SPREAD_BITS = 12
"""Of an entry's number: comments of one millisecond have numbers beside each other."""

_s, _c, _d = schema.search_entry.c, schema.comment.c, schema.discussion.c
# each comment that is entered asks these
_NUMBER = Prepared(select(_s.id).where(_s.comment_id == bindparam("comment_id")))
_IS_GIVEN = Prepared(select(_s.id).where(_s.id == bindparam("number")))
_ENTRY = Insert(schema.search_entry)
_WORDS = Prepared(text("INSERT INTO search_text (rowid, words, scope) VALUES (:number, :words, :scope)"))
_TERMS = Prepared(text("INSERT INTO search_text (id, terms) VALUES (:number, CAST(:terms AS tsvector))"))


@dataclass(frozen=True, slots=True)
class Scope:
    """Where is looked: in a site, or one discussion of it, and at what one author wrote."""

    site: str
    key: str | None = None
    author_id: str | None = None


class Match(NamedTuple):
    """A comment that matches, with the number that the next page begins behind."""

    number: int
    comment: Comment
    discussion: DiscussionKey
    title: str
    url: str


# ---- looking --------------------------------------------------------------------------------------------


def find(connection: Connection, scope: Scope, asked: SearchQuery, before: int | None, limit: int) -> list[Match]:
    """The newest comments that match and can be read, those before the number ``before``. Raises unknown_site."""
    scopes = _scopes(connection, scope)
    if scopes is None or not asked.wanted:
        return []
    numbers = _numbers(connection, _query(connection, asked, scopes), before, limit)
    s = schema.site
    query = (
        select(_s.id.label("number"), schema.comment, s.c.key.label("site_key"), _d.key.label("key"), _d.title, _d.url)
        .join(schema.comment, _c.id == _s.comment_id)
        .join(schema.discussion, _d.id == _c.discussion_id)
        .join(s, s.c.id == _d.site_id)
        # an entry is behind the log for a moment: what was removed meanwhile is not shown
        .where(_s.id.in_(numbers), _c.state == State.visible.value)
        .order_by(_s.id.desc())
    )
    return [_found(row) for row in connection.execute(query).mappings()]


def ancestors(connection: Connection, comment_ids: Sequence[str]) -> list[Comment]:
    """What these stand below, parents first and without these, at most ANCESTORS above each."""
    start = select(_c.id, _c.parent_id, literal(0).label("height")).where(_c.id.in_(comment_ids))
    above = start.cte("above", recursive=True)
    above = above.union(
        select(_c.id, _c.parent_id, above.c.height + 1).where(_c.id == above.c.parent_id, above.c.height < ANCESTORS)
    )
    # one that several stand below is as high as it is above the lowest, so that its own parents come before it
    height = func.max(above.c.height).label("height")
    highest = select(above.c.id, height).where(above.c.id.not_in(comment_ids)).group_by(above.c.id).subquery()
    query = select(schema.comment).join(highest, highest.c.id == _c.id).order_by(highest.c.height.desc(), _c.id)
    return [mapping.to_comment(row) for row in connection.execute(query).mappings()]


def _found(row: RowMapping) -> Match:
    key = DiscussionKey(row["site_key"], row["key"])
    return Match(row["number"], mapping.to_comment(row), key, row["title"], row["url"])


def _scopes(connection: Connection, scope: Scope) -> list[str] | None:
    """The words of a scope; None where there is nothing."""
    site_id = connection.scalar(select(schema.site.c.id).where(schema.site.c.key == scope.site))
    if site_id is None:
        raise no_such_site()
    found = [f"s{site_id}"]
    if scope.key is not None:
        discussion = records.find_discussion(connection, DiscussionKey(scope.site, scope.key))
        if discussion is None:
            return None
        found = [f"d{discussion.id}"]
    return found if scope.author_id is None else [*found, _author_word(scope.author_id)]


def _author_word(author_id: str) -> str:
    return "a" + author_id.replace("-", "")


def _numbers(connection: Connection, query: str, before: int | None, limit: int) -> Sequence[int]:
    values: dict[str, Any] = {"query": query, "limit": limit, "before": before if before is not None else 2**62}
    if connection.dialect.name == "postgresql":
        sql = (
            "SELECT id FROM search_text WHERE terms @@ CAST(:query AS tsquery) AND id < :before"
            " ORDER BY id DESC LIMIT :limit"
        )
    else:
        sql = (
            "SELECT rowid FROM search_text WHERE search_text MATCH :query AND rowid < :before"
            " ORDER BY rowid DESC LIMIT :limit"
        )
    return connection.scalars(text(sql), values).all()


def _query(connection: Connection, asked: SearchQuery, scopes: Iterable[str]) -> str:
    """The query in the words of the database. Words have no character that means anything there."""
    if connection.dialect.name == "postgresql":
        parts = [*(f"'{scope}:'" for scope in scopes), *map(_of_postgresql, asked.wanted)]
        return " & ".join([*parts, *(f"!({_of_postgresql(part)})" for part in asked.unwanted)])
    wanted = [*(f'scope : "{scope}"' for scope in scopes), *(f"words : {_of_sqlite(part)}" for part in asked.wanted)]
    unwanted = "".join(f" NOT (words : {_of_sqlite(part)})" for part in asked.unwanted)
    return f"({' AND '.join(f'({part})' for part in wanted)}){unwanted}"


def _of_postgresql(part: Term) -> str:
    joined = " <-> ".join(f"'{word}'" for word in part.words)
    return f"{joined}:*" if part.is_beginning else f"({joined})"


def _of_sqlite(part: Term) -> str:
    return f'"{" ".join(part.words)}"{" *" if part.is_beginning else ""}'


# ---- following ------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """A comment as it is to be found; ``words`` is None where it is not to be found any more."""

    comment_id: str
    number: int
    words: tuple[str, ...] | None
    scopes: tuple[str, ...] = ()


def read(connection: Connection, comment_ids: Iterable[str]) -> list[Entry]:
    """These comments as they are now."""
    query = select(_c.id, _c.text, _c.author_name, _c.author_id, _c.created_at, _c.state, _d.id, _d.site_id)
    query = query.join(schema.discussion, _d.id == _c.discussion_id).where(_c.id.in_(sorted(set(comment_ids))))
    return [_entry(*row) for row in connection.execute(query.order_by(_c.created_at, _c.id))]


def _entry(
    comment_id: str, said: str, name: str, author_id: str, at: int, state: str, discussion_id: int, site_id: int
) -> Entry:
    number = (at << _SPREAD_BITS) | (hashlib.blake2s(comment_id.encode(), digest_size=2).digest()[0] << 4)
    if state != State.visible.value:
        return Entry(comment_id, number, None)
    found = tuple(word.folded for word in words(f"{name}\n{said}"))
    return Entry(comment_id, number, found, (f"s{site_id}", f"d{discussion_id}", _author_word(author_id)))


def store(connection: Connection, entries: Iterable[Entry]) -> None:
    """Puts these in the place of what was known of their comments."""
    for entry in entries:
        remove(connection, entry.comment_id)
        if entry.words is not None:
            _insert(connection, entry)


def remove(connection: Connection, comment_id: str) -> None:
    for [number] in _NUMBER.rows(connection, {"comment_id": comment_id}):
        column = "id" if connection.dialect.name == "postgresql" else "rowid"
        connection.execute(text(f"DELETE FROM search_text WHERE {column} = :number"), {"number": number})  # noqa: S608
        connection.execute(delete(schema.search_entry).where(_s.id == number))


def _insert(connection: Connection, entry: Entry) -> None:
    number = entry.number
    while _IS_GIVEN.rows(connection, {"number": number}):
        number += 1
    _ENTRY.run(connection, {"id": number, "comment_id": entry.comment_id})
    assert entry.words is not None  # noqa: S101 - else there is nothing to insert
    if connection.dialect.name == "postgresql":
        placed = [f"'{word}':{place}" for place, word in enumerate(entry.words, 1)]
        terms = " ".join([*(f"'{scope}:'" for scope in entry.scopes), *placed])
        _TERMS.run(connection, {"number": number, "terms": terms})
    else:
        _WORDS.run(connection, {"number": number, "words": " ".join(entry.words), "scope": " ".join(entry.scopes)})


def clear(connection: Connection) -> None:
    """Forgets everything, and has it made again from the log."""
    connection.execute(text("DELETE FROM search_text"))
    connection.execute(delete(schema.search_entry))
    followers.begin_again(connection, FOLLOWER)


def size(connection: Connection) -> int:
    """How many comments can be found."""
    return connection.execute(select(func.count()).select_from(schema.search_entry)).scalar_one()


def sizes(connection: Connection) -> tuple[int, int]:
    """How many comments are entered, and of how many there are words: as many."""
    texts: int = connection.execute(text("SELECT count(*) FROM search_text")).scalar_one()
    return size(connection), texts
