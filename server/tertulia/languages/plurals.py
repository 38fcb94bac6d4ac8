"""Which form of a sentence a whole number takes, for the languages that are here.

The rules are CLDR's for cardinal numbers, without their cases for fractions:
https://www.unicode.org/cldr/charts/48/supplemental/language_plural_rules.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Category = Literal["zero", "one", "two", "few", "many", "other"]


@dataclass(frozen=True, slots=True)
class Rule:
    """``categories`` are all that a language has, fractions included; ``of`` chooses one for a number from 0 on."""

    categories: tuple[Category, ...]
    of: Callable[[int], Category]


def _never(_n: int) -> Category:
    return "other"


def _one(n: int) -> Category:
    return "one" if n == 1 else "other"


def _one_and_millions(n: int) -> Category:
    """A million takes "of": un millón de comentarios."""
    return "one" if n == 1 else _millions(n)


def _up_to_one_and_millions(n: int) -> Category:
    return "one" if n <= 1 else _millions(n)


def _millions(n: int) -> Category:
    return "many" if n and n % 1_000_000 == 0 else "other"


def _russian(n: int) -> Category:
    if n % 10 == 1 and n % 100 != 11:
        return "one"
    return "few" if n % 10 in (2, 3, 4) and n % 100 not in (12, 13, 14) else "many"


_UP_TO_TWO: tuple[Category, ...] = ("zero", "one", "two")


def _arabic(n: int) -> Category:
    if n <= 2:
        return _UP_TO_TWO[n]
    if 3 <= n % 100 <= 10:
        return "few"
    return "many" if n % 100 >= 11 else "other"


_NO_FORMS = Rule(("other",), _never)
_TWO_FORMS = Rule(("one", "other"), _one)

RULES: Mapping[str, Rule] = {
    "ar": Rule(("zero", "one", "two", "few", "many", "other"), _arabic),
    "de": _TWO_FORMS,
    "en": _TWO_FORMS,
    "es": Rule(("one", "many", "other"), _one_and_millions),
    "fr": Rule(("one", "many", "other"), _up_to_one_and_millions),
    "id": _NO_FORMS,
    "ja": _NO_FORMS,
    "ko": _NO_FORMS,
    "pt": Rule(("one", "many", "other"), _up_to_one_and_millions),
    "ru": Rule(("one", "few", "many", "other"), _russian),
    "vi": _NO_FORMS,
    "zh": _NO_FORMS,
}
