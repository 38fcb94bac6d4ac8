"""A receiver of checks of a test's own: it answers what it is told to, and does whatever a hostile one could do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tests.support.listener import Listener, Received, read_request

NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
FAILURE = b"HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n"


def answer(body: Mapping[str, Any] | bytes, status: int = 200, more: str = "") -> bytes:
    """The bytes of an answer."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Length: {len(raw)}\r\n{more}\r\n".encode() + raw


class Receiver(Listener):
    """Answers by its path, by a word of its body, else ``otherwise``; what has a word of ``hangs`` waits for ``go_on``.

    ``drips`` is an answer that goes on until then, a byte at a time.
    """

    def __init__(self) -> None:
        super().__init__()
        self.by_path: dict[str, bytes] = {}
        self.by_word: dict[str, bytes] = {}
        self.otherwise = NO_CONTENT
        self.hangs: set[str] = set()
        self.go_on = asyncio.Event()
        self.asked: list[Received] = []
        self.drips = False

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def base(self) -> str:
        return f"http://{self.host}"

    @property
    def url(self) -> str:
        return f"{self.base}/check"

    def messages(self) -> list[dict[str, Any]]:
        return [json.loads(one.body) for one in self.asked]

    def texts(self) -> list[str]:
        return [one["data"]["comment"]["text"] for one in self.messages()]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                asked = await read_request(reader)
                self.asked.append(asked)
                said = asked.body.decode()
                if any(word in said for word in self.hangs):
                    await self.go_on.wait()
                by_word = next((found for word, found in self.by_word.items() if word in said), self.otherwise)
                found = self.by_path.get(asked.target, by_word)
                if self.drips:
                    await self._drip(writer)
                writer.write(found)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _drip(self, writer: asyncio.StreamWriter) -> None:
        """A byte now and then, without end."""
        writer.write(b"HTTP/1.1 200 X\r\nContent-Length: 60000\r\n\r\n")
        while not self.go_on.is_set():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.05)
