"""What a site, or one of its discussions, asks of whoever writes.

A site has rules, each with a default; a discussion says only what differs from its site's. Stored is what was said, as
JSON, so that one who says nothing stores and reads nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules that hold in a discussion."""

    who: WhoMayWrite = WhoMayWrite.all


@dataclass(frozen=True, slots=True)
class OwnRules:
    """What a site or a discussion says itself; None is what it leaves to the site, or to the default."""

    who: WhoMayWrite | None = None

    @property
    def is_complete(self) -> bool:
        """Whether nothing is left to the site."""
        return self.who is not None

    def over(self, rules: Rules) -> Rules:
        """These, and ``rules`` where they say nothing."""
        return rules if self.who is None else Rules(who=self.who)

    def stored(self) -> dict[str, str] | None:
        """As JSON; None where nothing is said."""
        return None if self.who is None else {"who": self.who.value}


DEFAULT = Rules()
NONE_OWN = OwnRules()


def own_rules(stored: Mapping[str, Any] | None) -> OwnRules:
    """What ``OwnRules.stored`` gave; what a later version stored besides is left alone."""
    who = (stored or {}).get("who")
    return NONE_OWN if who is None else OwnRules(who=WhoMayWrite(who))


@lru_cache(maxsize=KNOWN_RULES)
def own_rules_of(text: str | None) -> OwnRules:
    """The same from the text of a column."""
    return own_rules(None if text is None else json.loads(text))


@lru_cache(maxsize=KNOWN_RULES)
def site_rules_of(text: str | None) -> OwnRules:
    """A site's, from the text of all its settings."""
    settings = None if text is None else json.loads(text)
    return own_rules((settings or {}).get("rules"))
