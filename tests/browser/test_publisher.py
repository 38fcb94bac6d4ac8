"""A publisher who follows docs/signing-in.md alone: members by a token, at a provider, by a code, and shown the door.

Two instances share a database and a Redis. The page and the address that tells who is signed in are the publisher's, on
a port of their own; what answers there is the program that docs/signing-in.md prints.
"""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import threading
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Window
from tests.browser.pages import comment, form, write
from tests.faults.cluster import Cluster, cluster
from tests.people.test_signing_in_docs import PAGE, program
from tests.support.api_client import AsyncApiClient
from tests.support.providers import SECRET, HostileProvider
from tests.support.smtp import MailServer, mail_server

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

COMMENTS = 30
_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The night market</title>
<link rel="icon" href="data:,"><script async src="{server}/embed.js"></script></head><body><h1>The night market</h1>
<tertulia-discussion key="market" loading="eager" {attributes}></tertulia-discussion></body></html>"""
_PAGES = {"/guests": "", "/members": 'token-endpoint="/tertulia-token"', "/all": "sign-in"}
_WHO = 'return {"id": "4711", "name": "Nguyễn Thị Lan"}'


class Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""


class Website:
    """The publisher's pages and, at ``/tertulia-token``, the program of the documentation, given its secret.

    Whoever has the cookie ``account`` is its reader. ``server`` is where the page loads the element from.
    """

    def __init__(self) -> None:
        given = program("python")
        assert _WHO in given
        scope: dict[str, Any] = {"__name__": "endpoint", "has_account": _has_account}
        exec(given.replace(_WHO, f"{_WHO} if has_account(environ) else None"), scope)
        self._endpoint = scope["application"]
        self._server = make_server("127.0.0.1", 0, self._answer, handler_class=Silent)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.server = ""

    def _answer(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/tertulia-token":
            answer: list[bytes] = self._endpoint(environ, start_response)
            return answer
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [_PAGE.format(server=self.server, attributes=_PAGES[environ["PATH_INFO"]]).encode()]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _has_account(environ: dict[str, Any]) -> bool:
    return "account" in SimpleCookie(environ.get("HTTP_COOKIE", ""))


@dataclass
class Publishing:
    """What the publisher has once the documentation was followed."""

    instances: Cluster
    smtp: MailServer
    website: str = ""

    @property
    def here(self) -> str:
        """The first instance; the provider is of the same site."""
        return f"http://localhost:{self.instances.instances['A'].port}"

    def client(self, instance: str, token: str) -> AsyncApiClient:
        return AsyncApiClient(self.instances.instances[instance].url, "market", token=token)

    async def token(self, page: Page) -> str:
        """What the element keeps for this origin."""
        found: str = await page.evaluate(f"localStorage.getItem('tertulia:token:{self.here}:default')")
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def place(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Publishing]:
    folder: Path = tmp_path_factory.mktemp("publisher")
    provider, site = HostileProvider(name="localhost"), Website()
    async with provider, mail_server() as smtp, AsyncExitStack() as stack:
        stack.callback(site.close)
        given = stack.enter_context(pytest.MonkeyPatch.context())
        given.chdir(folder)
        given.setenv("TERTULIA_SECRET_KEY_FILE", str(folder / "key"))
        flags = ["--allowed-origins", site.url, "--private-hosts", provider.host]
        flags += ["--smtp-url", smtp.url, "--mail-from", "The News <comments@news.example>"]
        found = Publishing(stack.enter_context(cluster(folder, *flags, names="AB")), smtp, site.url)
        site.server = found.here
        given.setenv("SITE_SECRET", await asyncio.to_thread(_set_up, found.instances, provider.issuer))
        yield found


def _set_up(instances: Cluster, provider: str) -> str:
    """The commands of the documentation, and the one that adds a provider; the secret of the website."""
    for line in _commands():
        if line.startswith("tertulia "):
            instances.command(*shlex.split(line)[1:])
        else:
            subprocess.run(["sh", "-c", line], check=True)
    Path("client").write_text(SECRET)
    arguments = ("--issuer", provider, "--client-id", "us", "--client-secret-file", "client", "--label", "House")
    instances.command("provider", "add", "default", "house", *arguments)
    return Path("secret").read_text().strip()


def _commands() -> list[str]:
    """Those of the first step of the page."""
    [block] = re.findall(r"\*\*1\. A secret.*?```sh\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return str(block).splitlines()


def who(page: Page) -> Locator:
    return page.locator("tertulia-discussion .sign-in")


async def say(page: Page, text: str) -> None:
    """As a member, who has a name."""
    await form(page).locator("textarea").fill(text)
    await form(page).get_by_role("button", name="Post comment").click()


async def test_thirty_comments_of_a_guest_go_with_them(window: Window, place: Publishing) -> None:
    page = await window(f"{place.website}/guests")
    await write(page, "Guest of the market", "Said before, 1")
    await expect(comment(page, "Said before, 1").get_by_role("button", name="Edit")).to_be_visible()
    guest = place.client("B", await place.token(page))
    for number in range(2, COMMENTS + 1):
        await guest.post_comment(f"Said before, {number}")
    await page.context.add_cookies([{"name": "account", "value": "4711", "url": place.website}])
    await page.goto(f"{place.website}/members")
    await expect(who(page)).to_contain_text("Signed in as Nguyễn Thị Lan")
    await expect(comment(page, f"Said before, {COMMENTS}").get_by_role("button", name="Edit")).to_be_visible()
    member = place.client("B", await place.token(page))
    said = (await member.snapshot(limit=100))["comments"]
    assert len(said) == COMMENTS
    for one in said:
        await member.edit(one["id"], "Said by the member")


async def test_a_reader_comes_in_at_a_provider(window: Window, place: Publishing) -> None:
    page = await window(f"{place.website}/all")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    async with page.context.expect_page() as opening:
        await page.get_by_role("button", name="Continue with House").click()
    popup = await opening.value
    await popup.locator("#yes").click()
    await expect(who(page)).to_contain_text("Signed in as Lan")
    assert await page.context.cookies(place.website) == []


async def test_a_reader_comes_in_by_a_code_and_is_shown_the_door(window: Window, place: Publishing) -> None:
    page = await window(f"{place.website}/all")
    await page.get_by_role("button", name="Sign in", exact=True).click()
    panel, since = page.locator("tertulia-discussion form.sign"), len(place.smtp.mail)
    await panel.get_by_label("Email address").fill("quan@example.com")
    await panel.get_by_role("button", name="Send me a code").click()
    await panel.get_by_label("Code from the email").fill(await place.smtp.code(since))
    await panel.get_by_label("Code from the email").press("Enter")
    await panel.get_by_label("Name", exact=True).fill("Quân of the market")
    await panel.get_by_label("Name", exact=True).press("Enter")
    await expect(who(page)).to_contain_text("Signed in as Quân of the market")
    await say(page, "A first word")
    await expect(comment(page, "A first word").get_by_role("button", name="Edit")).to_be_visible()
    reader = place.client("B", await place.token(page))
    await reader.post_comment("A second word, at the other instance")

    link = place.instances.command(
        "staff", "invite", "Mai", "--site", "default", "--role", "owner", "--public-url", place.here
    )
    desk = await window(link.strip())
    await desk.get_by_role("button").click()
    await desk.get_by_role("link", name="Members").click()
    await desk.get_by_role("button", name="End all sessions: Quân of the market").click()
    await expect(desk.get_by_role("button", name="End all sessions: Quân of the market")).to_have_count(0)
    assert (await reader.post_comment("A last word", [401]))["code"] == "unauthenticated"
    await say(page, "A last word")
    await expect(comment(page, "A last word")).to_contain_text("Not sent. You are no longer signed in; sign in again.")
    await expect(page.get_by_role("button", name="Sign in", exact=True)).to_be_visible()
    await expect(form(page).get_by_label("Name")).to_be_visible()
    assert place.instances.command("check").strip()
