"""Who may not write at the site: banning somebody, the list of bans, and lifting one."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.desk import Banning, Desk
from tertulia.people.staff import StaffMember
from tertulia.protocol import NewBan
from tertulia.staff.desk.decisions import LONG_FORM
from tertulia.staff.desk.notices import DID, named, notices, with_done
from tertulia.staff.desk.queues import PAGE, card_context
from tertulia.staff.frame import Frame, of_site, own_page, redirect, site_address, site_of
from tertulia.web.forms import read_short_form
from tertulia.web.validation import validated

NETWORKS = ("near", "wide")
_FIELDS = ("author", "comment_id", "reach", "effect", "hours", "reason", "note", "remove", "back")


class BanPages:
    """What is done leads back to where it was done, which says so."""

    def __init__(self, frame: Frame, desk: Desk, banning: Banning) -> None:
        self._frame = frame
        self._desk = desk
        self._banning = banning

    def routes(self) -> list[Route]:
        at = "/sites/{site}/bans"
        return [
            self._frame.route(at, self._list),
            self._frame.route(at, self._ban, "POST"),
            self._frame.route(f"{at}/lift", self._lift, "POST"),
        ]

    async def _list(self, request: Request, member: StaffMember) -> Response:
        site = site_of(request)
        found = await self._banning.list(member, site, PAGE, request.query_params.get("cursor"))
        address = site_address(site, "bans")
        context = {
            **of_site(member, site, "bans"),
            **card_context(address),
            "counts": await self._desk.counts(member, site),
            "bans": found.bans,
            "notices": notices(await self._desk.done(member, site, named(request.query_params.get(DID)))),
            "more": f"{address}?{urlencode({'cursor': found.next})}" if found.next else None,
        }
        return self._frame.page(request, "desk_bans.html", member, context)

    async def _ban(self, request: Request, member: StaffMember) -> Response:
        form, site = await read_short_form(request, LONG_FORM), site_of(request)
        hours, reach = form.text("hours"), form.text("reach") or "author"
        if reach in NETWORKS and not form.text("sure"):
            return await self._ask(request, member, {name: form.text(name) for name in _FIELDS})
        whom = "comment_id" if reach in NETWORKS else "author_id"
        given = {
            "site": site,
            "reach": reach,
            whom: form.text("comment_id" if reach in NETWORKS else "author"),
            "remove": form.text("remove") or "none",
            "effect": form.text("effect") or "refuse",
            "hours": int(hours) if hours.isascii() and hours.isdigit() and len(hours) <= 6 else hours or None,
            "reason": form.text("reason") or None,
            "note": form.text("note").strip() or None,
        }
        banned = await self._banning.ban(member, validated(given, NewBan))
        return redirect(with_done(own_page(form.text("back"), site_address(site, "bans")), [banned.action]))

    async def _ask(self, request: Request, member: StaffMember, given: dict[str, str]) -> Response:
        """Whether a network is really meant, with how many people have written from there."""
        site, reach = site_of(request), given["reach"]
        found = await self._banning.networks(member, site, given["comment_id"])
        context = {
            **of_site(member, site, "bans"),
            "given": given,
            "reach": reach,
            "people": found.near if reach == "near" else found.wide,
            "back": own_page(given["back"], site_address(site, "bans")),
        }
        return self._frame.page(request, "desk_ban_sure.html", member, context)

    async def _lift(self, request: Request, member: StaffMember) -> Response:
        form, site = await read_short_form(request), site_of(request)
        action = await self._banning.lift(member, site, form.text("ban"))
        return redirect(with_done(own_page(form.text("back"), site_address(site, "bans")), [action]))
