"""The records of a history.

Times are seconds of one monotonic clock. ``mark`` names a command and stands in its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

Json = dict[str, Any]
Act = Literal["post", "remove", "vote"]


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt begins; a retry has the same mark. ``target`` is the comment that is removed or voted on."""

    at: float
    who: str
    act: Act
    talk: str
    mark: str
    instance: str
    target: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """The attempt was answered: done. ``seq`` is None where it made no event."""

    at: float
    mark: str
    comment: str
    seq: int | None


@dataclass(frozen=True, slots=True)
class Refused:
    """The attempt was answered: not done, nothing has changed."""

    at: float
    mark: str
    code: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nobody knows what became of the attempt."""

    at: float
    mark: str
    why: str


@dataclass(frozen=True, slots=True)
class Joined:
    """A reader was told hello. ``began`` is when it connected, ``known`` and ``after`` the cursor that it gave."""

    at: float
    began: float
    who: str
    talk: str
    instance: str
    known: str | None
    after: int | None
    epoch: str
    head: int


@dataclass(frozen=True, slots=True)
class Reset:
    """A reader was told that its cursor cannot be continued; the stream goes on after ``seq``."""

    at: float
    who: str
    talk: str
    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Heard:
    """A reader got an event."""

    at: float
    who: str
    talk: str
    event: Json


@dataclass(frozen=True, slots=True)
class Summed:
    """A reader got a summary of the events ``since`` to ``to``."""

    at: float
    who: str
    talk: str
    since: int
    to: int
    events: list[Json]


@dataclass(frozen=True, slots=True)
class Left:
    """A reader's connection is gone, with a close code or 0; with 1000 where the reader has read enough."""

    at: float
    who: str
    talk: str
    code: int


@dataclass(frozen=True, slots=True)
class Looked:
    """Somebody read a snapshot; a reader who ``adopts`` it goes on from there."""

    at: float
    began: float
    who: str
    talk: str
    instance: str
    snapshot: Json
    adopts: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """Trouble begins or ends."""

    at: float
    name: str
    begins: bool


Record = Attempted | Answered | Refused | Unknown | Joined | Reset | Heard | Summed | Left | Looked | Fault
_KINDS: dict[str, type[Record]] = {
    kind.__name__.lower(): kind
    for kind in (Attempted, Answered, Refused, Unknown, Joined, Reset, Heard, Summed, Left, Looked, Fault)
}


def written(records: Iterable[Record]) -> Iterator[str]:
    """One line of JSON a record."""
    for record in records:
        yield json.dumps({"kind": type(record).__name__.lower(), **asdict(record)}, ensure_ascii=False)


def read(lines: Iterable[str]) -> Iterator[Record]:
    """The records of such lines."""
    for line in lines:
        given = json.loads(line)
        yield _KINDS[given.pop("kind")](**given)
