"""The pages of the queues, 25 comments each, and comments alone for the script that puts them into such a page."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia import protocol
from tertulia.core.causes import Queue
from tertulia.core.text import clean_key
from tertulia.desk import Desk
from tertulia.errors import ErrorCode, Problem
from tertulia.languages import Language, Sentence
from tertulia.people.staff import StaffMember
from tertulia.protocol import API
from tertulia.staff.desk.cards import HOURS, REASONS, card
from tertulia.staff.desk.notices import DID, named, notices, with_done
from tertulia.staff.frame import Frame, of_site, redirect, site_address, site_of
from tertulia.store.commands import Act
from tertulia.store.queries import Filters
from tertulia.web.validation import check_parameters

PAGE = 25
OF_SCRIPT = "desk.script."
"""Begins the keys of its sentences."""
_COUNTED = (Queue.waiting, Queue.reported, Queue.suspected)


class Which(StrEnum):
    """The queues, and all comments."""

    waiting = "waiting"
    reported = "reported"
    suspected = "suspected"
    all = "all"


BULK = {
    Which.waiting: (Act.approve, Act.remove, Act.spam),
    Which.reported: (Act.keep, Act.remove, Act.spam),
    Which.suspected: (Act.approve, Act.remove, Act.spam),
    Which.all: (Act.remove, Act.spam, Act.restore),
}
"""What can be done with several at once: what makes sense with each comment of the queue."""


class QueuePages:
    """Each reads what it shows."""

    def __init__(self, frame: Frame, desk: Desk) -> None:
        self._frame = frame
        self._desk = desk

    def routes(self) -> list[Route]:
        at = "/sites/{site}/desk"
        return [
            self._frame.route(at, self._first),
            self._frame.route(f"{at}/cards", self._cards),
            self._frame.route(f"{at}/{{queue}}", self._queue),
        ]

    async def _first(self, request: Request, member: StaffMember) -> Response:
        """On to the first queue in which something waits, with what there is to tell."""
        site = site_of(request)
        counts = await self._desk.counts(member, site)
        first = next((one for one in _COUNTED if getattr(counts, one.value)), Queue.waiting)
        done = named(request.query_params.get(DID))
        return redirect(with_done(site_address(site, f"desk/{first.value}"), done))

    async def _queue(self, request: Request, member: StaffMember) -> Response:
        check_parameters(request.scope)
        site, which = site_of(request), _which(request)
        query = {name: value for name, value in request.query_params.items() if value}
        filters = Filters(clean_key(query["key"]) if "key" in query else None, query.get("author"))
        queue = None if which is Which.all else Queue(which.value)
        found = await self._desk.queue(member, site, queue, filters, PAGE, query.get("cursor"))
        address = site_address(site, f"desk/{which.value}")
        asked = {name: query[name] for name in ("key", "author") if name in query}
        context = {
            **of_site(member, site, "desk"),
            **card_context(address_with(address, asked | {name: query[name] for name in ("cursor",) if name in query})),
            "queue": which.value,
            "queues": [*Which],
            "counts": await self._desk.counts(member, site),
            "cards": [card(site, item) for item in found.items],
            "filters": filters,
            "filtered": await self._named(member, site, found, filters),
            "bulk": BULK[which],
            "notices": notices(await self._desk.done(member, site, named(query.get(DID)))),
            "more": address_with(address, asked | {"cursor": found.next}) if found.next else None,
            "api": API,
            "sentences": sentences(self._frame.language(request)),
        }
        return self._frame.page(request, "desk_queue.html", member, context, scripted=True)

    async def _named(
        self, member: StaffMember, site: str, found: protocol.DeskPage, filters: Filters
    ) -> dict[str, str]:
        """What a page that is filtered is called by: the name of the author, the title of the page."""
        first = found.items[0] if found.items else None
        told = {}
        if filters.author is not None:
            named = first.author if first else (await self._desk.person(member, site, filters.author)).facts
            told["author"] = named.name
        if filters.key is not None:
            told["key"] = first.discussion.title or filters.key if first else filters.key
        return told

    async def _cards(self, request: Request, member: StaffMember) -> Response:
        """A fragment of HTML: nothing else draws a comment of the desk."""
        check_parameters(request.scope)
        site = site_of(request)
        found = await self._desk.items(member, site, request.query_params.getlist("id"))
        context = {
            **of_site(member, site, "desk"),
            **card_context(site_address(site, "desk")),
            "cards": [card(site, item) for item in found.items],
        }
        return self._frame.page(request, "desk_cards.html", member, context)


def card_context(back: str) -> dict[str, object]:
    """What cards need besides themselves; ``back`` is the page that a decision leads to."""
    return {"back": back, "reasons": REASONS, "hours": HOURS}


def sentences(language: Language) -> dict[str, Sentence]:
    """Those of the script, in the language of the page."""
    return {key.removeprefix(OF_SCRIPT): text for key, text in language.texts.items() if key.startswith(OF_SCRIPT)}


def _which(request: Request) -> Which:
    try:
        return Which(request.path_params["queue"])
    except ValueError:
        raise Problem(ErrorCode.not_found, "There is no such queue.") from None


def address_with(path: str, query: dict[str, str]) -> str:
    return f"{path}?{urlencode(query)}" if query else path
