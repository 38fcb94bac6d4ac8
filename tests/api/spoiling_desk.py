"""The desk: requests that would be granted to a moderator, and all that spoils them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tertulia.errors import ErrorCode
from tests.api.spoiling import Case, Good

NOBODYS = "00000000-0000-0000-0000-000000000000"
_DECISION = {"comment_id": NOBODYS, "version": 1, "do": "approve"}
_UNDONE = {"comment_id": NOBODYS, "action": NOBODYS}
QUEUES = Good("GET", "/staff/queues", token="moderator")
QUEUE = Good("GET", "/staff/queue", params=(("queue", "waiting"),), token="moderator")
ITEMS = Good("GET", "/staff/items", params=(("id", NOBODYS),), token="moderator")
DECIDE = Good("POST", "/staff/decisions", {"site": "default", "decisions": [_DECISION]}, token="moderator")
UNDO = Good("POST", "/staff/undo", {"site": "default", "actions": [_UNDONE]}, token="moderator")
BANS = Good("GET", "/staff/bans", token="moderator")
NETWORKS = Good("GET", "/staff/networks", params=(("comment_id", NOBODYS),), token="moderator")
BAN = Good("POST", "/staff/bans", {"site": "default", "author_id": NOBODYS}, token="moderator")
LIFT = Good("DELETE", "/staff/bans/{ban}", token="moderator")
_BANNED = "tests/people/test_bans.py::test_who_is_banned_at_one_instance_writes_at_no_other"
_NEITHER = "tests/people/test_network_bans.py::test_whoever_is_banned_neither_votes_nor_reports"
APART = {
    ("POST /comments", ErrorCode.banned): _BANNED,
    ("PATCH /comments/{id}", ErrorCode.banned): _BANNED,
    ("PUT /comments/{id}/vote", ErrorCode.banned): _NEITHER,
    ("POST /comments/{id}/reports", ErrorCode.banned): _NEITHER,
} | {
    (f"{good.method} {good.path}", ErrorCode.origin_not_allowed): "tests/staff/test_desk_api.py::"
    "test_no_other_page_decides_under_the_cookie"
    for good in (DECIDE, UNDO, BAN, LIFT)
}
READS = (QUEUES, QUEUE, ITEMS, BANS, NETWORKS)
WITH_BODY = (DECIDE, UNDO, BAN)
WRITES = (*WITH_BODY, LIFT)
ALL = (*READS, *WRITES)


def cases() -> Iterator[Case]:
    for good in ALL:
        yield good.spoilt("nobody", ErrorCode.unauthenticated, token=None)
        for who in ("lan", "member"):
            yield good.spoilt(who, ErrorCode.forbidden, token=who)
    for good in WITH_BODY:
        for site in ("nowhere", "A B", "a\0", ""):
            yield good.spoilt(f"site {site!r}", ErrorCode.unknown_site, body={**(good.body or {}), "site": site})
    yield from _decisions()
    yield from _queues()
    yield from _bans()


def _decisions() -> Iterator[Case]:
    def asked(good: Good, name: str, code: ErrorCode, entry: dict[str, Any]) -> Case:
        field = "decisions" if good is DECIDE else "actions"
        return good.spoilt(name, code, body={"site": "default", field: [entry]})

    wrong: dict[str, tuple[object, ...]] = {
        "comment_id": (None, 1, []),
        "version": (None, 0, -1, "1", 1.5, True, 2**40),
        "do": (None, "", "Approve", "delete", 1),
        "reason": ("", "because", 1),
        "note": (1, "x" * 1001),
    }
    for field, values in wrong.items():
        for value in values:
            entry = {**_DECISION, field: value}
            yield asked(DECIDE, f"{field} {str(value)[:9]!r}", ErrorCode.invalid, entry)
    yield asked(DECIDE, "a field too many inside", ErrorCode.unknown_field, {**_DECISION, "by": "Mai"})
    yield asked(DECIDE, "a note of blanks", ErrorCode.empty, {**_DECISION, "note": " \n "})
    yield asked(DECIDE, "NUL in the note", ErrorCode.malformed, {**_DECISION, "note": "a\0b"})
    yield asked(DECIDE, "half a pair in the note", ErrorCode.malformed, {**_DECISION, "note": "\ud800"})
    yield asked(UNDO, "no action", ErrorCode.invalid, {"comment_id": NOBODYS})
    yield asked(UNDO, "an action of a number", ErrorCode.invalid, {**_UNDONE, "action": 1})
    for good, field in ((DECIDE, "decisions"), (UNDO, "actions")):
        one: object = _DECISION if good is DECIDE else _UNDONE
        for many in (0, 101):
            yield good.spoilt(f"{many} of them", ErrorCode.invalid, body={"site": "default", field: [one] * many})
        yield good.spoilt("no list", ErrorCode.invalid, body={"site": "default", field: one})
    for key in ("short", "x" * 65, "a key with blanks in it"):
        header = (("Idempotency-Key", key),)
        yield DECIDE.spoilt(f"key {key[:9]!r}", ErrorCode.idempotency_key_required, more_headers=header)


def _queues() -> Iterator[Case]:
    for queue in ("", "WAITING", "banned", "waiting\0"):
        yield QUEUE.spoilt(f"queue {queue!r}", ErrorCode.invalid, params=(("queue", queue),))
    for author in ("", "lan", "a\0", "0" * 3000):
        params = (*QUEUE.params, ("author", author))
        yield QUEUE.spoilt(f"author {author[:9]!r}", ErrorCode.invalid, params=params)
    for key, code in (("", ErrorCode.empty), ("a\0b", ErrorCode.malformed), ("k" * 513, ErrorCode.too_long)):
        yield QUEUE.spoilt(f"key {key[:9]!r}", code, params=(*QUEUE.params, ("key", key)))
    for cursor in ("", "x", "a\0", "e30", "W10"):
        params = (*QUEUE.params, ("cursor", cursor))
        yield QUEUE.spoilt(f"cursor {cursor!r}", ErrorCode.bad_cursor, params=params)
    yield ITEMS.spoilt("no id", ErrorCode.invalid, params=())
    yield ITEMS.spoilt("51 ids", ErrorCode.invalid, params=(("id", NOBODYS),) * 51)


def _bans() -> Iterator[Case]:
    def asked(name: str, code: ErrorCode, **fields: Any) -> Case:
        return BAN.spoilt(name, code, body={**(BAN.body or {}), **fields})

    wrong: dict[str, tuple[object, ...]] = {
        "author_id": (None, 1, []),
        "reach": (None, "", "far", 1),
        "remove": (None, "", "week", 1),
        "comment_id": (1, []),
        "effect": (None, "", "shadow", 1),
        "hours": (0, -1, 8761, 1.5, "1", True),
        "reason": ("", "because", 1),
        "note": (1, "x" * 1001),
    }
    for field, values in wrong.items():
        for value in values:
            yield asked(f"{field} {str(value)[:9]!r}", ErrorCode.invalid, **{field: value})
    for author in (NOBODYS, "", "lan", "\ud800", "a\0"):
        yield asked(f"nobody of the id {author!r}", ErrorCode.not_found, author_id=author)
    yield asked("a note of blanks", ErrorCode.empty, note=" \n ")
    yield asked("NUL in the note", ErrorCode.malformed, note="a\0b")
    for reach in ("near", "wide"):
        yield asked(f"{reach} of no comment", ErrorCode.invalid, reach=reach)
        for comment in (NOBODYS, "", "\ud800"):
            yield asked(f"{reach} {comment!r}", ErrorCode.not_found, reach=reach, comment_id=comment)
        yield asked(f"{reach} for long", ErrorCode.invalid, reach=reach, comment_id=NOBODYS, hours=2161)
    for ban in ("unknown", "a\ufffd", "0" * 3000):
        yield LIFT.spoilt(f"no ban {ban[:9]!r}", ErrorCode.not_found, comment=ban)
    for cursor in ("", "x", "a\0", "e30", "W10"):
        yield BANS.spoilt(f"cursor {cursor!r}", ErrorCode.bad_cursor, params=(("cursor", cursor),))
