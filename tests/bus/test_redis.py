"""The bus over Redis when Redis fails: it says so, nobody waits for it, and it hears again by itself."""

from __future__ import annotations

import asyncio
import json
import logging
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tertulia.bus import Attendance, Message, redis, sending
from tertulia.bus.counts import Dropped
from tertulia.bus.doubt import Doubts
from tertulia.bus.encoding import ALL, LONGEST, alive, channel_of, present, written
from tertulia.bus.lane import Lane
from tertulia.bus.redis import APART_SECONDS, RedisBus
from tertulia.bus.signing import Signer
from tertulia.core.comments import DiscussionKey
from tests.bus.conftest import TOPOLOGIES, Redis
from tests.bus.instances import (
    KEY,
    OTHER,
    SECRET,
    SIGNER,
    Hearing,
    certain,
    connected,
    happened,
    heard_again,
    message,
    now,
    permissions,
    signed,
    two,
)
from tests.live.fakes import created_event
from tests.valkey import Valkey

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
    async with connected(shared_valkey.url) as bus:
        hearing = Hearing(bus, KEY)
        await hearing.holds()
        bus.publish(message(1))
        assert hearing.seqs == [1]
        await happened(lambda: bus.counts.sent == 1, "nothing is sent")
        shared_valkey.say(channel_of(KEY), signed(message(2)))
        await happened(lambda: len(hearing.seqs) > 1, "nothing is heard")
        assert hearing.seqs == [1, 2]
        assert bus.counts.received == 1


async def test_a_listener_that_fails_ends_nothing(shared_valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    async with two(shared_valkey.url) as (here, there, hearing):
        here.subscribe(KEY, failing)
        there.subscribe(KEY, failing)
        here.publish(message(1))
        await happened(lambda: there.counts.received == 1, "nothing is heard")
        there.subscribe(KEY, hearing.messages.append)
        await heard_again(here, hearing, 2)
        assert not there.in_doubt
    assert "A message could not be taken" in caplog.text


@pytest.mark.parametrize("topology", TOPOLOGIES)
async def test_thousands_of_rooms_come_and_go(topology: str, request: pytest.FixtureRequest) -> None:
    """Only the channels of those that stayed are subscribed, and each of them is told of."""
    keys = [DiscussionKey("many", str(number)) for number in range(3000)]
    missed: list[DiscussionKey] = []
    heard: list[Message] = []
    redis: Redis = request.getfixturevalue(f"shared_{topology}")
    async with connected(redis.url) as here, connected(redis.url) as there:
        connections = there.counts.connections
        there.watch(missed.extend, lambda _said: None, lambda _key: None)
        for key in keys:
            there.subscribe(key, heard.append)
        for key in keys[::2]:
            there.unsubscribe(key)
        for key in keys[::4]:
            there.subscribe(key, heard.append)
        stayed = {key for number, key in enumerate(keys) if number % 2 or number % 4 == 0}
        await happened(lambda: stayed <= set(missed), "not all are subscribed")
        for key in keys:
            here.publish(message(1, key=key))
        await happened(lambda: len(heard) >= len(stayed), "not all are heard")
        assert {one.key for one in heard} == stayed
        for key in stayed:
            there.unsubscribe(key)
        channels = {channel_of(key) for key in keys}
        await happened(lambda: not channels & redis.channels(), "channels stay subscribed")
        assert there.counts.connections == connections


# ---- Redis fails ----------------------------------------------------------------------------------------


async def test_a_cut_ear_is_doubt_until_it_hears_again(valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tertulia.bus")
    async with two(valkey.url) as (here, there, hearing):
        caplog.clear()
        hearing.missed.clear()
        assert valkey.cut_ears() == 2
        await happened(lambda: KEY in hearing.missed, "nobody is told that messages were missed")
        await certain(here)
        await certain(there)
        await heard_again(here, hearing, 2)
        assert there.counts.connections == 3
    assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == 2, "one line for each instance"
    assert len([one for one in caplog.records if one.levelno == logging.INFO]) == 2


async def test_a_cut_outbox_is_doubt_until_it_sends_again(valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    async with two(valkey.url) as (here, there, hearing):
        assert valkey.cut_outboxes() == 2
        here.publish(message(1))
        await happened(lambda: len(caplog.records) == 2, "nobody doubts")
        await certain(here)
        await certain(there)
        await heard_again(here, hearing, 2)
        assert here.counts.connections == there.counts.connections == 3


async def test_a_probe_from_before_a_failure_settles_nothing() -> None:
    settled: list[bool] = []
    doubt = Doubts(lambda: settled.append(True)).open()
    before = time.monotonic()
    doubt.begin(OSError("gone"))
    doubt.end(before)
    assert (doubt.is_there, settled) == (True, [])
    doubt.end(time.monotonic())
    doubt.end(time.monotonic())
    assert (doubt.is_there, settled) == (False, [True])


async def test_a_server_that_starts_again_empty(valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tertulia.bus")
    async with two(valkey.url) as (here, there, hearing):
        caplog.clear()
        valkey.kill()
        await happened(lambda: here.in_doubt and there.in_doubt, "nobody doubts")
        for seq in range(1, 2000):
            published(here, message(seq))
        hearing.missed.clear()
        valkey.start()
        await certain(here)
        await certain(there)
        assert KEY in hearing.missed
        await heard_again(here, hearing, 2000)
    assert len(caplog.records) == 4, "one line when it begins and one when it ends"


async def test_a_frozen_server_is_noticed(valkey: Valkey) -> None:
    """Its connections stay open and silent."""
    async with two(valkey.url) as (here, there, hearing):
        valkey.freeze()
        published(here, message(1))
        await happened(lambda: here.counts.dropped[Dropped.not_sent] == 1, "the outbox waits for an answer")
        # the promise is four seconds
        await happened(lambda: here.in_doubt and there.in_doubt, "nobody doubts", seconds=8)
        connections = there.counts.connections
        for seq in range(2, 100):
            published(here, message(seq))
            await asyncio.sleep(0)
        hearing.missed.clear()
        valkey.thaw()
        await certain(here)
        await certain(there)
        assert KEY in hearing.missed
        await heard_again(here, hearing, 100)
        assert there.counts.connections > connections
        assert len(hearing.seqs) == len(set(hearing.seqs)), "what was late came twice"


async def test_an_ear_alone_that_is_deaf_is_noticed(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is sent is taken, but nothing comes back: only the probe can tell."""
    async with two(valkey.url) as (here, there, hearing):
        connections = there.counts.connections
        assert isinstance(there._topology, Lane)
        monkeypatch.setattr(there._topology._ear, "_take", lambda reply: None)
        await happened(lambda: there.in_doubt, "nobody doubts")
        assert not here.in_doubt
        monkeypatch.undo()
        await certain(there)
        assert there.counts.connections == connections + 1, "the outbox had no reason to connect anew"
        await heard_again(here, hearing, 1)


@pytest.mark.parametrize("redis", TOPOLOGIES, indirect=True)
async def test_a_redis_that_is_down_is_waited_for(redis: Redis, caplog: pytest.LogCaptureFixture) -> None:
    redis.kill()
    bus = RedisBus(redis.url, SECRET)
    hearing = Hearing(bus, KEY)
    bus.start()
    try:
        await happened(lambda: caplog.records, "nobody is told")
        published(bus, message(1))
        assert bus.in_doubt
        assert hearing.seqs == [1]
        redis.start()
        await certain(bus)
        assert KEY in hearing.missed
    finally:
        await bus.close()
    assert len(caplog.records) == 1


async def test_an_outbox_keeps_the_newest(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "MESSAGES_WAITING", 10)
    monkeypatch.setattr(sending, "BYTES_WAITING", 20_000)
    async with two(valkey.url) as (here, there, _):
        valkey.kill()
        await happened(lambda: here.in_doubt and there.in_doubt, "nobody doubts")
        for seq in range(1, 101):
            here.publish(message(seq))
        assert here.waiting == 10
        assert here.counts.dropped[Dropped.queue_full] == 90
        for seq in range(101, 111):
            here.publish(Message(KEY, "one", (created_event(seq, text="x" * 8_000),)))
        assert here.waiting == 2
        assert here.counts.dropped[Dropped.queue_full] == 108
        valkey.start()
        await certain(here)
        await happened(lambda: not here.waiting, "nothing is sent")


@pytest.mark.parametrize("frozen", [False, True])
async def test_an_end_takes_no_time(valkey: Valkey, frozen: bool) -> None:
    bus = RedisBus(valkey.url, SECRET)
    bus.start()
    await certain(bus)
    if frozen:
        valkey.freeze()
    for seq in range(1, 1000):
        bus.publish(message(seq, key=OTHER))
    began = time.monotonic()
    await bus.close()
    # the promise is two seconds
    assert time.monotonic() - began < 4
    assert frozen or (bus.waiting, bus.counts.sent) == (0, 999), "what waited was not sent"
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
    good = written(message(1), "another", now())
    garbage = [
        b"",
        b"hello",
        signed(message(1))[:-5],
        good,
        SIGNER.signed(channel_of(OTHER), good),
        signed(message(1), signer=Signer(b"another key of these tests")),
        b"[" * 1000,
        b"x" * 5_000_000,
        b"\xff" * 70_000,
    ]
    odd = [
        b"",
        good[:-5],
        written(message(1, key=OTHER), "another", now()),
        written(Message(KEY, "one", (created_event(seq=1), created_event(seq=3))), "another", now()),
        good.replace(b"[2,", b"[3,", 1),
        b"x" * LONGEST,
    ]
    async with two(shared_valkey.url) as (here, there, hearing):
        connections = there.counts.connections
        probes = shared_valkey.ask("PUBSUB", "CHANNELS", "tertulia:probe:*")
        assert len(probes) == 2
        for data in garbage:
            assert shared_valkey.say(channel, data) == 1
        for data in odd:
            assert shared_valkey.say(channel, SIGNER.signed(channel, data)) == 1
        await happened(lambda: there.counts.dropped[Dropped.malformed] == len(odd), "not all is counted")
        assert there.counts.dropped[Dropped.unverified] == len(garbage)
        assert (hearing.messages, hearing.attended) == ([], [])
        assert hearing.hinted == [KEY] * len(garbage + odd), "where somebody speaks there may be something to read"
        for channel in probes:
            shared_valkey.say(channel.decode(), b"not a probe")
        await heard_again(here, hearing, 1)
        assert there.counts.received == 1
        await happened(lambda: there.counts.dropped[Dropped.malformed] > len(odd), "a probe that is none is taken")
        assert (there.in_doubt, there.counts.connections) == (False, connections)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
def test_no_bytes_reach_a_listener(data: bytes) -> None:
    bus, heard = RedisBus("redis://127.0.0.1:1", SECRET), list[Message]()
    bus.subscribe(KEY, heard.append)
    bus._hear(channel_of(KEY), data)
    bus._hear(channel_of(KEY), SIGNER.signed(channel_of(KEY), data))
    assert heard == []
    assert bus.counts.dropped == dict.fromkeys(Dropped, 0) | {Dropped.unverified: 1, Dropped.malformed: 1}


async def test_what_is_repeated_counts_as_it_did_the_first_time(shared_valkey: Valkey) -> None:
    """A genuine message is one: its events are known by their seq, and a number of readers by its time."""
    channel = channel_of(KEY)
    async with two(shared_valkey.url) as (_, there, hearing):
        for seconds in (-APART_SECONDS - 10, APART_SECONDS + 10, 0):
            said = Attendance(KEY, "another", 7, 1, at=now() + round(1000 * seconds))
            shared_valkey.say(channel, SIGNER.signed(channel, present(said)))
        await happened(lambda: hearing.attended, "what is new is not heard")
        assert hearing.attended == [said]
        assert there.counts.dropped[Dropped.outdated] == 2
        assert there.is_alive("another")


async def test_an_instance_that_died_is_not_kept_alive_by_what_it_said(
    shared_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = channel_of(KEY)
    past = now() - round(1000 * APART_SECONDS) - 10_000
    async with two(shared_valkey.url) as (_, there, hearing):
        shared_valkey.say(ALL, SIGNER.signed(ALL, alive("the dead", past)))
        shared_valkey.say(channel, SIGNER.signed(channel, written(message(1), "the dead", past)))
        await happened(lambda: hearing.seqs == [1], "events are known by their seq alone")
        assert not there.is_alive("the dead")


async def test_the_time_that_is_told_never_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    bus, sent = RedisBus("redis://127.0.0.1:1", SECRET), list[bytes]()
    monkeypatch.setattr(bus._topology, "put", lambda _channel, data: sent.append(data))
    bus.publish(message(1))
    monkeypatch.setattr(time, "time_ns", lambda: 10**18)
    bus.publish(message(2))
    first, second = (json.loads(data.split(b"\n")[1])[2] for data in sent)
    assert first == second > 10**12


async def test_an_instance_with_another_key_is_told_of_once_a_minute(
    shared_valkey: Valkey, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At both: neither believes the other, which shows by the signs of life that they give."""
    monkeypatch.setattr(redis, "ALIVE_SECONDS", 0.05)
    async with (
        connected(shared_valkey.url) as here,
        connected(shared_valkey.url, b"another key of these tests") as there,
    ):
        unverified = [bus.counts for bus in (here, there)]
        await happened(lambda: all(one.dropped[Dropped.unverified] >= 5 for one in unverified), "nothing is heard")
        for bus in (here, there):
            assert bus.hears_strangers
            assert (bus.others, bus.in_doubt) == (0, False)
        told = [record for record in caplog.records if "not believed" in record.message]
        assert len(told) == 2, "one line for each instance"
        monkeypatch.setattr(redis, "STRANGERS_SECONDS", 0.0)
        await happened(lambda: len(caplog.records) > len(told), "it is told once and never again")
        assert not here.hears_strangers


# ---- who may come in ------------------------------------------------------------------------------------


async def test_few_permissions_are_enough(valkey: Valkey) -> None:
    rules, *_ = permissions()
    valkey.ask(*rules)
    async with two(valkey.url.replace("//", "//talk:secret@") + "/3") as (here, _, hearing):
        await heard_again(here, hearing, 1)
    assert valkey.ask("ACL", "LOG") == []


async def test_a_wrong_password_is_doubt_and_is_not_told(valkey: Valkey, caplog: pytest.LogCaptureFixture) -> None:
    valkey.ask("ACL", "SETUSER", "talk", "on", ">right", "+@all")
    bus = RedisBus(valkey.url.replace("//", "//talk:wrong-pass@"), SECRET)
    bus.start()
    try:
        await happened(lambda: caplog.records, "nobody is told")
        assert bus.in_doubt
    finally:
        await bus.close()
    for record in caplog.records:
        assert "wrong-pass" not in str(vars(record))


async def test_a_sign_of_life_is_given_and_missed(shared_valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "ALIVE_SECONDS", 0.05)
    async with connected(shared_valkey.url) as here:
        async with connected(shared_valkey.url) as there:
            await happened(lambda: here.others == there.others == 1, "they do not hear of each other")
            monkeypatch.setattr(redis, "DEAD_SECONDS", 0.0)
            await happened(lambda: not here._heard_of, "one that is silent is not forgotten")
        monkeypatch.undo()
        assert here.others == 0


async def test_while_redis_is_away_nobody_is_taken_for_dead(valkey: Valkey, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connected(valkey.url) as here, connected(valkey.url) as there:
        hearing = Hearing(here, KEY)
        await hearing.holds()
        there.tell(KEY, 3, 0, asks=False)
        await happened(lambda: hearing.attended, "nothing is told")
        valkey.kill()
        await happened(lambda: here.in_doubt, "its death goes unnoticed")
        monkeypatch.setattr(redis, "DEAD_SECONDS", 0.0)
        assert here.is_alive(hearing.attended[0].instance)


async def test_names_of_instances_are_not_kept_without_end(
    shared_valkey: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis, "INSTANCES_MOST", 5)
    async with connected(shared_valkey.url) as here:
        for number in range(20):
            shared_valkey.say(ALL, SIGNER.signed(ALL, alive(f"fake {number}", now())))
        shared_valkey.say(ALL, b"the last one")
        await happened(lambda: here.counts.dropped[Dropped.unverified], "it is not heard")
        assert here.others == 5
