"""What the words of a site cost whoever writes there: a long text against a long list, as nothing is known of the text.

The yardstick is ``re`` with an alternation of the same entries, which finds them as they are written and no other way.
"""

from __future__ import annotations

import random
import re
import time
import unicodedata
from collections.abc import Callable
from itertools import islice, product

from bench.measures import Plan, median
from bench.report import Findings, Row
from tertulia.core.text import TEXT_LENGTH
from tertulia.core.words import ENTRIES, Entry, compiled, tokens

MILLISECONDS = 10.0
"""To reach, on one core with nothing else to do."""
_INITIALS = "b c ch d đ g h k kh l m n ng nh ph qu r s t th tr v x"
_VOWELS = "a ă â e ê i o ô ơ u ư y ai ao au ay âu ây eo êu ia oa oe oi ôi ơi ua ưa uê ui ưi uy"
_FINALS = "c ch m n ng nh p t"
_TONES = "\u0300 \u0301 \u0303 \u0309 \u0323"
_PARTS = [_INITIALS.split(), _VOWELS.split(), ["", *_TONES.split()], ["", *_FINALS.split()]]
_VOCABULARY = 1_200
"""Different words of a text of 2,000: more than a person uses."""


def measure(plan: Plan, findings: Findings, entries: int = ENTRIES, characters: int = TEXT_LENGTH) -> None:
    """Adds a row for a text of which no chunk was read before, and one for a text of words that others use, too."""
    chance = random.Random(8)
    listed = _listed(chance, entries)
    text = _text(chance, characters)
    matcher = compiled(listed)
    alternation = re.compile("|".join(re.escape(entry.said) for entry in listed), re.IGNORECASE)
    plan.say(f"{characters:,} characters against {entries:,} words")
    theirs = _milliseconds(plan, lambda: alternation.findall(text))
    for what, ours in (
        ("none of it read before", _milliseconds(plan, lambda: matcher.find(text), tokens.forget)),
        ("of words in use", _milliseconds(plan, lambda: matcher.find(text))),
    ):
        findings.rows.append(
            Row(
                f"a text of {characters:,} against {entries:,} words of a site, {what}",
                f"{ours:.1f} ms",
                f"`re` {theirs:,.0f} ms",
                f"{theirs / ours:.0f} ×",
                f"{MILLISECONDS:g} ms",
                ours <= MILLISECONDS,
            )
        )


def _milliseconds(plan: Plan, work: Callable[[], object], before: Callable[[], None] = lambda: None) -> float:
    """The median of some runs; what is done ``before`` each is not counted."""
    spent: list[float] = []
    for _ in range(5 * plan.rounds):
        before()
        start = time.perf_counter()
        work()
        spent.append(1000 * (time.perf_counter() - start))
    return median(spent)


def _syllable(chance: random.Random) -> str:
    return unicodedata.normalize("NFC", "".join(map(chance.choice, _PARTS)))


def _english(chance: random.Random) -> str:
    return "".join(chance.choice("abcdefghiklmnoprstuw") for _ in range(chance.randint(4, 9)))


def _listed(chance: random.Random, number: int) -> list[Entry]:
    """Phrases and words of both languages, parts and exact ones."""
    makers: list[Callable[[], str]] = [
        lambda: f"{_syllable(chance)} {_syllable(chance)}",
        lambda: _english(chance),
        lambda: f"{_english(chance)} {_english(chance)}",
        lambda: f"*{_english(chance)}*",
        lambda: f"={_english(chance).title()}",
    ]
    found = (Entry(make()) for _, make in product(range(number), makers))
    return list(islice(found, number))


def _text(chance: random.Random, characters: int) -> str:
    vocabulary = [chance.choice((_syllable, _english))(chance) for _ in range(_VOCABULARY)]
    written = (chance.choice(vocabulary) + chance.choice((" ", " ", " ", ", ", ". ")) for _ in range(characters))
    return "".join(islice(written, characters))[:characters]
