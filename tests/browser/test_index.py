"""The search of a long discussion asks the server's index, and reads all pages where there is none."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from playwright.async_api import expect

from tertulia.protocol import API
from tests.browser.conftest import Window
from tests.browser.pages import comment, evaluate_element, host, post, shown
from tests.support.server import ServerProcess
from tests.support.waiting import until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MANY = 560
"""More than are read sooner than the index is asked; two of them are looked for, the oldest."""


async def _fill(server: ServerProcess) -> None:
    above = await post(server, "Who lives at the river?", key="long")
    await post(server, "Under the old bridge a heron", key="long", parent_id=above["comment"]["id"])
    for number in range(MANY):
        await post(server, f"Number {number}", key="long")


async def _are_indexed(server: ServerProcess) -> bool:
    asked = {"q": "heron", "key": "long"}
    async with httpx.AsyncClient() as client:
        return bool((await client.get(f"{server.url}{API}/search", params=asked)).json()["results"])


@pytest.mark.parametrize("has_index", [True, False])
async def test_what_no_page_brought_is_found(
    start_server: Callable[..., ServerProcess], window: Window, has_index: bool
) -> None:
    server = start_server(*(["--search"] if has_index else []))
    await _fill(server)
    if has_index:
        await until(lambda: _are_indexed(server), "the comments to be indexed")
    page = await window("about:blank")
    pages: list[str] = []
    page.on("request", lambda request: pages.append(request.url) if f"{API}/comments?" in request.url else None)
    await host(page, server, '<tertulia-discussion key="long" loading="eager"></tertulia-discussion>')
    await shown(page)
    articles = page.locator("tertulia-discussion article:not([hidden])")

    words = "HERON bridge" if has_index else "bridge a heron"
    assert await evaluate_element(page, f"return el.search('{words}')") == 1
    await expect(articles).to_have_count(2)
    await expect(comment(page, "Who lives at the river?").first).to_be_visible()
    await expect(page.locator("tertulia-discussion .found")).to_contain_text("1")
    await expect(comment(page, "Under the old bridge").first).to_be_visible()
    assert (pages == []) is has_index

    assert await evaluate_element(page, "return el.search('a word that nobody said')") == 0
    await expect(articles).to_have_count(0)
    await evaluate_element(page, "return el.search('')")
    await expect(comment(page, f"Number {MANY - 1}")).to_be_visible()
