"""Every value from outside meets its type before SQL: whatever is sent anywhere, no answer is a fault of the server.

What is sent where is made from the tables of the application itself: its operations with their parameters, headers
and bodies, and its pages' routes with every name that any page reads.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from starlette.routing import Route, WebSocketRoute

import tertulia.pages
from tertulia.api.handlers import NO_COMMENT
from tertulia.core.ordering import PageCursor, encode_page_cursor
from tertulia.protocol import API
from tertulia.web.operations import PROGRAM, Operation
from tests.api.app import OPERATIONS, App, bearer, check, named, new_key

VALUES = (
    "",
    "%00",
    "a%00b",
    "%ED%A0%80",  # half a surrogate pair
    "%FF%FE",
    "%C0%AF",  # an overlong slash
    "%",
    "%zz",
    "0",
    "-1",
    "2147483648",
    "-2147483649",
    "9223372036854775808",
    "-9223372036854775809",
    "1" + "0" * 30,
    "1e400",
    "NaN",
    "1.5",
    "%D9%A1",  # a digit of another script
    "null",
    "true",
    "[]",
    "%E2%80%AE%E2%81%A6x",
    "%F0%9F%91%A8%E2%80%8D%F0%9F%91%A9",
    "%0D%0AX-Other:%20x",
    "%27%3B--",
    "..%2F..%2Fetc",
    "a" * 3000,
)
TEXTS = (
    "\0",
    "a\0b",
    "\ud800",
    "a\udfffb",
    "\u202e\u2066x",
    "\ufeff",
    "\n",
    "'; --",
    "a" * 20_000,
    "e\u0301" * 700,
)
THINGS: tuple[Any, ...] = (None, True, -1, 2**31, 2**63, 10**30, 1.5, [], ["x"], {}, {"x": "\0"}, *TEXTS)
HEADERS = (
    b"",
    b"\xff\xfe",
    b"\xc0\xaf",
    b"a" * 3000,
    b"-1",
    b"9" * 40,
    b"null",
    b"Bearer ",
    b"Bearer a.b.c",
    b"Bearer tm_\xff",
    b"x:9223372036854775808",
    b"\"'",
    b"\xe2\x80\xae",
)
CARRIED = ("Authorization", "Origin", "Accept", "Content-Type", "Last-Event-ID", "X-Forwarded-For", "If-None-Match")
"""Headers whose values are read, besides those that operations declare."""

_IN_PATH = re.compile(r"{(\w+)(?::path)?}")


def _names_of_pages() -> set[str]:
    """Every name that a page reads from a query."""
    folder = Path(tertulia.pages.__file__).parent
    source = "".join(file.read_text() for file in folder.glob("*.py"))
    return set(re.findall(r"""quer\w*(?:\.get\(|\[|\.text\()["'](\w+)["']""", source))


NAMES = sorted(_names_of_pages() | {"site", "key", "sort", "lang"})
"""What pages read, those among it that they read as operations do."""


@dataclass(frozen=True)
class Sent:
    method: str
    url: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    content: bytes | None = None


def _url(path: str, pairs: list[tuple[str, str]]) -> str:
    return path + ("?" + "&".join(f"{name}={value}" for name, value in pairs) if pairs else "")


def _good(operation: Operation, app: App) -> tuple[str, list[tuple[str, str]], dict[str, Any] | None]:
    """A request that would be granted, but for what a case spoils."""
    names = (("site", "default"), ("key", "talk"), ("queue", "waiting"))
    pairs = [(name, value) for name, value in names if name in operation.names]
    body = None if operation.body is None else {name: _example(operation, name) for name in _required(operation.body)}
    return _path(operation, app), pairs, body


def _path(operation: Operation, app: App, **changed: str) -> str:
    """The path, with what would be granted, but for what is changed."""
    good = {"id": app.ids["lans"], "issuer": "website", "subject": "4711", "ban": NO_COMMENT} | changed
    return _IN_PATH.sub(lambda found: good[found[1]], operation.path)


def _required(model: type[BaseModel]) -> list[str]:
    return [name for name, field in model.model_fields.items() if field.is_required()]


def _example(operation: Operation, name: str) -> Any:
    known = {"key": "talk", "body": "Hello.", "value": 1, "reason": "spam", "mode": "open"}
    about = {"comment_id": NO_COMMENT, "version": 1, "do": "approve"}
    lists = {"decisions": [about], "actions": [{"comment_id": NO_COMMENT, "action": NO_COMMENT}]}
    return {
        **known,
        **lists,
        "grant": "test",
        "name": "Hoa",
        "email": "lan@example.com",
        "queue": "waiting",
        "author_id": NO_COMMENT,
    }[name]


def _headers(operation: Operation, app: App, **changed: bytes) -> tuple[tuple[bytes, bytes], ...]:
    found = {"Idempotency-Key": new_key().encode(), "Content-Type": b"application/json"}
    if operation.bearer not in ("", "optional"):
        who = {"session": "member", PROGRAM: "program"}.get(operation.bearer, "moderator")
        found["Authorization"] = bearer(app.tokens[who])["Authorization"].encode()
    return tuple((name.encode(), value) for name, value in {**found, **changed}.items())


def _queries(operation: Operation, app: App) -> Iterator[Sent]:
    path, pairs, body = _good(operation, app)
    content = None if body is None else json.dumps(body).encode()
    headers = _headers(operation, app)
    for name in sorted({*operation.names, "key", "cursor"}):
        others = [pair for pair in pairs if pair[0] != name]
        for value in VALUES:
            yield Sent(operation.method, _url(path, [*others, (name, value)]), headers, content)
        for again in ([(name, "talk"), (name, "talk")], [(f"{name}[]", "talk")], [(name, "talk"), (f"{name}%00", "x")]):
            yield Sent(operation.method, _url(path, [*others, *again]), headers, content)
    for sort, values in (("top", (2**53 - 1, 1)), ("top", (-(2**31) - 1, 1)), ("oldest", (2**53 - 1,))):
        if "cursor" in operation.names:
            desk = "desk:default:waiting:None:None"
            for scope in (f"{sort}:1", "held:default", "reported:default", f"thread:{app.ids['lans']}", desk):
                cursor = encode_page_cursor(PageCursor(scope, values if scope[0] in "otd" else values[-1:], new_key()))
                sorted_by = [("sort", sort)] if "sort" in operation.names else []
                yield Sent(operation.method, _url(path, [*pairs, *sorted_by, ("cursor", cursor)]), headers, content)


def _paths(operation: Operation, app: App) -> Iterator[Sent]:
    _, pairs, body = _good(operation, app)
    content = None if body is None else json.dumps(body).encode()
    for name in _IN_PATH.findall(operation.path):
        for value in VALUES:
            if value not in ("", "%zz", "%"):
                path = _path(operation, app, **{name: value})
                yield Sent(operation.method, _url(path, pairs), _headers(operation, app), content)


def _carried(operation: Operation, app: App) -> Iterator[Sent]:
    path, pairs, body = _good(operation, app)
    content = None if body is None else json.dumps(body).encode()
    for name in (*CARRIED, *(header.name for header in operation.headers)):
        for value in HEADERS:
            yield Sent(operation.method, _url(path, pairs), _headers(operation, app, **{name: value}), content)


def _bodies(operation: Operation, app: App) -> Iterator[Sent]:
    path, pairs, body = _good(operation, app)
    if operation.body is None or body is None:
        return
    for where in _fields(operation.body):
        for value in THINGS:
            content = json.dumps(_with(body, where, value)).encode()
            yield Sent(operation.method, _url(path, pairs), _headers(operation, app), content)


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """The way to each field, those of inner objects included."""
    for name, field in model.model_fields.items():
        yield (name,)
        inner = [part for part in getattr(field.annotation, "__args__", (field.annotation,)) if isinstance(part, type)]
        for part in inner:
            if issubclass(part, BaseModel):
                yield from ((name, *way) for way in _fields(part))


def _with(body: dict[str, Any], way: tuple[str, ...], value: Any) -> dict[str, Any]:
    held = body.get(way[0])
    if len(way) == 1:
        inner = value
    elif isinstance(held, list):
        inner = [_with(held[0], way[1:], value)]
    else:
        inner = _with({}, way[1:], value)
    return {**body, way[0]: inner}


def pages(app: App) -> Iterator[tuple[str, Sent]]:
    """Each page with every name that any of them reads, and its form with every field."""
    known = {operation.path for operation in OPERATIONS}
    for route in app.server.asgi.routes:  # type: ignore[attr-defined]
        if isinstance(route, WebSocketRoute) or route.path in known:
            continue
        assert isinstance(route, Route)
        for path in _filled(route.path, app):
            base = [("key", "talk")] if route.path in ("/d", "/frame", "/embed.html") else []
            is_made = path in _made(app)  # the others are files, or nothing at all
            for name in NAMES if is_made else NAMES[:1]:
                for value in VALUES if is_made else VALUES[:3]:
                    pairs = [*(pair for pair in base if pair[0] != name), (name, value)]
                    yield route.path, Sent("GET", _url(path, pairs))
            for name in CARRIED:
                for header in HEADERS if is_made else HEADERS[:2]:
                    yield route.path, Sent("GET", _url(path, base), ((name.encode(), header),))
            if "POST" in (route.methods or ()):
                for field in ("name", "body", "parent_id", "nonce", "began", "reason", "note"):
                    for value in VALUES:
                        form = {"name": "Ba", "body": "Hello.", field: value}
                        content = "&".join(f"{one}={given}" for one, given in form.items()).encode()
                        kind = ((b"Content-Type", b"application/x-www-form-urlencoded"),)
                        yield route.path, Sent("POST", _url(path, base), kind, content)


def _made(app: App) -> set[str]:
    """Paths whose answers are made of what is asked."""
    return {"/", "/d", "/frame", "/embed.html", "/articles/one", f"/c/{app.ids['lans']}"}


def _filled(path: str, app: App) -> Iterator[str]:
    if "{" not in path:
        yield path
        return
    for value in (app.ids["lans"], "one", *(value for value in VALUES if value not in ("", "%", "%zz"))):
        yield re.sub(r"\{\w+\}", value, path)


async def send(app: App, client: httpx.AsyncClient, sent: Sent, faults: list[str]) -> None:
    before = app.committed
    request = client.build_request(sent.method, sent.url, headers=list(sent.headers), content=sent.content)
    answer = await client.send(request)
    await answer.aread()
    if answer.status_code >= 500:
        faults.append(f"{answer.status_code}: {sent}")
    elif answer.status_code >= 400 and app.committed != before:
        faults.append(f"refused, and something is stored: {sent}")
    elif sent.url.startswith(API):
        check(answer)


@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
async def test_no_value_of_an_operation_is_a_fault(
    changing: App, operation: Operation, caplog: pytest.LogCaptureFixture
) -> None:
    faults: list[str] = []
    changing.tokens["member"] = await changing.session("each/Thu")  # another one may have ended it
    async with plain(changing) as client:
        for cases in (_queries, _paths, _carried, _bodies):
            for sent in cases(operation, changing):
                await send(changing, client, sent, faults)
    assert faults == []
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def plain(app: App) -> httpx.AsyncClient:
    """A client that answers are not drawn from forms of: pages have theirs."""
    transport = httpx.ASGITransport(app.server.asgi, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://news.test")
