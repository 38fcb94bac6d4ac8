"""The search over HTTP; its routes are there where the server keeps an index."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from tertulia import protocol
from tertulia.core.ids import is_uuid
from tertulia.core.text import clean_key
from tertulia.discussions.search import LONGEST_QUERY, Search, SearchSort
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import API
from tertulia.store.search import Scope
from tertulia.web.client_address import ClientAddress
from tertulia.web.operations import CURSOR, KEY_ERRORS, SITE, Parameter, limit, operation
from tertulia.web.origins import OriginPolicy
from tertulia.web.validation import Query

PAGE = 20
MAX_PAGE = 50
_SEARCHED = Parameter(
    "q",
    'Words that all occur, `"phrases"`, and `-words` that do not; without regard to accents and case.',
    {"type": "string", "minLength": 1, "maxLength": LONGEST_QUERY},
    required=True,
)
_SORT = Parameter(
    "sort",
    "`best`: what has the very accents of the query first; `newest`.",
    {"type": "string", "enum": [*SearchSort], "default": "best"},
)
_KEY = Parameter("key", "In this discussion only.")
_AUTHOR = Parameter("author", "What this author wrote only: an author's `id`.")


class SearchApi:
    """The handler over the index."""

    def __init__(self, search: Search, origins: OriginPolicy, addresses: ClientAddress) -> None:
        self._search = search
        self._origins = origins
        self._addresses = addresses

    @operation(
        "GET",
        f"{API}/search",
        "Comments that match, each with the words around the first match",
        {200: protocol.SearchPage},
        parameters=(SITE, _SEARCHED, _KEY, _AUTHOR, _SORT, CURSOR, limit(PAGE, MAX_PAGE)),
        errors=(*KEY_ERRORS, ErrorCode.bad_cursor, ErrorCode.origin_not_allowed, ErrorCode.rate_limited),
    )
    async def search(self, request: Request, query: Query) -> Response:
        await self._origins.admit(request, query.site())
        page = await self._search.find(
            scope_of(query.site(), query.text("key"), query.text("author")),
            query.text("q") or "",
            sort=query.choice("sort", SearchSort, SearchSort.best),
            limit=query.number("limit", least=1, most=MAX_PAGE) or PAGE,
            cursor=query.text("cursor"),
            address=self._addresses.of(request),
        )
        return Response(page.model_dump_json(), media_type="application/json")


def scope_of(site: str, key: str | None, author: str | None) -> Scope:
    """Where somebody wants to look. Raises what ``clean_key`` raises, and invalid."""
    if author is not None and not is_uuid(author):
        raise Problem(ErrorCode.invalid, "An author is named by an id.", field="author")
    return Scope(site, None if key is None else clean_key(key), author)
