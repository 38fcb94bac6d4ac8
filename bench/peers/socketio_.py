"""python-socketio on uvicorn: ``emit`` to everybody."""

from __future__ import annotations

import asyncio
import sys

import socketio
import uvicorn

from bench.peers import text
from bench.subjects import on_numbers, stock_listener


async def main(port: int) -> None:
    server = socketio.AsyncServer(
        async_mode="asgi", cors_allowed_origins="*", ping_interval=600
    )  # its pings are not answered
    waiting: asyncio.Queue[int] = asyncio.Queue()

    async def send() -> None:
        number = 0
        while True:
            for _ in range(await waiting.get()):
                number += 1
                await server.emit("message", text(number))

    sending = asyncio.create_task(send())
    on_numbers(waiting.put_nowait)
    config = uvicorn.Config(
        socketio.ASGIApp(server), log_level="error", lifespan="off", access_log=False, ws_ping_interval=None
    )
    listener = stock_listener(port)
    print("ready", flush=True)
    await uvicorn.Server(config).serve(sockets=[listener])
    sending.cancel()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
