"""Posting limits: who and where is counted, how long to wait, and that a refusal counts nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest

from tertulia.bus.stats import FailureKind
from tertulia.core.waits import wait_of
from tertulia.errors import ErrorCode, Problem
from tertulia.limits import PostingLimits, Write
from tertulia.limits.counting import Unavailable, Window
from tertulia.limits.posting import MODERATIONS_A_MINUTE, PREVIEWS_A_MINUTE


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """What the limits take for the time."""
    return Clock()


async def admitted(
    limits: PostingLimits, who: str | None, where: str | None, times: int = 1, write: Write = Write.comment
) -> int:
    """How many of so many writes were let in."""
    count = 0
    for _ in range(times):
        refusal = None
        try:
            await limits.count(who, where, write)
        except Problem as problem:
            refusal = problem
        if refusal is None:
            count += 1
            continue
        assert refusal.code is ErrorCode.rate_limited
        assert refusal.retry_after is not None
        assert refusal.retry_after >= 1
        assert refusal.detail.endswith(f"in {wait_of(refusal.retry_after)}.")
    return count


async def test_a_guest_has_its_own_count() -> None:
    limits = PostingLimits("3/minute", "off")
    assert await admitted(limits, "lan", "192.0.2.1", 5) == 3
    assert await admitted(limits, "minh", "192.0.2.1", 5) == 3
    assert await admitted(limits, None, "192.0.2.1", 5) == 5


async def test_every_kind_of_write_is_counted_apart() -> None:
    limits = PostingLimits("1/day", "2/day", changes=("3/day", "4/day"), votes=("5/day", "6/day"))
    for write, of_guest, of_address in ((Write.comment, 1, 2), (Write.change, 3, 4), (Write.vote, 5, 6)):
        assert await admitted(limits, "lan", "192.0.2.1", 10, write) == of_guest
        assert await admitted(limits, "minh", "192.0.2.1", 10, write) == of_address - of_guest
    off = PostingLimits("1/day", "1/day")
    for write in (Write.change, Write.vote):
        assert await admitted(off, "lan", "192.0.2.1", 50, write) == 50


async def test_moderators_have_a_limit_that_only_programs_reach(clock: Clock) -> None:
    limits = PostingLimits("off", "off", clock=clock)
    assert await admitted(limits, "mai", None, MODERATIONS_A_MINUTE + 5, Write.moderation) == MODERATIONS_A_MINUTE
    assert await admitted(limits, "eva", None, 5, Write.moderation) == 5
    clock.now += 61
    assert await admitted(limits, "mai", None, 5, Write.moderation) == 5


async def previewed(limits: PostingLimits, where: str | None, times: int) -> int:
    """How many of so many previews were made."""
    count = 0
    for _ in range(times):
        with suppress(Problem):
            await limits.count_preview(where)
            count += 1
    return count


async def test_previews_are_counted_by_address_and_apart_from_posts(clock: Clock) -> None:
    limits = PostingLimits("off", "2/minute", clock=clock)
    assert await previewed(limits, "192.0.2.1", PREVIEWS_A_MINUTE + 5) == PREVIEWS_A_MINUTE
    assert await previewed(limits, "192.0.2.2", 5) == 5
    assert await previewed(limits, None, PREVIEWS_A_MINUTE + 5) == PREVIEWS_A_MINUTE + 5
    assert await admitted(limits, None, "192.0.2.1", 5) == 2
    clock.now += 61
    assert await previewed(limits, "192.0.2.1", 5) == 5


async def test_who_counts_no_addresses_counts_no_previews() -> None:
    assert await previewed(PostingLimits("1/day", "off"), "192.0.2.1", PREVIEWS_A_MINUTE + 5) == PREVIEWS_A_MINUTE + 5


async def test_an_address_has_its_own_count() -> None:
    limits = PostingLimits("off", "3/minute")
    assert await admitted(limits, "lan", "192.0.2.1", 2) == 2
    assert await admitted(limits, None, "192.0.2.1", 2) == 1
    assert await admitted(limits, "lan", "192.0.2.2", 5) == 3
    assert await admitted(limits, "lan", None, 5) == 5


async def test_a_guest_and_an_address_of_one_name_are_two() -> None:
    limits = PostingLimits("1/minute", "1/minute")
    assert await admitted(limits, "192.0.2.1", None) == 1
    assert await admitted(limits, None, "192.0.2.1") == 1


async def test_off_is_without_end() -> None:
    assert await admitted(PostingLimits("off", "off"), "lan", "192.0.2.1", 500) == 500


async def test_the_window_moves(clock: Clock) -> None:
    limits = PostingLimits("2/minute", "off", clock=clock)
    assert await admitted(limits, "lan", None) == 1
    clock.now += 40
    assert await admitted(limits, "lan", None, 3) == 1
    clock.now += 21
    assert await admitted(limits, "lan", None, 3) == 1, "one has left the window, the other has not"
    clock.now += 40
    assert await admitted(limits, "lan", None, 3) == 1


@pytest.mark.parametrize("passed", [0.0, 0.4, 17.5, 59.0])
async def test_who_waits_as_long_as_it_was_told_is_let_in(clock: Clock, passed: float) -> None:
    limits = PostingLimits("2/minute", "off", clock=clock)
    await admitted(limits, "lan", None, 2)
    clock.now += passed
    with pytest.raises(Problem) as refused:
        await limits.count("lan", None)
    assert refused.value.retry_after is not None
    assert 60 - passed <= refused.value.retry_after < 62 - passed
    clock.now += refused.value.retry_after + 0.001
    assert await admitted(limits, "lan", None, 3) == 2


async def test_all_windows_hold(clock: Clock) -> None:
    limits = PostingLimits("2/minute;3/hour", "off", clock=clock)
    assert await admitted(limits, "lan", None, 5) == 2
    clock.now += 61
    assert await admitted(limits, "lan", None, 5) == 1
    clock.now += 61
    with pytest.raises(Problem) as refused:
        await limits.count("lan", None)
    assert refused.value.retry_after is not None
    assert refused.value.retry_after > 3400
    clock.now += 3600
    assert await admitted(limits, "lan", None, 5) == 2


async def test_what_is_refused_is_not_counted(clock: Clock) -> None:
    limits = PostingLimits("2/minute", "4/hour", clock=clock)
    assert await admitted(limits, "lan", "192.0.2.1", 50) == 2
    assert await admitted(limits, "minh", "192.0.2.1", 50) == 2, "48 refusals took nothing from the address"
    assert await admitted(limits, "eva", "192.0.2.1", 50) == 0
    assert await admitted(limits, "eva", "192.0.2.9", 50) == 2, "nor from a guest whose address was refused"
    clock.now += 61
    assert await admitted(limits, "lan", "192.0.2.7", 50) == 2


async def test_posts_at_once_are_counted_like_one_after_the_other() -> None:
    limits = PostingLimits("10/minute", "10/minute")
    answers = await asyncio.gather(*(limits.count("lan", "192.0.2.1") for _ in range(50)), return_exceptions=True)
    assert answers.count(None) == 10


async def test_one_network_of_ipv6_is_one_address() -> None:
    limits = PostingLimits("off", "2/minute")
    assert await admitted(limits, None, "2001:db8:1:2::1") == 1
    assert await admitted(limits, None, "2001:db8:1:2:ffff:ffff:ffff:ffff", 3) == 1
    assert await admitted(limits, None, "2001:db8:1:3::1", 3) == 2
    assert await admitted(limits, None, "192.0.2.1", 1) == 1
    assert await admitted(limits, None, "::ffff:192.0.2.1", 3) == 1


async def test_a_limit_is_one_line_a_minute_for_each_cause(caplog: pytest.LogCaptureFixture) -> None:
    limits = PostingLimits("1/day", "off", votes=("1/day", "off"))
    for write in (Write.comment, Write.vote):
        await limits.count("guest", "192.0.2.77", write)
        for _ in range(3):
            with pytest.raises(Problem):
                await limits.count("guest", "192.0.2.77", write)
    assert [(vars(record)["of"], vars(record)["network"]) for record in caplog.records] == [
        ("comments", "192.0.2.0/24"),
        ("votes", "192.0.2.0/24"),
    ]


async def test_what_is_done_once_a_day_is_counted_for_each_thing_and_address(clock: Clock) -> None:
    limits = PostingLimits("off", "off", clock=clock)
    asked = [("a", "192.0.2.1"), ("a", "192.0.2.1"), ("b", "192.0.2.1"), ("a", "192.0.2.2"), ("a", None), ("a", None)]
    assert [await limits.is_first_today(what, where) for what, where in asked] == [True, False, True, True, True, True]
    clock.now += 86_401
    assert await limits.is_first_today("a", "192.0.2.1")


class RedisInMemory:
    """Counts that all instances share, and that may refuse, forget everything or be away."""

    def __init__(self) -> None:
        self.counted = 0
        self.wait = 0.0
        self.is_away = False
        self.failures = dict.fromkeys(FailureKind, 0)

    async def count(self, windows: Sequence[Window]) -> float:
        """Lets the others go first, as a network does."""
        await asyncio.sleep(0)
        if self.is_away:
            raise Unavailable
        self.counted += self.wait == 0
        return self.wait

    async def can_count(self) -> bool:
        return not self.is_away


async def test_what_is_refused_here_is_not_counted_for_all(clock: Clock) -> None:
    """Redis has started empty, and this instance remembers."""
    shared = RedisInMemory()
    limits = PostingLimits("2/minute", "3/minute", shared, clock=clock)
    assert await admitted(limits, "lan", "192.0.2.1", 50) == 2
    assert shared.counted == 2
    assert await admitted(limits, "minh", "192.0.2.1", 50) == 1
    assert shared.counted == 3


async def test_what_is_refused_for_all_is_not_counted_here(clock: Clock) -> None:
    shared = RedisInMemory()
    limits = PostingLimits("3/minute", "off", shared, clock=clock)
    assert await admitted(limits, "lan", None) == 1
    shared.wait = 7.0
    assert await admitted(limits, "lan", None, 50) == 0
    shared.is_away = True
    assert await admitted(limits, "lan", None, 50) == 2


async def test_posts_at_once_are_counted_for_all_as_often_as_they_are_let_in() -> None:
    shared = RedisInMemory()
    limits = PostingLimits("10/minute", "10/minute", shared)
    answers = await asyncio.gather(*(limits.count("lan", "192.0.2.1") for _ in range(50)), return_exceptions=True)
    assert (answers.count(None), shared.counted) == (10, 10)
