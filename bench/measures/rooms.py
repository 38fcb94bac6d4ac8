"""What a discussion costs that somebody reads and nobody writes in, and what another instance's message costs.

In processor time of this process, which is the instance: PostgreSQL and Redis are others.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, insert, select

from bench.measures import Plan
from bench.report import Findings, Row
from bench.subjects import made
from tertulia.bus import Message
from tertulia.bus.redis.bus import RedisBus
from tertulia.bus.redis.wire import channel_of
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode
from tertulia.live.backlog import AT_HEAD
from tertulia.live.frames import Frame
from tertulia.live.hub import Hub
from tertulia.live.rate import Rates
from tertulia.live.reader import Reader
from tertulia.live.tuning import RECONCILE_SECONDS
from tertulia.store import Store, queries, schema
from tests.bus.instances import SECRET, signed, wait_until_healthy
from tests.support.postgres import running_postgres
from tests.support.valkey import Valkey
from tests.support.waiting import until

ROOMS = 5_000
TIMES = 5
AT_ONCE = 250
PAGE_BYTES = 4096
_SAY_ALL = "for i = 1, #KEYS do redis.call('PUBLISH', KEYS[i], ARGV[i]) end"


class NoConnection:
    """What a reader costs is measured elsewhere."""

    def write(self, frame: Frame) -> None:
        pass

    def buffered(self) -> int:
        return 0

    def close(self, code: CloseCode) -> None:
        pass


def measure(plan: Plan, findings: Findings, rooms: int = ROOMS) -> None:
    plan.say(f"{rooms:,} discussions with readers")
    valkey = Valkey()
    try:
        with running_postgres(durable=True) as postgres:
            findings.rows += asyncio.run(_rows(postgres.address(), valkey, rooms))
    finally:
        valkey.end()


async def _rows(address: str, valkey: Valkey, rooms: int) -> list[Row]:
    keys = [DiscussionKey("default", f"https://news.example/articles/{number}") for number in range(rooms)]
    store = await Store.open(address)
    store.start()
    await store.database.write.transact(lambda connection: _fill(connection, keys))
    bus = RedisBus(valkey.url, SECRET)
    hub = Hub(
        bus, store.epoch, store.bound(queries.events), store.bound(queries.latest_seqs), Rates(tick=1e9, summary=1e9)
    )
    bus.start()
    try:
        return await _measured(hub, bus, valkey, keys)
    finally:
        await hub.close()
        await bus.close()
        await store.close()


async def _measured(hub: Hub, bus: RedisBus, valkey: Valkey, keys: list[DiscussionKey]) -> list[Row]:
    gc.collect()
    before = _memory()

    async def open_all() -> None:
        for key in keys:
            room = await hub.enter(key)
            reader = Reader(room)
            reader.connection = NoConnection()
            room.join(reader, AT_HEAD)

    async def compare() -> None:
        for _ in range(TIMES):
            await hub.reconcile()

    async def tick() -> None:
        for room in hub.rooms.values():
            room.tick()

    async def receive() -> None:
        before = bus.stats.received
        said = [signed(Message(key, hub.epoch, (made(1),))) for key in keys]
        for start in range(0, len(keys), AT_ONCE):
            some = keys[start : start + AT_ONCE]
            valkey.ask("EVAL", _SAY_ALL, len(some), *map(channel_of, some), *said[start : start + AT_ONCE])
            await until(partial(_received, bus, before + start + len(some)), "the messages do not come")

    async def send() -> None:
        for key in keys:
            bus.publish(Message(key, hub.epoch, (made(2),)))
            if bus.pending > 100:
                await asyncio.sleep(0)
        await until(lambda: not bus.pending, "the messages are not sent")

    opening = await _seconds(open_all) / len(keys)
    memory = (_memory() - before) / len(keys)
    comparing = await _seconds(compare) / TIMES / len(keys)
    await tick()  # heartbeats that are due after a slow opening
    ticking = await _seconds(tick) / len(keys)
    await wait_until_healthy(bus)
    hearing = await _seconds(receive) / len(keys)
    sending = await _seconds(send) / len(keys)
    share = comparing / RECONCILE_SECONDS + ticking
    return [
        Row("µs to open a discussion for its first reader", f"{opening * 1e6:,.0f}", "", ""),
        Row("KiB a discussion with readers", f"{memory / 1024:.1f}", "", ""),
        Row(
            "µs a second to keep a discussion with readers",
            f"{share * 1e6:.1f}",
            f"compared in {comparing * 1e6:.1f} every {RECONCILE_SECONDS:g} s · tick {ticking * 1e6:.1f}",
            "",
        ),
        Row("µs for a message of another instance", f"{hearing * 1e6:.0f}", "", ""),
        Row("µs for a message to other instances", f"{sending * 1e6:.0f}", "", ""),
    ]


def _received(bus: RedisBus, count: int) -> bool:
    return bus.stats.received >= count


def _fill(connection: Connection, keys: list[DiscussionKey]) -> None:
    site = connection.scalar(select(schema.site.c.id).where(schema.site.c.key == "default"))
    same = {"site_id": site, "title": "", "url": "", "mode": "open", "seq": 0, "comment_count": 0, "created_at": 0}
    for start in range(0, len(keys), 500):
        connection.execute(insert(schema.discussion), [{**same, "key": key.key} for key in keys[start : start + 500]])


async def _seconds(work: Callable[[], Awaitable[None]]) -> float:
    """Processor time of this process."""
    started = time.process_time()
    await work()
    return time.process_time() - started


def _memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE_BYTES
