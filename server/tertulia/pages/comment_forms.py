"""What is done with a comment that is there, without a script: its author edits and deletes it, others report it.

GET  /c/ID/edit, /delete, /report  the form
POST /c/ID/edit, /delete, /report  done: on to where the comment stands; refused: the form with what was typed
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia import protocol
from tertulia.core import text
from tertulia.discussions import Discussions
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import Identity
from tertulia.pages.account_pages import AccountPages, redirect
from tertulia.pages.form import read_fields
from tertulia.pages.readers import ME, comment_form_address, sign_in_address
from tertulia.web.client_address import ClientAddress
from tertulia.web.origins import OriginPolicy

REASONS = {one: f"reason_{one}" for one in ("spam", "abuse", "off_topic", "illegal", "other")}
"""What a report may say, and the sentence of each."""
NOTE_LENGTH = 1000
_LEFT = frozenset({ErrorCode.not_found, ErrorCode.gone})
"""What says that there is nothing to be deleted any more."""

AddressOf = Callable[[str], Awaitable[str]]
Handler = Callable[[Request, str], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class EditInput:
    """What stands in the form, what it began with (its digest), and whether it is to be shown only."""

    body: str
    began: str
    is_preview: bool = False


class ReportInput(NamedTuple):
    """What stands in the form of a report."""

    reason: str = ""
    note: str = ""


class CommentForms:
    """``address_of`` is the page that shows a comment; it raises not_found for one that nobody else sees."""

    def __init__(
        self,
        pages: AccountPages,
        discussions: Discussions,
        address_of: AddressOf,
        origins: OriginPolicy,
        addresses: ClientAddress,
    ) -> None:
        self._pages = pages
        self._readers = pages.readers
        self._discussions = discussions
        self._address_of = address_of
        self._origins = origins
        self._addresses = addresses

    def routes(self) -> list[Route]:
        return [
            self._route("edit", self._show_edit, "GET"),
            self._route("edit", self._edit, "POST"),
            self._route("delete", self._show_delete, "GET"),
            self._route("delete", self._delete, "POST"),
            self._route("report", self._show_report, "GET"),
            self._route("report", self._report, "POST"),
        ]

    def _route(self, what: str, handler: Handler, method: str) -> Route:
        async def answer(request: Request) -> Response:
            try:
                return await handler(request, request.path_params["id"])
            except Problem as problem:
                return self._pages.refusal(request, problem)

        return Route(f"/c/{{id}}/{what}", answer, methods=[method])

    async def _where(self, comment_id: str) -> str:
        """The page that shows the comment; one's own, where it is in none."""
        try:
            return await self._address_of(comment_id)
        except Problem:  # not_found, the only one
            return ME

    # ---- editing ----------------------------------------------------------------------------------------

    async def _show_edit(self, request: Request, comment_id: str) -> Response:
        identity = await self._readers.of(request)
        if identity is None:
            return await self._sign_in(comment_id, "edit")
        source = await self._discussions.source(comment_id, identity)
        return await self._edit_page(request, comment_id, EditInput(source, _digest(source)))

    async def _edit(self, request: Request, comment_id: str) -> Response:
        fields = await read_fields(request)
        given = EditInput(fields.get("body", ""), fields.get("began", ""), "preview" in fields)
        identity = await self._readers.of(request)
        try:
            if given.is_preview:
                return await self._preview(request, comment_id, given)
            now = await self._discussions.source(comment_id, identity)
            if given.began != _digest(now) and text.clean_text(given.body) != now:
                return await self._changed_meanwhile(request, comment_id, given, now)
            origins = await self._pages_of(request, comment_id)
            await self._discussions.edit(comment_id, given.body, identity, self._addresses.of(request), origins)
        except Problem as problem:
            return await self._edit_page(request, comment_id, given, problem)
        return redirect(await self._where(comment_id))

    async def _pages_of(self, request: Request, comment_id: str) -> frozenset[str]:
        """The origins of the pages of a comment's site."""
        site = await self._discussions.site_of(comment_id)
        return frozenset() if site is None else await self._origins.pages_of(request, site)

    async def _preview(self, request: Request, comment_id: str, given: EditInput) -> Response:
        shown = await self._discussions.preview(given.body, self._addresses.of(request))
        return await self._edit_page(request, comment_id, given, more={"preview": shown.body})

    async def _changed_meanwhile(self, request: Request, comment_id: str, given: EditInput, now: str) -> Response:
        """In another window: what is there now is shown, and whoever saves again means it."""
        problem = Problem(ErrorCode.bad_state, "The comment was changed in another window.")
        said = self._pages.language(request).translate("problem.changed_meanwhile")
        more = {"problem": said, "now": now}
        return await self._edit_page(request, comment_id, EditInput(given.body, _digest(now)), problem, more)

    async def _edit_page(
        self,
        request: Request,
        comment_id: str,
        given: EditInput,
        problem: Problem | None = None,
        more: Mapping[str, object] = MappingProxyType({}),
    ) -> Response:
        context = {"given": given, "preview": None, "now": None, "sign_in": None, **more}
        if problem is not None and problem.code is ErrorCode.unauthenticated:
            context["sign_in"] = await self._way_in(comment_id, "edit")
        return await self._page(request, "edit_comment.html", comment_id, context, problem)

    # ---- deleting ---------------------------------------------------------------------------------------

    async def _show_delete(self, request: Request, comment_id: str) -> Response:
        """Asks once more: what is deleted is gone for good."""
        identity = await self._readers.of(request)
        if identity is None:
            return await self._sign_in(comment_id, "delete")
        return await self._delete_page(request, comment_id, identity)

    async def _delete(self, request: Request, comment_id: str) -> Response:
        identity = await self._readers.of(request)
        if identity is None:
            return await self._sign_in(comment_id, "delete")
        try:
            await self._discussions.source(comment_id, identity, is_edited=False)  # one's own, and nobody else's
            await self._discussions.delete_comment(comment_id, identity, self._addresses.of(request))
        except Problem as problem:
            if problem.code not in _LEFT:
                return await self._delete_page(request, comment_id, identity, problem)
        return redirect(await self._where(comment_id))

    async def _delete_page(
        self, request: Request, comment_id: str, identity: Identity, problem: Problem | None = None
    ) -> Response:
        source = await self._discussions.source(comment_id, identity, is_edited=False)
        return await self._page(request, "delete_comment.html", comment_id, {"source": source}, problem)

    # ---- reporting --------------------------------------------------------------------------------------

    async def _show_report(self, request: Request, comment_id: str) -> Response:
        return await self._report_page(request, comment_id, ReportInput(), is_sent="sent" in request.query_params)

    async def _report(self, request: Request, comment_id: str) -> Response:
        fields = await read_fields(request)
        given = ReportInput(fields.get("reason", ""), fields.get("note", ""))
        site = (await self._discussions.permalink(comment_id)).site
        await self._origins.admit(request, site)
        identity = await self._readers.of(request, site)
        try:
            report = _report_of(given)
            await self._discussions.report(comment_id, report, identity, self._addresses.of(request))
        except Problem as problem:
            return await self._report_page(request, comment_id, given, problem)
        return redirect(f"{comment_form_address(comment_id, 'report')}?sent=1")

    async def _report_page(
        self,
        request: Request,
        comment_id: str,
        given: ReportInput,
        problem: Problem | None = None,
        *,
        is_sent: bool = False,
    ) -> Response:
        found = (await self._discussions.permalink(comment_id)).comment
        if found.body is None and problem is None and not is_sent:
            problem = Problem(ErrorCode.gone, "The comment is no longer there.")
        context = {"given": given, "comment": found, "reasons": REASONS, "longest": NOTE_LENGTH, "is_sent": is_sent}
        return await self._page(request, "report_comment.html", comment_id, context, problem)

    # ---- what they share --------------------------------------------------------------------------------

    async def _sign_in(self, comment_id: str, what: str) -> Response:
        return redirect(await self._way_in(comment_id, what))

    async def _way_in(self, comment_id: str, what: str) -> str:
        """The ways in, and back. Raises not_found where no such comment is to be seen."""
        site = (await self._discussions.permalink(comment_id)).site
        return sign_in_address(site, comment_form_address(comment_id, what))

    async def _page(
        self,
        request: Request,
        template: str,
        comment_id: str,
        context: Mapping[str, object],
        problem: Problem | None,
    ) -> Response:
        given = {"back": await self._where(comment_id), "comment_id": comment_id, **context}
        return self._pages.page(request, template, given, problem)


def _report_of(given: ReportInput) -> protocol.Report:
    """Raises invalid, too_long."""
    if given.reason not in REASONS:
        raise Problem(ErrorCode.invalid, "Choose a reason.", field="reason")
    note = given.note.replace("\r\n", "\n").strip()
    if len(note) > NOTE_LENGTH:
        raise Problem(ErrorCode.too_long, f"A note has at most {NOTE_LENGTH} characters.", field="note")
    return protocol.Report.model_validate({"reason": given.reason, "note": note or None})


def _digest(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:32]
