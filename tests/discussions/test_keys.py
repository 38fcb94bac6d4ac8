"""What is known of keys: learned once, asked for once, forgotten when there is too much."""

from __future__ import annotations

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
