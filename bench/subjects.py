"""Our server and the naive one, in processes of their own, told on standard input how many messages to send.

Run as ``python -m bench.subjects NAME PORT``; prints ``ready`` when connections are accepted.
"""

from __future__ import annotations

import asyncio
import cProfile
import logging
import os
import signal
import socket
import sys
import tempfile
import uuid
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tertulia.app import Running, running
from tertulia.bus import Message
from tertulia.core.comments import Author, DiscussionKey
from tertulia.core.documents import parse
from tertulia.core.ids import uuid7
from tertulia.identity import utc_now
from tertulia.protocol import EncodedEvent, events_message
from tertulia.serving.limiter import ConnectionLimiter
from tertulia.serving.listening import listen
from tertulia.serving.server import serve
from tertulia.serving.stats import ServerStats
from tertulia.serving.unread import MIB, Unread
from tertulia.settings import Settings
from tertulia.store import Store
from tertulia.store.commands import Draft, PostComment

KEY = DiscussionKey("default", "bench")
EVENT_BYTES = 400
NO_LIMIT = 10**9
SECRET = "a key of the benchmark, no secret of anybody"
SHORT = "The market by the river opens at five, bring an umbrella and small change."
LONG = "\n".join(["a short line"] * 760)
"""Nearly as long as a comment may be, and its document nearly as large as one may be: each line is a node."""


def made(seq: int) -> EncodedEvent:
    """An event of EVENT_BYTES, as ready as the write queue makes it."""
    head = f'{{"seq":{seq},"kind":"comment.created","at":"2026-11-24T00:00:00.000Z","text":"'
    return EncodedEvent(seq, "comment.created", f"id-{seq}", head + "x" * (EVENT_BYTES - len(head) - 2) + '"}')


def on_numbers(work: Callable[[int], None]) -> None:
    """Calls ``work`` with every number that comes on standard input."""

    def read() -> None:
        given = os.read(0, 4096)
        if not given:
            asyncio.get_running_loop().remove_reader(0)
        for number in given.split():
            work(int(number))

    asyncio.get_running_loop().add_reader(0, read)


async def tertulia(port: int, comments: str = "0") -> None:
    """The whole server, nobody refused; numbers enter as messages where a commit announces them."""
    await _serving(port, ConnectionLimiter(NO_LIMIT, NO_LIMIT), int(comments))


async def instance(port: int, database_url: str, redis_url: str) -> None:
    """One of several servers on one database, connected by Redis; what is handed in at once is of one commit."""
    limiter = ConnectionLimiter(NO_LIMIT, NO_LIMIT)
    await _serving(port, limiter, 0, database_url=database_url, redis_url=redis_url, lot=128)


async def guarded(port: int) -> None:
    """The whole server with the bounds on connections that it has by default."""
    default = Settings()
    await _serving(port, ConnectionLimiter(default.connections, default.connections_per_address), 0)


async def defended(port: int, comments: str) -> None:
    """The whole server with every bound that it has by default, and a discussion of so many long comments."""
    default = Settings()
    limiter = ConnectionLimiter(default.connections, default.connections_per_address)
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        async with running(Settings(data_dir=Path(folder))) as server:
            await _fill(server.store, int(comments), LONG)
            with listen("127.0.0.1", port) as listener:
                ready = partial(print, "ready", flush=True)
                server_stats = ServerStats(limiter, Unread(default.unread_mib * MIB))
                await serve(server.asgi, server.hub, listener, server_stats, drain_seconds=1, ready=ready)


async def profiled(port: int, file: str) -> None:
    """The whole server; SIGUSR1 begins the profile, SIGUSR2 ends it and writes it to the file."""
    profile, loop = cProfile.Profile(), asyncio.get_running_loop()

    def end() -> None:
        profile.disable()
        profile.dump_stats(f"{file}.part")
        Path(f"{file}.part").rename(file)

    loop.add_signal_handler(signal.SIGUSR1, profile.enable)
    loop.add_signal_handler(signal.SIGUSR2, end)
    await tertulia(port)


async def _serving(
    port: int,
    limiter: ConnectionLimiter,
    comments: int,
    *,
    database_url: str | None = None,
    redis_url: str | None = None,
    lot: int = 1,
) -> None:
    # a disk: /tmp may be memory
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        settings = Settings(
            data_dir=Path(folder),
            database_url=database_url,
            redis_url=redis_url,
            secret_key=SECRET,  # one for all instances, or they would not believe each other
            tick_rate=NO_LIMIT,
            summary_rate=NO_LIMIT,
            post_limit_guest="off",
            post_limit_address="off",
            edit_limit_guest="off",
            edit_limit_address="off",
            vote_limit_guest="off",
            vote_limit_address="off",
        )
        async with running(settings) as server:
            await _fill(server.store, comments)
            on_numbers(_publisher(server, lot))
            with listen("127.0.0.1", port) as listener:
                ready = partial(print, "ready", flush=True)
                server_stats = ServerStats(limiter, Unread(settings.unread_mib * MIB))
                await serve(server.asgi, server.hub, listener, server_stats, drain_seconds=1, ready=ready)


def _publisher(server: Running, lot: int) -> Callable[[int], None]:
    """Publishes so many events, at most ``lot`` of them in one message."""
    seq = 0

    def publish(count: int) -> None:
        nonlocal seq
        for start in range(0, count, lot):
            events = tuple(made(seq + number + 1) for number in range(min(lot, count - start)))
            seq = events[-1].seq
            server.bus.publish(Message(KEY, server.store.epoch, events))

    return publish


async def _fill(store: Store, comments: int, said: str = SHORT) -> None:
    author = Author(uuid7(), "A writer")
    for start in range(0, comments, 128):
        drafts = [
            Draft(
                id=uuid7(),
                key=KEY,
                title="",
                url="",
                parent_id=None,
                author=author,
                text=said,
                body=parse(said),
                at=utc_now(),
                idempotency_key=uuid.uuid4().hex,
                digest="",
            )
            for _ in range(min(128, comments - start))
        ]
        await asyncio.gather(*(store.write(PostComment(draft)) for draft in drafts))


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
    config = uvicorn.Config(app, log_level="error", lifespan="off", access_log=False, ws_ping_interval=None)
    listener = stock_listener(port)
    print("ready", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])


def stock_listener(port: int) -> socket.socket:
    """What uvicorn listens on when it is given a port."""
    listener = socket.create_server(("127.0.0.1", port), backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def main(name: str, port: int, *more: str) -> None:
    logging.disable(logging.WARNING)
    subjects: dict[str, Callable[..., Coroutine[None, None, None]]] = {
        "tertulia": tertulia,
        "uvloop": tertulia,
        "instance": instance,
        "guarded": guarded,
        "defended": defended,
        "profiled": profiled,
        "naive": naive,
    }
    factory: Callable[[], asyncio.AbstractEventLoop] | None = None
    if name == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        runner.run(subjects[name](port, *more))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
