"""A server with a provider and a mail server, and a browser without scripts that signs in on its own pages."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx

from tertulia.app import Running, running
from tertulia.identity import utc_now
from tertulia.pages.readers import COOKIE
from tertulia.people import Claim
from tertulia.protocol import API, NewSession
from tertulia.store import administration, schema
from tertulia.web.session_cookie import PREFIX
from tests.people.signing_in import Server, config
from tests.support.providers import SECRET, HostileProvider
from tests.support.smtp import MailServer
from tests.support.tables import execute, rows
from tests.support.unlimited import unlimited
from tests.support.waiting import PATIENCE

HERE = "https://news.test"
OWN = {"Sec-Fetch-Site": "same-origin"}
"""What a browser says of a form of these pages."""
SECURE_NAME = f"{PREFIX}{COOKIE}"
TALK = "/d?site=default&key=talk"
_FIELD = re.compile(r'<(?:input|textarea|button)\b[^>]*\bname="([^"]*)"[^>]*>')
_VALUE = re.compile(r'\bvalue="([^"]*)"')


async def vouched(new: NewSession, _origin: str | None) -> Claim:
    """``SUBJECT`` or ``SUBJECT/NAME``."""
    subject, _, name = (new.token or "").partition("/")
    return Claim("https://id.example", subject, name or "Lan", "test")


@dataclass
class Browser:
    """One with cookies of its own, which sends the forms that it is shown."""

    client: httpx.AsyncClient

    async def get(self, path: str, **headers: str) -> httpx.Response:
        return await self.client.get(path, headers=headers)

    async def post(self, path: str, **form: str) -> httpx.Response:
        return await self.client.post(path, data=form, headers=OWN)

    async def send(self, page: httpx.Response, action: str, **typed: str) -> httpx.Response:
        """Sends the form of a page that goes to ``action``, with what is typed in."""
        return await self.post(action, **form_of(page.text, action), **typed)

    @property
    def session(self) -> str | None:
        return self.client.cookies.get(SECURE_NAME)

    async def with_session(self, subject: str, site: str = "default") -> str:
        """Has the cookie of somebody who is signed in; the author's id."""
        opened = await self.client.post(f"{API}/sessions", json={"grant": "test", "token": subject, "site": site})
        assert opened.status_code == 201, opened.text
        self.keep(opened.json()["token"])
        return str(opened.json()["viewer"]["id"])

    def keep(self, token: str) -> None:
        self.client.cookies.set(SECURE_NAME, token, domain="news.test")

    async def say(self, text: str = "Good evening.", path: str = TALK, **more: str) -> httpx.Response:
        return await self.send(await self.get(path), path + "#your-comments", body=text, **more)


@dataclass
class House:
    server: Running
    smtp: MailServer
    provider: HostileProvider
    browsers: list[httpx.AsyncClient] = field(default_factory=list)

    def browser(self, base_url: str = HERE) -> Browser:
        transport = httpx.ASGITransport(self.server.asgi)
        client = httpx.AsyncClient(transport=transport, base_url=base_url, timeout=PATIENCE)
        self.browsers.append(client)
        return Browser(client)

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        return await rows(self.server.store, table)

    async def run(self, *statements: Any) -> None:
        await execute(self.server.store, *statements)

    async def everything(self) -> dict[str, list[str]]:
        """All rows of all tables but the server's own tasks, to be compared."""
        tables = [table for table in schema.metadata.sorted_tables if table is not schema.task]
        return {table.name: sorted(map(repr, await self.rows(table))) for table in tables}

    async def rule(self, who: str, site: str = "default") -> None:
        changed = administration.ChangeSiteRules(site, lambda own: own.changed({"who": who}), utc_now())
        await self.server.store.write(changed)


def form_of(page: str, action: str) -> dict[str, str]:
    """The hidden fields of the last form that goes there: before it stands the one of the votes."""
    forms = re.findall(rf'<form[^>]*action="{re.escape(escaped(action))}"[^>]*>(.*?)</form>', page, re.DOTALL)
    assert forms, (action, page)
    hidden = re.findall(r'<input type="hidden"[^>]*>', forms[-1])
    return {_FIELD.findall(one)[0]: unescape(_VALUE.findall(one)[0]) for one in hidden}


def escaped(address: str) -> str:
    return address.replace("&", "&amp;")


def sign_in_address(return_to: str = TALK, site: str = "default") -> str:
    return "/sign-in?" + urlencode({"site": site, "return": return_to})


@asynccontextmanager
async def opened(
    database: str, folder: Path, smtp: MailServer, provider: HostileProvider, *, mail: bool = True, **more: Any
) -> AsyncIterator[House]:
    given: dict[str, Any] = {"database_url": database, "private_hosts": (provider.host,), "site_name": "The News"}
    if mail:
        given |= {"smtp_url": smtp.url, "mail_from": "The News <comments@news.example>", "work": "email-codes"}
    settings = unlimited(folder, **(given | more))
    async with running(settings, more_sign_in_methods={"test": vouched}) as server:
        await server.store.write(administration.AddSite("magazine", [], utc_now()))
        await Server(server, settings).add("house", config(provider.issuer), SECRET)
        house = House(server, smtp, provider)
        yield house
        for client in house.browsers:
            await client.aclose()
