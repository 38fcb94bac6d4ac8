"""Connections over ASGI's send: what they keep, when they pause, how they end."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tertulia.errors import CloseCode
from tertulia.live.frames import Frame
from tertulia.live.reader import Reader
from tertulia.push import queued
from tertulia.push.queued import QueuedConnection
from tests.support.waiting import until


class Room:
    """What a reader is in; notes the calls of it."""

    def __init__(self) -> None:
        self.calls: list[str] = []

    def on_drained(self, reader: Reader) -> None:
        self.calls.append("drained")

    def on_writing(self, reader: Reader) -> None:
        self.calls.append("writing")

    def leave(self, reader: Reader) -> None:
        self.calls.append("left")


def _connected() -> tuple[Room, Reader, QueuedConnection]:
    room = Room()
    reader = Reader(room)
    reader.connection = connection = QueuedConnection(reader)
    return room, reader, connection


async def _never() -> CloseCode | None:
    await asyncio.Event().wait()
    return None


async def test_frames_are_sent_in_order_until_the_client_leaves() -> None:
    room, _, connection = _connected()
    sent: list[str] = []
    left = asyncio.Event()

    async def send(frame: Frame) -> None:
        sent.append(frame.text)

    async def disconnected() -> CloseCode | None:
        await left.wait()
        return None

    running = asyncio.create_task(connection.run(send, disconnected()))
    for number in range(5):
        connection.write(Frame(str(number)))
    await until(lambda: len(sent) == 5, "five messages")
    left.set()
    assert await running is None
    assert sent == ["0", "1", "2", "3", "4"]
    assert room.calls == ["left"]
    assert connection.buffered() == 0


async def test_a_reader_is_paused_and_goes_on_when_little_is_left() -> None:
    room, reader, connection = _connected()
    free = asyncio.Event()

    async def send(frame: Frame) -> None:
        await free.wait()

    running = asyncio.create_task(connection.run(send, _never()))
    for _ in range(3):
        connection.write(Frame("x" * (queued.HIGH_BYTES // 2)))
    assert reader.paused
    assert connection.buffered() > queued.HIGH_BYTES
    free.set()
    await until(lambda: not reader.paused, "a reader that goes on")
    assert room.calls == ["drained"]
    connection.close(CloseCode.restarting)
    assert await running is CloseCode.restarting


async def test_the_room_ends_it_while_a_send_is_blocked() -> None:
    room, _, connection = _connected()

    async def send(frame: Frame) -> None:
        await asyncio.Event().wait()

    running = asyncio.create_task(connection.run(send, _never()))
    connection.write(Frame("never taken"))
    await asyncio.sleep(0)
    connection.close(CloseCode.too_slow)
    connection.close(CloseCode.restarting)
    assert await running is CloseCode.too_slow
    assert room.calls == ["left"]


@pytest.mark.parametrize("failing", ["send", "disconnected"])
async def test_what_fails_is_raised_and_the_reader_leaves(failing: str) -> None:
    room, _, connection = _connected()

    async def send(frame: Frame) -> None:
        if failing == "send":
            raise OSError("the network")

    async def disconnected() -> CloseCode | None:
        if failing == "disconnected":
            raise OSError("the network")
        return await _never()

    connection.write(Frame("a"))
    with pytest.raises(OSError, match="the network"):
        await connection.run(send, disconnected())
    assert room.calls == ["left"]


async def test_who_says_something_wrong_is_told_so() -> None:
    _, _, connection = _connected()

    async def disconnected() -> CloseCode | None:
        return CloseCode.malformed

    async def send(frame: Frame) -> None:
        raise AssertionError("nothing was to be sent")

    sending: Callable[[Frame], Awaitable[None]] = send
    assert await connection.run(sending, disconnected()) is CloseCode.malformed
