"""The list of words of a site: what changes it, what the log says of that, and who learns of it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, select

from tertulia.core.words import ENTRIES, Does, Entry
from tertulia.errors import ErrorCode, Problem
from tertulia.store import Store, queries, schema
from tertulia.store.actions import OPERATOR, By, log_page
from tertulia.store.commands import AddWords, RemoveWord, ReplaceWords, WordsChanged
from tertulia.store.commands.words import MOST_NAMED
from tests.support.store_actions import START, StoreActions, tables

LAN = By("0190a000-0000-8000-8000-00000000000a", "Lan")
ONE, TWO, THREE = Entry("one"), Entry("two", Does.refuse, "said in May"), Entry("=Three")


async def entries(store: Store, site: str = "default") -> list[Entry]:
    return [one.entry for one in await store.read(queries.words, site)]


async def log(store: Store) -> list[tuple[str, str, dict[str, Any]]]:
    found = (await store.read(log_page, None, 50)).actions
    return [(one.verb, one.actor, dict(one.data)) for one in found if one.verb.startswith("word.")]


def version(connection: Connection) -> int:
    return int(connection.scalar(select(schema.site.c.version).where(schema.site.c.key == "default")) or 0)


async def test_entries_are_added_and_say_something_else_when_they_are_added_again(store: Store) -> None:
    assert await store.write(AddWords(OPERATOR, "default", (ONE, TWO), START)) == WordsChanged(2, 0)
    changed = Entry("one", Does.refuse)
    assert await store.write(AddWords(LAN, "default", (changed, TWO, THREE), START)) == WordsChanged(2, 0)
    listed = await store.read(queries.words, "default")
    assert [(one.entry, one.by, one.at) for one in listed] == [
        (THREE, "Lan", START),
        (changed, "Lan", START),
        (TWO, "operator", START),
    ]
    assert await log(store) == [
        ("word.add", "Lan", {"words": ["one", "=Three"], "count": 2}),
        ("word.add", "operator", {"words": ["one", "two"], "count": 2}),
    ]


async def test_an_entry_is_removed_and_one_that_is_not_there_is_refused(store: Store) -> None:
    await store.write(AddWords(OPERATOR, "default", (ONE, TWO), START))
    assert await store.write(RemoveWord(LAN, "default", "one", START)) == WordsChanged(0, 1)
    before = await tables(store)
    with pytest.raises(Problem) as refused:
        await store.write(RemoveWord(LAN, "default", "one", START))
    assert (refused.value.code, refused.value.field) == (ErrorCode.not_found, "entry")
    assert await tables(store) == before
    assert await entries(store) == [TWO]
    assert (await log(store))[0] == ("word.remove", "Lan", {"words": ["one"], "count": 1})


async def test_a_whole_list_takes_the_place_of_another(store: Store) -> None:
    await store.write(AddWords(OPERATOR, "default", (ONE, TWO), START))
    assert await store.write(ReplaceWords(LAN, "default", (TWO, THREE), START)) == WordsChanged(1, 1)
    assert await entries(store) == [THREE, TWO]
    assert await store.write(ReplaceWords(LAN, "default", (), START)) == WordsChanged(0, 2)
    assert await entries(store) == []


async def test_a_list_has_an_end_and_the_log_names_some_of_a_long_one(store: Store) -> None:
    many = tuple(Entry(f"word{number}") for number in range(ENTRIES))
    await store.write(AddWords(OPERATOR, "default", many, START))
    before = await tables(store)
    for command in (
        AddWords(OPERATOR, "default", (ONE,), START),
        ReplaceWords(OPERATOR, "default", (*many, ONE), START),
    ):
        with pytest.raises(Problem, match="at most 5,000") as refused:
            await store.write(command)
        assert refused.value.code is ErrorCode.invalid
    assert await tables(store) == before
    ((_, _, data),) = await log(store)
    assert (len(data["words"]), data["count"]) == (MOST_NAMED, ENTRIES)


async def test_each_change_counts_the_version_and_none_counts_nothing(store: Store) -> None:
    first = await store.read(version)
    await store.write(AddWords(OPERATOR, "default", (ONE,), START))
    assert await store.read(queries.word_versions) == {"default": first + 1}
    before = await tables(store)
    assert await store.write(AddWords(LAN, "default", (ONE,), START)) == WordsChanged(0, 0)
    assert await store.write(ReplaceWords(LAN, "default", (ONE,), START)) == WordsChanged(0, 0)
    assert await tables(store) == before
    assert await store.read(queries.word_list, "default") == queries.WordList(first + 1, [ONE])
    await store.write(RemoveWord(LAN, "default", "one", START))
    assert await store.read(queries.word_versions) == {}
    assert await store.read(queries.word_list, "default") == queries.WordList(first + 2, [])


async def test_sites_have_a_list_each(store: Store) -> None:
    await StoreActions(store).begin()
    await store.write(AddWords(OPERATOR, "magazine", (ONE,), START))
    await store.write(AddWords(OPERATOR, "default", (ONE, TWO), START))
    await store.write(RemoveWord(OPERATOR, "default", "one", START))
    assert (await entries(store), await entries(store, "magazine")) == ([TWO], [ONE])


@pytest.mark.parametrize(
    "command",
    [
        AddWords(OPERATOR, "nowhere", (ONE,), START),
        RemoveWord(OPERATOR, "nowhere", "one", START),
        ReplaceWords(OPERATOR, "nowhere", (), START),
    ],
)
async def test_a_site_that_is_not_there_has_none(store: Store, command: AddWords | RemoveWord | ReplaceWords) -> None:
    with pytest.raises(Problem) as refused:
        await store.write(command)
    assert refused.value.code is ErrorCode.unknown_site
    with pytest.raises(Problem):
        await entries(store, "nowhere")
