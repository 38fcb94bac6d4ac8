"""Owners who attach ways in and sign in by them, in a browser; on a phone and on a desk."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from tests.browser.conftest import Window
from tests.browser.faults import faults
from tests.browser.test_staff import invite
from tests.support.providers import SECRET, HostileProvider
from tests.support.server import ServerProcess
from tests.support.smtp import MailServer, mail_server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@dataclass
class Office:
    server: ServerProcess
    provider: HostileProvider
    smtp: MailServer


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def office(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Office]:
    folder: Path = tmp_path_factory.mktemp("office")
    (folder / "secret").write_text(SECRET)
    async with HostileProvider(name="localhost") as provider, mail_server() as smtp:
        flags = ["--private-hosts", provider.host, "--smtp-url", smtp.url, "--mail-from", "comments@news.example"]
        server = ServerProcess(folder / "data", flags)
        adding = ["provider", "add", "default", "house", "--issuer", provider.issuer, "--client-id", "us"]
        adding += ["--client-secret-file", str(folder / "secret"), "--data-dir", str(folder / "data")]
        adding += ["--label", "The House"]
        await asyncio.to_thread(subprocess.run, [sys.executable, "-m", "tertulia", *adding], check=True)
        yield Office(server, provider, smtp)
        server.end()


@pytest.mark.parametrize(
    ("locale", "scheme", "name"),
    [("en", "light", "Mai Phương"), ("en", "dark", "Thu Hà"), ("vi", "dark", "Ngọc Anh"), ("vi", "light", "Quang Huy")],
)
async def test_an_owner_attaches_ways_in_and_signs_in_by_each(
    office: Office, window: Window, locale: str, scheme: str, name: str
) -> None:
    found: list[str] = []
    page = await window(invite(office.server, name), locale=locale, color_scheme=scheme)

    async def look(state: str) -> None:
        found.extend(await faults(page, f"ways-{state}-{locale}-{scheme}"))

    email, since = f"{locale}.{scheme}@example.com", len(office.smtp.mail)
    office.provider.claims = {"sub": name, "name": name}
    await page.locator("main button").click()
    await page.locator("a[href='/staff/ways-in']").click()
    await look("none")
    await page.locator(".ways a").click()
    await page.locator("#yes").click()
    await expect(page.locator("main bdi")).to_have_text(name)
    await look("confirm")
    await page.locator("main button").click()
    await expect(page.locator(".rows li")).to_have_count(1)
    await page.locator("#email").fill(email)
    await page.locator(".fields button").last.click()
    await page.locator("#code").fill("12")
    await page.locator("main button").click()
    await look("code-wrong")
    await page.locator("#code").fill(await office.smtp.code(since))
    await page.locator("main button").click()
    await expect(page.locator(".rows li")).to_have_count(2)
    await look("two")
    await page.goto(f"{office.server.url}/staff/sites/default")
    await look("people")
    await page.goto(f"{office.server.url}/staff/log?site=default")
    await look("log")
    await sign_out(page)
    await look("sign-in")
    await page.locator(".ways a").click()
    await page.locator("#yes").click()
    await expect(page.locator(".who")).to_contain_text(name)
    await sign_out(page)
    await page.locator("#email").fill(email)
    await page.locator(".fields").first.get_by_role("button").click()
    await look("code")
    await page.locator("#code").fill(await office.smtp.code(since + 1))
    await page.locator("main button").click()
    await expect(page.locator(".who")).to_contain_text(name)
    await sign_out(page)
    office.provider.claims = {"sub": f"another {name}"}
    await page.locator(".ways a").click()
    await page.locator("#yes").click()
    await look("no-role")
    await expect(page.locator("main .trouble")).to_be_visible()
    assert {one["name"] for one in await page.context.cookies()} <= {"tertulia-signin"}
    assert found == []


async def sign_out(page: Page) -> None:
    await page.locator(".who button").click()
    await expect(page.locator("#token")).to_be_visible()
