"""Locks: instances whose batches write about the same people in opposed order do not wait for each other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from datetime import timedelta
from secrets import token_hex
from typing import Any

import pytest

from tertulia.checks import check
from tertulia.core.comments import Author, DiscussionKey
from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import utc_now
from tertulia.store import Store, failures, write_queue
from tertulia.store.challenges import AskForCode, TryCode
from tertulia.store.commands import (
    Command,
    EndSessions,
    Mailbox,
    Merging,
    PostComment,
    ProlongSession,
    SignIn,
    Spent,
    VoidTokens,
    Who,
)
from tertulia.store.guests import GuestToken
from tests.support.postgres import Postgres
from tests.support.store_actions import StoreActions
from tests.support.waiting import within

PEOPLE = 40
FIRST = 9
DAY = timedelta(days=1)


@pytest.fixture
async def both(postgres: Postgres) -> AsyncIterator[list[Store]]:
    """Two instances on one PostgreSQL."""
    name = await postgres.create()
    async with AsyncExitStack() as stack:
        stores = [await Store.open(postgres.address(name)) for _ in range(2)]
        for store in stores:
            stack.push_async_callback(store.close)
            store.start()
        yield stores
    await postgres.drop(name)


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> list[failures.Failure]:
    """What batches failed with, those that were tried again, too."""
    seen: list[failures.Failure] = []

    def classify(error: BaseException) -> failures.Failure:
        if not isinstance(error, Problem):
            seen.append(failures.classify(error))
        return failures.classify(error)

    monkeypatch.setattr(write_queue, "classify", classify)
    return seen


def _id(what: int, number: int) -> str:
    return f"0190a000-0000-8000-8000-{what:04}{number:08}"


def _address(number: int) -> str:
    return f"{number:064x}"


def _asks(number: int, instance: int) -> Command[Any]:
    id_ = _id(9, number) if instance == FIRST else uuid7()
    return AskForCode(id_, "default", _address(number), "", "c" * 64, "en", utc_now())


def _asks_or_is_refused(number: int, _instance: int) -> Command[Any]:
    """After a refusal the commands of a batch are applied one by one."""
    site = "default" if number % 5 else "nowhere"
    return AskForCode(uuid7(), site, _address(number), "", "c" * 64, "en", utc_now())


def _guesses(number: int, _instance: int) -> Command[Any]:
    return TryCode(_id(9, number), "default", _address(number), "wrong", utc_now())


def _signs_in(number: int, _instance: int) -> Command[Any]:
    """With another name each time, with a token that is good once each time, and as a guest from before."""
    mailbox = Mailbox(_address(number), "")
    who = Who("default", "e-mail", _address(number), f"Person {number} {uuid7()[-4:]}", mailbox=mailbox)
    merging = Merging(GuestToken(_id(8, number), utc_now()), frozenset())
    return SignIn(who, token_hex(32), "test", DAY, utc_now(), Spent(token_hex(32), utc_now() - DAY), merging)


def _tries_a_token_again(number: int, _instance: int) -> Command[Any]:
    who = Who("default", "news", token_hex(32), f"Somebody {number}")
    return SignIn(who, token_hex(32), "test", DAY, utc_now(), Spent(f"{number:064x}", utc_now() + DAY))


def _writes_first(number: int, instance: int) -> Command[Any]:
    """The first comment of a guest, in a discussion that the other instance does not write to."""
    draft = StoreActions.draft(
        StoreActions.__new__(StoreActions),
        key=DiscussionKey("default", f"{instance}"),
        by=Author(_id(7, number), "Guest"),
        at=utc_now(),
    )
    return PostComment(draft)


def _voids(number: int, _instance: int) -> Command[Any]:
    return VoidTokens(_id(6, number), utc_now(), DAY)


def _goes_on_or_ends(number: int, instance: int) -> Command[Any]:
    author = _id(5, number)
    return ProlongSession(_id(4, number), author, utc_now(), DAY) if instance else EndSessions(author, utc_now())


KINDS = (
    _asks,
    _asks_or_is_refused,
    _guesses,
    _signs_in,
    _tries_a_token_again,
    _writes_first,
    _voids,
    _goes_on_or_ends,
)


@pytest.mark.parametrize("kind", KINDS)
async def test_batches_in_opposed_order_do_not_meet(
    both: list[Store], met: list[failures.Failure], kind: Callable[[int, int], Command[Any]]
) -> None:
    if kind is _guesses:
        await asyncio.gather(*(both[0].write(_asks(number, FIRST)) for number in range(PEOPLE)))
    orders = (range(PEOPLE), range(PEOPLE)[::-1])
    for _ in range(2):
        answers = await within(asyncio.gather(*_writes(both, orders, kind), return_exceptions=True), "the answers")
        assert [one for one in answers if isinstance(one, BaseException) and not _is_refusal(one)] == []
    assert met == []
    assert await check(both[0]) == []


def _writes(
    both: list[Store], orders: tuple[range, range], kind: Callable[[int, int], Command[Any]]
) -> Iterator[Awaitable[Any]]:
    for instance, (store, order) in enumerate(zip(both, orders, strict=True)):
        yield from (store.write(kind(number, instance)) for number in order)


def _is_refusal(error: BaseException) -> bool:
    return isinstance(error, Problem) and error.code is not ErrorCode.unavailable
