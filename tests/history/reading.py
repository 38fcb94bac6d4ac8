"""What readers were told: every event after their cursor, in order, once; and nothing of what was removed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.history.commands import Command
from tests.history.logs import is_shown
from tests.history.records import Heard, Joined, Json, Left, Looked, Record, Reset, Summed
from tests.history.stored import Stored
from tests.history.violations import Name, Violation

DONE = 1000
"""The code with which a reader leaves who has read enough; nobody else may miss the end."""


@dataclass(slots=True)
class Reader:
    """``position`` is where the stream stands, ``cursor`` what the reader has: None before it has anything."""

    who: str
    talk: str
    joined: Joined | None = None
    epoch: str | None = None
    position: int = 0
    cursor: int | None = None
    is_reset: bool = False
    is_done: bool = False
    missing: set[int] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)

    @property
    def label(self) -> str:
        return f"{self.who} in {self.talk}"


def violations(history: list[Record], asked: dict[str, Command], stored: Stored, hide: float) -> Iterator[Violation]:
    """``hide`` is how many seconds after the answer to a removal another instance may still show the comment."""
    readers: dict[tuple[str, str], Reader] = {}
    removals = _removals(asked)
    for record in history:
        if isinstance(record, Looked):
            yield from _shown_in_snapshot(record, removals)
        if not isinstance(record, Joined | Reset | Heard | Summed | Left | Looked):
            continue
        if isinstance(record, Looked) and not record.adopts:
            continue
        reader = readers.setdefault((record.who, record.talk), Reader(record.who, record.talk))
        match record:
            case Looked():
                reader.cursor, reader.epoch = (
                    record.snapshot["discussion"]["seq"],
                    record.snapshot["discussion"]["epoch"],
                )
                reader.is_reset = False
            case Joined():
                yield from _joined(reader, record)
            case Left():
                reader.is_done = record.code == DONE
            case Reset():
                yield from _reset(reader, record, stored)
            case Heard():
                yield from _heard(reader, record.event["seq"], record.event["seq"])
                yield from _leaks(reader, record.at, [record.event], removals, hide)
            case Summed():
                yield from _heard(reader, record.since, record.to)
                yield from _leaks(reader, record.at, record.events, removals, hide)
    for reader in readers.values():
        head = len(stored.logs.get(reader.talk, []))
        if reader.cursor != head and not reader.is_done:
            yield Violation(Name.reader_lost, f"{reader.label} ends at {reader.cursor}, the log at {head}")
        if reader.missing:
            yield Violation(Name.reader_lost, f"{reader.label} never got {_shortened(reader.missing)}")


def _joined(reader: Reader, record: Joined) -> Iterator[Violation]:
    if reader.joined is None and reader.cursor is None:
        reader.cursor = record.after  # where it has that from is its own affair
    reader.joined = record
    reader.removed.clear()
    if record.after is None:
        if reader.cursor is not None and not reader.is_reset:
            yield Violation(Name.reader_skipped, f"{reader.label} came back without its cursor {reader.cursor}")
        reader.cursor = record.head
    elif record.after != reader.cursor:
        yield Violation(Name.reader_skipped, f"{reader.label} had {reader.cursor} and went on after {record.after}")
    reader.position = record.head if record.after is None else record.after
    if reader.epoch is None:
        reader.epoch = record.epoch


def _reset(reader: Reader, record: Reset, stored: Stored) -> Iterator[Violation]:
    joined = reader.joined
    if joined is not None and joined.after is not None and joined.known == record.epoch == stored.epoch:
        detail = f"{reader.label} was reset to {record.seq} by {joined.instance} although it had {joined.after}"
        if joined.after <= len(stored.logs.get(reader.talk, [])):
            yield Violation(Name.needless_reset, detail)
    reader.position, reader.epoch, reader.is_reset, reader.cursor = record.seq, record.epoch, True, None


def _heard(reader: Reader, first: int, last: int) -> Iterator[Violation]:
    """The stream brought the events ``first`` to ``last``."""
    joined = reader.joined
    where = f"{reader.label} at {'nowhere' if joined is None else joined.instance}"
    if joined is not None and joined.epoch != reader.epoch:
        yield Violation(Name.reader_skipped, f"{where} is told of another epoch, and not that it is another")
        reader.epoch = joined.epoch
    follows = first == reader.position + 1
    if first <= reader.position:
        late = first in reader.missing
        name = Name.reader_disordered if late else Name.reader_doubled
        yield Violation(name, f"{where} had {reader.position} and got {first}")
        reader.missing.difference_update(range(first, last + 1))
    elif first > reader.position + 1:
        reader.missing.update(range(reader.position + 1, first))
        yield Violation(Name.reader_lost, f"{where} had {reader.position} and got {first}")
    reader.position = max(reader.position, last)
    if reader.cursor is not None and last > reader.cursor:
        if follows and first > reader.cursor + 1:
            yield Violation(Name.reader_skipped, f"{where} knew {reader.cursor} and its stream went on with {first}")
        reader.cursor = last


# ---- removals -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Removal:
    at: float
    instance: str


def _removals(asked: dict[str, Command]) -> dict[str, Removal]:
    """When each comment was known to be removed, and by which instance."""
    found: dict[str, Removal] = {}
    for command in asked.values():
        if command.first.act == "remove" and command.answers:
            at = command.answers[0].at
            if command.first.target not in found or at < found[command.first.target].at:
                found[command.first.target] = Removal(at, command.first.instance)
    return found


def _shown_in_snapshot(record: Looked, removals: dict[str, Removal]) -> Iterator[Violation]:
    for comment in record.snapshot["comments"]:
        removal = removals.get(comment["id"])
        if removal is not None and is_shown(comment) and record.began > removal.at:
            yield Violation(Name.leak, f"{record.instance} showed {comment['id']} in a snapshot after its removal")


def _leaks(
    reader: Reader, at: float, events: Iterable[Json], removals: dict[str, Removal], hide: float
) -> Iterator[Violation]:
    for event in events:
        comment = event.get("comment")
        if comment is None:
            continue
        if event["kind"] == "comment.removed":
            reader.removed.add(comment["id"])
        if is_shown(comment) and _is_leak(reader, comment["id"], at, removals.get(comment["id"]), hide):
            yield Violation(Name.leak, f"{reader.label} was shown {comment['id']} in {at}, after its removal")


def _is_leak(reader: Reader, comment: str, at: float, removal: Removal | None, hide: float) -> bool:
    """In the same stream never; on a connection begun later at the instance that removed it never; else soon."""
    if comment in reader.removed:
        return True
    if removal is None or reader.joined is None:
        return False
    anew = reader.joined.instance == removal.instance and reader.joined.began > removal.at
    return anew or at > removal.at + hide


def _shortened(seqs: set[int]) -> str:
    some = sorted(seqs)
    return ", ".join(map(str, some[:10])) + (f" and {len(some) - 10} more" if len(some) > 10 else "")


def resumes(history: Iterable[Record]) -> int:
    """How often a reader came back with a cursor."""
    many: dict[tuple[str, str], int] = defaultdict(int)
    for record in history:
        if isinstance(record, Joined):
            many[record.who, record.talk] += 1
    return sum(count - 1 for count in many.values())
