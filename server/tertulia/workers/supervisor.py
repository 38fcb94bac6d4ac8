"""The supervisor: keeps as many workers running as the settings ask for.

SIGINT and SIGTERM end all workers, a second one at once. SIGHUP replaces them one after another, each by a process that
is ready before the old one is told to end, so that readers and posts always find somebody on the port.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tertulia.errors import StartupError
from tertulia.serving.listening import listen
from tertulia.settings import Settings
from tertulia.workers.config import READY, WorkerConfig

FIRST_WAIT, MAX_WAIT = 0.5, 30.0
STEADY_SECONDS = 60.0
"""A worker that lived this long is started again without having to wait."""

log = logging.getLogger(__name__)


async def supervise(
    settings: Settings, prepare: Callable[[], Awaitable[None]], ready: Callable[[str, int], None]
) -> None:
    """Runs ``settings.workers`` workers until SIGINT or SIGTERM.

    ``prepare`` is awaited once the port is reserved, before any starts; ``ready`` is called with host and port once all
    of them serve.
    Raises StartupError if one cannot start at first.
    """
    if settings.redis is None:
        raise StartupError(
            "Several workers tell each other what they committed by Redis; set TERTULIA_REDIS_URL, "
            "such as redis://localhost:6379, or run one worker."
        )
    with _reserved(settings.host, settings.port) as (host, port), tempfile.TemporaryDirectory() as folder:
        await prepare()
        configs = [
            WorkerConfig(settings=settings, number=number, host=host, port=port, folder=Path(folder))
            for number in range(1, settings.workers + 1)
        ]
        await _Supervisor(configs).run(lambda: ready(host, port))


@contextmanager
def _reserved(host: str, port: int) -> Iterator[tuple[str, int]]:
    """The address, which no other process can take while workers come and go.

    A socket that is bound and does not listen gets no connections.
    """
    listen(host, port).close()  # alone at first: a port that another server shares would be shared with it unnoticed
    with listen(host, port, shared=True, backlog=None) as holder:
        yield holder.getsockname()[:2]


class _Worker:
    """One process of a worker."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.started = asyncio.get_running_loop().time()

    @classmethod
    async def start(cls, config: WorkerConfig) -> _Worker:
        """Starts a process and waits until it serves. Raises StartupError with the line it printed."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tertulia.workers"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl+C is for the supervisor, which asks once
        )
        worker = cls(process)
        try:
            line = await worker._send_config(config)
        except BaseException:
            await worker.kill()
            raise
        if line != READY:
            await worker.ended()
            raise StartupError(line or f"A worker ended before it served (exit code {process.returncode}).")
        return worker

    async def _send_config(self, config: WorkerConfig) -> str:
        assert self._process.stdin is not None  # noqa: S101 a pipe was asked for
        assert self._process.stdout is not None  # noqa: S101
        with suppress(ConnectionError):
            self._process.stdin.write(config.model_dump_json().encode() + b"\n")
            await self._process.stdin.drain()
        return (await self._process.stdout.readline()).decode().strip()

    @property
    def pid(self) -> int:
        return self._process.pid

    def terminate(self) -> None:
        with suppress(ProcessLookupError):
            self._process.terminate()

    async def kill(self) -> None:
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()

    async def ended(self) -> int:
        """Waits for its end; the exit code."""
        return await self._process.wait()


class _Supervisor:
    def __init__(self, configs: list[WorkerConfig]) -> None:
        self._configs = configs
        self._workers: dict[int, _Worker] = {}
        self._ending = asyncio.Event()
        self._replacing: asyncio.Task[None] | None = None
        self._changing = asyncio.Lock()
        """Held while a worker is put in the place of another, so that one place never has two."""

    async def run(self, ready: Callable[[], None]) -> None:
        loop = asyncio.get_running_loop()
        handlers = {signal.SIGINT: self._end, signal.SIGTERM: self._end, signal.SIGHUP: self._replace}
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            await self._run(ready)
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    async def _run(self, ready: Callable[[], None]) -> None:
        starting = asyncio.create_task(self._start_all())
        ending = asyncio.create_task(self._ending.wait())
        try:
            await asyncio.wait({starting, ending}, return_when=asyncio.FIRST_COMPLETED)
            if starting.done():
                starting.result()
                ready()
                await self._keep_all(ending)
        finally:
            starting.cancel()
            await asyncio.gather(starting, return_exceptions=True)
            await self._end_all()

    async def _start_all(self) -> None:
        started = await asyncio.gather(*map(self._start, self._configs), return_exceptions=True)
        for one in started:
            if one is not None:
                raise one  # all of them have started or failed by now: none is left behind

    async def _start(self, config: WorkerConfig) -> None:
        self._workers[config.number] = await _Worker.start(config)

    async def _keep_all(self, ending: asyncio.Task[bool]) -> None:
        keeping = [asyncio.create_task(self._keep(config)) for config in self._configs]
        try:
            await ending
        finally:
            for task in (*keeping, *([self._replacing] if self._replacing else [])):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _keep(self, config: WorkerConfig) -> None:
        """Starts the worker again whenever it dies."""
        wait = FIRST_WAIT
        while True:
            worker = self._workers[config.number]
            code = await worker.ended()
            if self._workers[config.number] is not worker:
                continue  # replaced
            lived = asyncio.get_running_loop().time() - worker.started
            log.warning(
                "A worker died and is started again",
                extra={"worker": config.number, "pid": worker.pid, "exit_code": code, "lived_seconds": round(lived)},
            )
            wait = FIRST_WAIT if lived > STEADY_SECONDS else wait
            while self._workers[config.number] is worker:
                await asyncio.sleep(wait)
                wait = min(2 * wait, MAX_WAIT)
                await self._start_replacement(config, old=worker)

    async def _start_replacement(self, config: WorkerConfig, *, old: _Worker) -> bool:
        """Starts a worker in the place of ``old``, unless that was replaced meanwhile; False if it cannot start."""
        async with self._changing:
            if self._workers[config.number] is old:
                try:
                    await self._start(config)
                except StartupError as error:
                    log.warning("A worker cannot start", extra={"worker": config.number, "reason": str(error)})
                    return False
        return True

    def _replace(self) -> None:
        is_up = len(self._workers) == len(self._configs)
        if is_up and (self._replacing is None or self._replacing.done()):
            self._replacing = asyncio.create_task(self._replace_all())

    async def _replace_all(self) -> None:
        for config in self._configs:
            old = self._workers[config.number]
            if not await self._start_replacement(config, old=old):
                return  # the others stay as they are
            old.terminate()
            await old.ended()
        log.info("The workers are replaced")

    def _end(self) -> None:
        if self._ending.is_set():
            for worker in self._workers.values():
                worker.terminate()  # a second signal: at once
        self._ending.set()

    async def _end_all(self) -> None:
        for worker in self._workers.values():
            worker.terminate()
        await asyncio.gather(*(worker.ended() for worker in self._workers.values()))
