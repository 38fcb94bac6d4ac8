"""A writer that posts consecutive numbers, each through the next load balancer, and retries until it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import count, cycle

from tertulia.showcase.demo.delivery_check import DeliveryCheck
from tertulia.showcase.demo.load_balancer import LoadBalancer
from tertulia.showcase.demo.posting import Json, post

NAME = "The demonstration"
_HELLO = "From now on I post one number at a time, each through another load balancer. Each appears here, once."


class ProbeWriter:
    """One author; ``author_id`` is known when ``join`` returns."""

    def __init__(self, key: str, balancers: Sequence[LoadBalancer], check: DeliveryCheck, interval: float) -> None:
        self.author_id = ""
        self.retries = 0
        self._key = key
        self._balancers = balancers
        self._check = check
        self._interval = interval
        self._token = ""

    async def join(self) -> None:
        posted = await self._post_comment(_HELLO, self._balancers[0])
        self._token = posted["token"]
        self.author_id = posted["comment"]["author"]["id"]

    async def run(self, clock: Callable[[], float]) -> None:
        """Posts for ever; the next number follows once the last one was answered."""
        due = clock()
        for number, balancer in zip(count(1), cycle(self._balancers), strict=False):
            self._check.record_post(number, clock())
            await self._post_comment(text_of(number, balancer), balancer)
            self._check.record_answer(number, clock())
            due = max(due + self._interval, clock())
            await asyncio.sleep(due - clock())

    async def _post_comment(self, text: str, balancer: LoadBalancer) -> Json:
        """Retries with one idempotency key until there is an answer."""
        comment: Json = {"key": self._key, "body": text} | ({} if self._token else {"author": {"name": NAME}})
        return await post(balancer.port, "/comments", comment, self._token, self._count_retry)

    def _count_retry(self) -> None:
        self.retries += 1


def text_of(number: int, balancer: LoadBalancer) -> str:
    return f"**{number}**, through load balancer {balancer.number}"


def number_of(comment: Json) -> int | None:
    """The number in a comment of the writer; its first comment has none."""
    first: Json = comment["body"][0]["children"][0]
    return int(first["children"][0]["text"]) if first["type"] == "strong" else None
