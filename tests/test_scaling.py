"""What docs/scaling.md shows is what the simulation prints, from what was measured and from what the code says."""

from __future__ import annotations

import random
import re
from pathlib import Path

import pytest

from bench.simulation import figures, page
from bench.simulation.figures import MEASURED, Given, table
from bench.simulation.hot import Loop
from bench.simulation.page import filled
from bench.simulation.storm import Crowd, Storm
from tertulia.live import rate, summary, tuning
from tertulia.serving import listening
from tertulia.settings import Settings

ROOT = Path(__file__).parent.parent
NUMBER = re.compile(r"[\d,.]+")


def measured(row: str) -> float:
    """The first figure of a row of docs/benchmarks.md."""
    for line in (ROOT / "docs/benchmarks.md").read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) > 2 and cells[1] == row:
            found = NUMBER.match(cells[2])
            assert found is not None
            return float(found[0].replace(",", ""))
    raise AssertionError(f"docs/benchmarks.md has no row {row!r}")


def test_the_page_shows_what_the_simulation_prints() -> None:
    text = (ROOT / "docs/scaling.md").read_text("utf-8")
    assert len(page.BLOCK.findall(text)) == len(page.TABLES)
    assert filled(text) == text, "run: python -m bench.simulation --write"


@pytest.mark.parametrize("given", MEASURED, ids=lambda given: given.row)
def test_figures_are_near_to_what_was_measured(given: Given) -> None:
    """A run on a slower day must not fail here; a figure that no longer holds must."""
    now = given.of(measured(given.row))
    assert given.value / 2 < now < given.value * 2
    figure = NUMBER.match(given.unit)
    assert figure is not None
    unit = {"µs": 1e-6, "ms": 1e-3}.get(given.unit.split()[1], 1)
    assert float(figure[0]) * unit == pytest.approx(given.value)


@pytest.mark.parametrize(
    ("told", "row"),
    [
        (r"writes ([\d,]+) messages a second", "deliveries/s, 1 on their way"),
        (r"and ([\d.]+) KiB a reader", "KiB an idle reader"),
        (r"\| connects \| ([\d,]+)", "connects/s"),
        (r"all they missed in ([\d.]+) s", "s until 10,000 cut off readers have all they missed"),
        (r"\| posts \| ([\d,]+)", "durable posts/s on SQLite, 64 writers"),
        (r"and ([\d,]+) on PostgreSQL", "durable posts/s on PostgreSQL, 64 writers"),
    ],
)
def test_operators_are_told_what_was_measured(told: str, row: str) -> None:
    found = re.search(told, (ROOT / "docs/operating.md").read_text("utf-8"))
    assert found is not None
    assert float(found[1].replace(",", "")) == pytest.approx(measured(row), rel=0.5)


def test_constants_are_those_of_the_code() -> None:
    default = Settings()
    assert (figures.SLICE, figures.TICK_SECONDS) == (tuning.SLICE, tuning.TICK_SECONDS)
    assert figures.PRESENCE_SECONDS == tuning.READERS_SECONDS
    assert figures.OTHERS_SECONDS == tuning.PEERS_SECONDS
    assert figures.AGAIN_SECONDS == tuning.REPEAT_SECONDS
    assert (default.tick_rate, default.summary_rate) == (figures.TICK_RATE, figures.SUMMARY_RATE)
    assert (default.connections, default.drain_seconds) == (figures.CONNECTIONS, figures.DRAIN_SECONDS)
    assert figures.BACKLOG == listening.BACKLOG
    assert figures.WATCH_SECONDS == tuning.RECONCILE_SECONDS
    assert summary.SHOWN == 10
    assert rate.DeliveryMode.instant.value == "instant"


def test_the_client_waits_as_simulated() -> None:
    stream, backoff = ((ROOT / "client/src/live" / name).read_text("utf-8") for name in ("stream.js", "backoff.js"))
    loading = (ROOT / "client/src/loading.js").read_text("utf-8")
    assert f"code === 1012) return this.#platform.random() * {figures.RESTART_JITTER * 1000:.0f}" in stream
    assert f"OPEN_MS = {figures.OPEN_SECONDS * 1000:_.0f}" in stream
    base, longest = figures.BACKOFF_BASE * 1000, figures.BACKOFF_LONGEST * 1000
    assert f"base = {base:.0f}, longest = {longest:_.0f}" in backoff
    assert f"* ceiling + {figures.BACKOFF_LEAST * 1000:.0f}" in backoff
    assert "Math.random() * SPREAD_MS" in loading
    assert f"SPREAD_MS = {figures.RELOAD_JITTER * 1000:.0f};" in loading


def test_one_event_is_one_message_to_each_reader() -> None:
    """One event in a while: a pass from the first reader to the last."""
    loop = Loop(10_000, 0, 0.2, figures.TICK_RATE, 60.0, random.Random(1)).run()
    assert loop.frames == pytest.approx(12, abs=8)
    assert max(loop.waits) >= 10_000 * figures.WRITE.value
    presence = 60 * 10_000 * figures.WRITE.value
    assert loop.busy == pytest.approx(presence + loop.frames * 10_000 * figures.WRITE.value, rel=0.05)


def test_a_busy_loop_makes_larger_messages_not_longer_waits() -> None:
    calm, busy = (Loop(10_000, 0, rate, figures.TICK_RATE, 20.0, random.Random(1)).run() for rate in (20.0, 90.0))
    assert busy.frames < 1.3 * calm.frames
    assert max(busy.waits) < 2 * max(calm.waits)


def test_everybody_comes_back_once_and_costs_what_it_costs() -> None:
    crowd = Crowd(Storm("few", 1_000, 1, lambda chance: 0.0, busy=0.0), random.Random(1)).run()
    assert len(crowd.back) == 1_000
    assert max(crowd.back) == pytest.approx(1_000 * figures.RETURN.value)
    assert (crowd.dropped, crowd.gave_up) == (0, set())


def test_who_finds_the_queue_full_asks_again_and_who_waits_too_long_gives_up() -> None:
    crowd = Crowd(Storm("many", 3_000, 1, lambda chance: 0.0, busy=0.0, backlog=100), random.Random(1)).run()
    assert len(crowd.back) == 3_000
    assert crowd.dropped > 2_800
    slow = Crowd(Storm("slow", 100, 1, lambda chance: 0.0, cost=0.2, busy=0.0), random.Random(1)).run()
    assert len(slow.back) == 100
    assert len(slow.gave_up) == pytest.approx(50, abs=2)


def test_tables_are_tables() -> None:
    assert table(("a", "b"), [("1", "2")]) == "| a | b |\n| --- | --- |\n| 1 | 2 |\n"
