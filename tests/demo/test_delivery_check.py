"""Counting lost and duplicated deliveries: every way in which it can go wrong has to show."""

from __future__ import annotations

import pytest

from tertulia.showcase.demo.delivery_check import OVERDUE_SECONDS, DeliveryCheck, ReaderLog, SequenceCheck


@pytest.mark.parametrize(
    ("numbers", "missing", "duplicated"),
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
def test_gaps_and_duplicates_in_a_sequence_are_counted(numbers: list[int], missing: int, duplicated: int) -> None:
    sequence = SequenceCheck(4)
    for number in numbers:
        sequence.accept(number)
    assert (sequence.missing, sequence.duplicated) == (missing, duplicated)


def receive(check: DeliveryCheck, log: ReaderLog, seq: int, number: int) -> float | None:
    log.seqs.accept(seq)
    return check.record_delivery(log, number)


def post(check: DeliveryCheck, number: int, at: float = 0.0) -> None:
    check.record_post(number, at)
    check.record_answer(number, at)


@pytest.fixture
def check() -> DeliveryCheck:
    return DeliveryCheck()


def test_a_reader_that_receives_everything_once_lost_nothing(check: DeliveryCheck) -> None:
    one, other = check.add_reader(17), check.add_reader(17)
    for number in (1, 2, 3):
        post(check, number, at=float(number))
        assert [receive(check, log, 17 + number, number) for log in (one, other)] == [number, number]
    assert (check.lost(1000.0), check.duplicated, check.pending) == (0, 0, 0)
    assert (check.comments, check.deliveries) == (3, 6)


def test_a_skipped_event_is_lost_at_once(check: DeliveryCheck) -> None:
    log = check.add_reader(0)
    for number in (1, 2, 3):
        post(check, number)
    receive(check, log, 1, 1)
    receive(check, log, 3, 3)
    assert check.lost(0.0) == 1


def test_an_accepted_comment_without_a_seq_is_lost(check: DeliveryCheck) -> None:
    """The seqs have no gap, as after a database that lost a commit: the numbers show it."""
    log = check.add_reader(0)
    for number in (1, 2, 3):
        post(check, number)
    receive(check, log, 1, 1)
    receive(check, log, 2, 3)
    assert check.lost(0.0) == 1


def test_a_retry_that_created_a_second_comment_is_a_duplicate(check: DeliveryCheck) -> None:
    log = check.add_reader(0)
    post(check, 1)
    assert receive(check, log, 1, 1) == 0.0
    assert receive(check, log, 2, 1) is None
    assert (check.lost(0.0), check.duplicated) == (0, 1)
    assert check.deliveries == 1


def test_an_event_that_comes_again_is_a_duplicate(check: DeliveryCheck) -> None:
    log = check.add_reader(0)
    post(check, 1)
    receive(check, log, 1, 1)
    log.seqs.accept(1)
    assert check.duplicated == 1


def test_the_last_comment_is_pending_then_lost_until_it_arrives(check: DeliveryCheck) -> None:
    one, other = check.add_reader(0), check.add_reader(0)
    post(check, 1, at=100.0)
    receive(check, one, 1, 1)
    assert check.pending == 1
    assert check.lost(100.0 + OVERDUE_SECONDS) == 0
    assert check.lost(101.0 + OVERDUE_SECONDS) == 1
    receive(check, other, 1, 1)
    assert (check.pending, check.lost(1000.0)) == (0, 0)


def test_a_cursor_that_cannot_be_continued_is_a_loss(check: DeliveryCheck) -> None:
    log = check.add_reader(9)
    log.reset(2)
    post(check, 1)
    receive(check, log, 3, 1)
    assert check.lost(0.0) == 1


def test_a_comment_received_before_its_answer_is_timed_from_the_first_attempt(check: DeliveryCheck) -> None:
    log = check.add_reader(0)
    check.record_post(1, 5.0)
    assert receive(check, log, 1, 1) == 5.0
    check.record_answer(1, 7.0)
    assert check.pending == 0
