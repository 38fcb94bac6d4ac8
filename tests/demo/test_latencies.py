"""Percentiles, and what of them is still in the window."""

from __future__ import annotations

import pytest

from tertulia.showcase.demo.latencies import CHART_SECONDS, WINDOW_SECONDS, Latencies, LatencySummary, percentile


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([], 0.5, None),
        ([7.0], 0.5, 7.0),
        ([7.0], 0.99, 7.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([float(value) for value in range(1, 101)], 0.99, 99.0),
        ([float(value) for value in range(1, 101)], 1.0, 100.0),
        ([float(value) for value in range(1, 102)], 0.99, 100.0),
    ],
)
def test_a_percentile_is_one_of_the_values(values: list[float], share: float, expected: float | None) -> None:
    assert percentile(values, share) == expected


def test_only_the_last_minute_is_summed_up() -> None:
    latencies = Latencies()
    latencies.add(posted=0.0, now=9.0)
    latencies.add(posted=40.0, now=40.25)
    assert latencies.summary(41.0) == LatencySummary(0.25, 9.0, 9.0)
    assert latencies.summary(9.5 + WINDOW_SECONDS) == LatencySummary(0.25, 0.25, 0.25)
    assert latencies.summary(41.0 + WINDOW_SECONDS) == LatencySummary(None, None, None)


def test_a_slow_delivery_counts_when_it_comes_not_when_it_was_posted() -> None:
    latencies = Latencies()
    latencies.add(posted=0.0, now=80.0)
    assert latencies.summary(100.0).worst == 80.0


def test_the_chart_has_a_point_for_each_second_with_comments() -> None:
    latencies = Latencies()
    for posted, latency in ((10.25, 0.5), (10.5, 0.25), (10.75, 1.0), (12.0, 2.0)):
        latencies.add(posted, posted + latency)
    assert latencies.chart(20.0) == [(10.0, 0.5, 1.0), (8.0, 2.0, 2.0)]
    assert latencies.chart(11.0 + CHART_SECONDS) == [(CHART_SECONDS - 1.0, 2.0, 2.0)]


def test_what_is_older_than_the_chart_is_forgotten_though_a_late_one_stands_before_it() -> None:
    latencies = Latencies()
    latencies.add(posted=0.0, now=0.5)
    latencies.add(posted=1000.0, now=1000.5)
    assert latencies.chart(1001.0) == [(1.0, 0.5, 0.5)]
