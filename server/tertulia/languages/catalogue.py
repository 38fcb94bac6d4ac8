"""The languages' files: read once, looked up by a tag, translated by key."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any, Literal

from tertulia.languages.plurals import RULES, Category, Rule

DEFAULT = "en"
CLIENT_GROUPS = ("reading", "writing", "reporting", "signing", "rules")
"""The sentences of the client: its first file, the second, the fourth (reports, who the reader is), signing in, and
what a discussion asks of its writers."""
TAGS = tuple(RULES)

_WISHES = 20
_WEIGHT = re.compile(r"(?:[01](?:\.\d{0,3})?)?")

Sentence = str | Mapping[Category, str]
"""A text, or its forms where it depends on a number; ``{n}``, ``{name}`` and others are filled in."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """How a language writes whole numbers: ``separator`` between thousands, in numbers from ``grouped_from`` on."""

    separator: str
    grouped_from: int = 1000

    def write(self, n: int) -> str:
        return f"{n:,}".replace(",", self.separator) if abs(n) >= self.grouped_from else str(n)


@dataclass(frozen=True, slots=True)
class Dates:
    """How a language writes days and moments, as ``Intl.DateTimeFormat`` does in the client.

    ``pattern`` is of a day that is written out, of ``{day}``, ``{month}`` and ``{year}``; without ``months`` a month is
    its number. ``full`` is such a ``{date}`` with ``{hour}`` and ``{minute}``. ``short`` stands beside a name: its year
    has four digits, but in Vietnamese, and where readers of one language write day and month in either order the month
    is a word, one of ``short_months``.
    """

    pattern: str
    full: str
    short: str
    months: tuple[str, ...] = ()
    short_months: tuple[str, ...] = ()

    def write(self, on: date) -> str:
        month = self.months[on.month - 1] if self.months else on.month
        return self.pattern.format(day=on.day, month=month, year=on.year)

    def write_full(self, at: datetime) -> str:
        return self.full.format(date=self.write(at), hour=at.hour, minute=at.minute)

    def write_short(self, at: datetime) -> str:
        return self.short.format(
            day=at.day,
            month=at.month,
            name=self.short_months[at.month - 1] if self.short_months else "",
            year=at.year,
            short_year=at.year % 100,
            hour=at.hour,
            minute=at.minute,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """One language; ``name`` is its own for itself, ``is_draft`` says that nobody who speaks it has read it yet.

    ``job_titles`` are the words for whoever answers for a site; none of them is a person's name.
    ``groups`` has the sentences as the file groups them (``reading``, ``writing``, ``pages``, ``staff``,
    ``desk``, ``mail``), ``texts`` all of them.
    """

    tag: str
    name: str
    direction: Literal["ltr", "rtl"]
    is_draft: bool
    job_titles: tuple[str, ...]
    groups: Mapping[str, Mapping[str, Sentence]]
    texts: Mapping[str, Sentence]
    rule: Rule
    numbers: Numbers
    dates: Dates

    def form(self, key: str, n: int | None = None) -> str:
        """The sentence in the form for ``n``, with its placeholders. Raises KeyError for one that is not there."""
        sentence = self.texts[key]
        return sentence if isinstance(sentence, str) else sentence[self.rule.of(n or 0)]

    def forms(self, key: str) -> Mapping[Category, str]:
        """All forms of the sentence, by the name of the plural. Raises KeyError for one that is not there."""
        sentence = self.texts[key]
        return {"other": sentence} if isinstance(sentence, str) else sentence

    def translate(self, key: str, *, n: int | None = None, **values: object) -> str:
        """The sentence with its placeholders filled in. Raises KeyError for a key or a value that is missing."""
        if n is not None:
            values["n"] = self.numbers.write(n)
        return self.form(key, n).format(**values)


@cache
def every() -> Mapping[str, Language]:
    """All languages by their tags."""
    folder = files(__package__)
    return {tag: _read(tag, json.loads((folder / f"{tag}.json").read_text("utf-8"))) for tag in TAGS}


def find(tag: str) -> Language | None:
    """The language of a tag such as ``vi-VN``, whatever its case; None where it is not here."""
    return every().get(tag.partition("-")[0].lower())


def language(tag: str, fallback: str = DEFAULT) -> Language:
    """The language of a tag; where it is not here, the fallback's, and where that is not either, English."""
    return find(tag) or find(fallback) or every()[DEFAULT]


def accepted(header: str) -> Language:
    """The one that an Accept-Language (RFC 9110, 12.5.4) prefers among those that are here; without any, English."""
    wishes = [_wish(part) for part in header.split(",")[:_WISHES]]
    wanted = sorted((wish for wish in wishes if wish[0] > 0), key=lambda wish: -wish[0])
    return next((found for _, tag in wanted if (found := find(tag))), every()[DEFAULT])


def _wish(part: str) -> tuple[float, str]:
    """How much it is wanted, 0 to 1, and the tag; what cannot be read is not wanted."""
    tag, _, weight = "".join(part.lower().split()).partition(";q=")
    return (float(weight or 1) if _WEIGHT.fullmatch(weight) else 0.0), tag


def _read(tag: str, file: dict[str, Any]) -> Language:
    groups = {name: file[name] for name in (*CLIENT_GROUPS, "pages", "staff", "desk", "mail")}
    return Language(
        tag=tag,
        name=file["language"],
        direction=file.get("direction", "ltr"),
        is_draft=file.get("draft", False),
        job_titles=tuple(file["job_titles"]),
        groups=groups,
        texts={key: sentence for group in groups.values() for key, sentence in group.items()},
        rule=RULES[tag],
        numbers=Numbers(**file["numbers"]),
        dates=_dates(**file["dates"]),
    )


def _dates(*, months: Sequence[str] = (), short_months: Sequence[str] = (), **patterns: str) -> Dates:
    return Dates(**patterns, months=tuple(months), short_months=tuple(short_months))
