"""The benchmark counts what arrives: a run in which something is missing or doubled has no figure."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench import __main__ as report
from bench import measures
from bench.load import Missing, Readers, Subject
from bench.measures import Row


@pytest.fixture
def subject() -> Iterator[Subject]:
    started = Subject("tertulia")
    yield started
    started.end()


def test_every_reader_gets_every_message(subject: Subject) -> None:
    readers = Readers(subject, 20)
    assert readers.fan_out(40, 1) > 0
    readers.close()
    assert subject.rss() > 0


def test_a_message_too_many_ends_the_run(subject: Subject) -> None:
    readers = Readers(subject, 3, mark=b'"kind":"comment')  # as many as there are
    assert readers.fan_out(5, 5) > 0
    readers.mark = b"{"  # more than there are
    with pytest.raises(Missing, match="5 were sent"):
        readers.fan_out(5, 5)
    readers.close()


def test_a_busy_frame_is_small_on_the_wire() -> None:
    [row] = measures.wire(lambda text: None)
    assert row.reached


def test_the_table_says_what_was_reached() -> None:
    rows = [Row("a", "1", "2", "0.5 ×", "1 ×", reached=False), Row("b", "2", "1", "2 ×")]
    assert report.table(rows).splitlines()[2:] == [
        "| a | 1 | 2 | 0.5 × | 1 × | not reached |",
        "| b | 2 | 1 | 2 × |  |  |",
    ]
