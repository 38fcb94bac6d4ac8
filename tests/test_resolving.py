"""Looking up names: one lookup that hangs holds up nobody, and many cost a bounded number of threads."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tertulia import resolving
from tertulia.resolving import MAX_LOOKUPS, Resolver

FOUND = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 5432))]


class Names:
    """A name service: ``hangs`` of the first lookups do until the end, then it answers."""

    def __init__(self, hangs: int) -> None:
        self.asked = 0
        self.end = threading.Event()
        self._hangs = hangs

    def look_up(self, *_name: Any) -> list[Any]:
        self.asked += 1
        if self.asked <= self._hangs:
            self.end.wait()
            raise socket.gaierror("nobody answered")
        return list(FOUND)


@pytest.fixture
def names(request: pytest.FixtureRequest) -> Iterator[Names]:
    given = Names(request.param)
    yield given
    given.end.set()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolving, "AGAIN_SECONDS", 0.02)


@pytest.mark.parametrize("names", [1, 3], indirect=True)
async def test_a_name_that_is_back_is_found_while_older_lookups_hang(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "LOOKUP_TIMEOUT", 600.0)
    resolver = Resolver(names.look_up)
    assert await resolver.getaddrinfo("postgres", 5432) == FOUND
    assert not names.end.is_set()
    assert await resolver.getaddrinfo("postgres", 5432) == FOUND


@pytest.mark.parametrize("names", [10_000], indirect=True)
async def test_nobody_waits_longer_than_patience_and_threads_have_a_bound(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolving, "LOOKUP_TIMEOUT", 0.5)
    resolver = Resolver(names.look_up)
    asked = [resolver.getaddrinfo(f"host {number % 4}", 5432) for number in range(100)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(answer) for answer in answers} == {TimeoutError}
    assert 4 < names.asked <= MAX_LOOKUPS


@pytest.mark.parametrize("names", [0], indirect=True)
async def test_all_who_ask_at_once_are_answered_by_one_lookup(names: Names) -> None:
    resolver = Resolver(names.look_up)
    answers = await asyncio.gather(*(resolver.getaddrinfo("postgres", 5432) for _ in range(50)))
    assert answers == [FOUND] * 50
    assert names.asked == 1


async def test_a_name_that_is_none_is_told_at_once() -> None:
    def unknown(*_name: Any) -> list[Any]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with pytest.raises(socket.gaierror, match="not known"):
        await Resolver(unknown).getaddrinfo("nowhere.invalid", 80)


async def test_connections_of_the_loop_ask_there() -> None:
    asked: list[Any] = []

    def look_up(*name: Any) -> list[Any]:
        asked.append(name[0])
        raise socket.gaierror("not here")

    loop = asyncio.get_running_loop()
    before = loop.getaddrinfo
    Resolver(look_up).install(loop)
    try:
        with pytest.raises(OSError, match="not here"):
            await asyncio.open_connection("postgres.example", 5432)
    finally:
        loop.getaddrinfo = before  # type: ignore[method-assign]
    assert asked == ["postgres.example"]
