"""docs/embedding.md, followed word by word: its own snippets in an empty file that another server has."""

from __future__ import annotations

import asyncio
import re
import shlex
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from tests.browser.conftest import Window
from tests.support.api_client import AsyncApiClient
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

DOCUMENT = (Path(__file__).parents[2] / "docs/embedding.md").read_text("utf-8")
EMPTY = '<!doctype html><html lang="en"><meta charset="utf-8"><title>News</title><link rel="icon" href="data:,">\n'
ARTICLE = "/articles/123"


def snippets(heading: str, language: str = "html") -> list[str]:
    """The pieces of code under a heading; '' is the beginning of the document."""
    section = DOCUMENT.split(f"\n## {heading}\n")[1] if heading else DOCUMENT
    return re.findall(rf"^```{language}\n(.*?)^```$", section.split("\n## ")[0], re.DOTALL | re.MULTILINE)


@dataclass
class Newspaper:
    """A server of another origin: each path has a body, and all have the same policy."""

    url: str = ""
    pages: dict[str, tuple[int, str]] = field(default_factory=dict)
    policy: str = ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        status, body = self.pages.get(request.split()[1].decode(), (404, ""))
        kind = "application/json" if body.startswith("{") else "text/html"
        head = f"HTTP/1.1 {status} Answer\r\nContent-Type: {kind}; charset=utf-8\r\nConnection: close\r\n"
        policy = f"Content-Security-Policy: {self.policy}\r\n" if self.policy else ""
        writer.write((head + policy + "\r\n" + body).encode())
        await writer.drain()
        writer.close()


@dataclass
class Press:
    """A discussion server, a newspaper that it allows, and a way to print what the document says for these two."""

    server: ServerProcess
    news: Newspaper

    def here(self, text: str) -> str:
        text = text.replace("wss://comments.example", self.server.url.replace("http", "ws"))
        return text.replace("https://comments.example", self.server.url).replace("https://news.example", self.news.url)

    def publish(self, *parts: str) -> str:
        """An empty file with these parts of the document in it; its address."""
        self.news.pages[ARTICLE] = (200, EMPTY + self.here("\n".join(parts)))
        return self.news.url + ARTICLE

    async def post(
        self, text: str, key: str | None = None, *, name: str = "A stranger", token: str | None = None
    ) -> dict[str, Any]:
        people = AsyncApiClient(self.server.url, key or self.news.url + ARTICLE, token=token, name=name)
        return await people.post_comment(text)


@pytest_asyncio.fixture(loop_scope="session")
async def press(start_server: Callable[..., ServerProcess]) -> AsyncIterator[Press]:
    news = Newspaper()
    listener = await asyncio.start_server(news.answer, "127.0.0.1", 0)
    news.url = f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    async with listener:
        yield Press(start_server("--allowed-origins", news.url), news)


LINES = snippets("")[0]
SCRIPT = LINES.splitlines()[1]


async def is_there(page: Page, total: int) -> Locator:
    found = page.locator("tertulia-discussion")
    await expect(found.get_by_role("heading", name=f"All comments [ {total} ]")).to_be_visible()
    return found


async def test_it_begins_with_three_lines() -> None:
    assert len(LINES.splitlines()) == 3


async def test_three_lines_are_a_discussion_under_the_strictest_policy(press: Press, window: Window) -> None:
    [policy] = snippets("Content Security Policy", "")
    press.news.policy = press.here(f"default-src data:; {policy.strip()}; require-trusted-types-for 'script'")
    await press.post("Said before")
    page = await window(press.publish(LINES))
    found = await is_there(page, 1)
    await found.get_by_label("Name").fill("Mai")
    await found.locator("textarea").fill("Said **here**")
    await found.get_by_role("button", name="Post comment").click()
    await expect(found.locator("[part~=body] strong")).to_have_text("here")
    await press.post("Said elsewhere")
    await is_there(page, 3)


async def test_the_script_that_cannot_change_runs(press: Press, window: Window) -> None:
    [command] = snippets("A script that cannot change", "sh")
    words = shlex.split(press.here(command))
    assert words[0] == ".venv/bin/tertulia"
    command_line = [sys.executable, "-m", "tertulia", *words[1:]]
    ended = await asyncio.to_thread(subprocess.run, command_line, capture_output=True, text=True, check=True)
    printed = ended.stdout
    assert 'integrity="sha384-' in printed
    page = await window("about:blank")
    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url) if "/embed" in request.url else None)
    await page.goto(press.publish(printed))
    found = await is_there(page, 0)
    await found.locator("textarea").fill("All in one")
    await found.locator("textarea").select_text()
    await found.get_by_role("button", name="Bold").click()
    await expect(found.locator("textarea")).to_have_value("**All in one**")
    assert len(loaded) == 1


async def test_the_event_of_the_example_reaches_the_page(press: Press, window: Window) -> None:
    await press.post("One")
    page = await window(press.publish(LINES, *snippets("Events")))
    await is_there(page, 1)
    await expect(page.locator("#how-many")).to_have_text("1")


async def test_a_drawer_asks_for_the_comments_when_it_is_opened(press: Press, window: Window) -> None:
    for number in range(12):
        await press.post(f"Number {number}")
    page = await window("about:blank", viewport={"width": 1000, "height": 600})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    [count] = [line for line in snippets("Counts on a front page")[0].splitlines() if "<script" in line]
    await page.goto(press.publish(SCRIPT, count, *snippets("In a drawer"), "<p style='block-size: 2000px'>Text</p>"))
    await expect(page.locator("tertulia-count")).to_have_text("12")
    assert not [url for url in asked if "/discussion" in url]
    await page.get_by_role("button", name="12 comments").click()
    found = await is_there(page, 12)
    drawer = page.locator("#comments")
    await expect(drawer).to_have_css("overflow-y", "auto")
    read = found.locator("article > .box", has_text="Number 5")
    await read.evaluate("box => box.scrollIntoView()")
    top = await read.evaluate("box => box.getBoundingClientRect().top")
    await press.post("Arrived meanwhile")
    await found.get_by_role("button", name="1 new comment").click()
    await expect(found.locator("article", has_text="Arrived meanwhile")).to_be_in_viewport()
    assert await page.evaluate("scrollY") == 0
    assert await read.evaluate("box => box.getBoundingClientRect().top") != top


async def test_the_styles_of_the_example_take_effect(press: Press, window: Window) -> None:
    await press.post("One")
    themed = LINES.replace("<tertulia-discussion>", '<tertulia-discussion theme="dark">')
    page = await window(press.publish(themed, *snippets("Looks")))
    found = await is_there(page, 1)
    await expect(found).to_have_css("background-color", "rgb(18, 18, 18)")
    await expect(found.locator("[part~=submit]").first).to_have_css("border-color", "rgb(138, 43, 29)")
    await expect(found.locator("[part~=submit]").first).to_have_css("border-radius", "8px")
    spacing = await found.locator("[part~=author]").evaluate("element => getComputedStyle(element).letterSpacing")
    assert spacing == "0.32px"


async def test_without_scripts_there_is_a_link_or_the_comments(press: Press, window: Window) -> None:
    link, included = snippets("Without JavaScript")
    await press.post("Found by *search engines*", key="a-slug")
    page = await window(press.publish(SCRIPT, link), java_script_enabled=False)
    await page.get_by_role("link", name="Read the comments").click()
    await expect(page.get_by_text("Found by search engines")).to_be_visible()
    [(place, query)] = re.findall(r'<!--# include virtual="(/[\w-]+)\?(.*?)" -->', included)
    [location, target] = re.search(r"location = (\S+) \{.*?proxy_pass (\S+);", DOCUMENT, re.DOTALL).groups()  # type: ignore[union-attr]
    assert place == location
    async with httpx.AsyncClient() as client:
        piece = (await client.get(f"{press.here(target)}?{query}")).raise_for_status().text
    whole = re.sub(r"<!--#.*?-->", lambda _: piece, included)
    page = await window(press.publish(SCRIPT, whole), java_script_enabled=False)
    await expect(page.get_by_text("Found by search engines")).to_be_visible()
    found = await is_there(await window(press.publish(SCRIPT, whole)), 1)
    await expect(found.locator("[part~=body]")).to_have_text("Found by search engines")


async def test_a_front_page_has_the_number(press: Press, window: Window) -> None:
    await press.post("One")
    page = await window(press.publish(*snippets("Counts on a front page")))
    await expect(page.get_by_role("link")).to_have_text("1 comments")


async def test_an_element_made_by_a_script_is_a_discussion(press: Press, window: Window) -> None:
    await press.post("One", key=f"{press.news.url}/articles/124")
    page = await window(press.publish(SCRIPT, *snippets("Frameworks")))
    await is_there(page, 1)
    await page.locator("tertulia-discussion").evaluate("element => element.setAttribute('discussion', 'another')")
    await is_there(page, 0)


async def test_methods_and_properties_are_there(press: Press, window: Window) -> None:
    await press.post("The river")
    await press.post("The bridge")
    page = await window(press.publish(LINES))
    found = await is_there(page, 2)
    assert await found.evaluate("element => element.search('RIVER')") == 1
    assert await found.evaluate("element => element.search('')") == 2
    assert await found.evaluate("element => element.goTo('nowhere')") is False
    await expect(found.locator("[part~=status]")).to_contain_text("reader")
    assert await found.evaluate("e => [e.state, e.connection, e.total, e.unseen]") == ["ready", "live", 2, 0]
    await found.evaluate("element => element.pause()")
    await press.post("A third")
    await page.wait_for_function("document.querySelector('tertulia-discussion').unseen === 1")
    await found.evaluate("element => element.play()")
    await expect(found.locator("[part~=body]")).to_have_count(3)


async def test_readers_of_the_newspaper_sign_in(press: Press, window: Window) -> None:
    [element] = snippets("Readers of your own")
    [endpoint] = re.findall(r'token-endpoint="([^"]+)"', element)
    press.news.pages[endpoint] = (401, "{}")
    page = await window(press.publish(SCRIPT, element))
    found = await is_there(page, 0)
    await expect(found.get_by_role("button", name="Sign in to comment")).to_be_visible()
    await expect(found.locator("textarea")).to_be_hidden()
    secret = (press.server.data_dir / "secret-key").read_text("utf-8").strip()
    now = int(time.time())
    claims = {"iss": "tertulia", "aud": "default", "sub": str(uuid.uuid4()), "name": "Mai", "member": True}
    token = jwt.encode({**claims, "iat": now, "exp": now + 3600}, secret, algorithm="HS256")
    press.news.pages[endpoint] = (200, f'{{"token": "{token}"}}')
    await found.get_by_role("button", name="Sign in to comment").click()
    await expect(found.get_by_text("Signed in as Mai")).to_be_visible()
    await found.locator("textarea").fill("Under my own name")
    await found.get_by_role("button", name="Post comment").click()
    await expect(found.locator("[part~=author]")).to_have_text("Mai")
    await expect(found.get_by_role("button", name="Edit")).to_be_visible()
    await found.get_by_role("button", name="Reply").click()
    await found.locator("article textarea").fill("And answered")
    await found.get_by_role("button", name="Post reply").click()
    await expect(found.locator("[part~=author]")).to_have_text(["Mai", "Mai"])
    # whoever calls the API with the token has no other name either
    own = await press.post("Under another name", name="Somebody else", token=token)
    assert own["comment"]["author"]["name"] == "Mai"
    assert own.get("token") is None
    await found.evaluate("element => element.setToken(null)")
    await expect(found.get_by_role("button", name="Sign in to comment")).to_be_visible()
