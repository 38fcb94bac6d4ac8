"""The bus over Redis when Redis fails: it says so, nobody waits for it, and it hears again by itself."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tertulia.bus import BusHandlers, Message, PresenceUpdate
from tertulia.bus.redis.bus import MAX_CLOCK_SKEW_SECONDS, RedisBus
from tertulia.bus.redis.health import Health
from tertulia.bus.redis.signing import Signer
from tertulia.bus.redis.tuning import BusTuning
from tertulia.bus.redis.wire import (
    INSTANCES_CHANNEL,
    MAX_MESSAGE_BYTES,
    channel_of,
    encode_events,
    encode_heartbeat,
    encode_presence,
)
from tertulia.bus.stats import BusStats, DropReason
from tertulia.core.comments import DiscussionKey
from tests.bus.conftest import TOPOLOGIES, Redis
from tests.bus.instances import (
    KEY,
    OTHER,
    SECRET,
    SIGNER,
    RecordingListener,
    bus_pair,
    healthy_bus,
    message,
    now,
    permissions,
    signed,
    wait_until_delivered,
    wait_until_healthy,
)
from tests.live.fakes import created_event
from tests.support.effort import examples
from tests.support.faulty_redis import FaultyRedis
from tests.support.valkey import Valkey
from tests.support.waiting import until

AT_ONCE = 0.25
"""Seconds within which publishing returns, however slow the machine is: a thousandth of it would do."""


def published(bus: RedisBus, one: Message) -> None:
    began = time.monotonic()
    bus.publish(one)
    assert time.monotonic() - began < AT_ONCE


def failing(_: Message) -> None:
    raise OSError("no room")


# ---- as it should be ------------------------------------------------------------------------------------


async def test_the_own_listener_hears_at_once_and_once(shared_valkey: Valkey) -> None:
    async with healthy_bus(shared_valkey.url) as bus:
        listener = RecordingListener(bus, KEY)
        await listener.subscribed()
        bus.publish(message(1))
        assert listener.seqs == [1]
        await until(lambda: bus.stats.sent == 1, "nothing is sent")
        shared_valkey.publish(channel_of(KEY), signed(message(2)))
        await until(lambda: len(listener.seqs) > 1, "nothing is heard")
        assert listener.seqs == [1, 2]
        assert bus.stats.received == 1


async def test_a_listener_that_fails_ends_nothing(shared_valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    async with bus_pair(shared_valkey.url) as (here, there, listener):
        here.subscribe(KEY, failing)
        there.subscribe(KEY, failing)
        here.publish(message(1))
        await until(lambda: there.stats.received == 1, "nothing is heard")
        there.subscribe(KEY, listener.messages.append)
        await wait_until_delivered(here, listener, 2)
        assert not there.is_degraded
    assert "A message could not be taken" in caplog.text


@pytest.mark.parametrize("topology", TOPOLOGIES)
async def test_thousands_of_rooms_come_and_go(topology: str, request: pytest.FixtureRequest) -> None:
    """Only the channels of those that stayed are subscribed, and each of them is told of."""
    keys = [DiscussionKey("many", str(number)) for number in range(3000)]
    missed: list[DiscussionKey] = []
    heard: list[Message] = []
    redis: Redis = request.getfixturevalue(f"shared_{topology}")
    async with healthy_bus(redis.url) as here, healthy_bus(redis.url) as there:
        connections = there.stats.connections
        there.set_handlers(BusHandlers(on_gap=missed.extend))
        for key in keys:
            there.subscribe(key, heard.append)
        for key in keys[::2]:
            there.unsubscribe(key)
        for key in keys[::4]:
            there.subscribe(key, heard.append)
        stayed = {key for number, key in enumerate(keys) if number % 2 or number % 4 == 0}
        await until(lambda: stayed <= set(missed), "not all are subscribed")
        for key in keys:
            here.publish(message(1, key=key))
        await until(lambda: len(heard) >= len(stayed), "not all are heard")
        assert {one.key for one in heard} == stayed
        for key in stayed:
            there.unsubscribe(key)
        channels = {channel_of(key) for key in keys}
        await until(lambda: not channels & redis.channels(), "channels stay subscribed")
        assert there.stats.connections == connections


# ---- Redis fails ----------------------------------------------------------------------------------------


async def test_a_cut_subscriber_degrades_the_bus_until_it_receives_again(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "tertulia.bus")
    async with bus_pair(valkey.url) as (here, there, listener):
        caplog.clear()
        listener.gaps.clear()
        assert valkey.cut_subscribers() == 2
        await until(lambda: KEY in listener.gaps, "nobody is told that messages were missed")
        await wait_until_healthy(here)
        await wait_until_healthy(there)
        await wait_until_delivered(here, listener, 2)
        assert there.stats.connections == 3
    assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == 2, "one line for each instance"
    assert len([one for one in caplog.records if one.levelno == logging.INFO]) == 2


async def test_a_cut_publisher_degrades_the_bus_until_it_sends_again(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    async with bus_pair(valkey.url) as (here, there, listener):
        assert valkey.cut_publishers() == 2
        here.publish(message(1))
        await until(lambda: len(caplog.records) == 2, "nobody notices")
        await wait_until_healthy(here)
        await wait_until_healthy(there)
        await wait_until_delivered(here, listener, 2)
        assert here.stats.connections == there.stats.connections == 3


async def test_a_probe_from_before_a_failure_proves_nothing() -> None:
    recoveries: list[bool] = []
    health = Health(BusStats(), lambda: recoveries.append(True)).add_part()
    before = time.monotonic()
    health.failed(OSError("gone"))
    health.recovered(before)
    assert (health.is_degraded, recoveries) == (True, [])
    health.recovered(time.monotonic())
    health.recovered(time.monotonic())
    assert (health.is_degraded, recoveries) == (False, [True])


async def test_a_server_that_starts_again_empty(valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tertulia.bus")
    async with bus_pair(valkey.url) as (here, there, listener):
        caplog.clear()
        valkey.kill()
        await until(lambda: here.is_degraded and there.is_degraded, "nobody notices")
        for seq in range(1, 2000):
            published(here, message(seq))
        listener.gaps.clear()
        valkey.start()
        await wait_until_healthy(here)
        await wait_until_healthy(there)
        assert KEY in listener.gaps
        await wait_until_delivered(here, listener, 2000)
    assert len(caplog.records) == 4, "one line when it begins and one when it ends"


async def test_a_frozen_server_is_noticed(valkey: Valkey) -> None:
    """Its connections stay open and silent."""
    async with bus_pair(valkey.url) as (here, there, listener):
        valkey.freeze()
        published(here, message(1))
        await until(lambda: here.stats.dropped[DropReason.not_sent] == 1, "the publisher waits for an answer")
        # the promise is four seconds
        await until(lambda: here.is_degraded and there.is_degraded, "nobody notices")
        connections = there.stats.connections
        for seq in range(2, 100):
            published(here, message(seq))
            await asyncio.sleep(0)
        listener.gaps.clear()
        valkey.thaw()
        await wait_until_healthy(here)
        await wait_until_healthy(there)
        assert KEY in listener.gaps
        await wait_until_delivered(here, listener, 100)
        assert there.stats.connections > connections
        assert len(listener.seqs) == len(set(listener.seqs)), "what was late came twice"


async def test_a_subscriber_alone_that_is_deaf_is_noticed(valkey: Valkey) -> None:
    """What is sent is taken, but nothing comes back: only the probe can tell."""
    async with (
        FaultyRedis(valkey.port) as faulty,
        healthy_bus(valkey.url) as here,
        healthy_bus(faulty.url) as there,
    ):
        listener = RecordingListener(there, KEY)
        await listener.subscribed()
        connections = there.stats.connections
        faulty.deaf = True
        await until(lambda: there.is_degraded, "nobody notices")
        assert not here.is_degraded
        faulty.deaf = False
        await wait_until_healthy(there)
        assert there.stats.connections == connections + 1, "the publisher had no reason to connect anew"
        await wait_until_delivered(here, listener, 1)


@pytest.mark.parametrize("redis", TOPOLOGIES, indirect=True)
async def test_a_redis_that_is_down_is_waited_for(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    redis.kill()
    bus = RedisBus(redis.url, SECRET)
    listener = RecordingListener(bus, KEY)
    bus.start()
    try:
        await until(lambda: caplog.records, "nobody is told")
        published(bus, message(1))
        assert bus.is_degraded
        assert listener.seqs == [1]
        redis.start()
        await wait_until_healthy(bus)
        assert KEY in listener.gaps
    finally:
        await bus.close()
    assert len(caplog.records) == 1


async def test_a_publisher_keeps_the_newest(valkey: Valkey) -> None:
    tuning = BusTuning(max_pending_messages=10, max_pending_bytes=20_000)
    async with bus_pair(valkey.url, tuning) as (here, there, _):
        valkey.kill()
        await until(lambda: here.is_degraded and there.is_degraded, "nobody notices")
        for seq in range(1, 101):
            here.publish(message(seq))
        assert here.pending == 10
        assert here.stats.dropped[DropReason.queue_full] == 90
        for seq in range(101, 111):
            here.publish(Message(KEY, "one", (created_event(seq, text="x" * 8_000),)))
        assert here.pending == 2
        assert here.stats.dropped[DropReason.queue_full] == 108
        valkey.start()
        await wait_until_healthy(here)
        await until(lambda: not here.pending, "nothing is sent")


@pytest.mark.parametrize("frozen", [False, True])
async def test_an_end_takes_no_time(valkey: Valkey, frozen: bool) -> None:
    bus = RedisBus(valkey.url, SECRET)
    bus.start()
    await wait_until_healthy(bus)
    if frozen:
        valkey.freeze()
    for seq in range(1, 1000):
        bus.publish(message(seq, key=OTHER))
    began = time.monotonic()
    await bus.close()
    # the promise is two seconds
    assert time.monotonic() - began < 4
    assert frozen or (bus.pending, bus.stats.sent) == (0, 999), "what waited was not sent"
    bus.publish(message(1))


async def test_an_end_before_redis_was_there(valkey: Valkey) -> None:
    valkey.freeze()
    bus = RedisBus(valkey.url, SECRET)
    bus.start()
    await asyncio.sleep(0)
    began = time.monotonic()
    await bus.close()
    assert time.monotonic() - began < 4


# ---- what others say ------------------------------------------------------------------------------------


async def test_garbage_changes_nothing_but_a_number(shared_valkey: Valkey) -> None:
    channel = channel_of(KEY)
    good = encode_events(message(1), "another", now())
    garbage = [
        b"",
        b"hello",
        signed(message(1))[:-5],
        good,
        SIGNER.sign(channel_of(OTHER), good),
        signed(message(1), signer=Signer(b"another key of these tests")),
        b"[" * 1000,
        b"x" * 5_000_000,
        b"\xff" * 70_000,
    ]
    odd = [
        b"",
        good[:-5],
        encode_events(message(1, key=OTHER), "another", now()),
        encode_events(Message(KEY, "one", (created_event(seq=1), created_event(seq=3))), "another", now()),
        good.replace(b"[2,", b"[3,", 1),
        b"x" * MAX_MESSAGE_BYTES,
    ]
    async with bus_pair(shared_valkey.url) as (here, there, listener):
        connections = there.stats.connections
        probes = shared_valkey.ask("PUBSUB", "CHANNELS", "tertulia:probe:*")
        assert len(probes) == 2
        for data in garbage:
            assert shared_valkey.publish(channel, data) == 1
        for data in odd:
            assert shared_valkey.publish(channel, SIGNER.sign(channel, data)) == 1
        await until(lambda: there.stats.dropped[DropReason.malformed] == len(odd), "not all is counted")
        assert there.stats.dropped[DropReason.unverified] == len(garbage)
        assert (listener.messages, listener.presence) == ([], [])
        assert listener.unverified == [KEY] * len(garbage + odd), "where somebody speaks there may be something to read"
        for channel in probes:
            shared_valkey.publish(channel.decode(), b"not a probe")
        await wait_until_delivered(here, listener, 1)
        assert there.stats.received == 1
        await until(lambda: there.stats.dropped[DropReason.malformed] > len(odd), "a probe that is none is taken")
        assert (there.is_degraded, there.stats.connections) == (False, connections)


@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
def test_no_bytes_reach_a_listener(data: bytes) -> None:
    bus, heard = RedisBus("redis://127.0.0.1:1", SECRET), list[Message]()
    bus.subscribe(KEY, heard.append)
    bus.receive(channel_of(KEY), data)
    bus.receive(channel_of(KEY), SIGNER.sign(channel_of(KEY), data))
    assert heard == []
    assert bus.stats.dropped == dict.fromkeys(DropReason, 0) | {DropReason.unverified: 1, DropReason.malformed: 1}


async def test_what_is_repeated_counts_as_it_did_the_first_time(shared_valkey: Valkey) -> None:
    """A genuine message is one: its events are known by their seq, and a number of readers by its time."""
    channel = channel_of(KEY)
    async with bus_pair(shared_valkey.url) as (_, there, listener):
        for seconds in (-MAX_CLOCK_SKEW_SECONDS - 10, MAX_CLOCK_SKEW_SECONDS + 10, 0):
            said = PresenceUpdate(KEY, "another", 7, 1, at=now() + round(1000 * seconds))
            shared_valkey.publish(channel, SIGNER.sign(channel, encode_presence(said)))
        await until(lambda: listener.presence, "what is new is not heard")
        assert listener.presence == [said]
        assert there.stats.dropped[DropReason.outdated] == 2
        assert there.is_alive("another")


async def test_an_instance_that_died_is_not_kept_alive_by_what_it_said(shared_valkey: Valkey) -> None:
    channel = channel_of(KEY)
    past = now() - round(1000 * MAX_CLOCK_SKEW_SECONDS) - 10_000
    async with bus_pair(shared_valkey.url) as (_, there, listener):
        shared_valkey.publish(INSTANCES_CHANNEL, SIGNER.sign(INSTANCES_CHANNEL, encode_heartbeat("the dead", past)))
        shared_valkey.publish(channel, SIGNER.sign(channel, encode_events(message(1), "the dead", past)))
        await until(lambda: listener.seqs == [1], "events are known by their seq alone")
        assert not there.is_alive("the dead")


async def test_the_time_that_is_told_never_goes_back(shared_valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bus_pair(shared_valkey.url) as (here, _, listener):
        here.publish_presence(KEY, 1, 0, wants_reply=False)
        monkeypatch.setattr(time, "time_ns", lambda: 10**18)
        here.publish_presence(KEY, 2, 0, wants_reply=False)
        await until(lambda: len(listener.presence) == 2, "not both are heard")
    first, second = (update.at for update in listener.presence)
    assert second >= first > 10**12


async def test_an_instance_with_another_key_is_told_of_once_a_minute(
    shared_valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    """At both: neither believes the other, which shows by their heartbeats."""
    tuning = BusTuning(heartbeat=0.05)
    async with (
        healthy_bus(shared_valkey.url, tuning=tuning) as here,
        healthy_bus(shared_valkey.url, b"another key of these tests", tuning) as there,
    ):
        unverified = [bus.stats for bus in (here, there)]
        await until(lambda: all(one.dropped[DropReason.unverified] >= 5 for one in unverified), "nothing is heard")
        for bus in (here, there):
            assert bus.receives_unverified
            assert (bus.peer_count, bus.is_degraded) == (0, False)
        told = [record for record in caplog.records if "not believed" in record.message]
        assert len(told) == 2, "one line for each instance"
        here.tuning = replace(tuning, unverified_shown=0.0)
        await until(lambda: len(caplog.records) > len(told), "it is told once and never again")
        assert not here.receives_unverified


# ---- who may come in ------------------------------------------------------------------------------------


async def test_few_permissions_are_enough(valkey: Valkey) -> None:
    rules, *_ = permissions()
    valkey.ask(*rules)
    async with bus_pair(valkey.url.replace("//", "//talk:secret@") + "/3") as (here, _, listener):
        await wait_until_delivered(here, listener, 1)
    assert valkey.ask("ACL", "LOG") == []


async def test_a_wrong_password_degrades_the_bus_and_is_not_logged(
    valkey: Valkey, caplog: pytest.LogCaptureFixture
) -> None:
    valkey.ask("ACL", "SETUSER", "talk", "on", ">right", "+@all")
    bus = RedisBus(valkey.url.replace("//", "//talk:wrong-pass@"), SECRET)
    bus.start()
    try:
        await until(lambda: caplog.records, "nobody is told")
        assert bus.is_degraded
    finally:
        await bus.close()
    for record in caplog.records:
        assert "wrong-pass" not in str(vars(record))


async def test_a_silent_instance_is_counted_no_more_and_forgotten(shared_valkey: Valkey) -> None:
    tuning = BusTuning(heartbeat=0.05, peer_timeout=1.0, max_peers=1)
    async with healthy_bus(shared_valkey.url, tuning=tuning) as here:
        async with healthy_bus(shared_valkey.url, tuning=tuning) as there:
            await until(lambda: here.peer_count == there.peer_count == 1, "they do not hear of each other")
        await until(lambda: here.peer_count == 0, "one that is silent is still counted")
        async with healthy_bus(shared_valkey.url, tuning=tuning):
            await until(lambda: here.peer_count == 1, "one that is silent takes the place of another")


async def test_while_redis_is_away_nobody_is_taken_for_dead(valkey: Valkey) -> None:
    async with healthy_bus(valkey.url) as here, healthy_bus(valkey.url) as there:
        listener = RecordingListener(here, KEY)
        await listener.subscribed()
        there.publish_presence(KEY, 3, 0, wants_reply=False)
        await until(lambda: listener.presence, "nothing is told")
        valkey.kill()
        await until(lambda: here.is_degraded, "its death goes unnoticed")
        here.tuning = replace(here.tuning, peer_timeout=0.0)
        assert here.is_alive(listener.presence[0].instance)


async def test_names_of_instances_are_not_kept_without_end(shared_valkey: Valkey) -> None:
    async with healthy_bus(shared_valkey.url, tuning=BusTuning(max_peers=5)) as here:
        for number in range(20):
            shared_valkey.publish(
                INSTANCES_CHANNEL, SIGNER.sign(INSTANCES_CHANNEL, encode_heartbeat(f"fake {number}", now()))
            )
        shared_valkey.publish(INSTANCES_CHANNEL, b"the last one")
        await until(lambda: here.stats.dropped[DropReason.unverified], "it is not heard")
        assert here.peer_count == 5
