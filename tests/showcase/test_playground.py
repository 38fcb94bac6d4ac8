"""The playground is there where it is wanted, under the policy of all pages, with discussions that were made for it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import httpx
import pytest

from tertulia.app import running
from tertulia.languages import TAGS
from tertulia.pages.rendering import HEADERS
from tertulia.settings import Settings
from tertulia.showcase.playground.discussions import LONG_COUNT, PREFIX, WITHHELD, discussions
from tertulia.showcase.playground.page import FAULTS, ONE_TIME_FAULTS, STATES
from tests.support.api_client import ApiClient
from tests.support.server import ServerProcess

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)


async def test_a_server_has_none_unless_it_is_told(client: httpx.AsyncClient) -> None:
    assert (await client.get("/playground")).status_code == 404


@pytest.fixture
async def page(settings: Settings) -> str:
    """The page of a server that has the playground; each of its files is there, and for ever."""
    async with running(settings.model_copy(update={"playground": True})) as server:
        transport = httpx.ASGITransport(server.asgi, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
            answer = await client.get("/playground")
            assert answer.status_code == 200
            assert answer.headers["content-security-policy"] == HEADERS["Content-Security-Policy"]
            for path in re.findall(r'(?:src|href)="(/playground[\w.-]+)"', answer.text):
                file = await client.get(path)
                assert file.status_code == 200, path
                assert "immutable" in file.headers["cache-control"], path
            return answer.text


async def test_nothing_is_inline_and_faults_come_before_the_client(page: str) -> None:
    scripts = re.findall(r'<script src="([^"]+)" defer></script>', page)
    assert [re.sub(r"\.[0-9a-f]{16}", "", path) for path in scripts] == [
        "/playground-before.js",
        "/embed.js",
        "/playground.js",
    ]
    assert len(re.findall(r"<script", page)) == 3
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)


async def test_every_state_language_and_fault_is_offered(page: str) -> None:
    assert re.findall(r'data-state="([\w-]+)"', page) == ["live", *(state.name for state in STATES)]
    for state in STATES:
        assert f'id="state-{state.name}"' in page
    for value in (*TAGS, *(name for name, _ in FAULTS)):
        assert f'<option value="{value}"' in page
    assert re.findall(r'data-once="([\w-]+)"', page) == [name for name, *_ in ONE_TIME_FAULTS]
    given = [json.loads(unescape(text)) for text in re.findall(r'data-attributes="([^"]*)"', page)]
    assert given == [{}, *(state.attributes for state in STATES)]


def test_names_of_states_are_said_once() -> None:
    assert len({state.name for state in STATES}) == len(STATES)
    assert {state.source for state in STATES} == {"server", "by hand", "staged"}


# ---- the discussions ------------------------------------------------------------------------------------


def test_a_state_that_needs_comments_or_a_mode_has_a_discussion() -> None:
    made = {one["key"].removeprefix(PREFIX): one for one in discussions(NOW)}
    unmade = {state.key for state in STATES} - made.keys()
    assert unmade == {"empty", "own", "queued", "loading", "error"}
    assert {name: one["mode"] for name, one in made.items() if "mode" in one} == {
        "held": "held",
        "approval": "held",
        "closed": "closed",
        "closing": "closed",
    }
    assert len(made["long"]["comments"]) == LONG_COUNT


def test_their_times_are_before_now_in_every_unit() -> None:
    ages = sorted(
        NOW - datetime.fromisoformat(comment["at"]) for one in discussions(NOW) for comment in one["comments"]
    )
    assert ages[0] > timedelta(0)
    for least, most in ((1, 59), (60, 24 * 60 - 1), (24 * 60, 30 * 24 * 60), (30 * 24 * 60, 365 * 24 * 60)):
        assert any(timedelta(minutes=least) <= age <= timedelta(minutes=most) for age in ages), least


def test_what_is_to_arrive_is_a_reply_and_two_others_at_the_end() -> None:
    [busy] = [one for one in discussions(NOW) if one["key"] == f"{PREFIX}busy"]
    newest = sorted(busy["comments"], key=lambda comment: str(comment["at"]))[-WITHHELD:]
    assert newest == busy["comments"][-WITHHELD:]
    assert [comment.get("parent") for comment in newest] == ["talk-0", None, None]


@pytest.mark.parametrize(
    ("flags", "has_it"),
    [
        ([], False),
        (["--with-samples"], True),
        (["--playground", "true"], True),
        (["--with-samples", "--playground", "false"], False),
    ],
    ids=["by itself", "with samples", "asked for", "refused"],
)
def test_serve_makes_them_where_there_is_a_playground(
    start_server: Callable[..., ServerProcess], flags: list[str], has_it: bool
) -> None:
    server = start_server(*flags)
    assert ("/playground" in server.output) is has_it
    assert httpx.get(f"{server.url}/playground").status_code == (200 if has_it else 404)
    closed = ApiClient(server.url, f"{PREFIX}closed").snapshot()
    assert closed["discussion"]["mode"] == ("closed" if has_it else "open")
    assert len(closed["comments"]) == (3 if has_it else 0)


def test_a_second_start_makes_nothing_twice(start_server: Callable[..., ServerProcess], tmp_path: Path) -> None:
    keys = [("key", one["key"]) for one in discussions(NOW)]
    counts = []
    for _ in range(2):
        server = start_server("--playground", "true", data_dir=tmp_path / "same")
        counts.append(httpx.get(f"{server.url}/api/v1/counts", params=keys).json())
        server.end()
    assert counts[0] == counts[1]
    assert all(one["count"] for one in counts[0]["counts"])
