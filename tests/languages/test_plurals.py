"""Plurals are CLDR's: compared with Intl.PluralRules of Node.js."""

from __future__ import annotations

import pytest

from tertulia.languages.plurals import RULES
from tests.languages.node import evaluate

NUMBERS = sorted(
    {
        *range(1, 2200),
        0,
        *(10**power + more for power in range(3, 13) for more in (0, 1, 2, 3, 5, 11, 12, 21, 100, 111)),
    }
    | {factor * 10**6 for factor in (2, 3, 7, 10, 11, 21, 100, 111, 10**3)}
)


@pytest.mark.parametrize("tag", RULES)
def test_every_number_takes_the_form_that_intl_gives_it(tag: str) -> None:
    script = (
        "({tag, numbers}) => { const rules = new Intl.PluralRules(tag); return numbers.map((n) => rules.select(n)); }"
    )
    told = evaluate(script, {"tag": tag, "numbers": NUMBERS})
    assert {n: RULES[tag].of(n) for n in NUMBERS} == dict(zip(NUMBERS, told, strict=True))


@pytest.mark.parametrize("tag", RULES)
def test_a_language_has_the_categories_that_intl_has(tag: str) -> None:
    told = evaluate("(tag) => new Intl.PluralRules(tag).resolvedOptions().pluralCategories", tag)
    assert set(RULES[tag].categories) == set(told)
    assert len(RULES[tag].categories) == len(told)
