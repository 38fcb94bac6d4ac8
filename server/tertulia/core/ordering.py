"""The orders comments are listed in, and the cursors that continue a list where it stopped.

A cursor holds the sort key of the last item and what the list is of, so an item that arrives or goes in between
neither repeats nor hides another, and a cursor from another list is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass

from tertulia.core.ids import is_uuid
from tertulia.errors import ErrorCode, Problem

_LARGEST = 2**53


@dataclass(frozen=True, slots=True)
class PageCursor:
    """``scope`` says which list; ``values`` are the last item's sort key, its id last."""

    scope: str
    values: tuple[int, ...]
    id: str


def encode_page_cursor(cursor: PageCursor) -> str:
    text = json.dumps([cursor.scope, list(cursor.values), cursor.id], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_page_cursor(text: str | None, scope: str, *widths: int) -> PageCursor | None:
    """The cursor of this list with one of these numbers of sort values; raises bad_cursor for any other text."""
    if text is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        found = json.loads(raw)
        owner, values, last = found
    except (binascii.Error, ValueError, TypeError, RecursionError) as error:
        raise _bad() from error
    numbers = isinstance(values, list) and all(type(v) is int and abs(v) < _LARGEST for v in values)
    if owner != scope or not numbers or len(values) not in widths or not (isinstance(last, str) and is_uuid(last)):
        raise _bad()
    cursor = PageCursor(scope, tuple(values), last)
    if encode_page_cursor(cursor) != text:  # with padding, blanks or loose bits it would be a second name for it
        raise _bad()
    return cursor


def _bad() -> Problem:
    return Problem(ErrorCode.bad_cursor, "This cursor is of another list; start again without one.", field="cursor")
