"""Signing in, and what is one's own: requests that would be granted, and all that spoils them."""

from __future__ import annotations

from collections.abc import Iterator

from tertulia.errors import ErrorCode
from tertulia.identity import new_session_token
from tests.api.spoiling import Case, Good

SIGN_IN = Good("POST", "/sessions", {"grant": "test", "token": "3/Lan"})
RENAME = Good("PATCH", "/me", {"name": "Hoa"}, token="member")
SIGN_OUT = Good("DELETE", "/sessions/current", token="member")
ASK = Good("POST", "/codes", {"email": "lan@example.com", "lang": "vi"})
ME = Good("GET", "/me", token="member")
SESSIONS = Good("GET", "/me/sessions", token="member")
END_ALL = Good("DELETE", "/me/sessions", token="member")

OWN = (RENAME, SIGN_OUT, ME, SESSIONS, END_ALL)
WRITES = (SIGN_IN, RENAME, SIGN_OUT, END_ALL, ASK)
BY_BODYLESS = (SIGN_OUT, ME, SESSIONS, END_ALL)
OF_A_SESSION = (RENAME, SIGN_OUT, SESSIONS, END_ALL)

WRONG: tuple[object, ...] = (1, True, 1.5, [], {}, ["test"])
"""What is no text."""
_SIGNING = "POST /sessions"
_CODES = "tests/people/test_email_codes.py"
APART = {
    (_SIGNING, ErrorCode.bad_code): f"{_CODES}::test_the_sixth_guess_is_spent_even_if_it_is_right",
    (_SIGNING, ErrorCode.name_needed): f"{_CODES}::test_whoever_is_new_says_a_name_and_the_code_waits_for_it",
    ("PATCH /me", ErrorCode.forbidden): "tests/staff/test_ways.py::"
    "test_it_is_the_same_person_who_writes_under_the_name_of_the_role",
}


def cases() -> Iterator[Case]:
    yield from _signing_in()
    yield from _names()
    yield from _codes()
    for good in OWN:
        yield good.spoilt("nobody", ErrorCode.unauthenticated, token=None)
        never_opened, _ = new_session_token()
        for name, token in {"never opened": never_opened, "with NUL": "ts_" + "a" * 20 + "%00", "empty": "ts_"}.items():
            header = (("Authorization", f"Bearer {token}"),)
            yield good.spoilt(f"a session {name}", ErrorCode.unauthenticated, token=None, more_headers=header)
        yield good.spoilt("two tokens", ErrorCode.unauthenticated, more_headers=(("Authorization", "Bearer ts_a"),))
    for good in OF_A_SESSION:
        # a guest has tokens instead, which end all at once
        for who in ("moderator",) if good is END_ALL else ("lan", "moderator"):
            yield good.spoilt(f"{who} without a session", ErrorCode.wrong_session, token=who)
    for good in (SIGN_IN, RENAME, ASK, *BY_BODYLESS):
        yield good.spoilt("a site for a parameter", ErrorCode.unknown_field, params=(("site", "default"),))


def _signing_in() -> Iterator[Case]:
    body = SIGN_IN.body or {}

    def asked(name: str, refusal: ErrorCode, /, **fields: object) -> Case:
        return SIGN_IN.spoilt(name, refusal, body={**body, **fields})

    most = {"grant": 32, "token": 4096, "code": 128, "verifier": 128, "challenge": 64, "guest": 2048}
    for field, length in most.items():
        for value in WRONG:
            yield asked(f"{field} is {value!r}", ErrorCode.invalid, **{field: value})
        yield asked(f"{field} too long", ErrorCode.invalid, **{field: "a" * (length + 1)})
    for field in ("site", "name"):
        for value in WRONG:
            yield asked(f"{field} is {value!r}", ErrorCode.invalid, **{field: value})
    for field in ("grant", "site"):
        yield asked(f"{field} is null", ErrorCode.invalid, **{field: None})
    yield SIGN_IN.spoilt("no grant", ErrorCode.invalid, body={"token": "3/Lan"})
    for grant in ("", "Test", "pigeon", "test ", "test\0"):
        yield asked(f"grant {grant!r}", ErrorCode.invalid, grant=grant)
    yield asked("half a pair in the grant", ErrorCode.malformed, grant="\ud800")
    for site in ("nowhere", "", "DEFAULT", "default\0", "\ud800", "a" * 3000):
        yield asked(f"site {site[:9]!r}", ErrorCode.unknown_site, site=site)
    yield SIGN_IN.spoilt("no token", ErrorCode.unauthenticated, body={"grant": "test"})
    yield asked("a token of nobody", ErrorCode.unauthenticated, token="nobody")
    yield asked("what was good once", ErrorCode.spent, token="once-member/Lan")
    yield asked("a moderator's name", ErrorCode.name_taken, token="3/Mаi")
    yield asked("an office", ErrorCode.name_taken, token="3/MODERAT0R")
    yield asked("a name nobody sees", ErrorCode.empty, token="3/\u200b")
    yield asked("a name too long", ErrorCode.too_long, token="3/" + "a" * 65)
    yield asked("a name with NUL", ErrorCode.malformed, token="3/a\0b")
    yield asked("half a pair in a name", ErrorCode.malformed, token="3/a\ud800")


def _names() -> Iterator[Case]:
    for value in (*WRONG, None, 2**70):
        yield RENAME.spoilt(f"name {value!r}", ErrorCode.invalid, body={"name": value})
    for name, text, code in (
        ("no name", "", ErrorCode.empty),
        ("a name of blanks", " \u3000", ErrorCode.empty),
        ("a name nobody sees", "\u202e\u200b", ErrorCode.empty),
        ("a name too long", "a" * 65, ErrorCode.too_long),
        ("a name of 10,000", "ộ" * 10_000, ErrorCode.too_long),
        ("NUL in the name", "a\0b", ErrorCode.malformed),
        ("half a pair in the name", "a\ud800", ErrorCode.malformed),
        ("a moderator's name", "Mаi", ErrorCode.name_taken),
        ("an office", "MODERAT0R", ErrorCode.name_taken),
    ):
        yield RENAME.spoilt(name, code, body={"name": text})


def _codes() -> Iterator[Case]:
    body = ASK.body or {}

    def asked(name: str, refusal: ErrorCode, /, **fields: object) -> Case:
        return ASK.spoilt(name, refusal, body={**body, **fields})

    for field in ("email", "lang", "site"):
        for value in WRONG:
            yield asked(f"{field} is {value!r}", ErrorCode.invalid, **{field: value})
    for field in ("email", "site"):
        yield asked(f"{field} is null", ErrorCode.invalid, **{field: None})
    yield ASK.spoilt("no address", ErrorCode.invalid, body={"lang": "vi"})
    for email in ("", "lan", "lan@localhost", "lan@example.com\nBcc: a@example.com", "lan@example.com\0", "a" * 321):
        yield asked(f"address {email[:24]!r}", ErrorCode.invalid, email=email)
    yield asked("half a pair in the address", ErrorCode.malformed, email="lan\ud800@example.com")
    yield asked("a long language", ErrorCode.invalid, lang="v" * 33)
    for site in ("nowhere", "", "DEFAULT", "default\0", "\ud800", "a" * 3000):
        yield asked(f"site {site[:9]!r}", ErrorCode.unknown_site, site=site)
