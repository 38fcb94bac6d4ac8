"""A server with a provider and a mail server, and people who sign in to the staff's pages there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import httpx

from tertulia.core.roles import Role
from tertulia.identity import new_invitation, utc_now
from tertulia.staff.routes import COOKIE
from tertulia.store import schema
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import Invite, TakeRole
from tertulia.web.session_cookie import PREFIX
from tests.pages.house import Browser, House

SIGN_IN, WAYS = "/staff/sign-in", "/staff/ways-in"
STAFF_COOKIE = f"{PREFIX}{COOKIE}"
MAI = "mai@example.com"


@dataclass
class Office:
    house: House

    async def link(self, name: str = "Mai", role: Role = Role.owner, site: str | None = "default") -> str:
        token, hashed = new_invitation()
        await self.house.server.store.write(Invite(OPERATOR, name, site, role, hashed, utc_now()))
        return token

    async def signed_in(self, name: str = "Mai", role: Role = Role.owner, site: str | None = "default") -> Browser:
        """Somebody who came by a link."""
        browser = self.house.browser()
        answer = await browser.post(SIGN_IN, link=await self.link(name, role, site))
        assert (answer.status_code, has_session(answer)) == (303, True), answer.text
        return browser

    async def take(self, name: str = "Mai", role: Role | None = None, site: str | None = "default") -> None:
        await self.house.server.store.write(TakeRole(OPERATOR, name, site, role, utc_now()))

    async def code_form(self, browser: Browser, root: str, email: str = MAI, site: str = "default") -> httpx.Response:
        """Has a code sent; the page that asks for it."""
        sent = await browser.post(f"{root}/code", email=email, site=site)
        assert sent.status_code == 303, sent.text
        return await browser.get(sent.headers["location"])

    async def by_mail(self, browser: Browser, email: str = MAI) -> httpx.Response:
        """Signs in by a code; the answer to the last form."""
        since = len(self.house.smtp.mail)
        page = await self.code_form(browser, SIGN_IN, email)
        return await browser.send(page, f"{SIGN_IN}/session", code=await self.house.smtp.code(since))

    async def attach_mail(self, browser: Browser, email: str = MAI) -> httpx.Response:
        since = len(self.house.smtp.mail)
        page = await self.code_form(browser, WAYS, email)
        return await browser.send(page, f"{WAYS}/add", code=await self.house.smtp.code(since))

    async def come_back(self, browser: Browser, purpose: str, **query: str) -> httpx.Response:
        """Goes to the provider, and comes back with a code."""
        sent = await browser.get(f"/signin/house?as={purpose}&return=/staff")
        assert sent.status_code == 303, sent.text
        state = self.house.provider.went(sent.headers["location"])["state"]
        given = {"code": "a-code", "state": state} | query
        return await browser.client.get("/signin/house/callback", params=given)

    async def attach_account(self, browser: Browser) -> httpx.Response:
        page = await self.come_back(browser, "staff-way")
        return await browser.send(page, f"{WAYS}/add")

    async def an_hour_later(self) -> None:
        """As far as codes are concerned, of which one address gets three an hour."""
        row = schema.challenge.c
        await self.house.run(
            schema.challenge.update().values(at=row.at - 3_600_000, expires_at=row.expires_at - 3_600_000)
        )

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        return await self.house.rows(table)

    async def log(self, *verbs: str) -> list[tuple[str, str, str]]:
        """Who did what, by which way: those of these verbs, the oldest first."""
        found = sorted(await self.rows(schema.action), key=lambda one: str(one["id"]))
        return [(one["actor"], one["verb"], one["data"].get("via", "")) for one in found if one["verb"] in verbs]

    async def staff_sessions(self) -> int:
        """How many are open."""
        found = await self.rows(schema.session)
        return sum(one["scope"] == "staff" and one["revoked_at"] is None for one in found)


def has_session(answer: httpx.Response) -> bool:
    return any(one.startswith(f"{STAFF_COOKIE}=ts_") for one in answer.headers.get_list("set-cookie"))
