"""One's own page: one's name, where one is signed in, and by which ways; in the session of the cookie alone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.core.ordering import encode_page_cursor
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import Problem
from tertulia.identity import Identity, utc_now
from tertulia.identity.issuers import MAILBOXES
from tertulia.pages.account_pages import AccountPages, redirect
from tertulia.pages.readers import ME, sign_in_address
from tertulia.people import People, ProviderSignIns
from tertulia.protocol import PersonChange
from tertulia.web.forms import read_short_form

PAGE = 20
LONGEST_SHOWN = 280
"""Characters of a comment in the list: what it is about; the whole of it stands where the link leads."""

Handler = Callable[[Request, Identity], Awaitable[Response]]


class MyPage:
    """Whoever is not signed in is sent to the ways in."""

    def __init__(
        self, pages: AccountPages, people: People, sign_ins: ProviderSignIns, *, edit_window: timedelta
    ) -> None:
        self._pages = pages
        self._readers = pages.readers
        self._people = people
        self._sign_ins = sign_ins
        self._edit_window = edit_window

    def routes(self) -> list[Route]:
        return [
            self._route(ME, self._show, "GET"),
            self._route(f"{ME}/name", self._rename, "POST"),
            self._route(f"{ME}/sessions/end", self._end, "POST"),
            self._route(f"{ME}/sessions/end-all", self._end_all, "POST"),
        ]

    def _route(self, path: str, handler: Handler, method: str) -> Route:
        async def answer(request: Request) -> Response:
            try:
                identity = await self._readers.of(request)
                if identity is None:
                    return redirect(sign_in_address(request.query_params.get("site", DEFAULT_SITE)[:64], ME))
                return await handler(request, identity)
            except Problem as problem:
                return self._pages.refusal(request, problem)

        return Route(path, answer, methods=[method])

    async def _show(self, request: Request, identity: Identity) -> Response:
        return await self._page(request, identity)

    async def _rename(self, request: Request, identity: Identity) -> Response:
        name = (await read_short_form(request)).text("name")
        try:
            await self._people.rename(PersonChange(name=name), identity)
        except Problem as problem:
            return await self._page(request, identity, name, problem)
        return redirect(ME)

    async def _end(self, request: Request, identity: Identity) -> Response:
        form = await read_short_form(request)
        await self._people.end_one(identity, form.text("session"))
        return redirect(ME)

    async def _end_all(self, request: Request, identity: Identity) -> Response:
        await self._people.end_all(identity)
        answer = redirect(sign_in_address(identity.site or DEFAULT_SITE, ME))
        self._readers.cookie.remove(request, answer)
        return answer

    async def _page(
        self, request: Request, identity: Identity, name: str | None = None, problem: Problem | None = None
    ) -> Response:
        cursor = request.query_params.get("cursor") if request.method == "GET" else None
        written = await self._people.written(identity, cursor, PAGE)
        context = {
            "reader": identity,
            "name": identity.name if name is None else name,
            "sessions": (await self._people.sessions(identity)).sessions,
            "ways": await self._ways(request, identity),
            "written": written.comments,
            "shown": LONGEST_SHOWN,
            "edited_from": utc_now() - self._edit_window,
            "more": f"{ME}?{urlencode({'cursor': encode_page_cursor(written.next)})}" if written.next else None,
        }
        return self._pages.page(request, "me.html", context, problem)

    async def _ways(self, request: Request, identity: Identity) -> list[str]:
        """What the ways in are called that lead to this person; an address is not shown."""
        labels = await self._sign_ins.labels(identity.site or DEFAULT_SITE)
        email = self._pages.language(request).translate("email")
        found = await self._people.issuers(identity)
        return [email if one == MAILBOXES else labels.get(one, one) for one in found]
