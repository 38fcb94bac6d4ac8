"""Answers that are asked for again and again: what has not changed is not sent again (RFC 9110, 8.8 and 13)."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from starlette.requests import Request
from starlette.responses import Response

_TAG = re.compile(r'(?:W/)?"([^"]*)"')
# the type of what the client has, too: an answer of an operation is one of its declared types
_KEPT = ("Content-Type", "ETag", "Last-Modified", "Cache-Control", "Vary", "X-Robots-Tag")


def validated(request: Request, answer: Response, changed: datetime | None = None) -> Response:
    """The answer with a weak ETag of its body, and with Last-Modified where ``changed`` is known; 304 instead where the
    client has it. A tag decides where one is sent, since a date cannot tell two changes within a second.
    """
    tag = hashlib.sha256(bytes(answer.body)).hexdigest()[:16]
    answer.headers["ETag"] = f'W/"{tag}"'
    if changed is not None:
        answer.headers["Last-Modified"] = format_datetime(changed.astimezone(UTC), usegmt=True)
    if not (has_tag(request, tag) or _is_unchanged(request, changed)):
        return answer
    return Response(status_code=304, headers={name: answer.headers[name] for name in _KEPT if name in answer.headers})


def has_tag(request: Request, tag: str) -> bool:
    """Whether the request names this tag, weak or strong, as one that the client has."""
    given = ",".join(request.headers.getlist("if-none-match"))
    return given.strip() == "*" or tag in _TAG.findall(given)


def _is_unchanged(request: Request, changed: datetime | None) -> bool:
    given = request.headers.getlist("if-modified-since")
    if changed is None or len(given) != 1 or "if-none-match" in request.headers:
        return False
    try:
        since = parsedate_to_datetime(given[0])
    except (TypeError, ValueError):
        return False
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    return changed.replace(microsecond=0) <= since
