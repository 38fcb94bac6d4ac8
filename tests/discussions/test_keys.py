"""What is known of keys: learned once, asked for once, forgotten when there is too much."""

from __future__ import annotations

import asyncio

import pytest

from tertulia.core.comments import Discussion, DiscussionKey
from tertulia.discussions.keys import KNOWN_KEYS, Keys

GIVEN, STORED = DiscussionKey("default", "http://a.example/"), DiscussionKey("default", "https://a.example")


class StoredKey:
    """Answers with what is stored, and counts."""

    def __init__(self, stored: DiscussionKey | None) -> None:
        self.stored = stored
        self.keys: list[DiscussionKey] = []

    async def __call__(self, key: DiscussionKey) -> DiscussionKey | None:
        self.keys.append(key)
        return self.stored


async def test_a_discussion_is_asked_for_once() -> None:
    asked = StoredKey(STORED)
    keys = Keys(asked)
    assert keys.known(GIVEN) == GIVEN
    assert [await keys.resolve(GIVEN) for _ in range(2)] == [STORED] * 2
    assert (keys.known(GIVEN), asked.keys) == (STORED, [GIVEN])


async def test_what_an_answer_said_is_not_asked_for() -> None:
    asked = StoredKey(None)
    keys = Keys(asked)
    keys.learn(GIVEN, Discussion(STORED, id=1))
    assert (await keys.resolve(GIVEN), asked.keys) == (STORED, [])


async def test_one_that_is_not_there_is_asked_for_again() -> None:
    asked = StoredKey(None)
    keys = Keys(asked)
    keys.learn(GIVEN, Discussion(STORED))
    assert [await keys.resolve(GIVEN) for _ in range(2)] == [GIVEN.canonical] * 2
    assert asked.keys == [GIVEN] * 2
    assert keys.known(GIVEN) == GIVEN


async def test_the_ones_used_last_are_kept() -> None:
    keys = Keys(StoredKey(None))
    for number in range(KNOWN_KEYS + 1):
        keys.learn(DiscussionKey("default", f"{number} "), Discussion(DiscussionKey("default", str(number)), id=1))
        keys.known(DiscussionKey("default", "0 "))
    assert keys.known(DiscussionKey("default", "0 ")).key == "0"
    assert keys.known(DiscussionKey("default", "1 ")).key == "1 "
    assert keys.known(DiscussionKey("default", "2 ")).key == "2"


@pytest.mark.parametrize("stored", [STORED, None], ids=["there", "not there"])
async def test_many_who_come_at_once_ask_once(stored: DiscussionKey | None) -> None:
    answers = asyncio.Event()
    asked: list[DiscussionKey] = []

    async def read(key: DiscussionKey) -> DiscussionKey | None:
        asked.append(key)
        await answers.wait()
        return stored

    keys = Keys(read)
    assert not keys.is_asked(GIVEN)
    crowd = [asyncio.create_task(keys.resolve(GIVEN)) for _ in range(100)]
    other = asyncio.create_task(keys.resolve(DiscussionKey("default", "another")))
    await asyncio.wait(crowd, timeout=0)
    assert keys.is_asked(GIVEN)
    answers.set()
    assert set(await asyncio.gather(*crowd)) == {stored or GIVEN.canonical}
    await other
    assert len([key for key in asked if key == GIVEN]) == 1
    assert not keys.is_asked(GIVEN)


async def test_who_comes_while_an_older_question_is_asked_gets_an_answer_of_their_own() -> None:
    """The discussion may have begun after the store was read for the older one."""
    reads, answers = asyncio.Event(), asyncio.Event()
    stored = [None, STORED]

    async def read(_key: DiscussionKey) -> DiscussionKey | None:
        found = stored.pop(0)
        reads.set()
        await answers.wait()
        return found

    keys = Keys(read)
    older = asyncio.create_task(keys.resolve(GIVEN))
    await reads.wait()
    newer = asyncio.create_task(keys.resolve(GIVEN))
    answers.set()
    assert [await older, await newer] == [GIVEN.canonical, STORED]


async def test_a_store_that_fails_is_asked_again() -> None:
    failing = True

    async def read(_key: DiscussionKey) -> DiscussionKey | None:
        if failing:
            raise ConnectionError
        return STORED

    keys = Keys(read)
    found = await asyncio.gather(keys.resolve(GIVEN), keys.resolve(GIVEN), return_exceptions=True)
    assert [type(one) for one in found] == [ConnectionError] * 2
    assert not keys.is_asked(GIVEN)
    failing = False
    assert await keys.resolve(GIVEN) == STORED
