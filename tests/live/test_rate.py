"""The rate: busier at once, calmer when it has been calm for a while."""

from __future__ import annotations

import pytest

from tertulia.live.rate import DeliveryMode, DeliveryRate, Rates
from tertulia.live.tuning import CALM_SECONDS


@pytest.fixture
def rate() -> DeliveryRate:
    return DeliveryRate(Rates(tick=10, summary=50))


def mode_of(rate: DeliveryRate) -> DeliveryMode:
    return rate.mode


def calm(rate: DeliveryRate, since: float, seconds: float) -> float:
    """Ticks of a room in which nothing happens; gives the time afterwards."""
    now = since
    while now < since + seconds:
        now += 1
        rate.tick(now)
    return now


@pytest.mark.parametrize(
    ("events", "mode"),
    [
        (1, DeliveryMode.instant),
        (10, DeliveryMode.instant),
        (11, DeliveryMode.ticks),
        (50, DeliveryMode.ticks),
        (51, DeliveryMode.summaries),
    ],
)
def test_it_is_busier_at_once(rate: DeliveryRate, events: int, mode: DeliveryMode) -> None:
    rate.count(events, 100.0)
    assert mode_of(rate) is mode


def test_events_of_a_second_are_counted_together(rate: DeliveryRate) -> None:
    for number in range(10):
        rate.count(1, 100 + number / 20)
    assert mode_of(rate) is DeliveryMode.instant
    rate.count(1, 100.9)
    assert mode_of(rate) is DeliveryMode.ticks
    for _ in range(40):
        rate.count(1, 100.95)
    assert mode_of(rate) is DeliveryMode.summaries


def test_events_of_different_seconds_are_not(rate: DeliveryRate) -> None:
    for second in range(100, 160):
        rate.count(10, float(second))
        assert mode_of(rate) is DeliveryMode.instant


def test_it_is_calmer_after_a_while(rate: DeliveryRate) -> None:
    rate.count(60, 100.0)
    now = calm(rate, 100.0, CALM_SECONDS)
    assert mode_of(rate) is DeliveryMode.summaries
    calm(rate, now, 2)
    assert mode_of(rate) is DeliveryMode.instant, "it goes to what the rate is now, not down a step"


def test_it_goes_down_to_what_the_rate_is(rate: DeliveryRate) -> None:
    rate.count(60, 100.0)
    for second in range(101, 120):
        rate.count(20, float(second))
    assert mode_of(rate) is DeliveryMode.ticks


def test_one_busy_second_begins_the_calm_anew(rate: DeliveryRate) -> None:
    rate.count(60, 100.0)
    now = calm(rate, 100.0, CALM_SECONDS - 1)
    rate.count(60, now + 1)
    now = calm(rate, now + 1, CALM_SECONDS)
    assert mode_of(rate) is DeliveryMode.summaries
    calm(rate, now, 2)
    assert mode_of(rate) is DeliveryMode.instant


def test_a_rate_between_keeps_it_there(rate: DeliveryRate) -> None:
    for second in range(100, 160):
        rate.count(11, float(second))
        assert mode_of(rate) is DeliveryMode.ticks
