"""The metrics of workers that share a port: the one that is scraped fetches those of the others over Unix sockets."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.core import Metric as Family
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

ANSWER_SECONDS = 2.0


class WorkerMetrics:
    """The metrics of all workers of one server, whose sockets are in ``folder``; ``number`` is this worker's."""

    def __init__(self, folder: Path, number: int) -> None:
        self._folder = folder
        self._number = number

    @asynccontextmanager
    async def exposed(self, metrics: Callable[[], Awaitable[bytes]]) -> AsyncIterator[None]:
        """Serves this worker's metrics to the others."""

        async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                writer.write(await metrics())
                await writer.drain()
            except ConnectionError:
                pass  # the other did not wait for them
            finally:
                writer.close()

        made, path = self._folder / f"{os.getpid()}.new", self._folder / f"{self._number}.sock"
        async with await asyncio.start_unix_server(answer, made):
            made.rename(path)  # replaces the socket of the process that this one replaces
            yield

    async def aggregated(self, own: bytes) -> bytes:
        """The metrics of all workers, each series labelled ``worker``; a worker that does not answer is left out."""
        others = [path for path in self._folder.glob("*.sock") if int(path.stem) != self._number]
        texts = await asyncio.gather(*map(_fetch, others))
        numbers = [self._number, *(int(path.stem) for path in others)]
        return await asyncio.to_thread(_aggregate, dict(zip(numbers, [own, *texts], strict=True)))


async def _fetch(path: Path) -> bytes:
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                return await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""


def _aggregate(texts: dict[int, bytes]) -> bytes:
    families: dict[str, Family] = {}
    for number, text in sorted(texts.items()):
        for family in text_string_to_metric_families(text.decode()):
            whole = families.setdefault(family.name, Family(family.name, family.documentation, family.type))
            for sample in family.samples:
                whole.samples.append(sample._replace(labels={**sample.labels, "worker": str(number)}))
    return generate_latest(_Families(families))


class _Families(Collector):
    def __init__(self, families: dict[str, Family]) -> None:
        self._families = families

    def collect(self) -> Iterator[Family]:
        yield from self._families.values()
