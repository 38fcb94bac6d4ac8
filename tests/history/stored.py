"""What there is in the end: the database's rows and logs, and what each instance shows of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
_MARK = re.compile("«([^»]+)»")


@dataclass(frozen=True, slots=True)
class Row:
    """A comment as it is stored."""

    id: str
    talk: str
    author: str
    key: str
    mark: str
    state: str


@dataclass(frozen=True, slots=True)
class InstanceView:
    """A discussion as an instance shows it: every comment, and every event."""

    instance: str
    talk: str
    snapshot: Json
    events: list[Json]


@dataclass(slots=True)
class Stored:
    """``logs`` are the events of each discussion in the order of their seqs, ``voters`` those of each comment."""

    epoch: str
    rows: list[Row] = field(default_factory=list)
    logs: dict[str, list[Json]] = field(default_factory=dict)
    heads: dict[str, int] = field(default_factory=dict)
    voters: dict[str, set[str]] = field(default_factory=dict)
    views: list[InstanceView] = field(default_factory=list)


def mark_in(text: str) -> str:
    """The mark that stands in a text, empty where there is none."""
    found = _MARK.search(text)
    return found[1] if found else ""
