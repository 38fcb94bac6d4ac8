"""What a site, or one of its discussions, asks of whoever writes.

A site has rules, each with a default; a discussion says only what differs from its site's. Stored is what was said, as
JSON, so that one who says nothing stores and reads nothing. RULES says of each rule what it may be; a rule is a line
there and a field of ``Rules``, and clients, programs and the operator set it by the same name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Any

KNOWN_RULES = 256
"""How many different texts of rules are kept read: sites have few, and hardly two discussions rules of their own."""


class WhoMayWrite(StrEnum):
    """Who may say something: everybody, those who are signed in, or moderators alone."""

    all = "all"
    members = "members"
    nobody = "nobody"


class FirstComments(StrEnum):
    """What becomes of those of new authors."""

    show = "show"
    hold = "hold"


class Links(StrEnum):
    """What becomes of a comment with links: ``new`` holds those of new authors that have more than one."""

    new = "new"
    show = "show"
    hold = "hold"
    refuse = "refuse"


class Check(StrEnum):
    """Whether a comment is shown before it is checked from outside, or after."""

    after = "after"
    first = "first"


class Nudge(StrEnum):
    """Whether writers are asked to look once more at what may hurt, before they send it."""

    off = "off"
    on = "on"


FIRST_MOST = 100
"""How many comments an author may need to have shown before they are no longer new."""
SLOW_LEAST, SLOW_MOST = 5, 3_600
"""Seconds. Less than five would be noticed by nobody, and more than an hour is for ``mode``."""
HIDE_MOST = 1_000
"""Of the weights of reports."""
EDIT_MOST = 10_080
"""Minutes: a week."""
FREE_LINKS = 1
"""That a comment of a new author may have where ``links`` is ``new``."""
KNOWN_HOURS = 24
"""How old an author's first shown comment is before they are known."""
KNOWN_LAST = 5
"""How many of an author's newest comments say whether they are still trusted: none of them was removed."""

RuleValue = str | int


class Trust(IntEnum):
    """What an author is to a site: nobody it knows, known by what they wrote, or trusted by its word."""

    new = 0
    known = 1
    given = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that hold in a discussion, each with its default."""

    who: WhoMayWrite = WhoMayWrite.all
    first: FirstComments = FirstComments.show
    first_n: int = 1
    links: Links = Links.new
    slow: int = 0
    hide_after: int = 5
    edit: int | None = None
    check: Check = Check.after
    nudge: Nudge = Nudge.off

    def edit_window(self, otherwise: timedelta) -> timedelta:
        """How long authors may change what they wrote."""
        return otherwise if self.edit is None else timedelta(minutes=self.edit)


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule may be: one of ``choices``, or a whole number from ``least`` to ``most``.

    One that ``may_be_off`` may be 0, too. ``about`` says to the operator what it does.
    """

    name: str
    about: str
    choices: type[StrEnum] | None = None
    least: int = 0
    most: int = 0
    may_be_off: bool = False

    def read(self, given: object) -> RuleValue:
        """The value that was given. Raises ValueError for what the rule cannot be."""
        if self.choices is None:
            if type(given) is int and (self.least <= given <= self.most or (self.may_be_off and given == 0)):
                return given
            off = "0, or " if self.may_be_off else ""
            raise ValueError(f"{self.name} is {off}a whole number from {self.least} to {self.most}")
        if isinstance(given, str) and given in [*self.choices]:
            return self.choices(given)
        raise ValueError(f"{self.name} is one of {', '.join(self.choices)}")


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("who", "Who may write: all, members, or nobody but moderators.", WhoMayWrite),
        Rule("first", "Whether comments of new authors are shown, or held for approval.", FirstComments),
        Rule("first_n", "How many shown comments make an author no longer new.", least=1, most=FIRST_MOST),
        Rule("links", "Comments with links: new holds those of new authors with several; show, hold, refuse.", Links),
        Rule("slow", "Seconds between two comments of an author; 0 is off.", None, SLOW_LEAST, SLOW_MOST, True),
        Rule("hide_after", "The weight of reports that hides a comment; 0 is never.", most=HIDE_MOST),
        Rule("edit", "Minutes in which authors may edit; without it the server's setting holds.", most=EDIT_MOST),
        Rule("check", "Whether checks from outside come after a comment is shown, or first.", Check),
        Rule("nudge", "Whether writers are asked to look again before they send.", Nudge),
    )
}


@dataclass(frozen=True, slots=True)
class OwnRules:
    """What a site or a discussion says itself; the rest it leaves to the site, or to the defaults."""

    said: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to the site."""
        return self.said.keys() == RULES.keys()

    def over(self, rules: Rules) -> Rules:
        """These, and ``rules`` where they say nothing."""
        return replace(rules, **self.said) if self.said else rules

    def changed(self, given: Mapping[str, RuleValue | None]) -> OwnRules:
        """With these in place of what they said; None says nothing any more. Raises ValueError."""
        said = {**self.said, **given}
        return OwnRules({name: RULES[name].read(value) for name, value in said.items() if value is not None})

    def stored(self) -> dict[str, RuleValue] | None:
        """As JSON; None where nothing is said."""
        return dict(self.said) or None


DEFAULT = Rules()
NONE_OWN = OwnRules()


def own_rules(stored: Mapping[str, Any] | None) -> OwnRules:
    """What ``OwnRules.stored`` gave; what a later version stored besides is left alone. Raises ValueError."""
    known = {name: value for name, value in (stored or {}).items() if name in RULES}
    return NONE_OWN.changed(known) if known else NONE_OWN


@lru_cache(maxsize=KNOWN_RULES)
def own_rules_of(text: str | None) -> OwnRules:
    """The same from the text of a column."""
    return own_rules(None if text is None else json.loads(text))


@lru_cache(maxsize=KNOWN_RULES)
def site_rules_of(text: str | None) -> OwnRules:
    """A site's, from the text of all its settings."""
    settings = None if text is None else json.loads(text)
    return own_rules((settings or {}).get("rules"))


Differences = dict[str, list[RuleValue | None]]


def differences(before: OwnRules, after: OwnRules) -> Differences:
    """What is said otherwise: by rule what was said, and what is; None for nothing."""
    changed = {name: [before.said.get(name), after.said.get(name)] for name in RULES}
    return {name: values for name, values in changed.items() if values[0] != values[1]}
