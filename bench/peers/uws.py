"""uWebSockets by its Python binding: publishing happens in C++, one call a message."""

from __future__ import annotations

import sys
from typing import Any

from socketify import App, OpCode

from bench.peers import text
from bench.subjects import on_numbers


def main(port: int) -> None:
    app = App()
    number = 0

    def publish(count: int) -> None:
        nonlocal number
        for _ in range(count):
            number += 1
            app.publish("bench", text(number), OpCode.TEXT)

    def opened(socket: Any) -> None:
        socket.subscribe("bench")

    async def listen_to_input() -> None:
        on_numbers(publish)

    app.ws("/*", {"open": opened, "compression": 0, "idle_timeout": 0, "max_backpressure": 64 * 1024 * 1024})
    app.listen(port, lambda _: print("ready", flush=True))
    listening = app.loop.loop.create_task(listen_to_input())
    app.run()
    listening.cancel()


if __name__ == "__main__":
    main(int(sys.argv[1]))
