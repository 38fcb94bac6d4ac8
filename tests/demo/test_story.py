"""An outage tells what became of the readers and of the comments, in one line that grows."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tertulia.demo.story import LINES, SOON, Outage, Story

AT = datetime(2026, 1, 2, 14, 3, 5, tzinfo=UTC)


@pytest.fixture
def story() -> Story:
    return Story()


def outage(title: str = "Instance 2", missed_before: int = 0, away: set[object] | None = None) -> Outage:
    return Outage(AT, title, "killed with SIGKILL", 100.0, missed_before, away or set())


def text(story: Story, now: float) -> str:
    return story.lines(now)[0].text


def test_readers_that_are_cut_off_come_back_one_after_another(story: Story) -> None:
    story.begin(outage(away={"a", "b"}))
    assert text(story, 100.0) == "killed with SIGKILL, for 0 ms now; its 2 readers look for another instance. Missed 0."
    story.back("a", 100.25)
    story.back("c", 100.5)
    story.back("a", 100.75)
    assert "1 of its 2 readers are back after 250 ms" in text(story, 101.0)
    story.back("b", 101.5)
    assert "its 2 readers were all back after 1.5 s" in text(story, 102.0)


def test_comments_posted_meanwhile_are_counted_once_and_the_last_delivery_is_told(story: Story) -> None:
    story.begin(outage("Redis"))
    story.delivered(1, 99.5, 100.5)  # posted before
    story.delivered(2, 100.5, 100.75)
    story.delivered(2, 100.5, 102.5)
    story.delivered(3, 101.0, 101.5)
    story.end("Redis", 110.0)
    story.delivered(4, 111.0, 119.0)  # posted after
    assert text(story, 120.0) == (
        "killed with SIGKILL, up again after 10.0 s; "
        "2 comments posted meanwhile, the last delivery after 2.0 s. Missed 0."
    )
    assert not story.lines(120.0)[0].is_open


def test_what_is_lost_is_told_to_the_outage_in_which_it_was_lost(story: Story) -> None:
    story.begin(outage(missed_before=2))
    story.lost(5, 101.0)
    assert text(story, 101.0).endswith("Missed 3.")
    story.end("Instance 2", 110.0)
    story.lost(9, 110.0 + SOON + 1)
    assert text(story, 200.0).endswith("Missed 3.")


def test_an_end_is_that_of_its_part(story: Story) -> None:
    story.begin(outage("Redis"))
    story.begin(outage("Instance 1"))
    story.end("Redis", 105.0)
    assert [(line.title, line.is_open) for line in story.lines(106.0)] == [("Instance 1", True), ("Redis", False)]


def test_only_the_newest_lines_are_kept(story: Story) -> None:
    for number in range(LINES + 5):
        story.remark(AT, str(number), "")
    assert [line.title for line in story.lines(0.0)][:2] == [str(LINES + 4), str(LINES + 3)]
    assert len(story.lines(0.0)) == LINES
