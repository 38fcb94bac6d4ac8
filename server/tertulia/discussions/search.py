"""Searching through the comments of a site: a follower keeps the index, and readers ask it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import NamedTuple, TypeVar, cast

from pydantic import BaseModel
from sqlalchemy import Connection

from tertulia import protocol
from tertulia.core import documents, search_terms
from tertulia.core.ordering import PageCursor, decode_page_cursor, encode_page_cursor
from tertulia.core.search_terms import SearchQuery
from tertulia.errors import ErrorCode, Problem
from tertulia.limits import PostingLimits
from tertulia.protocol import PAGE_BYTES, comment_view
from tertulia.store import Store, search
from tertulia.store.commands import Command, CommandResult
from tertulia.store.followers import NextEvents
from tertulia.store.search import Match, Scope

Model = TypeVar("Model", bound=BaseModel)
LONGEST_QUERY = 200
CONSIDERED = 200
"""The newest matches among which the best are looked for: to rank a million would take seconds."""


class SearchSort(StrEnum):
    best = "best"
    newest = "newest"


class _Ranked(NamedTuple):
    """``own``: how many of the wanted words it has with the query's own marks."""

    own: int
    found: Match


class SearchFollower:
    """Keeps the index behind the log."""

    name = search.FOLLOWER

    def read(self, connection: Connection, next_events: NextEvents) -> object:
        return search.read(
            connection, (event.comment_id for event in next_events.events if event.comment_id is not None)
        )

    def store(self, connection: Connection, read: object) -> None:
        search.store(connection, cast("list[search.Entry]", read))


class ForgetIndex(Command[None]):
    """Empties the index and has it made anew from the log."""

    def apply(self, connection: Connection) -> CommandResult[None]:
        search.clear(connection)
        return CommandResult(None)


class Search:
    """What readers ask of the index."""

    def __init__(self, store: Store, limits: PostingLimits) -> None:
        self._store = store
        self._limits = limits

    async def find(
        self,
        scope: Scope,
        asked: str,
        *,
        sort: SearchSort,
        limit: int,
        cursor: str | None,
        address: str | None = None,
    ) -> protocol.SearchPage:
        """The comments that match, at most ``limit``, each with the words around its first match.

        ``address`` is the client's, which is counted. Raises empty, too_long, unknown_site, bad_cursor, rate_limited.
        """
        query = _search_query(asked)
        name = f"search {sort} {scope.site} {scope.key or ''} {scope.author_id or ''} {asked}"
        after = decode_page_cursor(cursor, name, 2)
        await self._limits.count_search(address)
        read = _best if sort is SearchSort.best else _newest
        return await self._store.read(_page, read, scope, query, name, after, limit)


def _page(
    connection: Connection,
    read: Callable[[Connection, Scope, SearchQuery, PageCursor | None, int], list[_Ranked]],
    scope: Scope,
    query: SearchQuery,
    name: str,
    after: PageCursor | None,
    limit: int,
) -> protocol.SearchPage:
    """In the reader's thread as a whole: to rank and to cut out takes longer than the loop may be held up."""
    ranked = read(connection, scope, query, after, limit + 1)
    results, left = _within(PAGE_BYTES, (_result(query, one.found) for one in ranked[:limit]))
    ancestors: list[protocol.CommentView] = []
    if scope.key is not None and results:
        above = search.ancestors(connection, [result.comment.id for result in results])
        ancestors, _ = _within(left, map(comment_view, above), least=0)
    following = None
    if len(ranked) > len(results):
        last = ranked[len(results) - 1]
        following = encode_page_cursor(PageCursor(name, (last.own, last.found.number), last.found.comment.id))
    return protocol.SearchPage(results=results, ancestors=ancestors, next=following)


def _within(left: int, models: Iterable[Model], least: int = 1) -> tuple[list[Model], int]:
    """As many of them as have at most ``left`` bytes of JSON, but ``least`` of them; and how many are left."""
    found: list[Model] = []
    for model in models:
        left -= len(model.model_dump_json().encode())
        if left < 0 and len(found) >= least:
            break
        found.append(model)
    return found, max(0, left)


def _newest(
    connection: Connection, scope: Scope, query: SearchQuery, after: PageCursor | None, limit: int
) -> list[_Ranked]:
    before = None if after is None else after.values[1]
    return [_Ranked(0, found) for found in search.find(connection, scope, query, before, limit)]


def _best(
    connection: Connection, scope: Scope, query: SearchQuery, after: PageCursor | None, limit: int
) -> list[_Ranked]:
    found = search.find(connection, scope, query, None, CONSIDERED)
    ranked = [_Ranked(search_terms.own_matches(query, one.comment.text), one) for one in found]
    ranked.sort(key=_place, reverse=True)
    return [one for one in ranked if after is None or _place(one) < after.values][:limit]


def _place(ranked: _Ranked) -> tuple[int, ...]:
    return ranked.own, ranked.found.number


def _search_query(asked: str) -> SearchQuery:
    if len(asked) > LONGEST_QUERY:
        raise Problem(ErrorCode.too_long, f"A query has at most {LONGEST_QUERY} characters.", field="q")
    query = search_terms.search_query(asked)
    if not query.wanted:
        raise Problem(ErrorCode.empty, "Give at least one word to look for.", field="q")
    return query


def _result(query: SearchQuery, found: Match) -> protocol.SearchResult:
    parts = search_terms.snippet(query, " ".join(documents.plain(found.comment.body).split()))
    return protocol.SearchResult(
        comment=comment_view(found.comment),
        site=found.discussion.site,
        key=found.discussion.key,
        title=found.title,
        url=found.url,
        snippet=[protocol.SnippetPart(text=part.text, match=part.is_match) for part in parts],
    )
