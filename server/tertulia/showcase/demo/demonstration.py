"""The composition: folder, cluster, load balancers, readers, writer and page, until Ctrl+C; then the result."""

from __future__ import annotations

import asyncio
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tertulia.errors import StartupError
from tertulia.serving.listening import listen
from tertulia.settings import Settings, secret_key
from tertulia.showcase.demo.cluster import RESTART_SECONDS, Cluster
from tertulia.showcase.demo.delivery_check import DeliveryCheck, ReaderLog
from tertulia.showcase.demo.evening import CHECK, Evening, prepare
from tertulia.showcase.demo.latencies import Latencies
from tertulia.showcase.demo.load_balancer import LoadBalancer
from tertulia.showcase.demo.page import ARTICLE, Page
from tertulia.showcase.demo.probe_reader import Message, ProbeReader
from tertulia.showcase.demo.probe_writer import ProbeWriter, number_of
from tertulia.showcase.demo.services import LOCALHOST, Instance, Service
from tertulia.showcase.demo.snapshots import Snapshots
from tertulia.showcase.demo.timeline import Outage, Timeline
from tertulia.store import Store

READERS_PER_BALANCER = 8
JOIN_SECONDS = 20.0
FAIL_BACK_SECONDS = 3.0
"""How long an instance runs after a restart before its load balancer takes its readers back."""

Echo = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """The page listens on ``port``, the load balancers on those after it; ``rate`` is comments a second.

    ``evening`` is comments a minute under each of three articles, for who tries the moderators' desk; 0 is none.
    """

    instances: int = 3
    port: int = 8080
    rate: float = 1.0
    evening: float = 40.0
    data_dir: Path | None = None


async def demonstrate(options: Options, echo: Echo) -> None:
    """Runs until SIGINT, SIGTERM or SIGHUP, then stops everything it started. Raises StartupError."""
    with _stopping() as stopping:
        try:
            await _Demonstration(options, echo).run()
        except asyncio.CancelledError:
            if not stopping.is_set():
                raise


@contextmanager
def _stopping() -> Iterator[asyncio.Event]:
    """The first signal cancels this task; another one does not disturb the shutdown."""
    loop, task, stopping = asyncio.get_running_loop(), asyncio.current_task(), asyncio.Event()

    def stop() -> None:
        if task is not None and not stopping.is_set():
            stopping.set()
            task.cancel()

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        yield stopping
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


class _Demonstration:
    def __init__(self, options: Options, echo: Echo) -> None:
        self._options = options
        self._echo = echo
        self._check = DeliveryCheck()
        self._latencies = Latencies()
        self._timeline = Timeline()
        self._readers: list[ProbeReader] = []
        self._balancers: list[LoadBalancer] = []
        self._sign_in: str | None = None
        self._timers: set[asyncio.TimerHandle] = set()

    async def run(self) -> None:
        async with AsyncExitStack() as stack:
            listeners = [self._listen(stack, offset) for offset in range(self._options.instances + 1)]
            folder = self._folder(stack)
            port = self._options.port
            self._echo(f"Starting {self._options.instances} instances, PostgreSQL and Valkey in {folder}")
            origins = [f"http://{host}:{port}" for host in (LOCALHOST, "localhost")]
            page = f"{LOCALHOST}:{port}"
            cluster = await stack.enter_async_context(Cluster(self._options.instances, folder, origins, page))
            self._sign_in = await self._prepare_evening(cluster, folder, f"http://{page}{CHECK}")
            self._balancers = [
                await stack.enter_async_context(LoadBalancer(index + 1, listener, _backends(cluster.instances, index)))
                for index, listener in enumerate(listeners[1:])
            ]
            stack.callback(self._report)
            await self._run_probes(cluster, listeners[0])

    def _listen(self, stack: AsyncExitStack, offset: int) -> socket.socket:
        # all ports are bound before anything starts, so that a port in use is reported at once
        return stack.enter_context(listen(LOCALHOST, self._options.port + offset))

    def _folder(self, stack: AsyncExitStack) -> Path:
        if self._options.data_dir is None:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tertulia-demo-")))
        try:
            self._options.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartupError(f"Cannot make the folder {self._options.data_dir}: {error.strerror}") from error
        return self._options.data_dir.resolve()

    async def _prepare_evening(self, cluster: Cluster, folder: Path, check_url: str) -> str | None:
        """Where the moderator of the evening signs in; None where there is none, or there was one in this folder."""
        if not self._options.evening:
            return None
        secret = secret_key(Settings(data_dir=folder), make=False)
        store = await Store.open(cluster.database_url)
        try:
            store.start()
            return await prepare(store, secret, check_url)
        finally:
            await store.close()

    async def _run_probes(self, cluster: Cluster, listener: socket.socket) -> None:
        cluster.on_down, cluster.on_up, cluster.on_start_failed = self._on_down, self._on_up, self._on_start_failed
        writer = ProbeWriter(ARTICLE.key, self._balancers, self._check, 1 / self._options.rate)
        self._author = writer
        snapshots = Snapshots(cluster, self._balancers, self._readers, self._check, self._latencies, self._timeline)
        try:
            async with asyncio.TaskGroup() as group:
                self._readers += [
                    ProbeReader(ARTICLE.key, balancer, self._check, self._on_comment, self._on_caught_up)
                    for balancer in self._balancers
                    for _ in range(READERS_PER_BALANCER)
                ]
                for reader in self._readers:
                    group.create_task(reader.run())
                await self._wait_until_joined(writer)
                group.create_task(writer.run(_now))
                group.create_task(cluster.supervise())
                if self._sign_in is not None:
                    group.create_task(Evening(self._balancers, self._options.evening).run())
                await Page(snapshots, cluster, self._balancers).serve(listener, self._ready)
        except BaseExceptionGroup as failures:
            raise _first_error(failures) from failures
        finally:
            for timer in self._timers:
                timer.cancel()

    async def _wait_until_joined(self, writer: ProbeWriter) -> None:
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                for reader in self._readers:
                    await reader.joined.wait()
                await writer.join()
        except TimeoutError as error:
            raise StartupError("The instances do not answer.") from error

    def _ready(self) -> None:
        count = len(self._balancers)
        self._timeline.add_note(
            datetime.now(UTC),
            "Everything is up",
            f"{count} instances, {len(self._readers)} readers that check every event, one writer. "
            f"What is killed or frozen starts again by itself after {RESTART_SECONDS:.0f} s.",
        )
        desk = ""
        if self._sign_in is not None:
            desk = f"  Moderate:       http://{self._balancers[0].address}{self._sign_in}  (good once)\n"
        self._echo(
            f"\n  Watch here:     http://{LOCALHOST}:{self._options.port}\n"
            f"  Load balancers: {', '.join(f'http://{balancer.address}' for balancer in self._balancers)}\n{desk}"
            f"  Stop with Ctrl+C.\n"
        )

    # ---- what happens -----------------------------------------------------------------------------------

    def _on_comment(self, log: ReaderLog, comment: Message) -> None:
        author = comment["author"]
        if author is None or author["id"] != self._author.author_id:
            return
        number = number_of(comment)
        if number is None:
            return
        posted, now = self._check.record_delivery(log, number), _now()
        if posted is not None:
            self._latencies.add(posted, now)
            self._timeline.delivered(number, posted, now)

    def _on_caught_up(self, reader: ProbeReader) -> None:
        self._timeline.reader_caught_up(reader, _now())

    def _on_down(self, service: Service, cause: str) -> None:
        now = _now()
        disconnected: set[object] = {reader for reader in self._readers if reader.instance is service}
        lost = self._check.lost(now)
        self._timeline.begin(Outage(datetime.now(UTC), service.title, cause, now, lost, disconnected))

    def _on_up(self, service: Service) -> None:
        self._timeline.end(service.title, _now())
        if isinstance(service, Instance):
            for balancer in self._balancers:
                self._timers.add(asyncio.get_running_loop().call_later(FAIL_BACK_SECONDS, balancer.fail_back))

    def _on_start_failed(self, service: Service, error: StartupError) -> None:
        self._timeline.add_note(datetime.now(UTC), service.title, f"could not be started: {error}")

    def _report(self) -> None:
        check = self._check
        self._echo(
            f"\n{check.comments} comments, {check.deliveries} deliveries: "
            f"{check.lost(_now())} lost, {check.duplicated} doubled."
        )


def _backends(instances: list[Instance], preferred: int) -> list[Instance]:
    """The preferred instance, then the others in reverse, so that two windows stay apart when one dies."""
    return [instances[preferred], *reversed(instances[:preferred] + instances[preferred + 1 :])]


def _first_error(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = failures
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def _now() -> float:
    return asyncio.get_running_loop().time()
