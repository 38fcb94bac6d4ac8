"""Exporting: sites, articles and discussions as one document; imported into an empty database it gives the same.

Not in it: tokens, reports, idempotency keys, the epoch, seqs and the log, which another database makes of its own.

The document is written as it is read, a comment a line, all of it seen at one moment: what is held is a few rows, and
the texts of the articles. Within a discussion the top-level comments come in the order of time, then the replies by
what they answer: the database sorts one discussion at a time, which an index finds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, select

from tertulia.articles import Article, Articles
from tertulia.core.comments import State
from tertulia.core.rules import own_rules
from tertulia.core.text import clean_title
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import no_such_site
from tertulia.protocol import timestamp
from tertulia.reporting import Progress, silent
from tertulia.store import Store, desk_log, mapping, schema
from tertulia.store.streaming import streamed
from tertulia.transfer.format import FORMAT

Document = dict[str, Any]
c, d, v = schema.comment.c, schema.discussion.c, schema.vote.c
_BODILESS = [column for column in c if column is not c.body]


async def export(
    store: Store,
    articles: Articles,
    site: str | None,
    write: Callable[[str], object],
    progress: Progress = silent,
) -> None:
    """Writes one site, or all, a piece at a time; the articles' texts belong to the site ``default``.

    Raises unknown_site when nothing has been written yet.
    """
    texts = articles.all() if site in (None, DEFAULT_SITE) else []
    await store.database.read.run(lambda connection: _write(connection, texts, site, write, progress))


def _write(
    connection: Connection, texts: list[Article], site: str | None, write: Callable[[str], object], progress: Progress
) -> None:
    for piece in _pieces(connection, texts, site, _Count(connection, site, progress)):
        write(piece)


class _Count:
    """Tells how many comments are written, of how many."""

    def __init__(self, connection: Connection, site: str | None, progress: Progress) -> None:
        query = select(func.count()).select_from(schema.comment)
        if site is not None:
            query = query.join(schema.discussion).join(schema.site).where(schema.site.c.key == site)
        self._total = connection.scalar(query) or 0
        self._done = 0
        self._progress = progress

    def one(self) -> None:
        self._done += 1
        self._progress("Exporting comments", self._done, self._total)


def _pieces(connection: Connection, texts: list[Article], site: str | None, count: _Count) -> Iterator[str]:
    s = schema.site.c
    query = select(s.id, s.key, s.origins, s.settings).order_by(s.key)
    if site is not None:
        query = query.where(s.key == site)
    sites = list(connection.execute(query))
    if not sites:
        raise no_such_site()
    told = [{"key": row.key, "origins": list(row.origins)} | _rules((row.settings or {}).get("rules")) for row in sites]
    yield f'{{\n"format": {_json(FORMAT)},\n"sites": {_json(told)},\n"articles": ['
    separator = "\n"
    for row in sites:
        here = texts if row.key == DEFAULT_SITE else []
        for article in _articles(connection, row.id, row.key, here, count):
            yield separator
            yield from article
            separator = ",\n"
    yield "\n]\n}\n"


def _rules(stored: Document | None) -> Document:
    """Those that a site or a discussion has of its own, where it has any."""
    own = own_rules(stored).stored()
    return {} if own is None else {"rules": own}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _articles(
    connection: Connection, site_id: int, site: str, texts: list[Article], count: _Count
) -> Iterator[Iterator[str]]:
    """By key. A text and a discussion of one key are one article where they agree on the title."""
    query = (
        select(d.id, d.key, d.title, d.url, d.mode, d.rules, d.closes_at)
        .where(d.site_id == site_id, d.key != desk_log.KEY)
        .order_by(d.key)
    )
    agreeing = {(text.key, clean_title(text.title)): text for text in texts}
    rest = {text.slug: text for text in sorted(texts, key=lambda text: (text.key, text.slug))}
    for row in streamed(connection, query):
        document: Document = {"title": row.title, "key": row.key}
        if site != DEFAULT_SITE:
            document["site"] = site
        text = agreeing.get((row.key, row.title))
        if text is not None:
            document |= _text(rest.pop(text.slug))
        document["mode"] = row.mode
        document |= _rules(row.rules)
        if row.closes_at is not None:
            document["closes_at"] = timestamp(mapping.to_datetime(row.closes_at))
        if row.url:
            document["url"] = row.url
        yield _discussion(connection, row.id, document, count)
    for text in rest.values():
        yield iter([_json(_text(text))])


def _text(article: Article) -> Document:
    return {
        "title": article.title,
        "key": article.key,
        "slug": article.slug,
        "lang": article.language,
        "timezone": article.time_zone,
        "date": article.date.isoformat(),
        "author": article.author,
        "summary": article.summary,
        "markdown": article.markdown,
    }


def _discussion(connection: Connection, discussion_id: int, head: Document, count: _Count) -> Iterator[str]:
    yield _json(head)[:-1] + ', "comments": ['
    separator = "\n"
    comments = select(*_BODILESS).where(c.discussion_id == discussion_id).order_by(*_in_order())
    votes = _Votes(connection, discussion_id)
    for row in streamed(connection, comments):
        yield f"{separator}{_json(_comment(row))[:-1]}"
        yield from votes.of(row.id)
        yield "}"
        separator = ",\n"
        count.one()
    yield "]}"


def _in_order() -> tuple[ColumnElement[Any], ...]:
    return c.parent_id.nulls_first(), c.created_at, c.id


class _Votes:
    """The votes of a discussion, read beside its comments and in their order: one comment may have any number."""

    def __init__(self, connection: Connection, discussion_id: int) -> None:
        query = select(v.comment_id, v.voter_id, v.value).join(schema.comment, c.id == v.comment_id)
        ordered = query.where(c.discussion_id == discussion_id).order_by(*_in_order(), v.voter_id)
        self._rows = streamed(connection, ordered)
        self._next = next(self._rows, None)

    def of(self, comment_id: str) -> Iterator[str]:
        separator = ', "votes": ['
        while self._next is not None and self._next.comment_id == comment_id:
            yield separator + _json({"voter": self._next.voter_id, "value": self._next.value})
            separator = ", "
            self._next = next(self._rows, None)
        if separator == ", ":
            yield "]"


def _comment(row: Row[Any]) -> Document:
    deleted = row.state == State.deleted
    found: Document = {"id": row.id}
    if row.parent_id is not None:
        found["parent"] = row.parent_id
    if not deleted:
        found["author"] = row.author_name
    found["author_id"] = row.author_id
    if row.author_badge is not None:
        found["badge"] = row.author_badge
    found["at"] = timestamp(mapping.to_datetime(row.created_at))
    if not deleted:
        found["text"] = row.text
    if row.edited_at is not None:
        found["edited_at"] = timestamp(mapping.to_datetime(row.edited_at))
    return found | _standing(row)


def _standing(row: Row[Any]) -> Document:
    found: Document = {}
    if row.state != State.visible:
        found |= {"state": row.state, "published": row.published}
    if row.pinned:
        found["pinned"] = True
    return found
