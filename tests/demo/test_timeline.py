"""The entry of an outage says what became of its readers and of the comments posted meanwhile."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tertulia.showcase.demo.timeline import LATE_SECONDS, MAX_ENTRIES, Outage, Timeline

AT = datetime(2026, 1, 2, 14, 3, 5, tzinfo=UTC)


@pytest.fixture
def timeline() -> Timeline:
    return Timeline()


def outage(title: str = "Instance 2", lost_before: int = 0, disconnected: set[object] | None = None) -> Outage:
    return Outage(AT, title, "killed with SIGKILL", 100.0, lost_before, disconnected or set())


def text(timeline: Timeline, now: float) -> str:
    return timeline.entries(now)[0].text


def test_disconnected_readers_come_back_one_after_another(timeline: Timeline) -> None:
    timeline.begin(outage(disconnected={"a", "b"}))
    assert (
        text(timeline, 100.0) == "killed with SIGKILL, for 0 ms now; its 2 readers look for another instance. Missed 0."
    )
    timeline.reader_caught_up("a", 100.25)
    timeline.reader_caught_up("c", 100.5)
    timeline.reader_caught_up("a", 100.75)
    assert "1 of its 2 readers are back after 250 ms" in text(timeline, 101.0)
    timeline.reader_caught_up("b", 101.5)
    assert "its 2 readers were all back after 1.5 s" in text(timeline, 102.0)


def test_comments_posted_meanwhile_are_counted_once_with_the_last_delivery(timeline: Timeline) -> None:
    timeline.begin(outage("Redis"))
    timeline.delivered(1, 99.5, 100.5)  # posted before
    timeline.delivered(2, 100.5, 100.75)
    timeline.delivered(2, 100.5, 102.5)
    timeline.delivered(3, 101.0, 101.5)
    timeline.end("Redis", 110.0)
    timeline.delivered(4, 111.0, 119.0)  # posted after
    assert text(timeline, 120.0) == (
        "killed with SIGKILL, up again after 10.0 s; "
        "2 comments posted meanwhile, the last delivery after 2.0 s. Missed 0."
    )
    assert not timeline.entries(120.0)[0].is_open


def test_a_loss_belongs_to_the_outage_in_which_it_happened(timeline: Timeline) -> None:
    timeline.begin(outage(lost_before=2))
    timeline.update_lost(5, 101.0)
    assert text(timeline, 101.0).endswith("Missed 3.")
    timeline.end("Instance 2", 110.0)
    timeline.update_lost(9, 110.0 + LATE_SECONDS + 1)
    assert text(timeline, 200.0).endswith("Missed 3.")


def test_an_outage_ends_when_its_own_service_is_up(timeline: Timeline) -> None:
    timeline.begin(outage("Redis"))
    timeline.begin(outage("Instance 1"))
    timeline.end("Redis", 105.0)
    assert [(entry.title, entry.is_open) for entry in timeline.entries(106.0)] == [
        ("Instance 1", True),
        ("Redis", False),
    ]


def test_only_the_newest_entries_are_kept(timeline: Timeline) -> None:
    for number in range(MAX_ENTRIES + 5):
        timeline.add_note(AT, str(number), "")
    assert [entry.title for entry in timeline.entries(0.0)][:2] == [str(MAX_ENTRIES + 4), str(MAX_ENTRIES + 3)]
    assert len(timeline.entries(0.0)) == MAX_ENTRIES
