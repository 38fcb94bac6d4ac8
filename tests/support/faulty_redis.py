"""A proxy before Redis that loses, doubles, shuffles and rewrites what is published, and hands on everything else."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

from tests.support.listener import Listener

MESSAGE = b"*3\r\n$7\r\nmessage\r\n"
PROBE = b":probe:"
HELD_SECONDS = 0.3
"""A message that is held back comes at the latest after this long without another one."""


class FaultyRedis(Listener):
    """Use as a context manager. ``share`` of the messages are lost, as many come twice, as many come late.

    ``newer`` of the others come as of a version that is not known yet, or with a kind of event that is not; nobody
    signed them like that. ``older`` of the rest come as of the version before, without a signature.

    While it is ``deaf`` no message and no probe comes; while ``subscribing`` is cleared, subscriptions wait.
    """

    def __init__(self, port: int, *, share: float = 0.0, newer: float = 0.0, older: float = 0.0, seed: int = 0) -> None:
        super().__init__()
        self.fates: Counter[str] = Counter()
        self.deaf = False
        self.subscribing = asyncio.Event()
        self.subscribing.set()
        self._port = port
        self._share = share
        self._newer = newer
        self._older = older
        self._random = random.Random(seed)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        onward: asyncio.StreamWriter | None = None
        try:
            answers, onward = await asyncio.open_connection("127.0.0.1", self._port)
            ways = self._ask(reader, onward), self._answer(answers, writer)
            copying = [asyncio.create_task(way) for way in ways]
            try:
                await asyncio.wait(copying, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in copying:
                    task.cancel()
                await asyncio.gather(*copying, return_exceptions=True)
        except OSError:
            pass
        finally:
            for one in (writer, onward):
                if one is not None:
                    one.transport.abort()

    async def _ask(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            if b"SUBSCRIBE" in data:
                await self.subscribing.wait()
            target.write(data)
            await target.drain()

    async def _answer(self, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        buffer, held = bytearray(), list[bytes]()
        while True:
            try:
                async with asyncio.timeout(HELD_SECONDS if held else None):
                    data = await source.read(65536)
            except TimeoutError:
                target.writelines(held)
                held.clear()
                continue
            if not data:
                return
            buffer += data
            while (end := _end(buffer, 0)) is not None:
                frame = bytes(buffer[:end])
                del buffer[:end]
                target.writelines(self._fate(frame, held) if frame.startswith(MESSAGE) else [frame])
            await target.drain()

    def _fate(self, frame: bytes, held: list[bytes]) -> list[bytes]:
        """What goes out where a message came in: nothing, it, it twice, or it and one that was held back."""
        if self.deaf:
            return []
        if PROBE in frame:
            return [frame]
        drawn = self._random.random()
        if drawn < self._share:
            self.fates["lost"] += 1
            return []
        if drawn < 2 * self._share:
            self.fates["doubled"] += 1
            return [frame, frame]
        if drawn < 3 * self._share:
            self.fates["held"] += 1
            held.append(frame)
            return []
        if drawn < 3 * self._share + self._newer:
            self.fates["newer"] += 1
            return [_of_a_newer_version(frame, self._random.random() < 0.5)]
        if drawn < 3 * self._share + self._newer + self._older:
            self.fates["older"] += 1
            return [_of_the_version_before(frame)]
        self.fates["passed"] += 1
        late = [held.pop(self._random.randrange(len(held)))] if held and self._random.random() < 0.5 else []
        return [frame, *late]


def _of_a_newer_version(frame: bytes, whole: bool) -> bytes:
    """The same message in another version, or the same events as of another kind; of the same length."""
    if whole:
        return frame.replace(b"\n[2,", b"\n[3,")
    return frame.replace(b',"comment.created",', b',"comment.starred",').replace(
        b',"comment.voted",', b',"comment.liked",'
    )


def _of_the_version_before(frame: bytes) -> bytes:
    *head, _size, payload = frame.split(b"\r\n", 6)
    unsigned = payload[:-2].partition(b"\n")[2].replace(b"[2,", b"[1,", 1)
    return b"\r\n".join([*head, b"$%d" % len(unsigned), unsigned, b""])


def _end(buffer: bytearray, start: int) -> int | None:
    """Where the RESP2 reply that begins at ``start`` ends; None while it is not whole."""
    line = buffer.find(b"\r\n", start)
    if line < 0:
        return None
    kind, after = chr(buffer[start]), line + 2
    if kind not in "$*":
        return after
    number = int(buffer[start + 1 : line])
    if kind == "$":
        end = after + (number + 2 if number >= 0 else 0)
        return end if end <= len(buffer) else None
    for _ in range(max(number, 0)):
        part = _end(buffer, after)
        if part is None:
            return None
        after = part
    return after
