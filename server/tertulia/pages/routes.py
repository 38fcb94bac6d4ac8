"""Every page's address and what answers it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from tertulia.articles import Article, Articles
from tertulia.core.comments import DiscussionKey, Sort
from tertulia.core.text import clean_key, clean_site
from tertulia.discussions import Discussions
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import ErrorCode, Problem
from tertulia.pages.assets import Assets, digest
from tertulia.pages.client import client_assets
from tertulia.pages.form import Form, Typed, explain, read_form
from tertulia.pages.look import Look
from tertulia.pages.place import Place, alone, under
from tertulia.pages.rendering import HEADERS, Rendering
from tertulia.pages.section import Sections
from tertulia.pages.sharing import mail, shares
from tertulia.pages.structured import structured
from tertulia.web.gate import Gate
from tertulia.web.requests import Query

ARTICLES_A_PAGE = 30
OTHER_POSTS = 5
# shared caches may keep it, too: what was removed is in them for no longer than this
_SHARED = "public, max-age=10"
_PRIVATE = "private, max-age=10"

Handler = Callable[[Request], Awaitable[Response]]


class Pages:
    """The server-rendered pages: they read and post without JavaScript, without cookies and without a session."""

    def __init__(self, discussions: Discussions, articles: Articles, gate: Gate, look: Look) -> None:
        self._discussions = discussions
        self._sections = Sections(discussions)
        self._articles = articles
        self._gate = gate
        self._look = look
        self._assets = Assets(client_assets())
        self._rendering = Rendering(look, self._assets)

    @property
    def rendering(self) -> Rendering:
        """What renders these pages, for others that look the same."""
        return self._rendering

    def routes(self) -> list[BaseRoute]:
        return [
            Route("/", self._calm(self._front_page), methods=["GET"]),
            Route("/articles/{slug}", self._calm(self._article), methods=["GET", "POST"]),
            Route("/d", self._calm(self._discussion), methods=["GET", "POST"]),
            Route("/embed.html", self._embed, methods=["GET"]),
            Route("/c/{id}", self._calm(self._comment), methods=["GET"]),
            *self._assets.routes(),
        ]

    async def not_found(self, request: Request, error: Exception) -> Response:
        """The exception handler for addresses and methods that no route offers."""
        status = error.status_code if isinstance(error, HTTPException) else 404
        headers = error.headers if isinstance(error, HTTPException) else None
        return self._trouble(status, dict(headers or {}))

    def _calm(self, handler: Handler) -> Handler:
        """A refusal becomes a page that says so."""

        async def answer(request: Request) -> Response:
            try:
                return await handler(request)
            except Problem as problem:
                return self._trouble(problem.code.value.status, _retry_after(problem))

        return answer

    def _trouble(self, status: int, headers: dict[str, str]) -> Response:
        context = {"status": status}
        return self._rendering.page("error.html", self._look.language, context, status=status, headers=headers)

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
            "canonical": self._gate.base_url(request) + "/",
        }
        return self._rendering.page("front.html", self._look.language, context)

    # ---- a discussion, under its article or alone -------------------------------------------------------

    async def _article(self, request: Request) -> Response:
        article = self._articles.get(request.path_params["slug"])
        if article is None:
            raise _nothing_here()
        return await self._answer(request, under(article))

    async def _discussion(self, request: Request) -> Response:
        site, key = request.query_params.get("site", DEFAULT_SITE), request.query_params.get("key")
        if not key:
            raise _nothing_here()
        named = DiscussionKey(clean_site(site), clean_key(key))
        return await self._answer(request, alone(named, self._look.language, self._look.time_zone))

    async def _answer(self, request: Request, place: Place) -> Response:
        if request.method == "POST":
            return await self._post(request, place)
        return await self._show(request, place)

    async def _show(
        self, request: Request, place: Place, form: Form | None = None, problem: Problem | None = None
    ) -> Response:
        # a refused post is answered with the first page, whatever the address it was sent to says besides
        query = request.query_params if form is None else QueryParams()
        section = await self._sections.read(place, query, form)
        article = place.article
        canonical = self._gate.base_url(request) + place.href()
        data = structured(section, canonical, self._gate.base_url(request))
        context: dict[str, object] = {"section": section, "place": place, "canonical": canonical, "data": data}
        if article is not None:
            context |= {
                "article": article,
                "others": self._others(article),
                "shares": shares(article.title, canonical),
                "mail": mail(article.title, canonical),
            }
        status = 200 if problem is None else problem.code.value.status
        headers = {} if problem is None else _retry_after(problem)
        template = "discussion.html" if article is None else "article.html"
        return self._rendering.page(template, place.language, context, status=status, headers=headers)

    async def _post(self, request: Request, place: Place) -> Response:
        typed = Typed()
        try:
            await self._gate.admit(request, place.key.site)
            typed = await read_form(request)
            where = await self._sections.post(
                place,
                typed,
                title=place.article.title if place.article else None,
                url=self._gate.base_url(request) + place.href() if place.article else None,
                address=self._gate.address(request),
            )
        except Problem as problem:
            trouble = explain(problem, self._rendering.language(place.language))
            parent = await self._sections.answerable(place, typed.parent_id)
            return await self._show(request, place, Form(typed, parent, trouble), problem)
        return RedirectResponse(where, 303, HEADERS)

    def _others(self, article: Article) -> list[Article]:
        return [other for other in self._articles.all() if other.slug != article.slug][:OTHER_POSTS]

    # ---- for other servers' pages -----------------------------------------------------------------------

    async def _embed(self, request: Request) -> Response:
        """The first page of comments to be put into a page by whoever makes it. Refusals are those of the API."""
        query = Query(request.query_params, ("site", "key", "sort", "lang"))
        key, sort = query.discussion(), query.choice("sort", Sort, Sort.oldest)
        await self._gate.admit(request, key.site)
        base_url = self._gate.base_url(request)
        place = alone(key, query.text("lang") or self._look.language, self._look.time_zone, base_url)
        section = await self._sections.read(place, {"sort": sort})
        context = {"section": section, "data": structured(section, place.href(), base_url)}
        # its links begin with the server's address: where the request alone says it, no cache may give it to others
        shared = _SHARED if self._gate.has_own_address else _PRIVATE
        headers = {"Cache-Control": shared, "X-Robots-Tag": "noindex"}
        answer = self._rendering.page("embed.html", place.language, context, headers=headers)
        etag = f'"{digest(bytes(answer.body))}"'
        answer.headers["ETag"] = f"W/{etag}"
        if etag in request.headers.get("if-none-match", ""):
            kept = {name: answer.headers[name] for name in ("ETag", "Cache-Control")}
            return Response(status_code=304, headers=kept)
        return answer

    # ---- one comment ------------------------------------------------------------------------------------

    async def _comment(self, request: Request) -> Response:
        found = await self._discussions.permalink(request.path_params["id"])
        where = await self._sections.address_of(self._place(found.site, found.key), found.comment.id)
        return RedirectResponse(where, 303, HEADERS)

    def _place(self, site: str, key: str) -> Place:
        article = self._articles.discussing(key) if site == DEFAULT_SITE else None
        if article is not None:
            return under(article)
        return alone(DiscussionKey(site, key), self._look.language, self._look.time_zone)


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
