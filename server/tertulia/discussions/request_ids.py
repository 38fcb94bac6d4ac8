"""Ids and idempotency keys as requests give them: checked before anything is looked up with one."""

from __future__ import annotations

import re

from tertulia.core.ids import is_uuid
from tertulia.errors import ErrorCode, Problem, no_such_comment

_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{16,64}")


def comment_id(given: str) -> str:
    """Raises not_found."""
    if not is_uuid(given):
        raise no_such_comment()
    return given


def parent_id(given: str) -> str:
    """Raises bad_parent."""
    if not is_uuid(given):
        raise Problem(ErrorCode.bad_parent, "The comment replied to is not in this discussion.", field="parent_id")
    return given


def idempotency_key(given: str | None) -> str:
    """Raises idempotency_key_required."""
    if given is None or not _IDEMPOTENCY_KEY.fullmatch(given):
        raise Problem(
            ErrorCode.idempotency_key_required,
            "Send a header Idempotency-Key of 16 to 64 visible ASCII characters, random and new for each comment.",
            field="Idempotency-Key",
        )
    return given
