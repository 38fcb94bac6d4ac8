"""A site's pages: its staff, its members' sessions, its ways in, its tokens."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.core.roles import Role
from tertulia.desk import Desk
from tertulia.errors import Problem
from tertulia.people.staff import Shown, StaffMember
from tertulia.staff.frame import SIGN_IN, Frame, of_site, redirect, site_address, site_of
from tertulia.store.commands import SCOPES
from tertulia.web.forms import read_short_form
from tertulia.web.origins import OriginPolicy

Give = Callable[[StaffMember, str, str, str], Awaitable[Shown]]
"""Gives somebody a role: the site, whom, which."""


class SitePages:
    """Each reads what it shows; what changes something leads back to its page, or shows a secret once."""

    def __init__(self, frame: Frame, desk: Desk, origins: OriginPolicy, *, sends_codes: bool) -> None:
        self._frame = frame
        self._desk = desk
        self._sends_codes = sends_codes
        self._staff = frame.staff
        self._origins = origins

    def routes(self) -> list[Route]:
        at = "/sites/{site}"
        return [
            self._frame.route("", self._sites),
            self._frame.route(at, self._people),
            self._frame.route(f"{at}/people", self._invite, "POST"),
            self._frame.route(f"{at}/people/member", self._give_member, "POST"),
            self._frame.route(f"{at}/people/remove", self._remove, "POST"),
            self._frame.route(f"{at}/members", self._members),
            self._frame.route(f"{at}/members/end", self._end_sessions, "POST"),
            self._frame.route(f"{at}/ways-in", self._ways_in),
            self._frame.route(f"{at}/tokens", self._tokens),
            self._frame.route(f"{at}/tokens/add", self._add_token, "POST"),
            self._frame.route(f"{at}/tokens/remove", self._remove_token, "POST"),
        ]

    async def _sites(self, request: Request, member: StaffMember) -> Response:
        """Of several how much waits at each; whoever decides at one alone is led to its desk."""
        sites = await self._staff.sites(member)
        if len(sites) == 1:
            return redirect(site_address(sites[0][0], "desk"))
        found = [(site, roles, await self._desk.counts(member, site)) for site, roles in sites]
        context = {"sites": found, "sees_all": member.may(None)}
        return self._frame.page(request, "staff_sites.html", member, context)

    # ---- people -----------------------------------------------------------------------------------------

    async def _people(self, request: Request, member: StaffMember) -> Response:
        return await self._show_people(request, member)

    async def _invite(self, request: Request, member: StaffMember) -> Response:
        return await self._give(request, member, self._staff.invite)

    async def _give_member(self, request: Request, member: StaffMember) -> Response:
        return await self._give(request, member, self._staff.give_member)

    async def _give(self, request: Request, member: StaffMember, give: Give) -> Response:
        form = await read_short_form(request)
        try:
            made = await give(member, site_of(request), form.text("name"), form.text("role"))
        except Problem as problem:
            return await self._show_people(request, member, problem=problem)
        return await self._show_people(request, member, made)

    async def _remove(self, request: Request, member: StaffMember) -> Response:
        form = await read_short_form(request)
        try:
            await self._staff.remove(member, site_of(request), form.text("person"), form.text("role"))
        except Problem as problem:
            return await self._show_people(request, member, problem=problem)
        return redirect(site_address(site_of(request)))

    async def _show_people(
        self, request: Request, member: StaffMember, made: Shown | None = None, problem: Problem | None = None
    ) -> Response:
        context = {
            **of_site(member, site_of(request), "people"),
            "people": await self._staff.people(member, site_of(request)),
            "roles": [role.value for role in Role],
            "made": made,
            "link": None,
        }
        if made is not None and made.secret is not None:
            query = urlencode({"link": made.secret})
            context["link"] = f"{self._origins.base_url(request)}{SIGN_IN}?{query}"
        return self._frame.page(request, "staff_people.html", member, context, problem=problem)

    # ---- members ----------------------------------------------------------------------------------------

    async def _members(self, request: Request, member: StaffMember) -> Response:
        found = await self._staff.sessions(member, site_of(request), request.query_params.get("cursor"))
        more = found.next and f"{site_address(site_of(request), 'members')}?{urlencode({'cursor': found.next})}"
        context = {**of_site(member, site_of(request), "members"), "sessions": found.sessions, "more": more}
        return self._frame.page(request, "staff_members.html", member, context)

    async def _end_sessions(self, request: Request, member: StaffMember) -> Response:
        form = await read_short_form(request)
        await self._staff.end_sessions(member, site_of(request), form.text("person"))
        return redirect(site_address(site_of(request), "members"))

    # ---- ways in and tokens -----------------------------------------------------------------------------

    async def _ways_in(self, request: Request, member: StaffMember) -> Response:
        found = await self._staff.ways_in(member, site_of(request))
        context = {**of_site(member, site_of(request), "ways-in"), "ways_in": found, "by_email": self._sends_codes}
        return self._frame.page(request, "staff_ways_in.html", member, context)

    async def _tokens(self, request: Request, member: StaffMember) -> Response:
        return await self._show_tokens(request, member)

    async def _add_token(self, request: Request, member: StaffMember) -> Response:
        form = await read_short_form(request)
        try:
            made = await self._staff.add_token(member, site_of(request), form.text("name"), form.texts("scope"))
        except Problem as problem:
            return await self._show_tokens(request, member, problem=problem)
        return await self._show_tokens(request, member, made)

    async def _remove_token(self, request: Request, member: StaffMember) -> Response:
        form = await read_short_form(request)
        await self._staff.remove_token(member, site_of(request), form.text("name"))
        return redirect(site_address(site_of(request), "tokens"))

    async def _show_tokens(
        self, request: Request, member: StaffMember, made: Shown | None = None, problem: Problem | None = None
    ) -> Response:
        found = await self._staff.tokens(member, site_of(request))
        context = {**of_site(member, site_of(request), "tokens"), "tokens": found, "scopes": SCOPES, "made": made}
        return self._frame.page(request, "staff_tokens.html", member, context, problem=problem)
