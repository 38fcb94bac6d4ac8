"""A server with providers, and a browser that signs in there, for tests."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from tertulia.app import Running, running
from tertulia.identity import utc_now
from tertulia.identity.providers import OAuthEndpoints, ProviderConfig
from tertulia.identity.sealing import Sealing
from tertulia.people.providers import PROVIDER
from tertulia.people.providers.provider import challenge_of
from tertulia.protocol import API
from tertulia.settings import Settings, secret_key
from tertulia.store import schema
from tertulia.store.issuers import AddIssuer, IssuerRow
from tests.support.tables import rows
from tests.support.unlimited import unlimited
from tests.support.waiting import PATIENCE

PAGE = "https://page.example/articles/1?from=front"
PAGE_ORIGIN = "https://page.example"
HERE = "https://news.test"
_DATA = re.compile(r'data-(code|state|origin)="([^"]*)"')


def config(issuer: str, **more: Any) -> ProviderConfig:
    return ProviderConfig(issuer=issuer, client_id="us", label="The House", **more)


def oauth(issuer: str) -> ProviderConfig:
    addresses = {name: f"{issuer}/{path}" for name, path in (("authorization", "authorize"), ("token", "token"))}
    endpoints = OAuthEndpoints(**addresses, person=f"{issuer}/person", subject="id", names=("name", "login"))
    return config(issuer, scopes=(), endpoints=endpoints)


@dataclass
class Browser:
    """One that begins at a page: its cookies, and what the page keeps of the sign-in."""

    client: httpx.AsyncClient
    state: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))

    async def begin(self, provider: str = "house", **more: str) -> httpx.Response:
        query = {
            "site": "default",
            "state": self.state,
            "challenge": challenge_of(self.verifier),
            "return": PAGE,
        } | more
        return await self.client.get(f"/signin/{provider}", params={k: v for k, v in query.items() if v != "-"})

    async def come_back(self, provider: str = "house", **query: str) -> httpx.Response:
        return await self.client.get(f"/signin/{provider}/callback", params=query)

    async def exchange(self, code: str, **more: Any) -> httpx.Response:
        """What the page does with a code; ``origin`` is not its own where it is given."""
        origin = more.pop("origin", PAGE_ORIGIN)
        said = {"grant": "code", "code": code, "verifier": self.verifier} | more
        said = {name: value for name, value in said.items() if value is not None}
        headers = {} if origin is None else {"Origin": origin}
        return await self.client.post(f"{API}/sessions", json=said, headers=headers)


@dataclass
class Server:
    """An instance."""

    running: Running
    settings: Settings

    def browser(self) -> Browser:
        transport = httpx.ASGITransport(self.running.asgi)
        return Browser(httpx.AsyncClient(transport=transport, base_url=HERE, timeout=PATIENCE))

    async def add(self, name: str, provider: ProviderConfig, secret: str, site: str = "default") -> None:
        sealed = Sealing(secret_key(self.settings)).seal(secret.encode())
        kept = provider.model_dump(mode="json", exclude_defaults=True)
        await self.running.store.write(AddIssuer(IssuerRow(site, name, PROVIDER, kept, sealed), utc_now()))

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        return await rows(self.running.store, table)

    async def is_empty(self) -> bool:
        """Whether nothing is kept of any sign-in."""
        tables = (schema.signin, schema.signin_code, schema.session, schema.identity)
        return not any([await self.rows(table) for table in tables])


@asynccontextmanager
async def serving(database: str, folder: Path, *hosts: str, count: int = 1, **more: Any) -> AsyncIterator[list[Server]]:
    """Instances on one database that may ask these hosts."""
    async with AsyncExitStack() as stack:
        found = []
        for number in range(count):
            place = {"database_url": database, "allowed_origins": (PAGE_ORIGIN,), "private_hosts": hosts}
            # without background work: what is over stays until a test looks at it
            chosen = unlimited(folder / str(number), **place, work="none").model_copy(update=more)
            found.append(Server(await stack.enter_async_context(running(chosen)), chosen))
        yield found


def handed(answer: httpx.Response) -> dict[str, str]:
    """What the page at the end of the way hands over."""
    assert answer.status_code == 200, answer.text
    given = {name: unescape(value) for name, value in _DATA.findall(answer.text)}
    assert set(given) == {"code", "state", "origin"}
    return given


def failure(answer: httpx.Response) -> str:
    """The stable word of a page that says what failed."""
    assert answer.headers["content-type"].startswith("text/html"), answer.text
    found = re.search(r"<small>Code: (\w+)</small>", answer.text)
    assert found is not None, answer.text
    return found[1]


def host_of(url: str) -> str:
    return urlsplit(url).netloc
