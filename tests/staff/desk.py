"""A server with two sites and people of every kind, and the staff's pages as each of them would ask for them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import update
from starlette.routing import Route

from tertulia.app import Running, running
from tertulia.core.roles import Role
from tertulia.identity import new_invitation, new_moderator_token, new_session_token, token_hash, utc_now
from tertulia.people import Claim
from tertulia.protocol import API, NewSession
from tertulia.settings import Settings
from tertulia.staff.routes import COOKIE as PLAIN_NAME
from tertulia.store import administration, schema
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import Invite, SignInStaff, TakeRole
from tertulia.web.session_cookie import PREFIX
from tests.support.tables import execute, rows
from tests.support.unlimited import unlimited
from tests.support.waiting import PATIENCE

SECURE_NAME = f"{PREFIX}{PLAIN_NAME}"
ORIGIN = "https://news.test"
OWN = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a form of these pages."""


async def vouched(new: NewSession, _origin: str | None) -> Claim:
    return Claim("https://news.example", new.token or "", "Lan", via="test")


@dataclass
class Desk:
    server: Running
    client: httpx.AsyncClient
    tokens: dict[str, str] = field(default_factory=dict)
    """Of sessions, by whose they are."""

    async def get(self, path: str, who: str | None = None, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=self.headers(who) | headers)

    async def post(self, path: str, who: str | None = None, /, **form: Any) -> httpx.Response:
        return await self.client.post(path, data=form, headers=self.headers(who) | OWN)

    def headers(self, who: str | None) -> dict[str, str]:
        return {} if who is None else {"Cookie": f"{SECURE_NAME}={self.tokens[who]}; {PLAIN_NAME}={self.tokens[who]}"}

    async def link(self, name: str, role: Role = Role.owner, site: str | None = "news") -> str:
        token, hashed = new_invitation()
        await self.server.store.write(Invite(OPERATOR, name, site, role, hashed, utc_now()))
        return token

    async def sign_in(self, name: str, role: Role = Role.owner, site: str | None = "news") -> None:
        """Gives the role, and opens a session under the same name."""
        link = await self.link(name, role, site)
        token, hashed = new_session_token()
        await self.server.store.write(SignInStaff(hashed, utc_now(), link_hash=token_hash(link)))
        self.tokens[name] = token

    async def take(self, name: str, role: Role, site: str | None = "news") -> None:
        await self.server.store.write(TakeRole(OPERATOR, name, site, role, utc_now()))

    async def moderator(self, name: str) -> str:
        token, hashed = new_moderator_token()
        await self.server.store.write(administration.AddModerator(name, hashed, utc_now()))
        return token

    async def member(self, subject: str, site: str = "news") -> str:
        """A reader who is signed in; the author's id."""
        answer = await self.client.post(f"{API}/sessions", json={"grant": "test", "token": subject, "site": site})
        assert answer.status_code == 201, answer.text
        self.tokens[subject] = answer.json()["token"]
        return str(answer.json()["viewer"]["id"])

    async def say(self, text: str, *, site: str = "news", name: str = "Lan", **more: str) -> dict[str, Any]:
        """A comment of a guest."""
        said = {"site": site, "key": "talk", "body": text, "author": {"name": name}, **more}
        headers = {"Idempotency-Key": f"{sha256(text.encode()).hexdigest()[:32]}"}
        answer = await self.client.post(f"{API}/comments", json=said, headers=headers)
        assert answer.status_code in (201, 202), answer.text
        comment: dict[str, Any] = answer.json()["comment"]
        return comment

    async def hold(self, token: str, mode: str = "held") -> None:
        params, headers = {"site": "news", "key": "talk"}, {"Authorization": f"Bearer {token}"}
        answer = await self.client.patch(f"{API}/discussion", params=params, json={"mode": mode}, headers=headers)
        assert answer.status_code == 200, answer.text

    async def ready(self) -> dict[str, Any]:
        """A held comment, and a moderator of the site who is signed in as "Mai"."""
        await self.hold(await self.moderator("Sáu"))
        await self.sign_in("Mai", Role.moderator)
        return await self.say("May I say something")

    async def end(self, who: str, **values: int | None) -> None:
        """Changes the row of a session."""
        row = update(schema.session).where(schema.session.c.token_hash == token_hash(self.tokens[who]))
        await self.run(row.values(**values))

    async def run(self, statement: Any) -> None:
        await execute(self.server.store, statement)

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        return await rows(self.server.store, table)

    async def everything(self) -> dict[str, list[str]]:
        """All rows of all tables but the server's own tasks, to be compared."""
        tables = [table for table in schema.metadata.sorted_tables if table is not schema.task]
        return {table.name: sorted(map(repr, await self.rows(table))) for table in tables}


def staff_routes(server: Running) -> set[tuple[str, str]]:
    """Every method and path of the staff's pages, as the application has them."""
    routes = server.asgi.routes  # type: ignore[attr-defined]
    assert all(isinstance(route, Route) or not route.path.startswith("/staff") for route in routes)
    return {
        (method, route.path)
        for route in routes
        if route.path == "/staff" or route.path.startswith("/staff/")
        for method in route.methods - {"HEAD"}
    }


@asynccontextmanager
async def opened(folder: Path, database: str | None = None, **more: Any) -> AsyncIterator[Desk]:
    given = {**more, **({"database_url": database} if database else {})}
    settings: Settings = unlimited(folder).model_copy(update=given)
    async with running(settings, more_sign_in_methods={"test": vouched}) as server:
        for key in ("news", "magazine"):
            await server.store.write(administration.AddSite(key, [], utc_now()))
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport, base_url=ORIGIN, timeout=PATIENCE) as client:
            yield Desk(server, client)
