"""Every page's address and what answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tertulia.articles import Article, Articles
from tertulia.core.comments import DiscussionKey, Sort
from tertulia.core.text import clean_key, clean_site
from tertulia.discussions import Discussions
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import Identity
from tertulia.pages.assets import Assets
from tertulia.pages.client import client_assets
from tertulia.pages.discussion_page import DiscussionPages
from tertulia.pages.form import Form, FormInput, explain, read_form
from tertulia.pages.json_ld import json_ld
from tertulia.pages.location import PageLocation, article_page, framed_page, standalone_page
from tertulia.pages.readers import Readers
from tertulia.pages.rendering import HEADERS, Rendering, framed_by
from tertulia.pages.sharing import mail, shares
from tertulia.pages.site_defaults import SiteDefaults
from tertulia.web.client_address import ClientAddress
from tertulia.web.conditional import validated
from tertulia.web.origins import OriginPolicy
from tertulia.web.validation import Query

ARTICLES_A_PAGE = 30
OTHER_POSTS = 5
# shared caches may keep it, too: what was removed is in them for no longer than this
_SHARED = "public, max-age=10"
_PRIVATE = "private, max-age=10"
_OWN = "private, no-store"

Handler = Callable[[Request], Awaitable[Response]]


class Pages:
    """The server-rendered pages: they read and post without JavaScript, and without a cookie but for who signs in."""

    def __init__(
        self,
        discussions: Discussions,
        articles: Articles,
        origins: OriginPolicy,
        addresses: ClientAddress,
        defaults: SiteDefaults,
        readers: Readers,
    ) -> None:
        self._readers = readers
        self._discussions = discussions
        self._discussion_pages = DiscussionPages(discussions)
        self._articles = articles
        self._origins = origins
        self._addresses = addresses
        self._defaults = defaults
        self._assets = Assets(client_assets())
        self._rendering = Rendering(defaults, self._assets)

    @property
    def rendering(self) -> Rendering:
        """What renders these pages, for others that look the same."""
        return self._rendering

    async def where(self, comment_id: str) -> str:
        """The page that shows a comment. Raises not_found."""
        found = await self._discussions.permalink(comment_id)
        return await self._discussion_pages.address_of(self._location(found.site, found.key), found.comment.id)

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._errors_as_pages(self._front_page), methods=["GET"]),
            Route("/articles/{slug}", self._errors_as_pages(self._article), methods=["GET", "POST"]),
            Route("/d", self._errors_as_pages(self._discussion), methods=["GET", "POST"]),
            Route("/frame", self._errors_as_pages(self._frame), methods=["GET", "POST"]),
            Route("/embed.html", self._embed, methods=["GET"]),
            Route("/c/{id}", self._errors_as_pages(self._comment), methods=["GET"]),
            *self._assets.routes(),
        ]

    async def not_found(self, request: Request, error: Exception) -> Response:
        """The exception handler for addresses and methods that no route offers."""
        status = error.status_code if isinstance(error, HTTPException) else 404
        headers = error.headers if isinstance(error, HTTPException) else None
        return self._error_page(status, dict(headers or {}))

    def _errors_as_pages(self, handler: Handler) -> Handler:
        """A refusal becomes a page that says so."""

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except Problem as problem:
                return self._error_page(problem.code.value.status, _retry_after(problem))

        return answer

    def _error_page(self, status: int, headers: dict[str, str]) -> Response:
        context = {"status": status}
        return self._rendering.page("error.html", self._defaults.language, context, status=status, headers=headers)

    # ---- the front page ---------------------------------------------------------------------------------

    async def _front_page(self, request: Request) -> Response:
        page = _number(request.query_params.get("page"))
        start = (page - 1) * ARTICLES_A_PAGE
        articles = self._articles.all()
        shown = articles[start : start + ARTICLES_A_PAGE]
        if not shown and page > 1:
            raise _nothing_here()
        context = {
            "articles": shown,
            "counts": await self._discussions.counts(DEFAULT_SITE, [article.key for article in shown]),
            "page": page,
            "has_older": len(articles) > start + ARTICLES_A_PAGE,
            "canonical": self._origins.base_url(request) + "/",
        }
        return validated(request, self._rendering.page("front.html", self._defaults.language, context))

    # ---- a discussion, under its article or alone -------------------------------------------------------

    async def _article(self, request: Request) -> Response:
        article = self._articles.get(request.path_params["slug"])
        if article is None:
            raise _nothing_here()
        return await self._answer(request, article_page(article))

    async def _discussion(self, request: Request) -> Response:
        named = _named(request)
        return await self._answer(request, standalone_page(named, self._defaults.language, self._defaults.time_zone))

    async def _frame(self, request: Request) -> Response:
        """The discussion alone, which only pages of its site may have in a frame."""
        named = _named(request)
        location = framed_page(named, request.query_params, self._defaults.language, self._defaults.time_zone)
        answer = await self._answer(request, location)
        answer.headers.update(framed_by(await self._origins.pages_of(request, named.site)))
        return answer

    async def _answer(self, request: Request, location: PageLocation) -> Response:
        if request.method == "POST":
            return await self._post(request, location)
        return await self._show(request, location, await self._reader(request, location))

    async def _reader(self, request: Request, location: PageLocation) -> Identity | None:
        """Who is signed in; nobody in a frame, where the page around it may lay something over its buttons."""
        return None if location.is_framed else await self._readers.of(request, location.key.site)

    async def _show(
        self,
        request: Request,
        location: PageLocation,
        reader: Identity | None,
        form: Form | None = None,
        problem: Problem | None = None,
    ) -> Response:
        # a refused post is answered with the first page, whatever the address it was sent to says besides
        query = request.query_params if form is None else QueryParams()
        page = await self._discussion_pages.read(location, query, form, reader)
        location, article = page.location, location.article
        if reader is None and not page.is_closed and not location.is_framed:
            offer = await self._readers.offer(request, location.key.site, location.href())
            page = replace(page, offer=offer)
        canonical = self._origins.base_url(request) + location.href()
        data = json_ld(page, canonical, self._origins.base_url(request))
        context: dict[str, object] = {"page": page, "location": location, "canonical": canonical, "data": data}
        if article is not None:
            context |= {
                "article": article,
                "others": self._others(article),
                "shares": shares(article.title, canonical),
                "mail": mail(article.title, canonical),
            }
        status = 200 if problem is None else problem.code.value.status
        headers = {} if problem is None else _retry_after(problem)
        if not location.is_framed:
            headers |= {"Vary": "Cookie"} if reader is None else {"Vary": "Cookie", "Cache-Control": _OWN}
        template = "article.html" if article else "frame.html" if location.is_framed else "discussion.html"
        html = await self._rendering.long_html(template, location.language, context)
        return HTMLResponse(html, status, HEADERS | headers)

    async def _post(self, request: Request, location: PageLocation) -> Response:
        form_input, reader = FormInput(), await self._reader(request, location)
        try:
            await self._origins.admit(request, location.key.site)
            form_input = await read_form(request)
            if form_input.vote is not None:
                where = await self._discussion_pages.vote(
                    location, form_input.vote, form_input.nonce, reader, self._addresses.of(request)
                )
                return RedirectResponse(where, 303, HEADERS)
            where = await self._discussion_pages.post(
                location,
                form_input,
                title=location.article.title if location.article else None,
                url=self._origins.base_url(request) + location.href() if location.article else None,
                reader=reader,
                address=self._addresses.of(request),
                browser=request.headers.get("user-agent", ""),
                origins=await self._origins.pages_of(request, location.key.site),
            )
        except Problem as problem:
            form_error = explain(problem, self._rendering.language(location.language))
            parent = await self._discussion_pages.answerable(location, form_input.parent_id)
            return await self._show(request, location, reader, Form(form_input, parent, form_error), problem)
        return RedirectResponse(where, 303, HEADERS)

    def _others(self, article: Article) -> list[Article]:
        return [other for other in self._articles.all() if other.slug != article.slug][:OTHER_POSTS]

    # ---- for other servers' pages -----------------------------------------------------------------------

    async def _embed(self, request: Request) -> Response:
        """The first page of comments as HTML for other servers to include. Errors are those of the API."""
        query = Query(request.query_params, ("site", "key", "sort", "lang"))
        key, sort = query.discussion(), query.choice("sort", Sort, Sort.oldest)
        await self._origins.admit(request, key.site)
        base_url = self._origins.base_url(request)
        location = standalone_page(
            key, query.text("lang") or self._defaults.language, self._defaults.time_zone, base_url
        )
        page = await self._discussion_pages.read(location, {"sort": sort})
        context = {"page": page, "data": json_ld(page, page.location.href(), base_url)}
        # its links begin with the server's address: if only the request says it, shared caches must not keep it
        shared = _SHARED if self._origins.has_public_url else _PRIVATE
        headers = {"Cache-Control": shared, "X-Robots-Tag": "noindex"}
        html = await self._rendering.long_html("embed.html", location.language, context)
        return validated(request, HTMLResponse(html, headers=HEADERS | headers))

    # ---- one comment ------------------------------------------------------------------------------------

    async def _comment(self, request: Request) -> Response:
        return RedirectResponse(await self.where(request.path_params["id"]), 303, HEADERS)

    def _location(self, site: str, key: str) -> PageLocation:
        article = self._articles.discussing(key) if site == DEFAULT_SITE else None
        if article is not None:
            return article_page(article)
        return standalone_page(DiscussionKey(site, key), self._defaults.language, self._defaults.time_zone)


def _named(request: Request) -> DiscussionKey:
    """The discussion that an address names. Raises not_found without a key, and what the types raise."""
    site, key = request.query_params.get("site", DEFAULT_SITE), request.query_params.get("key")
    if not key:
        raise _nothing_here()
    return DiscussionKey(clean_site(site), clean_key(key))


def _nothing_here() -> Problem:
    return Problem(ErrorCode.not_found, "There is nothing at this address.")


def _retry_after(problem: Problem) -> dict[str, str]:
    return {} if problem.retry_after is None else {"Retry-After": str(problem.retry_after)}


def _number(text: str | None) -> int:
    """A page's number from 1 on; anything else is no page of ours."""
    if text is None:
        return 1
    if not text.isascii() or not text.isdecimal() or not 1 <= int(text[:6]) == int(text[:7]):
        raise _nothing_here()
    return int(text)
