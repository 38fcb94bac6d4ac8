"""The checker: every violation in a history, given what there is in the end; in time linear in the history's size."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

from tests.history import commands, logs, reading
from tests.history.records import Fault, Record
from tests.history.stored import Stored
from tests.history.violations import Name, Violation

SHOWN = 5
"""Violations of one name that are told; thousands would say no more."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What a run has to reach to prove anything."""

    answers: int = 1
    resumes: int = 0
    faults: bool = False


def check(
    history: list[Record], stored: Stored, demands: Demands | None = None, *, hide: float = 0.0
) -> list[Violation]:
    """All that is wrong, at most SHOWN of each name; ``hide`` as in reading."""
    asked = commands.commands(history)
    found = chain(
        commands.violations(asked, history, stored),
        logs.violations(history, stored),
        reading.violations(history, asked, stored, hide),
        () if demands is None else _too_weak(history, asked, demands),
    )
    told: dict[Name, list[Violation]] = defaultdict(list)
    for violation in found:
        if len(told[violation.name]) < SHOWN:
            told[violation.name].append(violation)
    return list(chain.from_iterable(told.values()))


def _too_weak(history: list[Record], asked: dict[str, commands.Command], demands: Demands) -> Iterator[Violation]:
    answers = sum(1 for command in asked.values() if command.first.act == "post" and command.answers)
    if answers < demands.answers:
        yield Violation(Name.too_few_answers, f"{answers} posts were answered, {demands.answers} are needed")
    back = reading.resumes(history)
    if back < demands.resumes:
        yield Violation(Name.too_few_resumes, f"{back} readers came back, {demands.resumes} are needed")
    faults = list(_faults(history))
    if demands.faults and not faults:
        yield Violation(Name.no_fault, "no fault is in the history")
    for name, begin, end in faults:
        if not any(since < end and until > begin for one in asked.values() for since, until in one.spans):
            yield Violation(Name.idle_fault, f"{name}, {begin} to {end}")


def _faults(history: list[Record]) -> Iterator[tuple[str, float, float]]:
    open_: dict[str, float] = {}
    for record in history:
        if isinstance(record, Fault) and record.begins:
            open_[record.name] = record.at
        elif isinstance(record, Fault):
            yield record.name, open_.pop(record.name), record.at
    for name, begin in open_.items():
        yield name, begin, float("inf")


def told(violations: list[Violation]) -> str:
    """For a failing test: one line each."""
    return "\n".join(str(one)[:2000] for one in islice(violations, 40))
