"""For tests of the moderators' desk: readers who write, moderators in windows, and one who decides over the API."""

from __future__ import annotations

import re
from itertools import count
from typing import Any

import httpx
from playwright.async_api import Page, WebSocketRoute, expect

from tertulia.protocol import API
from tests.browser.conftest import Window, tertulia
from tests.support.api_client import AsyncApiClient
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE, wait_until

_tokens: dict[ServerProcess, str] = {}
_numbers = count(1)


class Newsroom:
    """A site of its own with one discussion, in which every comment waits."""

    def __init__(self, server: ServerProcess, window: Window) -> None:
        self.server = server
        self.site = f"news-{next(_numbers)}"
        self._window = window
        self._data = ("--data-dir", str(server.data_dir))
        tertulia("site", "add", self.site, *self._data)
        there = f"{server.url}{API}/discussion?site={self.site}&key=talk"
        wait_until(lambda: httpx.get(there, timeout=PATIENCE).status_code == 200, "the site is not known")
        if server not in _tokens:
            printed = tertulia("moderator", "add", "Sáu", *self._data)
            _tokens[server] = max(re.findall(r"\S+", printed), key=len)
        self._moderator = AsyncApiClient(server.url, "talk", token=_tokens[server])
        self._authors: dict[str, AsyncApiClient] = {}
        self._is_ready = False

    async def say(self, text: str, name: str = "Lan") -> str:
        """A comment that waits; its id."""
        if not self._is_ready:
            await self._moderator.ask("PATCH", f"/discussion?site={self.site}&key=talk", {"mode": "held"})
            self._is_ready = True
        guest = AsyncApiClient(self.server.url, "talk", name=name)
        posted = await guest.post_comment(text, statuses=(202,), site=self.site)
        self._authors[posted["comment"]["id"]] = AsyncApiClient(self.server.url, "talk", token=posted["token"])
        return str(posted["comment"]["id"])

    async def edit(self, comment_id: str, text: str) -> None:
        """By its author."""
        await self._authors[comment_id].ask("PATCH", f"/comments/{comment_id}", {"body": text})

    async def decide(self, comment_id: str, act: str) -> None:
        """By Sáu, about the comment as it is now."""
        [item] = await self._items(comment_id)
        decision = {"comment_id": comment_id, "version": item["version"], "do": act}
        answer = await self._moderator.ask("POST", "/staff/decisions", {"site": self.site, "decisions": [decision]})
        assert answer["results"][0]["problem"] is None, answer

    async def decisions(self, *ids: str) -> list[tuple[str, str] | None]:
        """The verb and the reason of what was decided last about each."""
        last = [item["decision"] for item in await self._items(*ids)]
        return [one and (one["verb"], one["reason"]) for one in last]

    async def _items(self, *ids: str) -> list[dict[str, Any]]:
        query = "&".join(f"id={one}" for one in ids)
        found = (await self._moderator.ask("GET", f"/staff/items?site={self.site}&{query}", None))["items"]
        return sorted(found, key=lambda item: ids.index(item["comment"]["id"]))

    async def opened(self, name: str, queue: str = "waiting", *, deaf: bool = False, **options: Any) -> Page:
        """The desk in a window of a moderator's own; ``deaf`` where no event comes through."""
        invited = ("--site", self.site, "--role", "moderator", "--public-url", self.server.url)
        page = await self._window(tertulia("staff", "invite", name, *invited, *self._data).strip(), **options)
        if deaf:
            await page.route_web_socket(re.compile("/staff/live"), _ignore)
        await page.locator("main button").click()
        await page.wait_for_url(re.compile("/staff(/sites/.*)?$"))
        await self.go(page, queue)
        return page

    async def go(self, page: Page, queue: str) -> None:
        await page.goto(f"{self.server.url}/staff/sites/{self.site}/desk/{queue}")
        await expect(page.locator(".desk-tools")).to_be_attached()


def _ignore(_route: WebSocketRoute) -> None:
    """A socket that is open and says nothing."""
