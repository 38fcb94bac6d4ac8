"""Reading what a client sends: strict JSON into models, and query parameters; anything else is a Problem."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from pydantic import BaseModel, ValidationError
from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.types import Scope

from tertulia.core import strict_json, text
from tertulia.core.comments import DiscussionKey
from tertulia.errors import ErrorCode, Problem

M = TypeVar("M", bound=BaseModel)
E = TypeVar("E", bound=StrEnum)
LARGEST_NUMBER = 2**53
MAX_PARAMETERS = 128
"""Of a query: a hundred keys to be counted, and a few more. Taking apart the 5,000 that fit in a head costs 7 ms."""
MAX_TOKENS = 256
"""Of a JSON body: braces, brackets, commas, texts. The largest that is asked for has 30; 64 KiB of them cost 10 ms."""

# possessive, so that each byte is read once
_TOKEN = re.compile(rb'[{}\[\],]|"(?:[^"\\]++|\\.?)*+"?', re.S)
_MARKS = (b"{", b"}", b"[", b"]", b",")


def check_parameters(scope: Scope) -> None:
    """Raises invalid where a query has so many parameters that taking it apart would cost much."""
    if scope["query_string"].count(b"&") >= MAX_PARAMETERS:
        raise Problem(ErrorCode.invalid, f"A query may have at most {MAX_PARAMETERS} parameters.")


async def read_json(request: Request, model: type[M], tokens: int = MAX_TOKENS) -> M:
    """The body as ``model``, of at most so many ``tokens``.

    Raises unsupported_media_type, malformed, unknown_field, invalid.
    """
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if media_type.strip().lower() != "application/json" or charset not in ("", "charset=utf-8"):
        raise Problem(ErrorCode.unsupported_media_type, "Send the body as application/json in UTF-8.")
    return parse(await request.body(), model, tokens)


def parse(body: bytes, model: type[M], tokens: int = MAX_TOKENS) -> M:
    """JSON text as ``model``. Raises malformed, unknown_field, invalid."""
    if _has_many_tokens(body, tokens):
        raise Problem(ErrorCode.malformed, f"The body may have at most {tokens} elements of JSON.")
    try:
        found = strict_json.read(body)
    except ValueError as error:
        raise Problem(ErrorCode.malformed, "The body is not readable JSON in UTF-8.") from error
    if not isinstance(found, dict):
        raise Problem(ErrorCode.malformed, "The body has to be a JSON object.")
    return validated(found, model)


def validated(found: Mapping[str, object], model: type[M]) -> M:
    """What was sent as ``model``. Raises malformed, unknown_field, invalid."""
    try:
        return model.model_validate(found)
    except ValidationError as error:
        raise _problem(error) from error


def _has_many_tokens(body: bytes, most: int) -> bool:
    """Whether there are more than ``most``; no more of them are looked at."""
    if sum(map(body.count, _MARKS)) <= most // 3:
        return False  # at most two texts, a name and a value, come with each mark
    return next(islice(_TOKEN.finditer(body), most, None), None) is not None


def _problem(error: ValidationError) -> Problem:
    first = error.errors(include_url=False, include_input=False)[0]
    field = ".".join(str(part) for part in first["loc"]).encode("ascii", "backslashreplace").decode()[:100]
    if first["type"] == "extra_forbidden":
        return Problem(ErrorCode.unknown_field, "This field is not known here; leave it out.", field=field)
    if first["type"] == "string_unicode":
        return Problem(ErrorCode.malformed, "The text holds half of a surrogate pair.", field=field)
    return Problem(ErrorCode.invalid, f"{first['msg']}.", field=field)


class Query:
    """The query parameters of a request; each may come once, and only those that are known."""

    def __init__(self, parameters: QueryParams, known: Iterable[str], repeated: Iterable[str] = ()) -> None:
        self._parameters = parameters
        known, repeated = set(known), set(repeated)
        for name in parameters:
            if name not in known | repeated:
                field = name.encode("ascii", "backslashreplace").decode()[:100]
                raise Problem(ErrorCode.unknown_field, "This parameter is not known here; leave it out.", field=field)
            if name not in repeated and len(parameters.getlist(name)) > 1:
                raise Problem(ErrorCode.invalid, "This parameter may come once only.", field=name)

    def text(self, name: str) -> str | None:
        return self._parameters.get(name)

    def text_like(self, name: str, pattern: re.Pattern[str], what: str) -> str | None:
        """A text that the whole pattern describes; raises invalid for another, naming ``what`` was wanted."""
        given = self._parameters.get(name)
        if given is not None and not pattern.fullmatch(given):
            raise Problem(ErrorCode.invalid, f"Give {what}.", field=name)
        return given

    def texts(self, name: str) -> list[str]:
        return self._parameters.getlist(name)

    def number(self, name: str, *, least: int, most: int = LARGEST_NUMBER) -> int | None:
        """A whole number; raises invalid outside ``least`` to ``most``."""
        given = self._parameters.get(name)
        if given is None:
            return None
        plain = given.isascii() and given.isdigit() and len(given) <= 16
        if not plain or not least <= int(given) <= most:
            raise Problem(ErrorCode.invalid, f"Give a whole number from {least} to {most}.", field=name)
        return int(given)

    def choice(self, name: str, choices: type[E], default: E) -> E:
        given = self._parameters.get(name)
        if given is None:
            return default
        try:
            return choices(given)
        except ValueError as error:
            names = ", ".join(choices)
            raise Problem(ErrorCode.invalid, f"Choose one of: {names}.", field=name) from error

    def discussion(self) -> DiscussionKey:
        """The discussion that ``site`` and ``key`` name. Raises unknown_site, invalid, malformed, too_long, empty."""
        key = self._parameters.get("key")
        if key is None:
            raise Problem(ErrorCode.invalid, "Say which discussion: key=…", field="key")
        return DiscussionKey(self.site(), text.clean_key(key))

    def site(self) -> str:
        """The site that is named, by default the only one of most servers. Raises unknown_site."""
        return text.clean_site(self._parameters.get("site", "default"))
