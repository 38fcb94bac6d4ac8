"""No query of any route grows with the site: each of its statements is caught at the driver and its plan looked at.

The site is 80,000 comments, of which every list has its thousands, with the statistics of the database and without. The
plans are those of a site of a million: ``PLANS_COMMENTS=1000000 pytest tests/plans`` says so in five minutes.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import httpx
import pytest
from sqlalchemy import create_engine
from starlette.routing import Match, Route, WebSocketRoute

from tertulia.app import Running, running
from tertulia.articles import Articles
from tertulia.core.comments import DiscussionKey, Sort
from tertulia.core.ordering import PageCursor, encode_page_cursor
from tertulia.core.roles import Role
from tertulia.core.scopes import TokenScope
from tertulia.identity import Tokens, new_moderator_token, new_session_token, token_hash, utc_now
from tertulia.live.backlog import Cursor
from tertulia.pages.readers import COOKIE
from tertulia.people import Claim
from tertulia.protocol import API, NewSession
from tertulia.settings import Settings, secret_key
from tertulia.staff.routes import COOKIE as PLAIN_NAME
from tertulia.store import Store, administration, queries
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import Invite, SignInStaff, Spent
from tertulia.store.database import migrate, open_database
from tertulia.transfer import export
from tertulia.web.operations import Operation
from tests.api.app import OF_DISCUSSIONS, add_program, bearer, new_key
from tests.plans.filling import BIG, SOON, Filling, fill, name
from tests.plans.watching import RecordedQuery, postgres_faults, postgres_watched, sqlite_faults, sqlite_watched
from tests.support.postgres import Postgres
from tests.support.unlimited import unlimited
from tests.support.waiting import PATIENCE

# with 40,000 a scan costs PostgreSQL about as much as 5,000 rows by an index: what it takes is then up to the sample
FILLING = Filling(int(os.environ.get("PLANS_COMMENTS", "80000")))
DEEP = FILLING.quarter // 2
"""A place in the middle of each list."""
VIEWER = name(0, 1)
"""Who wrote a tenth of all comments, and has hundreds that wait."""


@dataclass
class Site:
    """A server over the filling, and what was asked of its database so far."""

    server: Running
    client: httpx.AsyncClient
    asked: list[RecordedQuery]
    tokens: dict[str, str] = field(default_factory=dict)
    explain: asyncpg.Connection | None = None

    async def faults(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for asked in {(one.sql, tuple(map(str, one.values))): one for one in self.asked}.values():
            faults = sqlite_faults(asked) if self.explain is None else await postgres_faults(self.explain, asked)
            if faults:
                found[f"{asked.sql} {asked.values}"] = [*faults, *asked.plan]
        return found


# ---- the sites ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite database with the filling."""
    path = tmp_path_factory.mktemp("plans") / "tertulia.db"
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        migrate(connection)
        fill(connection, FILLING)
        connection.commit()
    engine.dispose()
    return path


@pytest.fixture(params=["sqlite", "sqlite with statistics", "postgresql"])
async def site(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Site]:
    articles = tmp_path / "articles"
    articles.mkdir()
    (articles / "one.md").write_text(f"---\ntitle: One\ndate: 2026-01-01\nkey: {BIG}\n---\nText.\n")
    settings = unlimited(
        tmp_path / "data",
        articles=articles,
        playground=True,
        smtp_url="smtp://localhost:1",
        mail_from="comments@news.test",
    )
    if request.param == "postgresql":
        server: Postgres = request.getfixturevalue("postgres")
        made = await server.create()
        database = await open_database(server.address(made), timeouts=False)
        await database.write.transact(lambda connection: fill(connection, FILLING))
        await database.close()
        await server.run("VACUUM ANALYZE", made)
        explain = await asyncpg.connect(server.address(made).replace("+asyncpg", ""))
        settings = settings.model_copy(update={"database_url": server.address(made)})
        with postgres_watched(monkeypatch) as asked:
            async with _served(settings) as found:
                found.explain, found.asked = explain, asked
                yield found
        await explain.close()
        await server.drop(made)
        return
    settings.data_dir.mkdir()
    shutil.copyfile(request.getfixturevalue("filled"), settings.data_dir / "tertulia.db")
    if request.param == "sqlite with statistics":
        with closing(sqlite3.connect(settings.data_dir / "tertulia.db")) as connection:
            connection.execute("ANALYZE")
            connection.commit()
    with sqlite_watched(monkeypatch) as asked:
        async with _served(settings) as found:
            found.asked = asked
            asked.clear()
            yield found


@asynccontextmanager
async def _served(settings: Settings) -> AsyncIterator[Site]:
    async with running(settings, more_sign_in_methods={"test": _vouch}) as server:
        token, hashed = new_moderator_token()
        await server.store.write(administration.AddModerator("Mai", hashed, utc_now()))
        guest = Tokens(secret_key(settings)).issue(VIEWER, "Lan", "default", utc_now())
        transport = httpx.ASGITransport(server.asgi, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test", timeout=PATIENCE) as client:
            session, hashed_session = new_session_token()
            link = "a" * 64
            await server.store.write(Invite(OPERATOR, "Owner", None, Role.owner, link, utc_now()))
            await server.store.write(SignInStaff(hashed_session, utc_now(), link_hash=link))
            tokens = {"moderator": token, "guest": guest, "staff": session}
            tokens["program"] = await add_program(server, "cms", *TokenScope)
            for whose in ("session", "other session"):
                answer = await client.post(f"{API}/sessions", json={"grant": "test"})
                tokens[whose] = answer.json()["token"]
            yield Site(server, client, [], tokens)


async def _vouch(_new: NewSession, _origin: str | None) -> Claim:
    return Claim("https://news.example", "1", "Thu", via="test", once=Spent(token_hash(new_key()), utc_now()))


# ---- what is asked --------------------------------------------------------------------------------------

KEYED: dict[str, str] = {"site": "default", "key": BIG}
ROOT, REPLY, LATE = name(1, 1), name(1, FILLING.quarter + 1), name(1, FILLING.quarter + DEEP + 3)
VISIBLE, REMOVED, HELD = name(1, 9), name(1, 31), name(1, FILLING.quarter * 3 + 20)
OWN = name(1, 13)


def _scopes(operation: Operation) -> Iterator[dict[str, str]]:
    """Every list of an operation: each order, and each comment whose replies are asked for."""
    names = operation.names
    base = {one: value for one, value in KEYED.items() if one in names}
    if "sort" in names:
        yield from ({**base, "sort": sort} for sort in Sort)
    else:
        yield base
    if "parent" in names:
        yield from ({**base, "parent": parent} for parent in (ROOT, REPLY, LATE))


def _deep(operation: Operation, asked: dict[str, str], discussion_id: int) -> str:
    """A cursor into the middle of a list."""
    at = SOON + DEEP * 1000
    if operation.path.endswith("/held"):
        return encode_page_cursor(PageCursor("held:default", (at,), name(1, DEEP)))
    if operation.path.endswith("/reports"):
        return encode_page_cursor(PageCursor("reported:default", (at,), name(2, DEEP)))
    if "parent" in asked:
        at += FILLING.quarter * (1 if asked["parent"] == ROOT else 2) * 1000
        return encode_page_cursor(PageCursor(f"thread:{asked['parent']}", (at,), name(1, DEEP)))
    values = (0, DEEP, at) if asked["sort"] == Sort.top else (at,)
    return encode_page_cursor(PageCursor(f"{asked['sort']}:{discussion_id}", values, name(1, DEEP)))


@dataclass(frozen=True)
class Visit:
    """One request; whatever its answer, its statements are looked at."""

    method: str
    path: str
    params: tuple[tuple[str, str], ...] = ()
    json: dict[str, Any] | None = None
    data: dict[str, str] | None = None
    token: str | None = None
    is_staff: bool = False
    is_reader: bool = False


def _bodies() -> dict[tuple[str, str], list[tuple[str, dict[str, Any] | None]]]:
    """What is sent to each operation that changes something: the id it is about, and a body."""
    return {
        ("PATCH", f"{API}/comments/{{id}}"): [(VISIBLE, {"body": "Hello again."})],
        ("DELETE", f"{API}/comments/{{id}}"): [(OWN, None), (name(1, 8), None)],
        ("PUT", f"{API}/comments/{{id}}/vote"): [
            (VISIBLE, {"value": 1}),
            (VISIBLE, {"value": -1}),
            (VISIBLE, {"value": 0}),
        ],
        ("POST", f"{API}/comments/{{id}}/reports"): [(VISIBLE, {"reason": "spam"})],
        ("POST", f"{API}/comments/{{id}}/restore"): [(REMOVED, None)],
        ("POST", f"{API}/comments/{{id}}/approve"): [(HELD, None)],
        ("PATCH", f"{API}/discussion"): [("", {"mode": "held"}), ("", {"mode": "open"})],
        ("POST", f"{API}/preview"): [("", {"body": "Hello."})],
        ("POST", f"{API}/comments"): [
            ("", {"key": BIG, "body": "Hello."}),
            ("", {"key": BIG, "body": "Hello.", "parent_id": REPLY}),
            ("", {"key": "new", "body": "Hello.", "author": {"name": "Ba"}}),
        ],
    }


def _api() -> Iterator[Visit]:
    for operation in OF_DISCUSSIONS:
        tokens: dict[str, list[str | None]] = {
            "": [None],
            "moderator": ["moderator"],
            "optional": [None, "guest", "moderator"],
        }
        whose = tokens.get(operation.bearer, ["guest", "moderator"])
        for token in whose if operation.scope is None else [*whose, "program"]:
            if operation.method == "GET":
                yield from _reading(operation, token)
                continue
            for about, body in _bodies()[operation.method, operation.path]:
                params = tuple((one, KEYED[one]) for one in operation.names)
                # what somebody says again is no change
                body = {**body, "body": f"Hello from a {token}."} if body and "body" in body else body
                yield Visit(operation.method, operation.path.replace("{id}", about), params, body, token=token)


def _reading(operation: Operation, token: str | None) -> Iterator[Visit]:
    ids = (ROOT, LATE, name(1, 2 * FILLING.quarter + 7), "not-a-comment") if "{id}" in operation.path else ("",)
    for about in ids:
        for asked in _scopes(operation):
            path = operation.path.replace("{id}", about)
            cursors = [None, _deep(operation, asked, 1)] if "cursor" in operation.names else [None]
            for cursor in cursors:
                yield Visit("GET", path, (*asked.items(), *([("cursor", cursor)] if cursor else [])), token=token)
    if "after" in operation.names:
        yield Visit("GET", operation.path, (*KEYED.items(), ("after", str(DEEP))), token=token)
    if operation.path.endswith("/counts"):
        yield Visit("GET", operation.path, tuple(("key", f"d{n}") for n in range(100)), token=token)


def _pages() -> Iterator[Visit]:
    oldest = encode_page_cursor(PageCursor("oldest:1", (SOON + DEEP * 1000,), name(1, DEEP)))
    places: list[tuple[str, tuple[tuple[str, str], ...]]] = [("/articles/one", ()), ("/d", tuple(KEYED.items()))]
    places.append(("/frame", tuple(KEYED.items())))
    for path, params in places:
        for more in (
            {},
            {"sort": "newest"},
            {"sort": "top"},
            {"cursor": oldest},
            {"thread": ROOT},
            {"thread": LATE},
            {"reply": REPLY},
        ):
            yield Visit("GET", path, (*params, *more.items()))
        yield Visit("POST", path, params, data={"name": "Ba", "body": "Hello.", "nonce": new_key(), "parent_id": LATE})
    yield Visit("GET", "/")
    yield from (Visit("GET", "/embed.html", (*KEYED.items(), ("sort", sort))) for sort in Sort)
    yield from (Visit("GET", f"/c/{one}") for one in (ROOT, LATE, VISIBLE))
    yield from (
        Visit("GET", path) for path in ("/healthz", "/readyz", "/metrics", f"{API}/openapi.json", "/playground")
    )


def _people() -> Iterator[Visit]:
    yield Visit("POST", f"{API}/sessions", json={"grant": "test"})
    yield Visit("GET", f"{API}/me", token="session")
    yield Visit("PATCH", f"{API}/me", json={"name": "Lan"}, token="session")
    yield Visit("GET", f"{API}/me/sessions", token="session")
    code = {"grant": "code", "code": "c" * 43, "verifier": "v" * 43}
    yield Visit("POST", f"{API}/sessions", json=code)
    yield Visit("POST", f"{API}/codes", json={"email": "lan@example.com"})
    yield Visit("POST", f"{API}/codes", json={"email": "lan@example.com"})
    of_mail = {"grant": "email", "challenge": name(0, DEEP), "code": "123456", "name": "Lan"}
    yield Visit("POST", f"{API}/sessions", json=of_mail)
    yield Visit("GET", f"{API}/signin/options")
    page = (("state", "s" * 43), ("challenge", "c" * 43), ("return", "http://news.test/articles/1"))
    yield Visit("GET", "/signin/house", page)
    yield Visit("GET", "/signin/house/callback", (("state", "s" * 43), ("code", "code")))
    yield Visit("DELETE", f"{API}/people/i1/4711/sessions", token="program")
    yield from _own_pages()
    yield Visit("DELETE", f"{API}/sessions/current", token="session")
    yield Visit("DELETE", f"{API}/me/sessions", token="other session")


def _ruled() -> Iterator[Visit]:
    """Where every rule asks something of the database, of who wrote a tenth of all, a newcomer and a member."""
    many = {"key": BIG, "body": "https://a.example/ https://b.example/"}
    for rules in ({"first": "hold", "first_n": 100}, {"first": "show", "slow": 3600}, {"slow": None, "first": None}):
        yield Visit("PATCH", f"{API}/discussion", tuple(KEYED.items()), {"rules": rules}, token="moderator")
        for token in ("guest", "session", None):
            yield Visit("POST", f"{API}/comments", json={**many, "author": {"name": "Ba"}}, token=token)
    for nudge in ("on", None):
        yield Visit("PATCH", f"{API}/discussion", tuple(KEYED.items()), {"rules": {"nudge": nudge}}, token="moderator")
        yield Visit("POST", f"{API}/nudge", json=many)
    for closes_at in ("2026-01-01T00:00:00Z", None):
        yield Visit("PATCH", f"{API}/discussion", tuple(KEYED.items()), {"closes_at": closes_at}, token="moderator")
        yield Visit("POST", f"{API}/comments", json=many, token="guest")


def _own_pages() -> Iterator[Visit]:
    """The server's own pages without a script, for who is signed in on them and for who is not."""
    for reads in (True, False):
        yield Visit("GET", "/d", tuple(KEYED.items()), is_reader=reads)
        yield Visit("GET", "/d", (*KEYED.items(), ("thread", ROOT)), is_reader=reads)
        yield Visit("GET", "/sign-in", is_reader=reads)
    yield Visit("POST", "/d", tuple(KEYED.items()), data={"like": VISIBLE, "nonce": new_key()}, is_reader=True)
    yield Visit("GET", "/signin/house", (("as", "reader"), ("return", "/d")))
    yield Visit("GET", "/sign-in/code", (("challenge", name(0, DEEP)),))
    yield Visit("POST", "/sign-in/code", data={"email": "thu@example.com"}, is_reader=True)
    for given in ({"grant": "email", "challenge": name(0, DEEP)}, {"grant": "code", "verifier": "v" * 43}):
        yield Visit("POST", "/sign-in/session", data={"code": "123456", "name": "Lan", **given}, is_reader=True)
    yield Visit("GET", "/me", is_reader=True)
    for what, form in (("edit", {"body": "Again."}), ("delete", {}), ("report", {"reason": "spam"})):
        yield Visit("GET", f"/c/{VISIBLE}/{what}", is_reader=True)
        yield Visit("POST", f"/c/{VISIBLE}/{what}", data=form, is_reader=True)
    yield Visit("POST", "/me/name", data={"name": "Lan"}, is_reader=True)
    yield Visit("POST", "/me/sessions/end", data={"session": name(0, DEEP)}, is_reader=True)
    yield Visit("POST", "/me/sessions/end-all", data={}, is_reader=True, token="other session")
    yield Visit("POST", "/sign-out", data={})


def _staff() -> Iterator[Visit]:
    """The pages of an owner, whose session is in a cookie."""
    at = "/staff/sites/default"
    for path in ("/staff", at, f"{at}/members", f"{at}/ways-in", f"{at}/tokens", "/staff/log", "/staff/log.jsonl"):
        yield Visit("GET", path, is_staff=True)
    yield from _ways_of_staff()
    yield from _desk_pages()
    deep = encode_page_cursor(PageCursor("sessions:default", (), name(0, DEEP)))
    yield Visit("GET", f"{at}/members", (("cursor", deep),), is_staff=True)
    for path in ("/staff/log", "/staff/log.jsonl"):
        yield Visit("GET", path, (("site", "default"),), is_staff=True)
    for path, form in (
        (f"{at}/people", {"name": "Thu", "role": "host"}),
        (f"{at}/people/member", {"name": VIEWER, "role": "host"}),
        (f"{at}/people/member", {"name": "Thu", "role": "host"}),
        (f"{at}/people/member", {"name": "thu@example.com", "role": "host"}),
        (f"{at}/people/remove", {"person": VIEWER, "role": "host"}),
        (f"{at}/members/end", {"person": VIEWER}),
        (f"{at}/tokens/add", {"name": "cms", "scope": "read"}),
        (f"{at}/tokens/remove", {"name": "cms"}),
        ("/staff/sign-in", {"token": "tm_nobodys"}),
        ("/staff/sign-in", {"link": "tl_nobodys"}),
        ("/staff/sign-out", {}),
    ):
        yield Visit("POST", path, data=form, is_staff=True)


def _desk_pages() -> Iterator[Visit]:
    """What a moderator reads and decides on pages."""
    at = "/staff/sites/default"
    yield Visit("GET", f"{at}/desk", is_staff=True)
    for queue in ("waiting", "reported", "suspected", "all"):
        for more in ((), (("author", VIEWER),), (("key", BIG),), (("did", f"{name(0, 1)}.{name(0, 2)}"),)):
            yield Visit("GET", f"{at}/desk/{queue}", more, is_staff=True)
    yield Visit("GET", f"{at}/desk/cards", (("id", VISIBLE),), is_staff=True)
    yield Visit("GET", f"{at}/desk/discussion", (("key", BIG),), is_staff=True)
    for path in ("bans", "words", "rules", f"people/{VIEWER}"):
        yield Visit("GET", f"{at}/{path}", is_staff=True)
    for path, form in (
        ("desk/decide", {"comment_id": VISIBLE, "version": "1", "do": "pin"}),
        ("desk/undo", {"comment_id": VISIBLE, "action": name(0, 1)}),
        ("bans", {"author": VIEWER, "effect": "hold", "hours": "24"}),
        ("bans/lift", {"ban": name(0, 1)}),
        ("words", {"lines": "idiot"}),
        ("words/try", {"text": "What an idiot"}),
        ("words/remove", {"entry": "idiot"}),
        ("rules", {"slow": "30"}),
        ("desk/discussion", {"key": BIG, "mode": "open", "slow": "30"}),
    ):
        yield Visit("POST", f"{at}/{path}", data=form, is_staff=True)


def _ways_of_staff() -> Iterator[Visit]:
    """How they sign in besides a link and a token, and what they attach."""
    root, own = "/staff/sign-in", "/staff/ways-in"
    sent = {"challenge": name(0, DEEP), "code": "123456", "site": "default"}
    yield Visit("GET", "/signin/house", (("as", "staff"), ("return", "/staff")))
    for path in (root, own):
        yield Visit("GET", path, is_staff=True)
        yield Visit("GET", f"{path}/code", (("challenge", name(0, DEEP)),), is_staff=True)
        yield Visit("POST", f"{path}/code", data={"email": "thu@example.com", "site": "default"}, is_staff=True)
    yield Visit("POST", f"{root}/session", data=sent, is_staff=True)
    for grant in ("email", "code"):
        yield Visit("POST", f"{own}/add", data={"grant": grant, **sent}, is_staff=True)
    gone = {"site": "default", "issuer": "https://id.example", "subject": "4711"}
    yield Visit("POST", f"{own}/remove", data=gone, is_staff=True)


def _desk() -> Iterator[Visit]:
    """What a moderator sees and decides, in each queue and in the middle of it."""
    site = ("site", "default")
    for path in ("queues", "items"):
        yield Visit(
            "GET", f"{API}/staff/{path}", (site, *([("id", VISIBLE)] if path == "items" else [])), token="moderator"
        )
    for queue in ("waiting", "reported", "suspected", "all"):
        asked = (site, ("queue", queue))
        values = (SOON + DEEP * 1000,) if queue == "all" else (1, SOON + DEEP * 1000)
        cursor = encode_page_cursor(PageCursor(f"desk:default:{queue}:None:None", values, name(1, DEEP)))
        for more in ((), (("cursor", cursor),), (("author", VIEWER),), (("key", BIG),)):
            yield Visit("GET", f"{API}/staff/queue", (*asked, *more), token="moderator")
    for act in ("remove", "restore", "pin"):
        decision = {"comment_id": VISIBLE, "version": 1, "do": act}
        yield Visit("POST", f"{API}/staff/decisions", json={"decisions": [decision]}, token="moderator")
    ban = {"author_id": VIEWER, "effect": "hold", "hours": 1}
    yield Visit("POST", f"{API}/staff/bans", json=ban, token="moderator")
    yield Visit("GET", f"{API}/staff/bans", (site,), token="moderator")
    yield Visit("GET", f"{API}/staff/networks", (site, ("comment_id", name(0, 1))), token="moderator")
    yield Visit("DELETE", f"{API}/staff/bans/{name(0, 1)}", (site,), token="moderator")
    undone = {"comment_id": VISIBLE, "action": name(0, 1)}
    yield Visit("POST", f"{API}/staff/undo", json={"actions": [undone]}, token="moderator")


VISITS = [*_api(), *_ruled(), *_pages(), *_people(), *_staff(), *_desk()]


def _visits(server: Running) -> list[Visit]:
    """The visits from above, and one of every page that takes nothing; a route that none of them is to is a mistake."""
    found = list(VISITS)
    routes = server.asgi.routes  # type: ignore[attr-defined]
    for route in routes:
        if isinstance(route, WebSocketRoute):
            assert route.path in (f"{API}/live", f"{API}/staff/live"), "what a reader joins is asked for below"
            continue
        for method in (route.methods or set()) - {"HEAD"}:
            if any(_goes_to(route, method, visit) for visit in VISITS):
                continue
            assert (method, "{" in route.path) == ("GET", False), f"nobody visits {method} {route.path} here"
            found.append(Visit(method, route.path))
    return found


def _goes_to(route: Route, method: str, visit: Visit) -> bool:
    scope = {"type": "http", "path": visit.path, "method": visit.method, "root_path": ""}
    return visit.method == method and route.matches(scope)[0] is Match.FULL


async def test_no_query_of_any_route_grows_with_the_site(site: Site) -> None:
    for visit in _visits(site.server):
        headers = {"Idempotency-Key": new_key()}
        if visit.token:
            headers |= bearer(site.tokens[visit.token])
        if visit.is_staff:
            headers |= {"Cookie": f"{PLAIN_NAME}={site.tokens['staff']}", "Sec-Fetch-Site": "same-origin"}
        if visit.is_reader:
            headers |= {"Cookie": f"{COOKIE}={site.tokens[visit.token or 'session']}"}
        if visit.path.startswith("/sign-") or visit.is_reader:
            headers |= {"Sec-Fetch-Site": "same-origin"}
        answer = await site.client.request(
            visit.method, visit.path, params=visit.params, json=visit.json, data=visit.data, headers=headers
        )
        assert answer.status_code < 500, f"{visit}: {answer.text}"
    for where in (Cursor(None, None), Cursor(site.server.store.epoch, DEEP)):
        await site.server.hub.enter(DiscussionKey("default", BIG), where)
    await site.server.hub.reconcile()
    await site.server.store.read(queries.latest_seqs, [DiscussionKey("default", f"d{n}") for n in range(500)])
    kinds = {asked.sql.split(None, 1)[0].upper() for asked in site.asked}
    assert kinds == {"SELECT", "INSERT", "UPDATE", "DELETE", "WITH"}, "the watch sees what is asked"
    faults = await site.faults()
    assert faults == {}, "\n\n".join(f"{sql}\n  " + "\n  ".join(found) for sql, found in faults.items())


async def test_an_export_finds_each_discussion_by_an_index(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else it reads all comments once for each discussion."""
    shutil.copyfile(filled, tmp_path / "tertulia.db")
    with sqlite_watched(monkeypatch) as asked:
        store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'tertulia.db'}")
        await export(store, Articles(tmp_path, "en", "UTC"), "default", lambda _piece: None)
        await store.close()
    plans = [one.plan for one in asked if "comment.discussion_id = ?" in one.sql]
    assert len(plans) > 100, "two for each discussion"
    assert {line for plan in plans for line in plan if line.startswith("SCAN")} == set()
