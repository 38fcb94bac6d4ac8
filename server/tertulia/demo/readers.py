"""Readers that measure: clients of the protocol, which connect again from their cursor whenever they are cut."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tertulia.demo.evidence import Evidence, Reading
from tertulia.demo.front import Front
from tertulia.demo.parts import Instance
from tertulia.protocol import API

OPEN_SECONDS = 5.0
FIRST_PAUSE = 0.1
LONGEST_PAUSE = 2.0

Told = dict[str, Any]


class Reader:
    """Follows one discussion through one front. ``take`` gets every comment that is made, ``back`` is called when
    the reader has all that was there when it connected.
    """

    def __init__(
        self,
        key: str,
        front: Front,
        evidence: Evidence,
        take: Callable[[Reading, Told], None],
        back: Callable[[Reader], None],
    ) -> None:
        self.instance: Instance | None = None
        self.joined = asyncio.Event()
        self.front = front
        self._key = key
        self._evidence = evidence
        self._take = take
        self._back = back
        self._epoch = ""
        self._head = 0
        self._reading: Reading | None = None

    @property
    def seq(self) -> int:
        return 0 if self._reading is None else self._reading.seqs.last

    async def run(self) -> None:
        """Reads for ever."""
        pause = FIRST_PAUSE
        while True:
            try:
                async with connect(self._url(), proxy=None, open_timeout=OPEN_SECONDS, max_size=None) as socket:
                    await self._follow(socket)
            except (OSError, WebSocketException):
                pass
            if self.instance is not None:
                self.instance = None
                pause = FIRST_PAUSE
            # not all at once, and less and less often: what the client in the browser does, only sooner
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
            pause = min(pause * 2, LONGEST_PAUSE)

    def _url(self) -> str:
        query: dict[str, str | int] = {"key": self._key, "full": 1}
        if self._reading is not None:
            query |= {"epoch": self._epoch, "after": self._reading.seqs.last}
        return f"ws://{self.front.address}{API}/live?{urlencode(query)}"

    async def _follow(self, socket: ClientConnection) -> None:
        async for text in socket:
            message: Told = json.loads(text)
            if message["type"] == "hello":
                self._hello(message)
                self.instance = self.front.instance_of(socket.local_address[1])
            elif message["type"] == "reset" and self._reading is not None:
                self._epoch = message["epoch"]
                self._reading.reset(message["seq"])
            elif message["type"] == "events" and self._reading is not None:
                self._events(self._reading, message["events"])
            if self.seq >= self._head:
                self._back(self)

    def _hello(self, hello: Told) -> None:
        self._epoch = self._epoch or hello["epoch"]
        self._head = hello["seq"]
        if self._reading is None:
            self._reading = self._evidence.join(hello["seq"])
            self.joined.set()

    def _events(self, reading: Reading, events: list[Told]) -> None:
        for event in events:
            reading.seqs.take(event["seq"])
            if event["kind"] == "comment.created":
                self._take(reading, event["comment"])
