"""The pace: busier at once, calmer when it has been calm for a while."""

from __future__ import annotations

import pytest

from tertulia.live.pace import CALM_SECONDS, Mode, Pace


@pytest.fixture
def pace() -> Pace:
    return Pace(10, 50)


def mode_of(pace: Pace) -> Mode:
    return pace.mode


def calm(pace: Pace, since: float, seconds: float) -> float:
    """Ticks of a room in which nothing happens; gives the time afterwards."""
    now = since
    while now < since + seconds:
        now += 1
        pace.settle(now)
    return now


@pytest.mark.parametrize(
    ("events", "mode"),
    [(1, Mode.instant), (10, Mode.instant), (11, Mode.ticks), (50, Mode.ticks), (51, Mode.summaries)],
)
def test_it_is_busier_at_once(pace: Pace, events: int, mode: Mode) -> None:
    pace.count(events, 100.0)
    assert mode_of(pace) is mode


def test_events_of_a_second_are_counted_together(pace: Pace) -> None:
    for number in range(10):
        pace.count(1, 100 + number / 20)
    assert mode_of(pace) is Mode.instant
    pace.count(1, 100.9)
    assert mode_of(pace) is Mode.ticks
    for _ in range(40):
        pace.count(1, 100.95)
    assert mode_of(pace) is Mode.summaries


def test_events_of_different_seconds_are_not(pace: Pace) -> None:
    for second in range(100, 160):
        pace.count(10, float(second))
        assert mode_of(pace) is Mode.instant


def test_it_is_calmer_after_a_while(pace: Pace) -> None:
    pace.count(60, 100.0)
    now = calm(pace, 100.0, CALM_SECONDS)
    assert mode_of(pace) is Mode.summaries
    calm(pace, now, 2)
    assert mode_of(pace) is Mode.instant, "it goes to what the rate is now, not down a step"


def test_it_goes_down_to_what_the_rate_is(pace: Pace) -> None:
    pace.count(60, 100.0)
    for second in range(101, 120):
        pace.count(20, float(second))
    assert mode_of(pace) is Mode.ticks


def test_one_busy_second_begins_the_calm_anew(pace: Pace) -> None:
    pace.count(60, 100.0)
    now = calm(pace, 100.0, CALM_SECONDS - 1)
    pace.count(60, now + 1)
    now = calm(pace, now + 1, CALM_SECONDS)
    assert mode_of(pace) is Mode.summaries
    calm(pace, now, 2)
    assert mode_of(pace) is Mode.instant


def test_a_rate_between_keeps_it_there(pace: Pace) -> None:
    for second in range(100, 160):
        pace.count(11, float(second))
        assert mode_of(pace) is Mode.ticks
