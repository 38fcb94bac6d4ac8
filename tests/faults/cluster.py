"""Real instances on one real PostgreSQL and one real Valkey."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.postgres import Postgres, running_postgres
from tests.support.server import ServerProcess
from tests.support.valkey import Valkey, free_port
from tests.support.waiting import PATIENCE


@dataclass
class Cluster:
    """``instances`` by name: A, B and C, and what a test adds. ``away`` are those that are frozen."""

    folder: Path
    postgres: Postgres
    valkey: Valkey
    moderator: str = ""
    instances: dict[str, ServerProcess] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)

    def start(self, name: str, *flags: str, program: Sequence[str] = ("tertulia",)) -> None:
        """Starts an instance, or the same one again."""
        before = self.instances.get(name)
        given = (
            *("--database-url", self.postgres.address(), "--redis-url", self.valkey.url),
            *("--secret-key-file", str(self.folder / "key"), "--drain-seconds", "1", *flags),
        )
        port = free_port() if before is None else before.port
        self.instances[name] = ServerProcess(self.folder / name, given, port, program)

    def end(self, name: str) -> None:
        """Ends an instance for good, as an operator does."""
        assert self.instances.pop(name).end() == 0

    def freeze(self, name: str) -> None:
        self.away.add(name)
        self.instances[name].freeze()

    def thaw(self, name: str) -> None:
        self.instances[name].thaw()
        self.away.discard(name)

    def command(self, *words: str) -> str:
        """What the command line prints."""
        command = [sys.executable, "-m", "tertulia", *words, "--database-url", self.postgres.address()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@contextmanager
def cluster(folder: Path, *flags: str, names: str = "ABC") -> Iterator[Cluster]:
    """Running instances of these names, each with these flags."""
    (folder / "key").write_text("the key of all instances, no secret of anybody")
    valkey = Valkey()
    try:
        with running_postgres() as postgres:
            opened = Cluster(folder, postgres, valkey)
            try:
                opened.command("migrate")
                opened.moderator = opened.command("moderator", "add", "Mai").strip()
                with ThreadPoolExecutor(len(names)) as threads:
                    list(threads.map(lambda name: opened.start(name, *flags), names))
                yield opened
            finally:
                for server in opened.instances.values():
                    server.thaw()
                    server.kill()
    finally:
        valkey.end()
