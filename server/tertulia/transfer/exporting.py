"""Exporting: sites, articles and discussions as one document; imported into an empty database it gives the same.

Not in it: tokens, reports, idempotency keys, the epoch, seqs and the log, which another database makes of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, select

from tertulia.articles import Article, Articles
from tertulia.core.comments import Discussion, State
from tertulia.core.text import clean_title
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import timestamp
from tertulia.store import Store, rows, schema
from tertulia.transfer.format import FORMAT

PAGE = 500
"""Comments a query: a discussion of any size is read without one giant answer."""

Document = dict[str, Any]
c = schema.comment.c


async def export(store: Store, articles: Articles, site: str | None) -> Document:
    """One site, or all; the articles' texts belong to the site ``default``. Raises unknown_site."""
    texts = articles.all() if site in (None, DEFAULT_SITE) else []
    async with store.database.read.connect() as connection:
        return await connection.run_sync(_document, texts, site)


def _document(connection: Connection, texts: list[Article], site: str | None) -> Document:
    s = schema.site.c
    query = select(s.key, s.origins).order_by(s.key)
    if site is not None:
        query = query.where(s.key == site)
    sites = [{"key": row.key, "origins": list(row.origins)} for row in connection.execute(query)]
    if not sites:
        raise Problem(ErrorCode.unknown_site, "There is no such site.", field="site")
    document: Document = {"format": FORMAT, "sites": sites, "articles": []}
    for one in sites:
        here = texts if one["key"] == DEFAULT_SITE else []
        document["articles"] += _articles(connection, one["key"], here)
    return document


def _articles(connection: Connection, site: str, texts: list[Article]) -> Iterator[Document]:
    """By key. A text and a discussion of one key are one article where they agree on the title."""
    query = rows.discussions().where(schema.site.c.key == site).order_by(schema.discussion.c.key)
    found = [rows.to_discussion(row) for row in connection.execute(query).mappings()]
    agreeing = {(text.key, clean_title(text.title)): text for text in texts}
    rest = {text.slug: text for text in sorted(texts, key=lambda text: (text.key, text.slug))}
    for discussion in found:
        document: Document = {"title": discussion.title, "key": discussion.key.key}
        if site != DEFAULT_SITE:
            document["site"] = site
        text = agreeing.get((discussion.key.key, discussion.title))
        if text is not None:
            document |= _text(rest.pop(text.slug))
        yield document | _discussion(connection, discussion)
    yield from (_text(text) for text in rest.values())


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


def _discussion(connection: Connection, discussion: Discussion) -> Document:
    found: Document = {"mode": discussion.mode.value}
    if discussion.url:
        found["url"] = discussion.url
    # all ids first: no index has a discussion's comments of all depths in the order of time, so pages of
    # "the next 500" would sort everything again for each
    query = select(c.id).where(c.discussion_id == discussion.id).order_by(c.created_at, c.id)
    ids = list(connection.scalars(query))
    comments: list[Document] = []
    for start in range(0, len(ids), PAGE):
        comments += _comments(connection, ids[start : start + PAGE])
    return found | {"comments": comments}


def _comments(connection: Connection, ids: list[str]) -> Iterator[Document]:
    votes = _votes(connection, ids)
    query = select(schema.comment).where(c.id.in_(ids)).order_by(c.created_at, c.id)
    for row in connection.execute(query).mappings():
        comment = rows.to_comment(row)
        found: Document = {"id": comment.id}
        if comment.parent_id is not None:
            found["parent"] = comment.parent_id
        if comment.state is not State.deleted:
            found["author"] = comment.author.name
        found["author_id"] = comment.author.id
        if comment.author.badge is not None:
            found["badge"] = comment.author.badge
        found["at"] = timestamp(comment.created_at)
        if comment.state is not State.deleted:
            found["text"] = comment.text
        if comment.edited_at is not None:
            found["edited_at"] = timestamp(comment.edited_at)
        yield found | _standing(row, votes.get(comment.id))


def _standing(row: Any, votes: list[Document] | None) -> Document:
    found: Document = {}
    if row["state"] != State.visible:
        found |= {"state": row["state"], "published": row["published"]}
    if votes is not None:
        found["votes"] = votes
    if row["pinned"]:
        found["pinned"] = True
    return found


def _votes(connection: Connection, ids: list[str]) -> dict[str, list[Document]]:
    v = schema.vote.c
    query = select(schema.vote).where(v.comment_id.in_(ids)).order_by(v.comment_id, v.voter_id)
    found: dict[str, list[Document]] = {}
    for row in connection.execute(query):
        found.setdefault(row.comment_id, []).append({"voter": row.voter_id, "value": row.value})
    return found
