"""Somebody who says a number every second, each time by way of another front, and tries until it is answered."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Callable, Sequence
from itertools import count, cycle
from typing import Any

from tertulia.demo.evidence import Evidence
from tertulia.demo.front import Front
from tertulia.demo.parts import HERE
from tertulia.errors import StartupError
from tertulia.protocol import API

NAME = "The demonstration"
ATTEMPT_SECONDS = 8.0
LONGEST_PAUSE = 0.5
_HELLO = "From now on I say a number at a time, each through another front. Every one of them appears here, once."

Said = dict[str, Any]


class Writer:
    """One author; ``author_id`` is known when ``join`` returns."""

    def __init__(self, key: str, fronts: Sequence[Front], evidence: Evidence, interval: float) -> None:
        self.author_id = ""
        self.retries = 0
        self._key = key
        self._fronts = fronts
        self._evidence = evidence
        self._interval = interval
        self._token = ""

    async def join(self) -> None:
        posted = await self._say(_HELLO, self._fronts[0])
        self._token = posted["token"]
        self.author_id = posted["comment"]["author"]["id"]

    async def run(self, clock: Callable[[], float]) -> None:
        """Writes for ever; the next number begins when the last one was answered."""
        due = clock()
        for number, front in zip(count(1), cycle(self._fronts), strict=False):
            self._evidence.posted(number, clock())
            await self._say(text_of(number, front), front)
            self._evidence.answered(number, clock())
            due = max(due + self._interval, clock())
            await asyncio.sleep(due - clock())

    async def _say(self, text: str, front: Front) -> Said:
        """Tries with one idempotency key until there is an answer."""
        said: Said = {"key": self._key, "body": text}
        headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        else:
            said["author"] = {"name": NAME}
        pause = 0.05
        while True:
            try:
                return await _post(front.port, f"{API}/comments", headers, said)
            except (OSError, ValueError):  # no answer, or one of which a part was lost
                self.retries += 1
            await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - no secret
            pause = min(pause * 2, LONGEST_PAUSE)


def text_of(number: int, front: Front) -> str:
    return f"**{number}**, through front {front.number}"


def number_in(comment: Said) -> int | None:
    """The number that a comment of the writer says; its first one says none."""
    first: Said = comment["body"][0]["children"][0]
    return int(first["children"][0]["text"]) if first["type"] == "strong" else None


async def _post(port: int, path: str, headers: dict[str, str], content: Said) -> Said:
    """The answer to one attempt. Raises OSError or ValueError where another may succeed, StartupError else."""
    body = json.dumps(content).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {HERE}:{port}", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    async with asyncio.timeout(ATTEMPT_SECONDS):
        reader, writer = await asyncio.open_connection(HERE, port)
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
    posted: Said = json.loads(answered)
    return posted
