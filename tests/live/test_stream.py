"""A stream: hello, what was missed, what comes; and a word now and then when nothing comes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tertulia.bus.memory import MemoryBus
from tertulia.errors import CloseCode
from tertulia.live.hub import Hub
from tertulia.live.stream import Cursor, Stream
from tertulia.protocol import HEARTBEAT_SECONDS
from tests.live.script import EPOCH, KEY, Clock, Script, following, made, settled
from tests.store.acts import until


@pytest.fixture
async def script() -> Script:
    return Script(*(made(seq) for seq in range(1, 6)))


@pytest.fixture
async def bus() -> MemoryBus:
    return MemoryBus()


@pytest.fixture
async def hub(script: Script, bus: MemoryBus) -> AsyncIterator[Hub]:
    hub = Hub(bus, EPOCH, script.fetch, script.heads, 4000)
    yield hub
    await hub.close()


# ---- where it begins ------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", range(6))
async def test_a_reader_is_given_what_it_missed_and_then_what_comes(
    hub: Hub, bus: MemoryBus, script: Script, after: int
) -> None:
    async with following(Stream(hub, KEY, Cursor(EPOCH, after))) as reader:
        assert reader.heard[0] == {
            "type": "hello", "epoch": EPOCH, "seq": 5, "heartbeat": HEARTBEAT_SECONDS, "readers": 1,
        }  # fmt: skip
        assert reader.seqs == list(range(after + 1, 6))
        for seq in range(6, 9):
            bus.publish(script.add(made(seq)))
            await settled()
            assert reader.seqs == list(range(after + 1, seq + 1))
            assert reader.stream.seq == seq
        assert reader.of("reset") == []


@pytest.mark.parametrize("epoch", [None, EPOCH])
async def test_without_a_seq_it_begins_at_the_head(hub: Hub, bus: MemoryBus, script: Script, epoch: str | None) -> None:
    async with following(Stream(hub, KEY, Cursor(epoch, None))) as reader:
        assert [message["type"] for message in reader.heard] == ["hello"]
        bus.publish(script.add(made(6)))
        await settled()
        assert reader.seqs == [6]


@pytest.mark.parametrize(
    ("epoch", "after"),
    [("epoch-two", 0), ("epoch-two", 3), ("epoch-two", None), (None, 3), (EPOCH, 6), (EPOCH, 2**53)],
)
async def test_a_cursor_that_cannot_be_continued_is_reset(
    hub: Hub, bus: MemoryBus, script: Script, epoch: str | None, after: int | None
) -> None:
    async with following(Stream(hub, KEY, Cursor(epoch, after))) as reader:
        assert reader.heard[1:] == [{"type": "reset", "epoch": EPOCH, "seq": 5}]
        bus.publish(script.add(made(6)))
        await settled()
        assert reader.seqs == [6]


async def test_events_come_with_what_they_say(hub: Hub, script: Script) -> None:
    async with following(Stream(hub, KEY, Cursor(EPOCH, 0))) as reader:
        joined = ",".join(event.payload for event in script.events)
        assert f'{{"type":"events","events":[{joined}]}}' in reader.raw


# ---- when nothing comes ---------------------------------------------------------------------------------


async def test_a_heartbeat_comes_when_nothing_else_does(hub: Hub) -> None:
    stream = Stream(hub, KEY, Cursor(EPOCH, 5), heartbeat=0.001)
    async with following(stream) as reader:
        await until(lambda: len(reader.of("heartbeat")) >= 3)
        assert reader.of("heartbeat")[0] == {"type": "heartbeat", "seq": 5, "readers": 1}


async def test_a_heartbeat_comes_after_25_seconds_of_silence(
    clock: Clock, hub: Hub, bus: MemoryBus, script: Script
) -> None:
    async with following(Stream(hub, KEY, Cursor(EPOCH, 5))) as reader:
        await clock.go(20)
        bus.publish(script.add(made(6)))
        await settled()
        await clock.go(20)
        assert reader.of("heartbeat") == []
        await clock.go(6)
        assert reader.of("heartbeat") == [{"type": "heartbeat", "seq": 6, "readers": 1}]


async def test_a_heartbeat_never_names_what_was_not_sent(
    clock: Clock, hub: Hub, bus: MemoryBus, script: Script
) -> None:
    """An event may come at the very moment of the heartbeat: a seq above the last event's would look like a loss."""
    async with following(Stream(hub, KEY, Cursor(EPOCH, 5))) as reader:
        loop = asyncio.get_running_loop()
        loop.call_at(clock.now + HEARTBEAT_SECONDS + 0.001, lambda: bus.publish(script.add(made(6))))
        await clock.go(HEARTBEAT_SECONDS + 0.01)
        last = 5
        for message in reader.heard:
            if message["type"] == "events":
                last = message["events"][-1]["seq"]
            if message["type"] == "heartbeat":
                assert message["seq"] <= last
        assert reader.seqs == [6]


# ---- who else reads -------------------------------------------------------------------------------------


async def test_readers_and_writers_are_told_when_they_change(clock: Clock, hub: Hub) -> None:
    async with following(Stream(hub, KEY, Cursor(EPOCH, 5))) as one:
        async with following(Stream(hub, KEY, Cursor(EPOCH, 5))) as other:
            assert other.heard[0]["readers"] == 2
            await clock.go(1)
            assert one.of("presence") == [{"type": "presence", "readers": 2, "writing": 0}]
            assert other.of("presence") == [], "it was told by its hello"
            other.stream.writing()
            await clock.go(1)
            for reader in (one, other):
                assert reader.of("presence")[-1] == {"type": "presence", "readers": 2, "writing": 1}
        await clock.go(1)
        assert one.of("presence")[-1] == {"type": "presence", "readers": 1, "writing": 0}
        assert len(one.of("presence")) == 3
    assert hub.readers(KEY) == 0


async def test_who_comes_when_another_goes_is_told_the_truth(clock: Clock, hub: Hub) -> None:
    first = Stream(hub, KEY, Cursor(EPOCH, 5))
    async with following(first) as one, following(Stream(hub, KEY, Cursor(EPOCH, 5))) as other:
        assert other.heard[0]["readers"] == 2
        await one.end()
        await clock.go(1)
        await clock.go(1)
        assert other.of("presence")[-1:] == [{"type": "presence", "readers": 1, "writing": 0}]


async def test_writing_before_it_has_begun_is_nothing(hub: Hub) -> None:
    Stream(hub, KEY, Cursor(EPOCH, 5)).writing()


# ---- how it ends ----------------------------------------------------------------------------------------


async def test_a_slow_reader_is_closed_and_goes_on_where_it_was(hub: Hub, bus: MemoryBus, script: Script) -> None:
    async with following(Stream(hub, KEY, Cursor(EPOCH, 0))) as slow:
        slow.ready.clear()
        for seq in range(6, 40):
            bus.publish(script.add(made(seq)))
            await settled()
        assert slow.task.done()
        assert slow.stream.closing is CloseCode.too_slow
        last = slow.seqs[-1]
    async with following(Stream(hub, KEY, Cursor(EPOCH, last))) as again:
        assert slow.seqs + again.seqs == list(range(1, 40))


async def test_one_that_is_only_busy_is_not_closed(hub: Hub, bus: MemoryBus, script: Script) -> None:
    async with following(Stream(hub, KEY, Cursor(EPOCH, 5))) as reader:
        for seq in range(6, 200):
            bus.publish(script.add(made(seq)))
            await settled()
        assert reader.seqs == list(range(6, 200))
        assert reader.stream.closing is None


async def test_a_reader_that_ends_leaves(hub: Hub) -> None:
    messages = Stream(hub, KEY, Cursor(EPOCH, 5)).messages()
    await anext(messages)
    assert hub.readers(KEY) == 1
    await messages.aclose()
    assert hub.readers(KEY) == 0


async def test_a_stream_that_has_not_begun_has_no_seq(hub: Hub) -> None:
    stream = Stream(hub, KEY, Cursor(EPOCH, 5))
    assert (stream.seq, stream.epoch) == (0, EPOCH)
