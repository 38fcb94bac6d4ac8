"""Short forms of pages under a cookie, as they were sent."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from tertulia.errors import ErrorCode, Problem

FORM_TYPE = "application/x-www-form-urlencoded"
SHORT_FORM = 8192
"""Bytes: the longest has the address of a page with a discussion, whose key is an address as well."""
_FIELDS = 16


class ShortForm:
    """Its fields; what is missing is empty."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._pairs = pairs

    def __contains__(self, name: str) -> bool:
        return any(key == name for key, _ in self._pairs)

    def text(self, name: str) -> str:
        return next((value for key, value in self._pairs if key == name), "")

    def texts(self, name: str) -> list[str]:
        return [value for key, value in self._pairs if key == name]


async def read_short_form(request: Request, most: int = SHORT_FORM, fields: int = _FIELDS) -> ShortForm:
    """Of at most so many bytes and ``fields``. Raises unsupported_media_type, too_large, malformed."""
    raw = await form_body(request)
    if len(raw) > most:
        raise Problem(ErrorCode.too_large, f"A form may have at most {most} bytes.")
    try:
        text = raw.decode("ascii")
        return ShortForm(parse_qsl(text, keep_blank_values=True, max_num_fields=fields, errors="strict"))
    except ValueError as error:
        raise Problem(ErrorCode.malformed, "The form cannot be read.") from error


async def form_body(request: Request) -> bytes:
    """The bytes of a form. Raises unsupported_media_type, too_large."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM_TYPE:
        raise Problem(ErrorCode.unsupported_media_type, f"Send the form as {FORM_TYPE}.")
    return await request.body()
