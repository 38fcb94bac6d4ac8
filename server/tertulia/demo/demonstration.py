"""The composition: folder, cluster, fronts, readers, writer and page, until Ctrl+C; then the account."""

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

from tertulia.demo.cluster import AWAY_SECONDS, Cluster
from tertulia.demo.evidence import Evidence, Reading
from tertulia.demo.front import Front
from tertulia.demo.latencies import Latencies
from tertulia.demo.page import ARTICLE, Page
from tertulia.demo.parts import HERE, Instance, Part
from tertulia.demo.readers import Reader, Told
from tertulia.demo.scene import Scene
from tertulia.demo.story import Outage, Story
from tertulia.demo.writer import Writer, number_in
from tertulia.errors import StartupError
from tertulia.serving.server import listen

READERS_A_FRONT = 8
JOIN_SECONDS = 20.0
HOMING_SECONDS = 3.0
"""So long after its start an instance is left alone before its readers are called home."""

Say = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """The page has ``port``, the fronts have those after it; ``rate`` is comments a second."""

    instances: int = 3
    port: int = 8080
    rate: float = 1.0
    data_dir: Path | None = None


async def demonstrate(options: Options, say: Say) -> None:
    """Runs until SIGINT, SIGTERM or SIGHUP; then everything it started has ended. Raises StartupError."""
    with _stopping() as stopping:
        try:
            await _Demonstration(options, say).run()
        except asyncio.CancelledError:
            if not stopping.is_set():
                raise


@contextmanager
def _stopping() -> Iterator[asyncio.Event]:
    """The first signal cancels this task; a second one does not disturb the end."""
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
    def __init__(self, options: Options, say: Say) -> None:
        self._options = options
        self._say = say
        self._evidence = Evidence()
        self._latencies = Latencies()
        self._story = Story()
        self._readers: list[Reader] = []
        self._fronts: list[Front] = []
        self._calls: set[asyncio.TimerHandle] = set()

    async def run(self) -> None:
        async with AsyncExitStack() as stack:
            listeners = [self._listen(stack, offset) for offset in range(self._options.instances + 1)]
            folder = self._folder(stack)
            port = self._options.port
            self._say(f"Starting {self._options.instances} instances, PostgreSQL and Valkey in {folder}")
            origins = [f"http://{host}:{port}" for host in (HERE, "localhost")]
            cluster = await stack.enter_async_context(Cluster(self._options.instances, folder, origins))
            self._fronts = [
                await stack.enter_async_context(Front(index + 1, listener, _order(cluster.instances, index)))
                for index, listener in enumerate(listeners[1:])
            ]
            stack.callback(self._account)
            await self._watch(cluster, listeners[0])

    def _listen(self, stack: AsyncExitStack, offset: int) -> socket.socket:
        # all ports are taken before anything starts, so that a port in use costs nobody a wait
        return stack.enter_context(listen(HERE, self._options.port + offset))

    def _folder(self, stack: AsyncExitStack) -> Path:
        if self._options.data_dir is None:
            return Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tertulia-demo-")))
        try:
            self._options.data_dir.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StartupError(f"Cannot make the folder {self._options.data_dir}: {error.strerror}") from error
        return self._options.data_dir.resolve()

    async def _watch(self, cluster: Cluster, listener: socket.socket) -> None:
        cluster.fell, cluster.rose, cluster.stayed = self._fell, self._rose, self._stayed
        writer = Writer(ARTICLE.key, self._fronts, self._evidence, 1 / self._options.rate)
        self._author = writer
        scene = Scene(cluster, self._fronts, self._readers, self._evidence, self._latencies, self._story)
        try:
            async with asyncio.TaskGroup() as group:
                self._readers += [
                    Reader(ARTICLE.key, front, self._evidence, self._took, self._back)
                    for front in self._fronts
                    for _ in range(READERS_A_FRONT)
                ]
                for reader in self._readers:
                    group.create_task(reader.run())
                await self._joined(writer)
                group.create_task(writer.run(_now))
                group.create_task(cluster.tend())
                await Page(scene, cluster, self._fronts).serve(listener, self._ready)
        except BaseExceptionGroup as failures:
            raise _first(failures) from failures
        finally:
            for call in self._calls:
                call.cancel()

    async def _joined(self, writer: Writer) -> None:
        try:
            async with asyncio.timeout(JOIN_SECONDS):
                for reader in self._readers:
                    await reader.joined.wait()
                await writer.join()
        except TimeoutError as error:
            raise StartupError("The instances do not answer.") from error

    def _ready(self) -> None:
        count = len(self._fronts)
        self._story.remark(
            datetime.now(UTC),
            "Everything is up",
            f"{count} instances, {len(self._readers)} readers that check every event, one writer. "
            f"What is killed or frozen starts again by itself after {AWAY_SECONDS:.0f} s.",
        )
        self._say(
            f"\n  Watch here:  http://{HERE}:{self._options.port}\n"
            f"  Fronts:      {', '.join(f'http://{front.address}' for front in self._fronts)}\n"
            f"  Stop with Ctrl+C.\n"
        )

    # ---- what happens -----------------------------------------------------------------------------------

    def _took(self, reading: Reading, comment: Told) -> None:
        author = comment["author"]
        if author is None or author["id"] != self._author.author_id:
            return
        number = number_in(comment)
        if number is None:
            return
        posted, now = self._evidence.seen(reading, number), _now()
        if posted is not None:
            self._latencies.add(posted, now)
            self._story.delivered(number, posted, now)

    def _back(self, reader: Reader) -> None:
        self._story.back(reader, _now())

    def _fell(self, part: Part, how: str) -> None:
        now = _now()
        cut = {reader for reader in self._readers if isinstance(part, Instance) and reader.instance is part}
        lost = self._evidence.lost(now)
        self._story.begin(Outage(datetime.now(UTC), part.title, how, now, lost, set(cut)))

    def _rose(self, part: Part) -> None:
        self._story.end(part.title, _now())
        if isinstance(part, Instance):
            for front in self._fronts:
                self._calls.add(asyncio.get_running_loop().call_later(HOMING_SECONDS, front.call_home))

    def _stayed(self, part: Part, error: StartupError) -> None:
        self._story.remark(datetime.now(UTC), part.title, f"could not be started: {error}")

    def _account(self) -> None:
        account = self._evidence
        self._say(
            f"\n{account.comments} comments, {account.deliveries} deliveries: "
            f"{account.lost(_now())} lost, {account.doubled} doubled."
        )


def _order(instances: list[Instance], home: int) -> list[Instance]:
    """The home, then the last of the others first: so the two windows, at home at the first two, stay apart."""
    return [instances[home], *reversed(instances[:home] + instances[home + 1 :])]


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    found: BaseException = failures
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found


def _now() -> float:
    return asyncio.get_running_loop().time()
