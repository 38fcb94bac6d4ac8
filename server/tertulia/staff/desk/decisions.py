"""Decisions by a form: about one comment, or about all that were picked; and taking them back."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia import protocol
from tertulia.desk import Desk
from tertulia.errors import ErrorCode, Problem
from tertulia.people.staff import StaffMember
from tertulia.protocol import MAX_DECISIONS, Decisions, Undoing
from tertulia.staff.desk.cards import card
from tertulia.staff.desk.notices import notices, with_done
from tertulia.staff.desk.queues import card_context
from tertulia.staff.frame import Frame, of_site, own_page, redirect, site_address, site_of
from tertulia.web.forms import ShortForm, read_short_form
from tertulia.web.validation import validated

LONG_FORM = 32 * 1024
"""Bytes: a note of 1,000 Vietnamese letters has 9,000, and as many comments as there are in one request 5,000."""
_FIELDS = 2 * MAX_DECISIONS + 10


class DecisionPages:
    """Whatever is done leads back to the page that it was done on, which says so; what was not done is shown."""

    def __init__(self, frame: Frame, desk: Desk) -> None:
        self._frame = frame
        self._desk = desk

    def routes(self) -> list[Route]:
        at = "/sites/{site}/desk"
        return [
            self._frame.route(f"{at}/decide", self._decide, "POST"),
            self._frame.route(f"{at}/undo", self._undo, "POST"),
        ]

    async def _decide(self, request: Request, member: StaffMember) -> Response:
        form, site = await read_short_form(request, LONG_FORM, _FIELDS), site_of(request)
        asked = validated({"site": site, "decisions": list(map(dict, _decisions(form)))}, Decisions)
        found = await self._desk.decide(member, site, asked.decisions)
        return await self._answer(request, member, form, found.results)

    async def _undo(self, request: Request, member: StaffMember) -> Response:
        form, site = await read_short_form(request, LONG_FORM, _FIELDS), site_of(request)
        pairs = zip(form.texts("comment_id"), form.texts("action"), strict=False)
        actions = [{"comment_id": comment_id, "action": action} for comment_id, action in pairs]
        asked = validated({"site": site, "actions": actions}, Undoing)
        found = await self._desk.undo(member, site, asked.actions)
        return await self._answer(request, member, form, found.results)

    async def _answer(
        self, request: Request, member: StaffMember, form: ShortForm, results: Sequence[protocol.DecisionResult]
    ) -> Response:
        site = site_of(request)
        back = own_page(form.text("back"), site_address(site, "desk"))
        done = [one.action for one in results if one.action is not None]
        stale = [one for one in results if one.problem is not None]
        if not stale:
            return redirect(with_done(back, done))
        context = {
            **of_site(member, site, "desk"),
            **card_context(back),
            "notices": notices(await self._desk.done(member, site, done)),
            "stale": [
                (one.problem.code, None if one.item is None else card(site, one.item)) for one in stale if one.problem
            ],
        }
        problem = Problem(ErrorCode.changed, "What was decided about is something else by now.", field="desk")
        return self._frame.page(request, "desk_stale.html", member, context, problem=problem)


def _decisions(form: ShortForm) -> list[dict[str, object]]:
    """One of each comment that is named or picked, not checked yet. Raises invalid where there is none."""
    picked = [one.partition(" ")[::2] for one in form.texts("pick")]
    if "comment_id" in form:
        picked = [(form.text("comment_id"), form.text("version"))]
    if not picked:
        raise Problem(ErrorCode.invalid, "Pick at least one comment.", field="pick")
    reason, note = form.text("reason") or None, form.text("note").strip() or None
    about = {"do": form.text("do"), "reason": reason, "note": note}
    return [{"comment_id": comment_id, "version": _number(version), **about} for comment_id, version in picked]


def _number(given: str) -> object:
    """What is no number stays what it is, and is refused."""
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 10 else given
