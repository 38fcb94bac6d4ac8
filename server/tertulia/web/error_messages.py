"""Error messages in the reader's language, from the catalogue; those that only programs meet stay in English."""

from __future__ import annotations

from typing import NamedTuple

from starlette.datastructures import Headers

from tertulia.core.waits import wait_of
from tertulia.errors import ErrorCode, Problem
from tertulia.languages import DEFAULT, Language, accepted

_BY_CODE = {
    ErrorCode.empty: "no_text",
    ErrorCode.too_long: "problem.too_long",
    ErrorCode.too_large: "problem.too_large",
    ErrorCode.closed: "problem.closed",
    ErrorCode.members_only: "problem.members_only",
    ErrorCode.banned: "problem.banned",
    ErrorCode.slow_mode: "problem.slow_mode",
    ErrorCode.links: "problem.links",
    ErrorCode.words: "problem.words",
    ErrorCode.unauthenticated: "problem.unauthenticated",
    ErrorCode.bad_parent: "problem.bad_parent",
    ErrorCode.edit_window_over: "problem.edit_window_over",
    ErrorCode.gone: "problem.gone",
    ErrorCode.rate_limited: "problem.rate_limited",
    ErrorCode.unavailable: "problem.unavailable",
    ErrorCode.internal: "problem.unavailable",
}
_WAITING = {"problem.rate_limited", "problem.slow_mode"}
"""Those that say how long, each in sentences of its own for minutes and hours."""
_ISOLATE, _END = "\u2068", "\u2069"
"""What stands between them has a direction of its own (Unicode's Annex 9)."""
_WRITTEN = {None, "body", "parent_id"}
"""The fields that the sentences are about; others have bounds of their own."""
_NAME_BY_CODE = {
    ErrorCode.empty: "no_name",
    ErrorCode.too_long: "problem.long_name",
    ErrorCode.name_taken: "problem.name_taken",
    ErrorCode.words: "problem.words_in_name",
}


def is_about_name(problem: Problem) -> bool:
    return (problem.field or "").startswith("author")


def sentence(problem: Problem, language: Language, otherwise: str | None = None) -> str | None:
    """The message for a reader; if the problem has none of its own, that of the key ``otherwise``."""
    if is_about_name(problem):
        key: str | None = _NAME_BY_CODE.get(problem.code, "problem.name")
    else:
        key = _BY_CODE.get(problem.code, "problem.text" if problem.field == "body" else otherwise)
    number, unit = wait_of(problem.retry_after or 1)
    if key in _WAITING and unit != "second":
        key = f"{key}.{unit}s"
    return key and language.translate(key, n=number, detail=isolated(problem.detail, language))


def isolated(detail: str, language: Language) -> str:
    """A sentence in English within a page: where that runs the other way, its full stop stays at its own end."""
    return detail if language.direction == "ltr" else f"{_ISOLATE}{detail}{_END}"


class Detail(NamedTuple):
    """A problem's detail, and the tag of its language."""

    text: str
    language: str


def translated(problem: Problem, headers: Headers) -> Detail:
    """``detail`` in the language that an Accept-Language (RFC 9110) prefers."""
    language = accepted(headers.get("accept-language", ""))
    is_told = language.tag != DEFAULT and (problem.field in _WRITTEN or is_about_name(problem))
    told = sentence(problem, language) if is_told else None
    return Detail(told, language.tag) if told else Detail(problem.detail, DEFAULT)
