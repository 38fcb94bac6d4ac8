"""Requests that cannot be granted: each is refused with its own code, and nothing is stored."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tertulia.core.scopes import TokenScope
from tertulia.errors import ErrorCode
from tertulia.limits.posting import PREVIEWS_A_MINUTE
from tertulia.protocol import API, BODY_LIMIT
from tertulia.settings import Settings
from tertulia.web.validation import Query
from tests.api import spoiling_desk as desk
from tests.api import spoiling_people as people
from tests.api import spoiling_programs as programs
from tests.api.app import OPERATIONS, App, bearer, declared, furnish, named, new_key, opened, operation_of
from tests.api.spoiling import Case, Good
from tests.api.test_limits import COUNTED

HOSTILE = "https://hostile.example"
TALK = (("key", "talk"),)
SAY = Good("POST", "/comments", {"key": "talk", "body": "Hello.", "author": {"name": "Ba"}}, once=True)
PREVIEW = Good("POST", "/preview", {"body": "Hello."})
NUDGE = Good("POST", "/nudge", {"key": "talk", "body": "Hello."})
EDIT = Good("PATCH", "/comments/{id}", {"body": "Hello."}, token="lan")
VOTE = Good("PUT", "/comments/{id}/vote", {"value": 1}, token="minh")
REPORT = Good("POST", "/comments/{id}/reports", {"reason": "spam"})
MODE = Good("PATCH", "/discussion", {"mode": "held"}, params=TALK, token="moderator")
DELETE = Good("DELETE", "/comments/{id}", token="lan")
RESTORE = Good("POST", "/comments/{id}/restore", token="moderator", comment="removed")
APPROVE = Good("POST", "/comments/{id}/approve", token="moderator", comment="held")
SNAPSHOT = Good("GET", "/discussion", params=TALK)
COMMENTS = Good("GET", "/comments", params=TALK)
PERMALINK = Good("GET", "/comments/{id}")
COUNTS = Good("GET", "/counts", params=TALK)
FEED = Good("GET", "/feed.atom", params=TALK)
HELD = Good("GET", "/moderation/held", token="moderator")
REPORTED = Good("GET", "/moderation/reports", token="moderator")
EVENTS = Good("GET", "/events", params=TALK)
OPTIONS = Good("GET", "/signin/options")

WITH_BODY = (SAY, PREVIEW, NUDGE, EDIT, VOTE, REPORT, MODE, people.SIGN_IN, people.RENAME, people.ASK, *desk.WITH_BODY)
BY_ID = (PERMALINK, EDIT, DELETE, VOTE, REPORT, RESTORE, APPROVE)
BY_KEY = (SNAPSHOT, COMMENTS, FEED, EVENTS, MODE)
BY_SITE = (*BY_KEY, COUNTS, HELD, REPORTED, OPTIONS, *desk.READS, desk.LIFT)
LIMITED = (SNAPSHOT, COMMENTS, HELD, REPORTED, EVENTS, desk.QUEUE, desk.BANS)
TOKENS_READ = (
    *(SNAPSHOT, COMMENTS, HELD, REPORTED, SAY, EDIT, VOTE, REPORT, MODE, DELETE, RESTORE, APPROVE),
    *people.OWN,
    *desk.ALL,
    programs.END_ACCOUNT,
)
BY_PROGRAMS = (
    *((good, TokenScope.read) for good in (SNAPSHOT, COMMENTS, HELD, REPORTED)),
    *((good, TokenScope.moderate) for good in (EDIT, DELETE, RESTORE, APPROVE)),
    (MODE, TokenScope.discussions),
    (programs.END_ACCOUNT, TokenScope.people),
)
"""Each with the scope that a token has to have for it."""
ALL = (
    *(*WITH_BODY, DELETE, RESTORE, APPROVE, SNAPSHOT, COMMENTS, PERMALINK, COUNTS, FEED, HELD, REPORTED, EVENTS),
    *(OPTIONS, *people.BY_BODYLESS, programs.END_ACCOUNT, *desk.READS, desk.LIFT),
)

UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "an open brace": b"{",
    "a list": b"[]",
    "null": b"null",
    "a string": b'"{}"',
    "a number": b"1",
    "true": b"true",
    "single quotes": b"{'body': 'x'}",
    "a comment": b'{"body": "x" /* no */}',
    "a comma too many": b'{"body": "x",}',
    "text after the end": b'{"body": "x"} {}',
    "NUL after the end": b'{"body": "x"}\0',
    "a line end in a string": b'{"body": "x\ny"}',
    "a bad escape": b'{"body": "\\x41"}',
    "half an escape": b'{"body": "\\ud8"}',
    "bytes that are not UTF-8": b'{"body": "\xff"}',
    "a raw surrogate": b'{"body": "\xed\xa0\x80"}',
    "an overlong slash": b'{"body": "\xc0\xaf"}',
    "UTF-16": '{"body": "x"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"body": "x"}'.encode("utf-16-le"),
    "a byte order mark": b'\xef\xbb\xbf{"body": "x"}',
    "NaN": b'{"body": NaN}',
    "Infinity": b'{"value": Infinity}',
    "minus Infinity": b'{"value": -Infinity}',
    "a number of 5000 digits": b'{"value": ' + b"1" * 5000 + b"}",
    "a leading zero": b'{"value": 01}',
    "a key twice": b'{"body": "x", "body": "y"}',
    "a key twice inside": b'{"author": {"name": "x", "name": "y"}}',
    "a key twice, once escaped": b'{"body": "x", "\\u0062ody": "y"}',
    "30,000 open brackets": b"[" * 30_000,
    "30,000 brackets inside": b'{"body": ' + b"[" * 15_000 + b"]" * 15_000 + b"}",
    "10,000 objects": b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
}
NOT_JSON = {
    "text": "text/plain",
    "a form": "application/x-www-form-urlencoded",
    "parts": "multipart/form-data; boundary=x",
    "Latin-1": "application/json; charset=iso-8859-1",
    "UTF-16": "application/json; charset=utf-16",
    "a longer name": "application/jsonp",
    "a problem": "application/problem+json",
    "anything": "*/*",
    "nothing": "",
    "two types": "text/plain, application/json",
}
BAD_TOKENS: dict[str, str | bytes] = {
    "no scheme": "abc",
    "no token": "Bearer",
    "blanks": "Bearer    ",
    "another scheme": "Basic dTpw",
    "no such token": "Bearer abc",
    "no such moderator": "Bearer tm_abc",
    "three empty parts": "Bearer ..",
    "no signature": "Bearer eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.eyJzdWIiOiJ4In0.",
    "not ASCII": "Bearer é".encode(),
    "not UTF-8": b"Bearer \xff\xfe",
    "very long": "Bearer " + "a" * 10_000,
    "nested": "Bearer " + base64.urlsafe_b64encode(b"[" * 3000).decode() + ".e30.e30",
}


def _encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


BAD_CURSORS = {
    "empty": "",
    "words": "next page, please",
    "not ASCII": "trang-kế-tiếp",
    "one letter": "a",
    "cut short": _encoded(["oldest:1", [1], "x"])[:-3],
    "not JSON": base64.urlsafe_b64encode(b"\xff\xfe{").decode(),
    "an object": _encoded({"a": 1, "b": 2, "c": 3}),
    "too few parts": _encoded(["oldest:1", [1]]),
    "a number for a list": _encoded(["oldest:1", 1, "x"]),
    "a boolean": _encoded(["oldest:1", [True], "x"]),
    "a fraction": _encoded(["oldest:1", [1.5], "x"]),
    "a huge number": _encoded(["oldest:1", [2**63], "x"]),
    "a huge negative number": _encoded(["oldest:1", [-(2**64)], "x"]),
    "400 digits": _encoded(["oldest:1", [10**400], "x"]),
    "an id that is none": _encoded(["oldest:1", [1], 5]),
    "two values": _encoded(["oldest:1", [1, 2], "x"]),
    "no discussion": _encoded(["oldest:None", [1], "x"]),
    "nested": base64.urlsafe_b64encode(b"[" * 3000).decode(),
    "5000 digits": base64.urlsafe_b64encode(b'["oldest:1",[' + b"1" * 5000 + b'],"x"]').decode(),
}


def _bodies() -> Iterator[Case]:
    for good in WITH_BODY:
        assert good.body is not None
        valid = json.dumps(good.body).encode()
        for name, content in UNREADABLE.items():
            yield good.spoilt(name, ErrorCode.malformed, content=content)
        for name, media_type in NOT_JSON.items():
            yield good.spoilt(
                f"sent as {name}", ErrorCode.unsupported_media_type, more_headers=(("Content-Type", media_type),)
            )
        yield good.spoilt("no fields", ErrorCode.invalid, content=b"{}")
        yield good.spoilt("a field too many", ErrorCode.unknown_field, body={**good.body, "is_admin": True})
        yield good.spoilt("a field of a prototype", ErrorCode.unknown_field, body={**good.body, "__proto__": {}})
        half = valid[:-1] + b', "\\ud800": 1}'
        yield good.spoilt("half a pair as a name", ErrorCode.malformed, content=half)
        padded = valid + b" " * (BODY_LIMIT + 1 - len(valid))
        yield good.spoilt("a byte too many", ErrorCode.too_large, content=padded)
        yield good.spoilt("100,000 open brackets", ErrorCode.too_large, content=b"[" * 100_000)


def _say() -> Iterator[Case]:
    assert SAY.body is not None

    def said(name: str, code: ErrorCode, **fields: Any) -> Case:
        return SAY.spoilt(name, code, body={**(SAY.body or {}), **fields})

    half, nul = "\ud800", "a\0b"
    for field_, wrong in {
        "key": (1, None, True, [], {}),
        "body": (1, None, True, ["x"], {"text": "x"}, 1.5),
        "site": (1, None, True),
        "title": (1, True, []),
        "url": (1, True, []),
        "parent_id": (1, True, []),
        "author": ("Ba", 1, [], {}, {"name": 1}, {"name": None}, {"name": True}),
    }.items():
        for value in wrong:
            yield said(f"{field_} is {value!r}", ErrorCode.invalid, **{field_: value})
    yield said("half a pair in the site", ErrorCode.unknown_site, site=half)
    yield said("half a pair in the parent's id", ErrorCode.bad_parent, parent_id=half)
    for field_ in ("key", "body", "title", "url"):
        yield said(f"half a pair in {field_}", ErrorCode.malformed, **{field_: half})
    for field_ in ("key", "body", "title", "url"):
        yield said(f"NUL in {field_}", ErrorCode.malformed, **{field_: nul})
    yield said("half a pair in the name", ErrorCode.malformed, author={"name": half})
    yield said("NUL in the name", ErrorCode.malformed, author={"name": nul})
    yield said("more of an author", ErrorCode.unknown_field, author={"name": "Ba", "badge": "moderator"})
    yield said("a number too large", ErrorCode.invalid, body=2**70)
    yield said("no key", ErrorCode.empty, key="")
    yield said("a key of blanks", ErrorCode.empty, key=" \u3000")
    yield said("a key with a line end", ErrorCode.invalid, key="a\nb")
    yield said("a key with a paragraph end", ErrorCode.invalid, key="a\u2029b")
    yield said("a key of 513", ErrorCode.too_long, key="a" * 513)
    yield said("a key of 20,000", ErrorCode.too_long, key="a" * 20_000)
    yield said("no text", ErrorCode.empty, body="")
    yield said("text nobody sees", ErrorCode.empty, body="\u200b\u3164 \n\u2800")
    yield said("text too long", ErrorCode.too_long, body="a" * 10_001)
    yield said("too many lines", ErrorCode.too_long, body="a\n" * 4_999 + "a")
    yield said("too many marks", ErrorCode.too_long, body="[" * 10_000)
    yield said("a moderator's name", ErrorCode.name_taken, author={"name": "Mаi"})
    yield said("an office", ErrorCode.name_taken, author={"name": "MODERAT0R"})
    yield said("a name too long", ErrorCode.too_long, author={"name": "a" * 65})
    yield said("a name nobody sees", ErrorCode.empty, author={"name": "\u202e\u200b"})
    yield said("an unknown site", ErrorCode.unknown_site, site="nowhere")
    yield said("a site in capitals", ErrorCode.unknown_site, site="DEFAULT")
    yield said("a site with NUL", ErrorCode.unknown_site, site="default\0")
    yield said("a word of the list", ErrorCode.words, body="It is unspeakable.")
    yield said("a word of the list as a name", ErrorCode.words, author={"name": "Unspeakable"})
    yield EDIT.spoilt("a word of the list", ErrorCode.words, body={"body": "unspe4kable"})
    yield said("a closed discussion", ErrorCode.closed, key="shut")
    yield said("a guest among members", ErrorCode.members_only, key="members")
    yield said("too soon in slow mode", ErrorCode.slow_mode, key="slow")
    yield said("a link where there are none", ErrorCode.links, key="plain", body="https://a.example/")
    yield SAY.spoilt("nobody", ErrorCode.empty, body={"key": "talk", "body": "Hello."})
    for parent in ("elsewhere", "foreign", "held", "deleted", "removed", "unknown", "lans\0", "", "x" * 5000):
        yield SAY.spoilt(f"a reply to {parent[:20]!r}", ErrorCode.bad_parent, parent=parent)
    yield SAY.spoilt("a reply to an upper-case id", ErrorCode.bad_parent, parent=new_key().upper())
    yield SAY.spoilt("no idempotency key", ErrorCode.idempotency_key_required, headers=())
    for name, once in {
        "short": "k" * 15,
        "long": "k" * 65,
        "spaced": "k" * 16 + " " + "k" * 16,
        "not ASCII": ("ê" * 20).encode(),
        "empty": "",
        "two of them": "k" * 32 + ", " + "k" * 32,
    }.items():
        changed = (("Idempotency-Key", once),)
        for good in (SAY, VOTE):
            code = ErrorCode.idempotency_key_required
            yield good.spoilt(f"an idempotency key: {name}", code, headers=changed, token=None)
    yield SAY.spoilt("a parameter", ErrorCode.unknown_field, params=TALK)


def _others() -> Iterator[Case]:
    votes: tuple[object, ...] = (True, False, 1.5, "1", 2, -2, None, [1], {}, 2**53 + 1, 2**70)
    for value in votes:
        yield VOTE.spoilt(f"value {value!r}", ErrorCode.invalid, body={"value": value})
    yield VOTE.spoilt("1e400", ErrorCode.invalid, content=b'{"value": 1e400}')
    yield VOTE.spoilt("one's own", ErrorCode.forbidden, token="lan")
    bodies: tuple[object, ...] = (None, 1, True, ["x"])
    for name, code, spoilt in (
        ("an unknown site", ErrorCode.unknown_site, {"site": "nowhere"}),
        ("no text", ErrorCode.empty, {"body": " "}),
        ("text too long", ErrorCode.too_long, {"body": "ộ" * 10_001}),
        ("NUL", ErrorCode.malformed, {"body": "\0"}),
    ):
        yield NUDGE.spoilt(name, code, body={**(NUDGE.body or {}), **spoilt})
    for good in (EDIT, PREVIEW):
        for value in bodies:
            yield good.spoilt(f"body {value!r}", ErrorCode.invalid, body={"body": value})
        yield good.spoilt("half a pair", ErrorCode.malformed, body={"body": "\udfff"})
        yield good.spoilt("NUL", ErrorCode.malformed, body={"body": "\0"})
        yield good.spoilt("no text", ErrorCode.empty, body={"body": " "})
        yield good.spoilt("text too long", ErrorCode.too_long, body={"body": "ộ" * 10_001})
        yield good.spoilt("too many marks", ErrorCode.too_long, body={"body": "[" * 10_000})
    yield EDIT.spoilt("another's", ErrorCode.forbidden, token="minh")
    yield DELETE.spoilt("another's", ErrorCode.forbidden, token="minh")
    reasons: tuple[object, ...] = ("Spam", "", None, 1, True, ["spam"], "spam\0")
    for reason in reasons:
        yield REPORT.spoilt(f"reason {reason!r}", ErrorCode.invalid, body={"reason": reason})
    yield REPORT.spoilt("a long note", ErrorCode.invalid, body={"reason": "spam", "note": "a" * 1001})
    yield REPORT.spoilt("a note that is none", ErrorCode.invalid, body={"reason": "spam", "note": 5})
    yield REPORT.spoilt("a note nobody sees", ErrorCode.empty, body={"reason": "spam", "note": "\u200b"})
    yield REPORT.spoilt("a note with NUL", ErrorCode.malformed, body={"reason": "spam", "note": "a\0"})
    yield REPORT.spoilt("a note with half a pair", ErrorCode.malformed, body={"reason": "spam", "note": "\ud800"})
    modes: tuple[object, ...] = ("OPEN", "", None, 1, True)
    for mode in modes:
        yield MODE.spoilt(f"mode {mode!r}", ErrorCode.invalid, body={"mode": mode})
    for good in (EDIT, DELETE):
        yield good.spoilt("deleted", ErrorCode.gone, comment="deleted", token="minh")
        yield good.spoilt("another's that is held", ErrorCode.not_found, comment="held")
    yield EDIT.spoilt("removed", ErrorCode.gone, comment="removed", token="minh")
    yield DELETE.spoilt("removed twice", ErrorCode.gone, comment="removed", token="moderator")
    for state in ("deleted", "removed"):
        yield VOTE.spoilt(state, ErrorCode.gone, comment=state, token="lan")
        yield REPORT.spoilt(state, ErrorCode.gone, comment=state)
    yield VOTE.spoilt("held", ErrorCode.not_found, comment="held", token="lan")
    yield VOTE.spoilt("one's own that is held", ErrorCode.not_found, comment="held", token="minh")
    yield REPORT.spoilt("held", ErrorCode.not_found, comment="held")
    yield PERMALINK.spoilt("held", ErrorCode.not_found, comment="held")
    for state in ("lans", "deleted", "held"):
        yield RESTORE.spoilt(state, ErrorCode.bad_state, comment=state)
    for state in ("lans", "deleted", "removed"):
        yield APPROVE.spoilt(state, ErrorCode.bad_state, comment=state)
    for good in (RESTORE, APPROVE, MODE, HELD, REPORTED):
        yield good.spoilt("a guest", ErrorCode.forbidden, token="lan")
    for good in (RESTORE, APPROVE, MODE, HELD, REPORTED, EDIT, DELETE, VOTE):
        yield good.spoilt("nobody", ErrorCode.unauthenticated, token=None)


def _everywhere() -> Iterator[Case]:
    for good in ALL:
        yield good.spoilt("a page of nobody", ErrorCode.origin_not_allowed, more_headers=(("Origin", HOSTILE),))
        yield good.spoilt(
            "too large by what it says", ErrorCode.too_large, more_headers=(("Content-Length", str(BODY_LIMIT + 1)),)
        )
        yield good.spoilt("an unknown parameter", ErrorCode.unknown_field, params=(*good.params, ("tàu", "")))
    for good in BY_ID:
        for name, comment in {
            "unknown": "unknown",
            "no id": "first",
            "an upper-case id": new_key().upper(),
            "an id without hyphens": "0" * 32,
            "NUL": "%00",
            "not ASCII": "%F0%9F%A6%86",
            "not UTF-8": "%FF",
            "a long id": "9" * 3000,
        }.items():
            yield good.spoilt(f"{name} for an id", ErrorCode.not_found, comment=comment)
    for good in (EDIT, DELETE, VOTE, REPORT):
        yield good.spoilt("another site's token", ErrorCode.not_found, token="second")
    for good in BY_KEY:
        yield good.spoilt("two keys", ErrorCode.invalid, params=(("key", "a"), ("key", "b")))
    for good in (*BY_KEY, COUNTS):
        yield good.spoilt("no key", ErrorCode.invalid, params=())
        yield good.spoilt("an empty key", ErrorCode.empty, params=(("key", ""),))
        yield good.spoilt("a key of blanks", ErrorCode.empty, params=(("key", "\u200b"),))
        yield good.spoilt("a key of 513", ErrorCode.too_long, params=(("key", "a" * 513),))
        yield good.spoilt("a key with NUL", ErrorCode.malformed, params=(("key", "a\0"),))
        yield good.spoilt("a key with a line end", ErrorCode.invalid, params=(("key", "a\r\nb"),))
    for good in BY_SITE:
        for site in ("nowhere", "", "DEFAULT", "default\0", "d\xe9fault", "a" * 3000):
            yield good.spoilt(f"site {site[:20]!r}", ErrorCode.unknown_site, params=(*good.params, ("site", site)))
        twice = (*good.params, ("site", "default"), ("site", "default"))
        yield good.spoilt("two sites", ErrorCode.invalid, params=twice)
    for good in LIMITED:
        most = 501 if good is EVENTS else 101
        for limit in ("0", str(most), "-1", "1.5", "１", "", " 5", "+5", "1e1", "0x10", "9" * 400, "five", "1_0"):
            yield good.spoilt(f"limit {limit[:9]!r}", ErrorCode.invalid, params=(*good.params, ("limit", limit)))
    for full in ("2", "-1", "yes", "", "true", "10"):
        yield EVENTS.spoilt(f"full {full!r}", ErrorCode.invalid, params=(*TALK, ("full", full)))
    for after in ("-1", "1.5", "x", "", "9" * 17, str(2**53 + 1), "١"):
        yield EVENTS.spoilt(f"after {after!r}", ErrorCode.invalid, params=(*TALK, ("after", after)))
    for good in (SNAPSHOT, COMMENTS):
        for sort in ("", "OLDEST", "best", "oldest\0"):
            yield good.spoilt(f"sort {sort!r}", ErrorCode.invalid, params=(*TALK, ("sort", sort)))
    for lang in ("", "vi_VN", "vi VN", "é", "vi\0", "v" * 36, "*"):
        yield SNAPSHOT.spoilt(f"lang {lang[:9]!r}", ErrorCode.invalid, params=(*TALK, ("lang", lang)))
    for good in TOKENS_READ:
        for name, value in BAD_TOKENS.items():
            yield good.spoilt(
                f"token: {name}", ErrorCode.unauthenticated, token=None, more_headers=(("Authorization", value),)
            )
    for good in (SNAPSHOT, COMMENTS, SAY):
        yield good.spoilt("another site's token", ErrorCode.unauthenticated, token="second")
    yield COUNTS.spoilt("101 keys", ErrorCode.invalid, params=tuple(("key", f"k{n}") for n in range(101)))


def _cursors() -> Iterator[Case]:
    for name, cursor in BAD_CURSORS.items():
        for good in (COMMENTS, HELD, REPORTED):
            params = (*good.params, ("cursor", cursor))
            yield good.spoilt(f"cursor: {name}", ErrorCode.bad_cursor, params=params)
        yield COMMENTS.spoilt(
            f"thread cursor: {name}", ErrorCode.bad_cursor, params=(*TALK, ("cursor", cursor)), parent="lans"
        )
    for theirs in ("newest", "top", "another", "held"):
        yield COMMENTS.spoilt(f"cursor of {theirs}", ErrorCode.bad_cursor, cursor=theirs)
        yield COMMENTS.spoilt(f"cursor of {theirs} in a thread", ErrorCode.bad_cursor, cursor=theirs, parent="lans")
    yield COMMENTS.spoilt("oldest for top", ErrorCode.bad_cursor, params=(*TALK, ("sort", "top")), cursor="oldest")
    yield HELD.spoilt("cursor of a list", ErrorCode.bad_cursor, cursor="oldest")
    yield REPORTED.spoilt("cursor of a list of moderators", ErrorCode.bad_cursor, cursor="held")
    yield HELD.spoilt("cursor of another site", ErrorCode.bad_cursor, params=(("site", "second"),), cursor="held")
    for parent in ("a\0", "", "lans", "\ufffd", "0" * 3000, "ABCDEF01-2345-7000-8000-ABCDEF012345"):
        name = f"replies to what is no id: {parent[:5]!r}"
        yield COMMENTS.spoilt(name, ErrorCode.not_found, params=(*TALK, ("parent", parent)))
    for score in (2**31, -(2**31) - 1, 2**53 - 1):
        params = (*TALK, ("sort", "top"), ("cursor", _encoded(["top:0", [score, 1], new_key()])))
        yield COMMENTS.spoilt(f"a score of {score} in a cursor", ErrorCode.bad_cursor, params=params)
    for parent in ("elsewhere", "foreign", "held", "unknown"):
        yield COMMENTS.spoilt(f"replies to {parent}", ErrorCode.not_found, parent=parent)


_BY_OTHERS = (SAY, VOTE, REPORT, *people.OWN, *desk.ALL)
CASES = [*_bodies(), *_say(), *_others(), *_everywhere(), *_cursors(), *people.cases(), *desk.cases()]
CASES += programs.cases(BY_PROGRAMS, _BY_OTHERS)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("case", [pytest.param(case, id=f"{case.name}") for case in CASES])
async def test_it_is_refused_and_nothing_is_stored(shared: list[App], case: Case) -> None:
    for app in shared:
        before = app.committed
        answer = await case.send(app)
        assert answer.json()["code"] == case.code.name, f"{app.kind}: {answer.text}"
        assert app.committed == before, app.kind


def test_there_are_names_for_all_of_them() -> None:
    names = [case.name for case in CASES]
    assert len(names) >= 80
    assert len(set(names)) == len(names)


def test_the_tables_have_what_programs_may() -> None:
    expected = {named(operation): operation.scope for operation in OPERATIONS if operation.scope is not None}
    assert {f"{good.method} {good.path}": scope for good, scope in BY_PROGRAMS} == expected


# ---- what needs a server of its own ---------------------------------------------------------------------

WRITES = (SAY, EDIT, VOTE, REPORT, MODE, DELETE, RESTORE, APPROVE, *people.WRITES, programs.END_ACCOUNT, *desk.WRITES)
_HERE = "tests/api/test_bad_input.py::"
_CLOSED = f"{_HERE}test_a_write_queue_that_is_closed_stores_nothing"
_BROKEN = f"{_HERE}test_an_exception_is_nobodys_business"
_LIMITED = "tests/api/test_limits.py::test_no_write_is_without_a_limit"
_STREAMS = "tests/serving/test_openings.py::test_rooms_of_one_address_have_a_bound"
APART = {
    **{(f"{good.method} {good.path}", ErrorCode.unavailable): _CLOSED for good in WRITES},
    **{(f"{good.method} {good.path}", ErrorCode.internal): _BROKEN for good in ALL},
    **{(named(operation), ErrorCode.rate_limited): _LIMITED for operation in COUNTED},
    ("POST /comments", ErrorCode.idempotency_conflict): f"{_HERE}test_an_idempotency_key_stands_for_one_text",
    ("PATCH /comments/{id}", ErrorCode.edit_window_over): f"{_HERE}test_the_window_for_editing_may_be_shut",
    ("PATCH /comments/{id}", ErrorCode.links): (
        "tests/people/test_new_authors.py::test_nobody_gets_past_a_rule_of_links_by_an_edit"
    ),
    ("GET /events", ErrorCode.unavailable): f"{_HERE}test_a_server_that_drains_opens_no_stream",
    ("GET /events", ErrorCode.rate_limited): _STREAMS,
    **people.APART,
    **desk.APART,
}
"""Codes that are no answer to a bad request, each with the test that meets it."""
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("told", sorted(set(APART.values())))
def test_what_is_met_apart_is_met_by_a_test(told: str) -> None:
    file, _, test = told.partition("::")
    assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE), told


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_every_code_that_is_declared_is_produced(operation: object) -> None:
    """A promise nobody has seen kept is only a guess; the tests of this file together see each of them."""
    found = next(one for one in OPERATIONS if one is operation)
    seen = {case.code for case in CASES if case.operation == named(found)}
    seen |= {code for where, code in APART if where == named(found)}
    assert declared(found) - seen == set()


async def test_a_write_queue_that_is_closed_stores_nothing(app: App) -> None:
    await furnish(app)
    before = app.rows()
    await app.server.store.write_queue.close()
    for good in WRITES:
        answer = await good.spoilt("unavailable", ErrorCode.unavailable).send(app)
        assert answer.json()["code"] == "unavailable", good
    assert app.rows() == before


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("good", ALL, ids=lambda good: f"{good.method} {good.path}")
async def test_an_exception_is_nobodys_business(
    shared: list[App], good: Good, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = shared[0]

    def boom(*_arguments: object, **_named: object) -> None:
        raise RuntimeError("sqlalchemy said: the secret is 1234")

    monkeypatch.setattr(Query, "__init__", boom)
    before = app.committed
    answer = await good.spoilt("internal", ErrorCode.internal).send(app)
    assert answer.json()["code"] == "internal"
    assert "1234" not in answer.text
    assert app.committed == before
    assert "the secret is 1234" in caplog.text


async def test_an_idempotency_key_stands_for_one_text(app: App) -> None:
    once = new_key()
    first = await app.posted("One.", name="Lan", once=once)
    before = app.rows()
    for details in ({"token": first["token"]}, {"name": "Lan"}):
        answer = await app.post_comment("Two.", once=once, **details)
        assert answer.json()["code"] == "idempotency_conflict"
    assert (await app.post_comment("One.", name="Another", once=once)).json()["code"] == "idempotency_conflict"
    assert (await app.post_comment("One.", key="elsewhere", name="Lan", once=once)).json()[
        "code"
    ] == "idempotency_conflict"
    assert app.rows() == before


async def test_the_window_for_editing_may_be_shut(settings: Settings) -> None:
    async with opened(settings.model_copy(update={"edit_minutes": 0})) as app:
        await furnish(app)
        before = app.rows()
        answer = await EDIT.spoilt("late", ErrorCode.edit_window_over).send(app)
        assert answer.json()["code"] == "edit_window_over"
        assert app.rows() == before
        by_moderator = await EDIT.spoilt("moderator", ErrorCode.edit_window_over, token="moderator").send(app)
        assert by_moderator.status_code == 200


async def test_too_much_in_too_short_a_time(settings: Settings) -> None:
    async with opened(settings.model_copy(update={"post_limit_address": "2/day"})) as app:
        said = await app.posted(name="Lan")
        assert (await app.post_comment(name="Minh")).status_code == 201
        before = app.rows()
        answer = await app.post_comment(name="Ba")
        assert answer.json()["code"] == "rate_limited"
        path = f"{API}/comments/{said['comment']['id']}/reports"
        assert (await app.client.post(path, json={"reason": "spam"})).json()["code"] == "rate_limited"
        assert app.rows() == before
        mark = [("X-Forwarded-For", "192.0.2.7")]
        body = {"key": "talk", "body": "x", "author": {"name": "Ba"}}
        headers = [("Idempotency-Key", new_key()), *mark]
        spoofed = await app.client.post(f"{API}/comments", json=body, headers=headers)
        assert spoofed.json()["code"] == "rate_limited", "nobody is believed but trusted proxies"


async def test_a_guest_may_say_so_much(settings: Settings) -> None:
    async with opened(settings.model_copy(update={"post_limit_guest": "1/day"})) as app:
        lan, minh = await app.guest("Lan"), await app.guest("Minh")
        assert (await app.post_comment(token=lan)).status_code == 201, "the first was said by nobody yet known"
        answer = await app.post_comment(token=lan)
        assert answer.json()["code"] == "rate_limited"
        assert 1 <= answer.json()["retry_after"] <= 86_400
        assert (await app.post_comment(token=minh)).status_code == 201


async def test_an_address_may_look_so_often(settings: Settings) -> None:
    async with opened(settings.model_copy(update={"post_limit_address": "1/day"})) as app:
        for _ in range(PREVIEWS_A_MINUTE):
            assert (await app.client.post(f"{API}/preview", json={"body": "Hello."})).status_code == 200
        answer = await app.client.post(f"{API}/preview", json={"body": "Hello."})
        assert answer.json()["code"] == "rate_limited"
        assert 1 <= answer.json()["retry_after"] <= 60
        assert (await app.post_comment(name="Lan")).status_code == 201, "a preview is no comment"


async def test_a_server_that_drains_opens_no_stream(app: App) -> None:
    await app.server.hub.drain(0)
    answer = await app.client.get(f"{API}/events?key=talk", headers={"Accept": "text/event-stream"})
    assert answer.json()["code"] == "unavailable"


# ---- sizes that are just right, and just not ------------------------------------------------------------


def _of_size(size: int) -> bytes:
    body = json.dumps({"key": "talk", "body": "x", "author": {"name": "Ba"}}).encode()
    return body + b" " * (size - len(body))


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 10_000):
        yield content[start : start + 10_000]


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(("size", "status"), [(BODY_LIMIT, 201), (BODY_LIMIT + 1, 413), (BODY_LIMIT * 20, 413)])
async def test_a_body_may_have_64_kib_and_no_byte_more(app: App, chunked: bool, size: int, status: int) -> None:
    content: Any = _pieces(_of_size(size)) if chunked else _of_size(size)
    headers = {"Content-Type": "application/json", "Idempotency-Key": new_key()}
    answer = await app.client.post(f"{API}/comments", content=content, headers=headers)
    assert answer.status_code == status
    assert (await app.snapshot())["discussion"]["comment_count"] == (status == 201)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("length", ["-1", "1e3", "x", "9" * 400, "١"])
async def test_a_length_that_is_no_number_is_too_large(shared: list[App], length: str) -> None:
    app = shared[0]
    headers = [(b"content-length", length.encode()), (b"content-type", b"application/json")]
    answer = await app.client.post(f"{API}/comments", content=b"{}", headers=headers)
    assert answer.json()["code"] == "too_large"


async def test_a_key_may_have_512_characters(app: App) -> None:
    key = "ộ" * 512
    await app.posted(key=key, name="Lan")
    assert (await app.snapshot(key))["discussion"]["comment_count"] == 1


async def test_a_key_is_the_same_however_its_letters_are_made(app: App) -> None:
    composed, decomposed = "tranh-c\u00e3i", "tranh-ca\u0303i"
    await app.posted(key=decomposed, name="Lan")
    await app.posted(key=composed, name="Minh")
    for key in (composed, decomposed):
        assert (await app.snapshot(key))["discussion"]["comment_count"] == 2
        assert len((await app.events(key))["events"]) == 2
        counts = (await app.client.get(f"{API}/counts", params={"key": key})).json()["counts"]
        assert [one["count"] for one in counts] == [2]


async def test_the_body_is_read_as_utf_8_whatever_the_quotes(app: App) -> None:
    content = json.dumps({"key": "talk", "body": "phở", "author": {"name": "Lan"}}, ensure_ascii=False).encode()
    for media_type in ('application/json; charset="UTF-8"', "Application/JSON;charset=utf-8", "application/json"):
        headers = {"Content-Type": media_type, "Idempotency-Key": new_key()}
        assert (await app.client.post(f"{API}/comments", content=content, headers=headers)).status_code == 201


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "GÉT"]
)
@pytest.mark.parametrize("path", sorted({operation.path for operation in OPERATIONS}))
async def test_other_methods_are_told_which_there_are(shared: list[App], method: str, path: str) -> None:
    app = shared[0]
    filled = path.replace("{id}", new_key())
    answer = await app.client.request(method, filled)
    offered = {operation.method for operation in OPERATIONS if operation.path == path}
    offered |= {"HEAD"} if "GET" in offered else set()
    if method in offered:
        assert answer.status_code != 405
        return
    assert answer.status_code == 405
    assert operation_of(method, filled) is None
    assert {name.strip() for name in answer.headers["allow"].split(",")} == offered


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize(
    "path", ["/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/discussion", "/api/v1/comments/a/b"]
)
async def test_nothing_is_there(shared: list[App], path: str) -> None:
    app = shared[0]
    answer = await app.client.get(path)
    assert answer.json()["code"] == "not_found"


async def test_the_right_token_opens_nothing_under_another_scheme(app: App) -> None:
    token = await app.guest("Lan")
    for value in (token, f"Token {token}", f"Bearer{token}", f"Bearer {token}x", f"Bearer {token} {token}"):
        answer = await app.client.get(f"{API}/discussion?key=talk", headers={"Authorization": value})
        assert answer.json()["code"] == "unauthenticated", value
    assert (await app.client.get(f"{API}/discussion?key=talk", headers=bearer(token))).json()["viewer"]
