"""The page of somebody who writes at the site: what is known of them, bans, decisions, and all that they wrote."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.desk import Banning, Desk
from tertulia.people.staff import StaffMember
from tertulia.staff.desk.cards import card, counted
from tertulia.staff.desk.notices import DID, named, notices
from tertulia.staff.desk.queues import BULK, PAGE, Which, address_with, card_context
from tertulia.staff.frame import Frame, of_site, site_address, site_of
from tertulia.staff.told import details
from tertulia.store.queries import Filters


class PersonPages:
    """One for each author; a person who wrote as a guest and is a member now has two."""

    def __init__(self, frame: Frame, desk: Desk, banning: Banning) -> None:
        self._frame = frame
        self._desk = desk
        self._banning = banning

    def routes(self) -> list[Route]:
        return [self._frame.route("/sites/{site}/people/{author}", self._show)]

    async def _show(self, request: Request, member: StaffMember) -> Response:
        site, author = site_of(request), str(request.path_params["author"])
        person = await self._desk.person(member, site, author)
        cursor = request.query_params.get("cursor")
        found = await self._desk.queue(member, site, None, Filters(author=author), PAGE, cursor)
        address = site_address(site, f"people/{author}")
        language = self._frame.language(request)
        context = {
            **of_site(member, site, "desk"),
            **card_context(address_with(address, {"cursor": cursor} if cursor else {})),
            "person": person.facts,
            "shown": counted(person.facts.shown),
            "removed": counted(person.facts.removed),
            "reports": person.reports,
            "decisions": [(one, details(one, language, self._frame.zone)) for one in person.decisions],
            "bans": (await self._banning.list(member, site, PAGE, None, author)).bans,
            "cards": [card(site, item) for item in found.items],
            "bulk": BULK[Which.all],
            "notices": notices(await self._desk.done(member, site, named(request.query_params.get(DID)))),
            "more": address_with(address, {"cursor": found.next}) if found.next else None,
        }
        return self._frame.page(request, "desk_person.html", member, context)
