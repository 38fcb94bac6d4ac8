"""What every reader received, compared with what the writer was answered.

    posted ──▶ answered ──▶ received by each reader, once and in order
                  └─ not received in 30 s: lost      a number is skipped: lost      it comes again: duplicated

The writer numbers its comments 1, 2, 3 and so on. Each reader checks two sequences, which must have neither gaps nor
duplicates: the seqs of all events, and the numbers. A retry that creates a second comment has a new seq, but a number
that was already used.
"""

from __future__ import annotations

from collections import deque

OVERDUE_SECONDS = 30.0


class SequenceCheck:
    """Checks that consecutive numbers arrive, the first of them ``last`` + 1."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.missing = 0
        self.duplicated = 0

    def accept(self, number: int) -> bool:
        """Counts the gap before ``number``, or a duplicate; returns whether it is new."""
        if number <= self.last:
            self.duplicated += 1
            return False
        self.missing += number - self.last - 1
        self.last = number
        return True


class ReaderLog:
    """What one reader received: the seqs of all events since it joined at ``seq``, and the writer's numbers."""

    def __init__(self, seq: int) -> None:
        self.seqs = SequenceCheck(seq)
        self.numbers = SequenceCheck(0)
        self.resets = 0

    def reset(self, seq: int) -> None:
        """The server could not continue from the cursor: everything in between counts as one loss."""
        self.resets += 1
        self.seqs.last = seq

    @property
    def missing(self) -> int:
        # a skipped comment is a gap in both sequences, and counts once
        return max(self.seqs.missing, self.numbers.missing) + self.resets

    @property
    def duplicated(self) -> int:
        return max(self.seqs.duplicated, self.numbers.duplicated)


class DeliveryCheck:
    """One writer and its readers. Times are seconds of one clock."""

    def __init__(self) -> None:
        self.logs: list[ReaderLog] = []
        self.comments = 0
        self.deliveries = 0
        self._posted: dict[int, float] = {}
        self._answered: deque[tuple[int, float]] = deque()

    def add_reader(self, seq: int) -> ReaderLog:
        """The log of another reader, which joined when the head was ``seq``; all join before the first comment."""
        log = ReaderLog(seq)
        self.logs.append(log)
        return log

    def record_post(self, number: int, at: float) -> None:
        """The first attempt to post begins at ``at``."""
        self._posted[number] = at

    def record_answer(self, number: int, at: float) -> None:
        """The comment was accepted: it must now reach every reader."""
        self.comments += 1
        self._answered.append((number, at))
        self._discard_delivered()

    def record_delivery(self, log: ReaderLog, number: int) -> float | None:
        """A reader received the comment; returns when its first attempt began, or None for a duplicate."""
        if not log.numbers.accept(number):
            return None
        self.deliveries += 1
        return self._posted.get(number)

    def lost(self, now: float) -> int:
        return sum(log.missing + self._overdue(log, now) for log in self.logs)

    @property
    def duplicated(self) -> int:
        return sum(log.duplicated for log in self.logs)

    @property
    def pending(self) -> int:
        """Deliveries still to come: accepted comments that a reader does not have yet."""
        return sum(1 for log in self.logs for number, _ in self._answered if number > log.numbers.last)

    def _overdue(self, log: ReaderLog, now: float) -> int:
        return sum(1 for number, at in self._answered if number > log.numbers.last and now - at > OVERDUE_SECONDS)

    def _discard_delivered(self) -> None:
        """Stops tracking the comments that every reader has."""
        everybody = min((log.numbers.last for log in self.logs), default=0)
        while self._answered and self._answered[0][0] <= everybody:
            number, _ = self._answered.popleft()
            self._posted.pop(number, None)
