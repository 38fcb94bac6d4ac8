"""How many rooms an address may open."""

from __future__ import annotations

from tertulia.errors import ErrorCode, Problem
from tertulia.limits.openings import AT_ONCE, MAX_ADDRESSES, PER_SECOND, Openings


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def opened(counted: Openings, address: str | None, most: int = 10_000) -> int:
    """How many it may open until it is refused, at most so many."""
    for number in range(most):
        try:
            counted.count(address)
        except Problem as problem:
            assert (problem.code, problem.retry_after) == (ErrorCode.rate_limited, 1)  # noqa: PT017
            return number
    return most


def test_so_many_at_once_and_so_many_a_second() -> None:
    clock = Clock()
    counted = Openings(clock)
    assert opened(counted, "192.0.2.1") == AT_ONCE
    clock.now += 3
    assert opened(counted, "192.0.2.1") == 3 * PER_SECOND
    clock.now += 3600
    assert opened(counted, "192.0.2.1") == AT_ONCE


def test_each_address_has_its_own() -> None:
    counted = Openings(Clock())
    assert [opened(counted, address) for address in ("192.0.2.1", "192.0.2.2", "2001:db8::1")] == [AT_ONCE] * 3
    assert opened(counted, "2001:db8::2") == 0, "one customer has a /64"
    assert opened(counted, "::ffff:192.0.2.1") == 0
    assert opened(counted, None) == 10_000


def test_who_comes_no_more_is_forgotten() -> None:
    clock = Clock()
    counted = Openings(clock)
    for number in range(100_000):
        counted.count(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
        clock.now += 0.001
    assert len(counted) <= AT_ONCE
    clock.now += 1
    counted.count("192.0.2.1")
    counted.count("192.0.2.2")
    assert len(counted) < 100


def test_so_many_addresses_are_remembered() -> None:
    assert MAX_ADDRESSES <= 10_000
    counted = Openings(Clock(), most=50)
    for number in range(200):
        counted.count(f"10.0.0.{number}")
        counted.count("192.0.2.1")
    assert len(counted) == 50
    assert opened(counted, "192.0.2.1") == 0, "one that is heard of again and again is not forgotten"
