"""Which list is looked for: asked about now and then, read where it is another, compiled once."""

from __future__ import annotations

import asyncio

import pytest

from tertulia.core.words import Does, Entry
from tertulia.discussions import words
from tertulia.discussions.words import KNOWN_LISTS, TextField, Words
from tertulia.errors import ErrorCode, Problem
from tertulia.store.queries import WordList


class Lists:
    """The lists of a store, and how often it was asked."""

    def __init__(self, **entries: list[Entry]) -> None:
        self.lists = {site: WordList(1, listed) for site, listed in entries.items()}
        self.asked = self.read = 0

    def words(self) -> Words:
        return Words(self._versions, self._read)

    def change(self, site: str, *entries: Entry) -> None:
        version = self.lists[site].version + 1 if site in self.lists else 1
        self.lists[site] = WordList(version, list(entries))

    async def _versions(self) -> dict[str, int]:
        self.asked += 1
        await asyncio.sleep(0)
        return {site: listed.version for site, listed in self.lists.items() if listed.entries}

    async def _read(self, site: str) -> WordList:
        self.read += 1
        await asyncio.sleep(0)
        return self.lists[site]


async def found(known: Words, text: str, site: str = "news") -> list[str]:
    return [cause.detail["entry"] for cause in await known.check(site, [TextField("body", text)])]


async def test_a_site_without_a_list_costs_a_question_a_second_for_all() -> None:
    lists = Lists()
    known = lists.words()
    assert await asyncio.gather(*(known.check("news", [TextField("body", "one")]) for _ in range(500))) == [()] * 500
    for _ in range(50):
        await found(known, "one")
    assert (lists.asked, lists.read) == (1, 0)


async def test_a_list_is_read_once_and_again_when_it_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    lists = Lists(news=[Entry("one")])
    known = lists.words()
    many = await asyncio.gather(*(found(known, "one two") for _ in range(50)))
    assert many == [["one"]] * 50
    assert (lists.asked, lists.read) == (1, 1)
    lists.change("news", Entry("two"))
    assert await found(known, "one two") == ["one"], "it is fresh"
    monkeypatch.setattr(words, "FRESH_SECONDS", -1.0)
    assert await found(known, "one two") == ["two"]
    assert await found(known, "one two") == ["two"]
    assert lists.read == 2
    lists.change("news")
    assert await found(known, "one two") == []


async def test_what_is_refused_says_the_field_and_not_the_word() -> None:
    known = Lists(news=[Entry("one"), Entry("two", Does.refuse)]).words()
    with pytest.raises(Problem) as refused:
        await known.check("news", [TextField("author.name", "one"), TextField("body", "one and two")])
    assert (refused.value.code, refused.value.field) == (ErrorCode.words, "body")
    assert "two" not in refused.value.detail


async def test_the_lists_that_are_kept_have_an_end() -> None:
    sites = [f"site{number}" for number in range(KNOWN_LISTS + 1)]
    lists = Lists(**{site: [Entry("one")] for site in sites})
    known = lists.words()
    for site in (*sites, sites[-1], sites[0]):
        assert await found(known, "one", site) == ["one"]
    assert lists.read == len(sites) + 1, "the first one went, and was read again"
