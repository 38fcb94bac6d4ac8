"""The two tables of trouble: error codes (the answer to a request) and close codes (the end of a stream).

Problem            a request is refused; nothing has changed
StartupError       the server cannot start; one line says what to do
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """One row of the error table: HTTP status, a short title, and whether the same request may succeed later."""

    status: int
    title: str
    retry: bool = False


class ErrorCode(Enum):
    """Every stable ``code`` of a problem document (RFC 9457)."""

    malformed = ErrorSpec(400, "The request cannot be read")
    invalid = ErrorSpec(422, "A field has a value that cannot be accepted")
    unknown_field = ErrorSpec(422, "A field is not known here")
    bad_cursor = ErrorSpec(400, "The cursor does not belong to this list")
    idempotency_key_required = ErrorSpec(400, "A write needs an Idempotency-Key")
    idempotency_conflict = ErrorSpec(409, "This Idempotency-Key was used for something else")
    unauthenticated = ErrorSpec(401, "A valid token is needed")
    bad_code = ErrorSpec(401, "The code is not the one that was sent")
    forbidden = ErrorSpec(403, "This is not yours to change")
    origin_not_allowed = ErrorSpec(403, "This origin may not use this site")
    unknown_site = ErrorSpec(404, "There is no such site")
    not_found = ErrorSpec(404, "There is nothing here")
    method_not_allowed = ErrorSpec(405, "This method is not offered here")
    name_taken = ErrorSpec(409, "The name is somebody else's")
    name_needed = ErrorSpec(409, "A name is needed")
    wrong_session = ErrorSpec(403, "This needs another session")
    edit_window_over = ErrorSpec(409, "The time for editing is over")
    closed = ErrorSpec(409, "The discussion is closed")
    members_only = ErrorSpec(403, "Only those who are signed in may write here")
    banned = ErrorSpec(403, "Moderators take nothing of this person at present")
    slow_mode = ErrorSpec(429, "One comment in so much time is all that a discussion takes of each", retry=True)
    links = ErrorSpec(422, "Links may not be posted here")
    bad_parent = ErrorSpec(409, "The comment replied to cannot be answered")
    bad_state = ErrorSpec(409, "The comment's state does not allow this")
    decided = ErrorSpec(409, "Somebody else has decided about it")
    changed = ErrorSpec(409, "It was changed meanwhile")
    gone = ErrorSpec(410, "The comment is no longer there")
    spent = ErrorSpec(410, "This has already been used")
    too_large = ErrorSpec(413, "The request is too large")
    unsupported_media_type = ErrorSpec(415, "Send application/json")
    too_long = ErrorSpec(422, "The text is too long")
    empty = ErrorSpec(422, "There is no visible text")
    words = ErrorSpec(422, "This has a word that is not allowed here")
    rate_limited = ErrorSpec(429, "Too much in too short a time", retry=True)
    internal = ErrorSpec(500, "Something went wrong here", retry=True)
    unavailable = ErrorSpec(503, "The server cannot do this at the moment", retry=True)


class CloseCode(IntEnum):
    """Why a live stream ended; what a client does next stands in CLOSE_ADVICE."""

    restarting = 1012
    malformed = 4400
    sign_in_again = 4401
    origin_not_allowed = 4403
    too_slow = 4408
    gone = 4410
    too_many_connections = 4429


CLOSE_ADVICE: dict[CloseCode, str] = {
    CloseCode.restarting: "resume after a random 0-5 s",
    CloseCode.malformed: "stop; fix the request",
    CloseCode.sign_in_again: "stop; the session or the role has ended: sign in again",
    CloseCode.origin_not_allowed: "stop; the site does not allow this origin",
    CloseCode.too_slow: "resume from the last seq",
    CloseCode.gone: "stop",
    CloseCode.too_many_connections: "resume after the milliseconds that the reason says",
}


class Problem(Exception):
    """A request is refused and nothing has changed.

    ``detail`` is a sentence for people that says what to do; ``field`` names the part of the request meant,
    ``retry_after`` is in whole seconds, ``left`` how often the same can still be tried with something else.
    """

    def __init__(
        self,
        code: ErrorCode,
        detail: str,
        *,
        field: str | None = None,
        retry_after: int | None = None,
        left: int | None = None,
    ) -> None:
        super().__init__(f"{code.name}: {detail}")
        self.code = code
        self.detail = detail
        self.field = field
        self.retry_after = retry_after
        self.left = left


def unauthenticated() -> Problem:
    """One answer for every bad token: it tells a forger nothing."""
    return Problem(
        ErrorCode.unauthenticated,
        "You are no longer signed in; sign in again. Programs send a valid token: Authorization: Bearer TOKEN",
    )


def name_taken() -> Problem:
    return Problem(
        ErrorCode.name_taken,
        "This name, or one that looks like it, belongs to somebody else here; choose another.",
        field="author.name",
    )


def no_such_site(field: str = "site") -> Problem:
    return Problem(ErrorCode.unknown_site, "There is no such site.", field=field)


def no_such_comment() -> Problem:
    return Problem(ErrorCode.not_found, "There is no such comment.")


def no_such_parent() -> Problem:
    """For the replies to a comment that is not there, or not in the discussion."""
    return Problem(ErrorCode.not_found, "There is no such comment in this discussion.", field="parent")


class StartupError(Exception):
    """The server cannot start; the message is one line that says what to do."""
