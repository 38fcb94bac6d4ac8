"""What was asked and answered against what is stored: nothing lost, doubled, made up or done though refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.history.records import Answered, Attempted, Looked, Record, Refused, Unknown
from tests.history.stored import Row, Stored
from tests.history.violations import Name, Violation


@dataclass(slots=True)
class Command:
    """One command with all its attempts; ``spans`` are when each was under way."""

    first: Attempted
    spans: list[tuple[float, float]] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)
    refusals: int = 0
    unknown: int = 0
    open_since: float | None = None

    @property
    def is_refused(self) -> bool:
        """Whether nothing may have come of it."""
        return not self.answers and not self.unknown and self.open_since is None and self.refusals > 0

    def ended(self, at: float) -> None:
        if self.open_since is not None:
            self.spans.append((self.open_since, at))
            self.open_since = None


def commands(history: Iterable[Record]) -> dict[str, Command]:
    """Every command by its mark; one whose last attempt never ended is under way for ever."""
    found: dict[str, Command] = {}
    for record in history:
        match record:
            case Attempted():
                command = found.setdefault(record.mark, Command(record))
                command.open_since = record.at
            case Answered():
                found[record.mark].answers.append(record)
                found[record.mark].ended(record.at)
            case Refused():
                found[record.mark].refusals += 1
                found[record.mark].ended(record.at)
            case Unknown():
                found[record.mark].unknown += 1
                found[record.mark].ended(record.at)
    for command in found.values():
        if command.open_since is not None:
            command.unknown += 1
            command.spans.append((command.open_since, float("inf")))
    return found


def violations(asked: dict[str, Command], history: list[Record], stored: Stored) -> Iterator[Violation]:
    yield from _answers(asked, stored)
    yield from _rows(asked, stored)
    yield from _votes(asked, stored)
    yield from _real_time(asked)
    yield from _reads(history)


def _answers(asked: dict[str, Command], stored: Stored) -> Iterator[Violation]:
    rows = {row.id: row for row in stored.rows}
    for mark, command in asked.items():
        if len({(answer.comment, answer.seq) for answer in command.answers}) > 1 and command.first.act == "post":
            given = [(answer.comment, answer.seq) for answer in command.answers]
            yield Violation(Name.two_answers, f"{mark} was answered {given}")
        for answer in command.answers:
            trouble = _unlike(command, answer, rows.get(answer.comment), stored)
            if trouble:
                yield Violation(
                    Name.lost, f"{command.first.act} {mark}, answered {answer.seq} in {answer.at}: {trouble}"
                )


def _unlike(command: Command, answer: Answered, row: Row | None, stored: Stored) -> str:
    if row is None:
        return "its comment is not stored"
    log = stored.logs.get(command.first.talk, [])
    event = log[answer.seq - 1] if answer.seq is not None and 0 < answer.seq <= len(log) else None
    match command.first.act:
        case "post":
            if row.mark != command.first.mark:
                return f"its comment says {row.mark!r}"
            if event is None or event["kind"] != "comment.created" or event["comment"]["id"] != row.id:
                return "its event is not in the log"
        case "remove":
            if row.state != "removed":
                return f"its comment is {row.state}"
        case "vote":
            if command.first.who not in stored.voters.get(answer.comment, ()):
                return "the vote is not stored"
    return ""


def _rows(asked: dict[str, Command], stored: Stored) -> Iterator[Violation]:
    of_mark = Counter(row.mark for row in stored.rows)
    of_key = Counter((row.author, row.key) for row in stored.rows)
    for mark, many in of_mark.items():
        if many > 1:
            yield Violation(Name.doubled, f"{mark} is stored {many} times")
    for (author, key), many in of_key.items():
        if many > 1:
            yield Violation(Name.doubled, f"author {author} has {many} comments of the key {key}")
    for row in stored.rows:
        command = asked.get(row.mark)
        if command is None or command.first.act != "post" or command.first.talk != row.talk:
            yield Violation(Name.ghost, f"comment {row.id} in {row.talk} says {row.mark!r}, which nobody said there")
        elif command.is_refused:
            yield Violation(Name.refused_but_done, f"{row.mark} was refused, and is stored as {row.id}")


def _votes(asked: dict[str, Command], stored: Stored) -> Iterator[Violation]:
    votes = [command for command in asked.values() if command.first.act == "vote"]
    may = {(one.first.target, one.first.who) for one in votes if not one.is_refused}
    for comment, voters in stored.voters.items():
        for voter in voters:
            if (comment, voter) not in may:
                yield Violation(Name.refused_but_done, f"the vote of {voter} on {comment} was refused or never given")


def _real_time(asked: dict[str, Command]) -> Iterator[Violation]:
    """In the order of time: whatever begins has to come after everything that was answered by then."""
    moments: list[tuple[float, int, str]] = []
    for mark, command in asked.items():
        if command.first.act == "post" and command.answers:
            moments.append((command.first.at, 0, mark))
            moments.append((command.answers[0].at, 1, mark))
    newest: dict[str, tuple[int, str]] = {}
    for _, is_answer, mark in sorted(moments):
        command = asked[mark]
        talk, seq = command.first.talk, command.answers[0].seq or 0
        before, whose = newest.get(talk, (0, ""))
        if is_answer:
            newest[talk] = max((before, whose), (seq, mark))
        elif seq <= before:
            yield Violation(Name.real_time, f"{mark} is {seq} in {talk}, and {whose}, answered before, is {before}")


def _reads(history: list[Record]) -> Iterator[Violation]:
    """Snapshots have at least what was answered, and what another snapshot had, before they were asked for."""
    talks = {record.mark: record.talk for record in history if isinstance(record, Attempted)}
    moments: list[tuple[float, int, str, int, str]] = []
    for record in history:
        if isinstance(record, Answered) and record.seq is not None:
            moments.append((record.at, 1, talks[record.mark], record.seq, "answered"))
        elif isinstance(record, Looked):
            seq: int = record.snapshot["discussion"]["seq"]
            moments.append((record.began, 0, record.talk, seq, record.instance))
            moments.append((record.at, 1, record.talk, seq, "seen"))
    newest: dict[tuple[str, str], int] = {}
    for at, is_known, talk, seq, what in sorted(moments):
        if is_known:
            newest[talk, what] = max(newest.get((talk, what), 0), seq)
            continue
        for kind, name in (("answered", Name.stale_read), ("seen", Name.went_back)):
            if seq < newest.get((talk, kind), 0):
                detail = f"{what} showed {talk} at {seq} to who asked in {at}, after {newest[talk, kind]} was {kind}"
                yield Violation(name, detail)
