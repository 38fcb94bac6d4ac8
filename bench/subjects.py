"""What is measured: servers in processes of their own, each told on standard input how many messages to send.

Run as ``python -m bench.subjects NAME PORT``; prints ``ready`` when connections are accepted.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tertulia.app import running
from tertulia.bus import Message
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent, events_message
from tertulia.serving.admission import Admission
from tertulia.serving.server import listen, serve
from tertulia.serving.vitals import Vitals
from tertulia.settings import Settings

KEY = DiscussionKey("default", "bench")
EVENT_BYTES = 400
NO_LIMIT = 10**9


def made(seq: int) -> EncodedEvent:
    """An event of EVENT_BYTES, as ready as the ledger makes it."""
    head = f'{{"seq":{seq},"kind":"comment.created","at":"2026-11-24T00:00:00.000Z","text":"'
    return EncodedEvent(seq, "comment.created", f"id-{seq}", head + "x" * (EVENT_BYTES - len(head) - 2) + '"}')


def on_numbers(work: Callable[[int], None]) -> None:
    """Calls ``work`` with every number that comes on standard input."""

    def read() -> None:
        for number in os.read(0, 4096).split():
            work(int(number))

    asyncio.get_running_loop().add_reader(0, read)


async def tertulia(port: int) -> None:
    """The whole server; messages enter where a commit announces them."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data_dir=Path(folder), tick_rate=NO_LIMIT, summary_rate=NO_LIMIT)
        async with running(settings) as server:
            seq = 0

            def publish(count: int) -> None:
                nonlocal seq
                for _ in range(count):
                    seq += 1
                    server.bus.publish(Message(KEY, server.store.epoch, (made(seq),)))

            on_numbers(publish)
            with listen("127.0.0.1", port) as listener:
                vitals = Vitals(Admission(NO_LIMIT, NO_LIMIT, []))
                await serve(server.asgi, server.hub, listener, vitals, 1, lambda: print("ready", flush=True))


async def naive(port: int) -> None:
    """What every tutorial shows: a set of WebSockets, and a loop of ``await socket.send_text``."""
    readers: set[WebSocket] = set()
    lock = asyncio.Lock()
    tasks: set[asyncio.Task[None]] = set()

    async def live(socket_: WebSocket) -> None:
        await socket_.accept()
        await socket_.send_text('{"type":"hello","seq":0}')
        readers.add(socket_)
        try:
            await socket_.receive_text()
        except WebSocketDisconnect:
            readers.discard(socket_)

    async def broadcast(text: str) -> None:
        async with lock:
            for reader in tuple(readers):
                await reader.send_text(text)

    def send(count: int) -> None:
        for number in range(count):
            task = asyncio.create_task(broadcast(events_message([made(number).payload])))
            tasks.add(task)
            task.add_done_callback(tasks.discard)

    on_numbers(send)
    app = Starlette(routes=[WebSocketRoute("/api/v1/live", live)])
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    config = uvicorn.Config(app, log_level="error", lifespan="off", access_log=False)
    print("ready", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


SUBJECTS = {"tertulia": tertulia, "naive": naive}

if __name__ == "__main__":
    logging.disable(logging.WARNING)
    asyncio.run(SUBJECTS[sys.argv[1]](int(sys.argv[2])))
