"""The search as a page, which needs no JavaScript: `/search?q=…`, with `site`, `key`, `sort` and `cursor`."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.core.text import clean_key, clean_site
from tertulia.discussions.search import LONGEST_QUESTION, Search, SearchSort
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import ErrorCode, Problem
from tertulia.pages.rendering import Rendering
from tertulia.pages.site_defaults import SiteDefaults
from tertulia.protocol import SearchPage
from tertulia.store.search import Scope
from tertulia.web.client_address import ClientAddress

PAGE = 20
_UNASKED = frozenset({ErrorCode.empty, ErrorCode.too_long, ErrorCode.bad_cursor})
"""Refusals of a question, which show the form and nothing found."""


class SearchPages:
    """The page and its address."""

    def __init__(self, search: Search, rendering: Rendering, defaults: SiteDefaults, addresses: ClientAddress) -> None:
        self._search = search
        self._rendering = rendering
        self._defaults = defaults
        self._addresses = addresses

    def routes(self) -> list[Route]:
        return [Route("/search", self._answer, methods=["GET"])]

    async def _answer(self, request: Request) -> Response:
        """The form, and under it what matches. Unknown sites and odd names of discussions are pages of errors."""
        query = request.query_params
        asked = query.get("q", "")
        sort = SearchSort.newest if query.get("sort") == SearchSort.newest else SearchSort.best
        try:
            key = clean_key(query["key"]) if query.get("key") else None
            scope = Scope(clean_site(query.get("site", DEFAULT_SITE)), key)
            found = await self._found(request, scope, asked, sort)
        except Problem as problem:
            status = problem.code.value.status
            context: dict[str, object] = {"status": status}
            return self._rendering.page("error.html", self._defaults.language, context, status=status)
        given = {"site": scope.site, "key": scope.key or "", "q": asked}
        context = {
            "asked": asked,
            "longest": LONGEST_QUESTION,
            "scope": scope,
            "sort": sort.value,
            "found": found,
            "sorts": {one.value: _href(given | {"sort": one.value}) for one in SearchSort},
            "more": _href(given | {"sort": sort.value, "cursor": found.next}) if found and found.next else None,
            "time_zone": self._defaults.time_zone,
        }
        return self._rendering.page("search.html", self._defaults.language, context)

    async def _found(self, request: Request, scope: Scope, asked: str, sort: SearchSort) -> SearchPage | None:
        """None where nothing was asked that can be looked for. Raises unknown_site, rate_limited."""
        cursor, address = request.query_params.get("cursor"), self._addresses.of(request)
        try:
            return await self._search.find(scope, asked, sort=sort, limit=PAGE, cursor=cursor, address=address)
        except Problem as problem:
            if problem.code in _UNASKED:
                return None
            raise


def _href(query: dict[str, str]) -> str:
    return "/search?" + urlencode({name: value for name, value in query.items() if value})
