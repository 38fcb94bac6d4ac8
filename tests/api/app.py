"""An application in which everything a request can run into is there, and a client that checks every answer's form."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from pydantic import BaseModel
from starlette.routing import compile_path

from tertulia import protocol
from tertulia.api import Api
from tertulia.api.bans import BansApi
from tertulia.api.desk import DeskApi
from tertulia.api.nudging import NudgeApi
from tertulia.api.openapi import describe
from tertulia.api.people import PeopleApi
from tertulia.api.signing_in import CodesApi, SignInApi
from tertulia.app import Running, running
from tertulia.core.words import Does, Entry
from tertulia.errors import ErrorCode
from tertulia.identity import new_moderator_token, new_site_token, utc_now
from tertulia.people.issuers import SITE_ISSUER
from tertulia.protocol import API
from tertulia.push import Push
from tertulia.settings import Settings
from tertulia.store import administration
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import SCOPES, AddSiteToken, AddWords
from tertulia.store.issuers import AddIssuer, IssuerRow
from tertulia.web.operations import Operation, operations_of
from tests.support.vouching import vouched

OF_DISCUSSIONS: list[Operation] = [*operations_of(Api), *operations_of(Push), *operations_of(SignInApi)]
OPERATIONS = [
    *OF_DISCUSSIONS,
    *operations_of(PeopleApi),
    *operations_of(CodesApi),
    *operations_of(DeskApi),
    *operations_of(BansApi),
    *operations_of(NudgeApi),
]
MAIL = {"smtp_url": "smtp://localhost:1", "mail_from": "comments@news.test"}
"""A mail server that no test of the API has sent to: what is to be sent waits."""
DOCUMENT = describe(OPERATIONS)
TRACES = ("Traceback", 'File "', ".py", "sqlalchemy", "sqlite", "pydantic", "starlette", "Exception", "object at 0x")


def named(operation: Operation) -> str:
    return f"{operation.method} {operation.path.removeprefix(API)}"


def declared(operation: Operation) -> set[ErrorCode]:
    """The codes that the description of the API promises for this operation, and no others."""
    path = operation.path.replace(":path}", "}")
    responses = DOCUMENT["paths"][path][operation.method.lower()]["responses"]
    found = set()
    for status, response in responses.items():
        if int(status) >= 400:
            found |= {ErrorCode[name] for name in response["description"].split(", ")}
    return found


def operation_of(method: str, path: str) -> Operation | None:
    wanted = "GET" if method == "HEAD" else method
    for operation in OPERATIONS:
        if operation.method == wanted and compile_path(operation.path)[0].match(path):
            return operation
    return None


def check(answer: httpx.Response) -> None:
    """What holds for every answer: a described status, a body of the described form, nothing of a stack trace."""
    request = answer.request
    operation = operation_of(request.method, request.url.path)
    where = f"{request.method} {request.url.path}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code >= 400:
        if request.method == "HEAD":
            return
        assert answer.headers["content-type"] == "application/problem+json", where
        problem = protocol.ProblemDocument.model_validate_json(answer.content, strict=True)
        code = ErrorCode[problem.code]
        assert answer.status_code == problem.status == code.value.status, where
        assert problem.title == code.value.title, where
        assert problem.type.endswith(f"#{problem.code}"), where
        assert not any(word in answer.text for word in TRACES), where
        if code is ErrorCode.rate_limited or problem.retry_after is not None:
            assert answer.headers["retry-after"] == str(problem.retry_after), where
        if code is ErrorCode.unauthenticated:
            assert answer.headers["www-authenticate"] == "Bearer", where
        if operation is None:
            assert code in (ErrorCode.method_not_allowed, ErrorCode.not_found, ErrorCode.origin_not_allowed), where
        else:
            assert code in declared(operation), f"{named(operation)} does not declare {code.name}; {where}"
    elif operation is not None and request.method != "HEAD":
        assert answer.status_code in operation.answers, f"{named(operation)} does not declare this status; {where}"
        model = operation.answers[answer.status_code]
        if isinstance(model, str):
            assert answer.headers["content-type"].startswith(model), where
        elif model is None:
            assert answer.content == b"", where
        elif answer.headers["content-type"] != "text/event-stream":
            assert answer.headers["content-type"] == "application/json", where
            assert issubclass(model, BaseModel)
            model.model_validate_json(answer.content, strict=False)


class Checked(httpx.AsyncClient):
    """A client none of whose answers goes unchecked."""

    async def send(self, request: httpx.Request, **flags: Any) -> httpx.Response:
        answer = await super().send(request, **flags)
        await answer.aread()
        check(answer)
        return answer


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def new_key() -> str:
    return str(uuid.uuid4())


@dataclass
class App:
    """A running application, a client, and the ids of what is in it."""

    server: Running
    client: httpx.AsyncClient
    database: Path
    ids: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    cursors: dict[str, str] = field(default_factory=dict)

    async def post_comment(
        self,
        body: str = "Good evening.",
        *,
        key: str = "talk",
        name: str | None = None,
        token: str | None = None,
        parent_id: str | None = None,
        site: str = "default",
        once: str | None = None,
    ) -> httpx.Response:
        """Says something; the answer is not looked at."""
        said: dict[str, object] = {"site": site, "key": key, "body": body}
        if name is not None:
            said["author"] = {"name": name}
        if parent_id is not None:
            said["parent_id"] = parent_id
        headers = {"Idempotency-Key": once or new_key()} | (bearer(token) if token else {})
        return await self.client.post(f"{API}/comments", json=said, headers=headers)

    async def posted(self, body: str = "Good evening.", **details: Any) -> dict[str, Any]:
        """Says something; the answer to a post that was accepted."""
        answer = await self.post_comment(body, **details)
        assert answer.status_code in (201, 202), answer.text
        posted: dict[str, Any] = answer.json()
        return posted

    async def guest(self, name: str, **details: Any) -> str:
        """A new guest's token; the guest has said one thing."""
        token: str = (await self.posted(name=name, **details))["token"]
        return token

    async def session(self, token: str) -> str:
        """The token of a new session of whoever ``token`` vouches for."""
        answer = await self.client.post(f"{API}/sessions", json={"grant": "test", "token": token})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["token"])

    async def moderate(self, method: str, path: str, **details: Any) -> httpx.Response:
        answer = await self.client.request(method, API + path, headers=bearer(self.tokens["moderator"]), **details)
        assert answer.status_code == 200, answer.text
        return answer

    async def set_mode(self, key: str, mode: str) -> None:
        await self.moderate("PATCH", "/discussion", params={"key": key}, json={"mode": mode})

    async def snapshot(self, key: str = "talk", token: str | None = None, **params: Any) -> dict[str, Any]:
        headers = bearer(token) if token else {}
        answer = await self.client.get(f"{API}/discussion", params={"key": key, **params}, headers=headers)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def events(self, key: str = "talk", after: int = 0, site: str = "default") -> dict[str, Any]:
        answer = await self.client.get(f"{API}/events", params={"site": site, "key": key, "after": after})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    @property
    def kind(self) -> str:
        """The kind of its database."""
        return self.server.store.database.read.engine.dialect.name

    @property
    def committed(self) -> int:
        """How many commands were not refused: everything that is stored is so by a command."""
        return self.server.store.write_queue.stats.committed

    def rows(self) -> dict[str, list[tuple[object, ...]]]:
        """Everything that is stored."""
        return dict(_rows(self.database))


def _rows(database: Path) -> Iterator[tuple[str, list[tuple[object, ...]]]]:
    with closing(sqlite3.connect(database)) as connection:
        tables = connection.execute("select name from sqlite_master where type = 'table' order by name").fetchall()
        for (table,) in tables:
            yield table, sorted(connection.execute(f"select * from {table}").fetchall(), key=repr)


async def add_moderator(server: Running, name: str) -> str:
    """A new moderator's token."""
    token, hashed = new_moderator_token()
    await server.store.write(administration.AddModerator(name, hashed, utc_now()))
    return token


async def add_program(server: Running, name: str, *scopes: str, site: str = "default") -> str:
    """The token of a new program of the site, good for these scopes."""
    token, hashed = new_site_token()
    await server.store.write(AddSiteToken(OPERATOR, site, name, scopes, hashed, utc_now()))
    return token


async def add_site(server: Running, key: str, *origins: str) -> None:
    await server.store.write(administration.AddSite(key, origins, utc_now()))


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[App]:
    """An empty server with two sites and a moderator."""
    given = settings.model_copy(update=MAIL)
    # many vote on one comment one after the other, each a second after the one before in a server
    async with running(given, more_sign_in_methods={"test": vouched}, vote_seconds=0) as server:
        await add_site(server, "second", "https://second.example")
        transport = httpx.ASGITransport(server.asgi, raise_app_exceptions=True)
        async with Checked(transport=transport, base_url="http://news.test") as client:
            app = App(server, client, settings.data_dir / "tertulia.db")
            app.tokens["moderator"] = await add_moderator(server, "Mai")
            yield app


async def furnish(app: App) -> None:
    """Comments in every state, of two guests; a held, a closed and another discussion; a guest of the second site.

    One word is not said here.
    """
    row = IssuerRow("default", "website", SITE_ISSUER, {"iss": "https://news.example"}, None)
    await app.server.store.write(AddIssuer(row, utc_now()))
    words = (Entry("unspeakable", Does.refuse),)
    await app.server.store.write(AddWords(OPERATOR, "default", words, utc_now()))
    app.tokens["program"] = await add_program(app.server, "all", *SCOPES)
    app.tokens["second program"] = await add_program(app.server, "all", *SCOPES, site="second")
    app.tokens |= {f"{scope} program": await add_program(app.server, scope, scope) for scope in SCOPES}
    first = await app.posted("First.", name="Lan")
    app.tokens["member"] = await app.session("once-member/Thu")
    app.tokens["lan"] = lan = first["token"]
    second = await app.posted("Second.", name="Minh")
    app.tokens["minh"] = minh = second["token"]
    app.ids |= {"lans": first["comment"]["id"], "minhs": second["comment"]["id"], "unknown": new_key()}
    for name in ("deleted", "removed"):
        app.ids[name] = (await app.posted(name, token=minh))["comment"]["id"]
    deleted = await app.client.delete(f"{API}/comments/{app.ids['deleted']}", headers=bearer(minh))
    assert deleted.status_code == 200
    await app.moderate("DELETE", f"/comments/{app.ids['removed']}")
    for _ in range(2):
        app.ids["elsewhere"] = (await app.posted("Elsewhere.", key="another", token=lan))["comment"]["id"]
    await app.set_mode("waiting", "held")
    for _ in range(2):
        app.ids["held"] = (await app.posted("May I?", key="waiting", token=minh))["comment"]["id"]
    await app.set_mode("shut", "closed")
    await app.moderate("PATCH", "/discussion", params={"key": "members"}, json={"rules": {"who": "members"}})
    for key, rules in (("slow", {"slow": 3600}), ("plain", {"links": "refuse"})):
        await app.moderate("PATCH", "/discussion", params={"key": key}, json={"rules": rules})
    await app.posted("Slowly.", key="slow", token=lan)
    foreign = await app.posted("Over there.", site="second", name="Sáu")
    app.tokens["second"], app.ids["foreign"] = foreign["token"], foreign["comment"]["id"]
    for name, params in {
        "oldest": {"key": "talk", "sort": "oldest"},
        "newest": {"key": "talk", "sort": "newest"},
        "top": {"key": "talk", "sort": "top"},
        "another": {"key": "another"},
    }.items():
        app.cursors[name] = (await app.snapshot(limit=1, **params))["next"]
    held = await app.moderate("GET", "/moderation/held", params={"limit": 1})
    app.cursors["held"] = held.json()["next"]
