"""A reader that checks deliveries: a client of the protocol, which reconnects from its cursor when it is cut off."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tertulia.protocol import API
from tertulia.showcase.demo.delivery_check import DeliveryCheck, ReaderLog
from tertulia.showcase.demo.load_balancer import LoadBalancer
from tertulia.showcase.demo.services import Instance

OPEN_SECONDS = 5.0
MIN_PAUSE = 0.1
MAX_PAUSE = 2.0

Message = dict[str, Any]


class ProbeReader:
    """Follows one discussion through one load balancer.

    ``on_comment`` is called with every comment that is created, ``on_caught_up`` whenever the reader has everything up
    to the head it was told when it connected.
    """

    def __init__(
        self,
        key: str,
        balancer: LoadBalancer,
        check: DeliveryCheck,
        on_comment: Callable[[ReaderLog, Message], None],
        on_caught_up: Callable[[ProbeReader], None],
    ) -> None:
        self.instance: Instance | None = None
        self.joined = asyncio.Event()
        self.balancer = balancer
        self._key = key
        self._check = check
        self._on_comment = on_comment
        self._on_caught_up = on_caught_up
        self._epoch = ""
        self._head = 0
        self._log: ReaderLog | None = None

    @property
    def seq(self) -> int:
        return 0 if self._log is None else self._log.seqs.last

    async def run(self) -> None:
        """Reads for ever."""
        pause = MIN_PAUSE
        while True:
            try:
                async with connect(self._url(), proxy=None, open_timeout=OPEN_SECONDS, max_size=None) as socket:
                    await self._follow(socket)
            except (OSError, WebSocketException):
                pass
            if self.instance is not None:
                self.instance = None
                pause = MIN_PAUSE
            # not all at once, and less and less often: what the client in the browser does, only sooner
            await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - no secret
            pause = min(pause * 2, MAX_PAUSE)

    def _url(self) -> str:
        query: dict[str, str | int] = {"key": self._key, "full": 1}
        if self._log is not None:
            query |= {"epoch": self._epoch, "after": self._log.seqs.last}
        return f"ws://{self.balancer.address}{API}/live?{urlencode(query)}"

    async def _follow(self, socket: ClientConnection) -> None:
        async for text in socket:
            message: Message = json.loads(text)
            if message["type"] == "hello":
                self._hello(message)
                self.instance = self.balancer.backend_of(socket.local_address[1])
            elif message["type"] == "reset" and self._log is not None:
                self._epoch = message["epoch"]
                self._log.reset(message["seq"])
            elif message["type"] == "events" and self._log is not None:
                self._events(self._log, message["events"])
            if self.seq >= self._head:
                self._on_caught_up(self)

    def _hello(self, hello: Message) -> None:
        self._epoch = self._epoch or hello["epoch"]
        self._head = hello["seq"]
        if self._log is None:
            self._log = self._check.add_reader(hello["seq"])
            self.joined.set()

    def _events(self, log: ReaderLog, events: list[Message]) -> None:
        for event in events:
            log.seqs.accept(event["seq"])
            if event["kind"] == "comment.created":
                self._on_comment(log, event["comment"])
