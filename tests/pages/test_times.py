from __future__ import annotations

from datetime import UTC, datetime

from tertulia.languages import language
from tertulia.pages.times import day, moment

LATE = datetime(2026, 11, 23, 18, 5, tzinfo=UTC)


def test_a_moment_is_written_in_the_zone_of_the_page() -> None:
    assert moment("2026-11-23T18:05:09.123Z", "Asia/Ho_Chi_Minh") == "24/11/26 01:05"
    assert moment(LATE, "UTC") == "23/11/26 18:05"
    assert moment(LATE, "America/New_York") == "23/11/26 13:05"


def test_a_day_is_written_out() -> None:
    assert day(LATE, "UTC", language("en")) == "23 November 2026"
    assert day(LATE, "Asia/Ho_Chi_Minh", language("en")) == "24 November 2026"
    assert day(LATE, "Asia/Ho_Chi_Minh", language("vi")) == "24 tháng 11, 2026"
