"""A writer that posts consecutive numbers, each through the next load balancer, and retries until it is answered."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Callable, Sequence
from itertools import count, cycle
from typing import Any

from tertulia.errors import StartupError
from tertulia.protocol import API
from tertulia.showcase.demo.delivery_check import DeliveryCheck
from tertulia.showcase.demo.load_balancer import LoadBalancer
from tertulia.showcase.demo.services import LOCALHOST

NAME = "The demonstration"
ATTEMPT_SECONDS = 8.0
MAX_PAUSE = 0.5
_HELLO = "From now on I post one number at a time, each through another load balancer. Each appears here, once."

Json = dict[str, Any]


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
        comment: Json = {"key": self._key, "body": text}
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        else:
            comment["author"] = {"name": NAME}
        pause = 0.05
        while True:
            try:
                return await _post(balancer.port, f"{API}/comments", headers, comment)
            except (OSError, ValueError):  # no answer, or one that was truncated
                self.retries += 1
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - no secret
            pause = min(pause * 2, MAX_PAUSE)


def text_of(number: int, balancer: LoadBalancer) -> str:
    return f"**{number}**, through load balancer {balancer.number}"


def number_of(comment: Json) -> int | None:
    """The number in a comment of the writer; its first comment has none."""
    first: Json = comment["body"][0]["children"][0]
    return int(first["children"][0]["text"]) if first["type"] == "strong" else None


async def _post(port: int, path: str, headers: dict[str, str], content: Json) -> Json:
    """The answer to one attempt. Raises OSError or ValueError if another may succeed, else StartupError."""
    body = json.dumps(content).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {LOCALHOST}:{port}", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    async with asyncio.timeout(ATTEMPT_SECONDS):
        reader, writer = await asyncio.open_connection(LOCALHOST, port)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            answer = await reader.read(-1)
        finally:
            writer.transport.abort()
    head, _, answered = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/1.1 ") else 0
    if 400 <= status < 500:
        raise StartupError(f"A comment was refused with {status}: {answered.decode(errors='replace')}")
    if status not in (200, 201):
        raise OSError(f"answered {status}")
    posted: Json = json.loads(answered)
    return posted
