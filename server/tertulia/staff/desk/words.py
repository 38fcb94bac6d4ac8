"""The list of words of a site: what is on it, adding and removing, and trying what it finds in a text."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.desk import WordLists
from tertulia.errors import Problem
from tertulia.people.staff import StaffMember
from tertulia.protocol import FORM_LIMIT
from tertulia.staff.desk.cards import pieces
from tertulia.staff.desk.queues import address_with
from tertulia.staff.frame import Frame, of_site, site_address, site_of
from tertulia.web.forms import read_short_form

SHOWN = 200
"""Entries on a page, in the order of their letters."""


class WordPages:
    """What is changed is told at the top of the same page."""

    def __init__(self, frame: Frame, words: WordLists) -> None:
        self._frame = frame
        self._words = words

    def routes(self) -> list[Route]:
        at = "/sites/{site}/words"
        return [
            self._frame.route(at, self._list),
            self._frame.route(at, self._add, "POST"),
            self._frame.route(f"{at}/remove", self._remove, "POST"),
            self._frame.route(f"{at}/try", self._try, "POST"),
        ]

    async def _list(self, request: Request, member: StaffMember) -> Response:
        return await self._show(request, member, {})

    async def _add(self, request: Request, member: StaffMember) -> Response:
        form = await read_short_form(request, FORM_LIMIT)
        lines = form.text("lines")
        try:
            changed = await self._words.add(member, site_of(request), lines, replace=form.text("replace") == "yes")
        except Problem as problem:
            return await self._show(request, member, {"lines": lines}, problem)
        return await self._show(request, member, {"changed": changed})

    async def _remove(self, request: Request, member: StaffMember) -> Response:
        form = await read_short_form(request)
        changed = await self._words.remove(member, site_of(request), form.text("entry"))
        return await self._show(request, member, {"changed": changed})

    async def _try(self, request: Request, member: StaffMember) -> Response:
        text = (await read_short_form(request, FORM_LIMIT)).text("text")
        try:
            tried = await self._words.try_out(member, site_of(request), text)
        except Problem as problem:
            return await self._show(request, member, {}, problem)
        places = sorted((one.start, one.end) for one in tried.found)
        return await self._show(request, member, {"tried": tried, "pieces": list(pieces(tried.text, places))})

    async def _show(
        self, request: Request, member: StaffMember, more: dict[str, object], problem: Problem | None = None
    ) -> Response:
        site, query = site_of(request), request.query_params
        asked, after = query.get("q", "").strip().lower(), query.get("after", "")
        listed = await self._words.list(member, site)
        matching = [one for one in listed if asked in one.entry.text.lower() and one.entry.text > after]
        shown = matching[:SHOWN]
        address = site_address(site, "words")
        further = {"after": shown[-1].entry.text} | ({"q": asked} if asked else {}) if shown else {}
        context: dict[str, object] = {
            **of_site(member, site, "words"),
            "lines": "",
            "changed": None,
            "tried": None,
            "pieces": [],
            "words": shown,
            "count": len(listed),
            "asked": asked,
            "more": address_with(address, further) if len(matching) > SHOWN else None,
        }
        return self._frame.page(request, "desk_words.html", member, context | more, problem=problem)
