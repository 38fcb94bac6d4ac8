from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tertulia.languages import TAGS, every, language
from tertulia.pages.times import day, full_moment, moment, moment_in
from tests.languages.node import evaluate

CLOCK = Path(__file__).parents[2] / "client" / "src" / "page" / "time.js"
LATE = datetime(2026, 11, 23, 18, 5, tzinfo=UTC)


def test_a_moment_is_written_in_the_zone_of_the_page() -> None:
    assert moment("2026-11-23T18:05:09.123Z", "Asia/Ho_Chi_Minh") == "24/11/26 01:05"
    assert moment(LATE, "UTC") == "23/11/26 18:05"
    assert moment(LATE, "America/New_York") == "23/11/26 13:05"


def test_a_day_is_written_out() -> None:
    assert day(LATE, "UTC", language("en")) == "23 November 2026"
    assert day(LATE, "Asia/Ho_Chi_Minh", language("en")) == "24 November 2026"
    assert day(LATE, "Asia/Ho_Chi_Minh", language("vi")) == "24 tháng 11, 2026"


def test_elsewhere_a_moment_is_written_as_the_language_does_with_all_of_its_year() -> None:
    assert moment_in(language("en"), LATE, "UTC") == "23 Nov 2026, 18:05"
    assert moment_in(language("ja"), LATE, "UTC") == "2026/11/23 18:05"
    assert moment_in(language("vi"), LATE, "UTC") == "23/11/26 18:05"
    assert full_moment(language("de"), LATE, "UTC") == "23. November 2026 um 18:05"


@pytest.mark.parametrize("tag", TAGS)
def test_the_element_writes_moments_as_pages_without_script_do(tag: str) -> None:
    moments = [LATE + timedelta(days=29 * n, hours=n, minutes=7 * n) for n in range(13)]
    script = """async ({module, tag, zone, moments}) => {
        const { formatTime, title } = (await import(module)).clock('absolute', tag, zone);
        return moments.map((iso) => [formatTime(iso, 0), title(iso)]);
    }"""
    for zone in ("UTC", "Asia/Ho_Chi_Minh"):
        given = {"module": CLOCK.as_uri(), "tag": tag, "zone": zone, "moments": [at.isoformat() for at in moments]}
        told = evaluate(script, given)
        written = [[moment_in(every()[tag], at, zone), full_moment(every()[tag], at, zone)] for at in moments]
        assert written == told
