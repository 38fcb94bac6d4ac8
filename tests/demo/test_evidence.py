"""Counting what is lost and what is doubled: every way in which it can go wrong has to show."""

from __future__ import annotations

import pytest

from tertulia.demo.evidence import OVERDUE_SECONDS, Continuity, Evidence, Reading


@pytest.mark.parametrize(
    ("numbers", "missed", "doubled"),
    [
        ([5, 6, 7], 0, 0),
        ([6, 7], 1, 0),
        ([5, 9], 3, 0),
        ([5, 5, 6], 0, 1),
        ([5, 6, 5, 6], 0, 2),
        ([4], 0, 1),
        ([6, 5, 7], 1, 1),
    ],
)
def test_holes_and_repetitions_in_a_row_are_counted(numbers: list[int], missed: int, doubled: int) -> None:
    row = Continuity(4)
    for number in numbers:
        row.take(number)
    assert (row.missed, row.doubled) == (missed, doubled)


def see(evidence: Evidence, reading: Reading, seq: int, number: int) -> float | None:
    reading.seqs.take(seq)
    return evidence.seen(reading, number)


def say(evidence: Evidence, number: int, at: float = 0.0) -> None:
    evidence.posted(number, at)
    evidence.answered(number, at)


@pytest.fixture
def evidence() -> Evidence:
    return Evidence()


def test_who_sees_everything_once_has_lost_nothing(evidence: Evidence) -> None:
    one, other = evidence.join(17), evidence.join(17)
    for number in (1, 2, 3):
        say(evidence, number, at=float(number))
        assert [see(evidence, reading, 17 + number, number) for reading in (one, other)] == [number, number]
    assert (evidence.lost(1000.0), evidence.doubled, evidence.underway) == (0, 0, 0)
    assert (evidence.comments, evidence.deliveries) == (3, 6)


def test_an_event_that_is_left_out_is_lost_at_once(evidence: Evidence) -> None:
    reading = evidence.join(0)
    for number in (1, 2, 3):
        say(evidence, number)
    see(evidence, reading, 1, 1)
    see(evidence, reading, 3, 3)
    assert evidence.lost(0.0) == 1


def test_a_comment_that_was_answered_and_got_no_seq_is_lost(evidence: Evidence) -> None:
    """The seqs are without a hole, as after a database that forgot a commit: the numbers show it."""
    reading = evidence.join(0)
    for number in (1, 2, 3):
        say(evidence, number)
    see(evidence, reading, 1, 1)
    see(evidence, reading, 2, 3)
    assert evidence.lost(0.0) == 1


def test_a_retry_that_made_a_second_comment_is_doubled(evidence: Evidence) -> None:
    reading = evidence.join(0)
    say(evidence, 1)
    assert see(evidence, reading, 1, 1) == 0.0
    assert see(evidence, reading, 2, 1) is None
    assert (evidence.lost(0.0), evidence.doubled) == (0, 1)
    assert evidence.deliveries == 1


def test_an_event_that_comes_again_is_doubled(evidence: Evidence) -> None:
    reading = evidence.join(0)
    say(evidence, 1)
    see(evidence, reading, 1, 1)
    reading.seqs.take(1)
    assert evidence.doubled == 1


def test_the_last_one_is_underway_and_then_lost_until_it_comes(evidence: Evidence) -> None:
    one, other = evidence.join(0), evidence.join(0)
    say(evidence, 1, at=100.0)
    see(evidence, one, 1, 1)
    assert evidence.underway == 1
    assert evidence.lost(100.0 + OVERDUE_SECONDS) == 0
    assert evidence.lost(101.0 + OVERDUE_SECONDS) == 1
    see(evidence, other, 1, 1)
    assert (evidence.underway, evidence.lost(1000.0)) == (0, 0)


def test_a_cursor_that_cannot_be_continued_is_a_loss(evidence: Evidence) -> None:
    reading = evidence.join(9)
    reading.reset(2)
    say(evidence, 1)
    see(evidence, reading, 3, 1)
    assert evidence.lost(0.0) == 1


def test_a_comment_seen_before_its_answer_is_measured_from_the_first_attempt(evidence: Evidence) -> None:
    reading = evidence.join(0)
    evidence.posted(1, 5.0)
    assert see(evidence, reading, 1, 1) == 5.0
    evidence.answered(1, 7.0)
    assert evidence.underway == 0
