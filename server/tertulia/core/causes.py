"""Why a comment waits for a moderator: what the rules, the readers or a check from outside found."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class CauseKind(StrEnum):
    """``mode``: the discussion holds all; ``first``: the author is new; ``links``, ``word``: what the text has;
    ``edit``: an approved text was changed; ``ban``: its author is banned; ``reports``: readers; ``check``: a check
    from outside.
    """

    mode = "mode"
    first = "first"
    links = "links"
    word = "word"
    edit = "edit"
    ban = "ban"
    reports = "reports"
    check = "check"


class Queue(StrEnum):
    """Where a moderator finds it."""

    waiting = "waiting"
    reported = "reported"
    suspected = "suspected"


_SUSPICIOUS = frozenset({CauseKind.word, CauseKind.check, CauseKind.reports})


@dataclass(frozen=True, slots=True)
class Cause:
    """``detail`` is JSON, without a key ``kind``: what was found, and where in the text as it was typed."""

    kind: CauseKind
    detail: Mapping[str, Any] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return {"kind": self.kind.value, **self.detail}


def cause(stored: Mapping[str, Any]) -> Cause:
    """What ``Cause.stored`` gave."""
    return Cause(CauseKind(stored["kind"]), {name: value for name, value in stored.items() if name != "kind"})


def queue_for(causes: Iterable[Cause]) -> Queue:
    """The queue of what is not shown for these causes."""
    return Queue.suspected if any(one.kind in _SUSPICIOUS for one in causes) else Queue.waiting
