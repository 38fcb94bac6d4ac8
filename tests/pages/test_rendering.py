"""Long pages are made a piece at a time, so that nobody waits for one that somebody else asked for."""

from __future__ import annotations

import asyncio
from itertools import pairwise

import httpx
import pytest

from tertulia.pages import rendering
from tests.pages.posting import post_comment

THREADS = 40


@pytest.mark.parametrize("address", ["/d?key=talk", "/embed.html?key=talk"])
async def test_the_loop_does_other_things_between_the_threads_of_a_page(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    for number in range(THREADS):
        await post_comment(client, f"Number {number}.")
    pauses = 0
    sleep = asyncio.sleep

    async def counted(seconds: float) -> None:
        nonlocal pauses
        pauses += 1
        await sleep(seconds)

    monkeypatch.setattr(rendering, "SLICE_SECONDS", 0.0)  # every piece is late
    monkeypatch.setattr(asyncio, "sleep", counted)
    assert (await client.get(address)).status_code == 200
    assert pauses > THREADS


async def test_of_two_long_pages_the_second_begins_when_the_first_is_made(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(THREADS):
        await post_comment(client, f"Number {number}.")
    paused: list[asyncio.Task[object] | None] = []
    sleep = asyncio.sleep

    async def noted(seconds: float) -> None:
        paused.append(asyncio.current_task())
        await sleep(seconds)

    monkeypatch.setattr(rendering, "SLICE_SECONDS", 0.0)
    monkeypatch.setattr(asyncio, "sleep", noted)
    asking = [asyncio.create_task(client.get("/d?key=talk")) for _ in range(2)]
    await asyncio.gather(*asking)
    order = [task for task in paused if task in asking]
    turns = 1 + sum(one is not other for one, other in pairwise(order))
    assert len(order) > 2 * THREADS
    assert turns == 2
