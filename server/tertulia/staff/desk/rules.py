"""The rules of a site, and of one of its discussions, each with what it does in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tertulia.core.comments import Mode
from tertulia.core.rules import DEFAULT, RULES, OwnRules, Rule, Rules
from tertulia.desk import Ruling
from tertulia.errors import ErrorCode, Problem
from tertulia.languages import Language
from tertulia.people.staff import StaffMember
from tertulia.staff.desk.queues import address_with
from tertulia.staff.frame import Frame, of_site, redirect, site_address, site_of
from tertulia.staff.told import rule_word
from tertulia.web.forms import ShortForm, read_short_form

_FIELDS = len(RULES) + 8
_SAVED = {"saved": "yes"}


class RulePages:
    """Whatever is saved holds for the next comment."""

    def __init__(self, frame: Frame, ruling: Ruling) -> None:
        self._frame = frame
        self._ruling = ruling

    def routes(self) -> list[Route]:
        rules, discussion = "/sites/{site}/rules", "/sites/{site}/desk/discussion"
        return [
            self._frame.route(rules, self._site),
            self._frame.route(rules, self._change_site, "POST"),
            self._frame.route(discussion, self._discussion),
            self._frame.route(discussion, self._change_discussion, "POST"),
        ]

    # ---- of a site --------------------------------------------------------------------------------------

    async def _site(self, request: Request, member: StaffMember) -> Response:
        return await self._show_site(request, member)

    async def _change_site(self, request: Request, member: StaffMember) -> Response:
        form, site = await read_short_form(request, fields=_FIELDS), site_of(request)
        try:
            await self._ruling.change_site(member, site, _given(form))
        except Problem as problem:
            return await self._show_site(request, member, problem)
        return redirect(address_with(site_address(site, "rules"), _SAVED))

    async def _show_site(self, request: Request, member: StaffMember, problem: Problem | None = None) -> Response:
        site = site_of(request)
        own = await self._ruling.site(member, site)
        context = {
            **of_site(member, site, "rules"),
            "rules": _rows(own, DEFAULT, "desk.rules.default", self._frame.language(request)),
            "saved": "saved" in request.query_params,
        }
        return self._frame.page(request, "desk_rules.html", member, context, problem=problem)

    # ---- of a discussion --------------------------------------------------------------------------------

    async def _discussion(self, request: Request, member: StaffMember) -> Response:
        return await self._show_discussion(request, member, request.query_params.get("key", ""))

    async def _change_discussion(self, request: Request, member: StaffMember) -> Response:
        form, site = await read_short_form(request, fields=_FIELDS), site_of(request)
        key = form.text("key")
        try:
            closes_at = self._moment(form.text("closes_at"))
            await self._ruling.change_discussion(member, site, key, form.text("mode"), closes_at, _given(form))
        except Problem as problem:
            return await self._show_discussion(request, member, key, problem)
        return redirect(address_with(site_address(site, "desk/discussion"), {"key": key, **_SAVED}))

    async def _show_discussion(
        self, request: Request, member: StaffMember, key: str, problem: Problem | None = None
    ) -> Response:
        site = site_of(request)
        found = await self._ruling.discussion(member, site, key)
        of_the_site = found.site_rules.over(DEFAULT)
        closes_at = found.closes_at
        context = {
            **of_site(member, site, "desk"),
            "discussion": found,
            "modes": [*Mode],
            "rules": _rows(found.own_rules, of_the_site, "desk.rules.of_site", self._frame.language(request)),
            "closes_at": closes_at.astimezone(self._zone).strftime("%Y-%m-%dT%H:%M") if closes_at else "",
            "saved": "saved" in request.query_params,
        }
        return self._frame.page(request, "desk_discussion.html", member, context, problem=problem)

    @property
    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._frame.zone)

    def _moment(self, given: str) -> datetime | None:
        """What a browser's field for a time sends, in the zone of the pages. Raises invalid."""
        if not given:
            return None
        try:
            return datetime.strptime(given[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=self._zone)
        except ValueError as error:
            raise Problem(ErrorCode.invalid, "Give a day and a time.", field="closes_at") from error


def _rows(own: OwnRules, otherwise: Rules, key: str, language: Language) -> list[Mapping[str, object]]:
    """Each rule with what is said, and what holds where nothing is."""
    return [_row(rule, own, getattr(otherwise, rule.name), key, language) for rule in RULES.values()]


def _row(rule: Rule, own: OwnRules, inherited: object, key: str, language: Language) -> Mapping[str, object]:
    return {
        "rule": rule,
        "value": own.said.get(rule.name, ""),
        "choices": [*rule.choices] if rule.choices else None,
        "otherwise": language.translate(key, value=rule_word(rule.name, inherited, language)),
    }


def _given(form: ShortForm) -> dict[str, str]:
    """Those that the form has."""
    return {name: form.text(name).strip() for name in RULES if name in form}
