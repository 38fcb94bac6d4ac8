"""What every reader saw, held against what the writer was answered.

    posted ──▶ answered ──▶ seen by each reader, once and in order
                  └─ not seen for 30 s: lost        a number is left out: lost        it comes again: doubled

The writer numbers its comments 1, 2, 3 and so on. Each reader checks two rows that must have neither holes nor
repetitions: the seqs of all events, and the numbers. A retry that makes a second comment has a seq of its own, but a
number that was there.
"""

from __future__ import annotations

from collections import deque

OVERDUE_SECONDS = 30.0


class Continuity:
    """Numbers that have to come one after another, beginning after ``last``."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.missed = 0
        self.doubled = 0

    def take(self, number: int) -> bool:
        """Counts what is wrong with a number that comes now; gives whether it is a new one."""
        if number <= self.last:
            self.doubled += 1
            return False
        self.missed += number - self.last - 1
        self.last = number
        return True


class Reading:
    """What one reader saw: the seqs of all events since it joined at ``seq``, and the writer's numbers."""

    def __init__(self, seq: int) -> None:
        self.seqs = Continuity(seq)
        self.numbers = Continuity(0)
        self.resets = 0

    def reset(self, seq: int) -> None:
        """The server could not go on from the cursor: what was between is lost, however much it was."""
        self.resets += 1
        self.seqs.last = seq

    @property
    def missed(self) -> int:
        # a comment that is left out is a hole in both rows, and counts once
        return max(self.seqs.missed, self.numbers.missed) + self.resets

    @property
    def doubled(self) -> int:
        return max(self.seqs.doubled, self.numbers.doubled)


class Evidence:
    """The account of one writer and its readers. Times are seconds of one clock."""

    def __init__(self) -> None:
        self.readings: list[Reading] = []
        self.comments = 0
        self.deliveries = 0
        self._posted: dict[int, float] = {}
        self._answered: deque[tuple[int, float]] = deque()

    def join(self, seq: int) -> Reading:
        """A reader more, whom ``seq`` was the head when it came; all join before the first comment is posted."""
        reading = Reading(seq)
        self.readings.append(reading)
        return reading

    def posted(self, number: int, at: float) -> None:
        """The first attempt to post begins."""
        self._posted[number] = at

    def answered(self, number: int, at: float) -> None:
        """The comment was accepted: from now on it has to reach everybody."""
        self.comments += 1
        self._answered.append((number, at))
        self._forget()

    def seen(self, reading: Reading, number: int) -> float | None:
        """A reader has the comment; gives when its first attempt began, nothing for one it had already."""
        if not reading.numbers.take(number):
            return None
        self.deliveries += 1
        return self._posted.get(number)

    def lost(self, now: float) -> int:
        return sum(reading.missed + self._overdue(reading, now) for reading in self.readings)

    @property
    def doubled(self) -> int:
        return sum(reading.doubled for reading in self.readings)

    @property
    def underway(self) -> int:
        """Deliveries that are still to come: answered comments that a reader does not have yet."""
        return sum(1 for reading in self.readings for number, _ in self._answered if number > reading.numbers.last)

    def _overdue(self, reading: Reading, now: float) -> int:
        return sum(1 for number, at in self._answered if number > reading.numbers.last and now - at > OVERDUE_SECONDS)

    def _forget(self) -> None:
        """What everybody has needs no watching."""
        everybody = min((reading.numbers.last for reading in self.readings), default=0)
        while self._answered and self._answered[0][0] <= everybody:
            number, _ = self._answered.popleft()
            self._posted.pop(number, None)
