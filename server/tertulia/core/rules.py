"""What a site, or one of its discussions, asks of whoever writes.

A site has rules, each with a default; a discussion says only what differs from its site's. Stored is what was said, as
JSON, so that one who says nothing stores and reads nothing. RULES says of each rule what it may be; a rule is a line
there and a field of ``Rules``, and clients, programs and the operator set it by the same name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Any

KNOWN_RULES = 256
"""How many different texts of rules are kept read: sites have few, and hardly two discussions rules of their own."""


class WhoMayWrite(StrEnum):
    """Who may say something: everybody, those who are signed in, or moderators alone."""

    all = "all"
    members = "members"
    nobody = "nobody"


RuleValue = str | int


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that hold in a discussion, each with its default."""

    who: WhoMayWrite = WhoMayWrite.all


@dataclass(frozen=True, slots=True)
class Rule:
    """What a rule may be: one of ``choices``, or a whole number from ``least`` to ``most``.

    ``about`` says to the operator what it does.
    """

    name: str
    about: str
    choices: type[StrEnum] | None = None
    least: int = 0
    most: int = 0

    def read(self, given: object) -> RuleValue:
        """The value that was given. Raises ValueError for what the rule cannot be."""
        if self.choices is None:
            if type(given) is int and self.least <= given <= self.most:
                return given
            raise ValueError(f"{self.name} is a whole number from {self.least} to {self.most}")
        if isinstance(given, str) and given in [*self.choices]:
            return self.choices(given)
        raise ValueError(f"{self.name} is one of {', '.join(self.choices)}")


RULES: Mapping[str, Rule] = {
    rule.name: rule for rule in (Rule("who", "Who may write: all, members, or nobody but moderators.", WhoMayWrite),)
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
