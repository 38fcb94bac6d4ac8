"""A server that sends mail, and readers who sign in on its own pages by a code."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from playwright.async_api import Page

from tests.support.server import ServerProcess
from tests.support.smtp import MailServer, mail_server


@dataclass
class MailingServer:
    server: ServerProcess
    smtp: MailServer

    def talk(self, key: str) -> str:
        """The page of a discussion."""
        return f"{self.server.url}/d?{urlencode({'site': 'default', 'key': key})}"

    async def sign_in(self, page: Page, name: str, return_to: str) -> None:
        """On the server's own pages, and on to an address of it."""
        path = return_to.removeprefix(self.server.url)
        await page.goto(f"{self.server.url}/sign-in?{urlencode({'return': path})}")
        since = len(self.smtp.mail)
        await page.locator("#email").fill(f"{'.'.join(name.split()).encode().hex()}@example.com")
        await page.locator(".composer button").click()
        await page.locator("#code").fill(await self.smtp.code(since))
        await page.locator(".composer button").click()
        await page.locator("#name").fill(name)
        await page.locator(".composer button").click()
        await page.locator(".account bdi").wait_for()


@asynccontextmanager
async def open_mailing(folder: Path) -> AsyncIterator[MailingServer]:
    async with mail_server() as smtp:
        server = ServerProcess(folder, ["--smtp-url", smtp.url, "--mail-from", "comments@news.example"])
        yield MailingServer(server, smtp)
        server.end()
