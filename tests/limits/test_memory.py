"""What is remembered of who posted has a bound."""

from __future__ import annotations

from tertulia.limits.memory import MAX_COUNTED, BoundedStorage


class Clock:
    """Time that goes on when it is told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_window_moves() -> None:
    clock = Clock()
    storage = BoundedStorage(clock)
    assert [await storage.acquire_entry("one", 2, 60) for _ in range(3)] == [True, True, False]
    assert await storage.get_moving_window("one", 2, 60) == (1000.0, 2)
    clock.now += 61
    assert await storage.get_moving_window("one", 2, 60) == (1061.0, 0)
    assert await storage.acquire_entry("one", 2, 60)


async def test_who_posts_no_more_is_forgotten() -> None:
    clock = Clock()
    storage = BoundedStorage(clock)
    for number in range(100_000):
        await storage.acquire_entry(str(number), 2, 60)
        clock.now += 1
    assert len(storage) <= 61


async def test_so_many_are_remembered() -> None:
    storage = BoundedStorage(Clock(), most=50)
    for number in range(500):
        await storage.acquire_entry(str(number), 2, 60)
    assert len(storage) == 50
    assert (await storage.get_moving_window("499", 2, 60))[1] == 1


def test_the_real_bound() -> None:
    assert MAX_COUNTED == 20_000
