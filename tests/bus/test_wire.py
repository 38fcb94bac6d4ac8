"""Messages on the way between instances: what is written is read, and nothing else is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tertulia.bus import Glance, LookingUpdate, Message, PresenceUpdate
from tertulia.bus.redis.wire import (
    KINDS,
    MAX_INSTANCE_CHARS,
    MAX_LOOK_CHARS,
    MAX_MESSAGE_BYTES,
    MAX_READERS,
    Envelope,
    InstanceHeartbeat,
    Malformed,
    channel_of,
    decode,
    encode_events,
    encode_heartbeat,
    encode_looking,
    encode_presence,
)
from tertulia.core.comments import DiscussionKey
from tertulia.protocol import EncodedEvent
from tests.live.fakes import created_event

KEY = DiscussionKey("a", "điểm/\N{DUCK}\n")
GOOD = Message(KEY, "one", tuple(created_event(seq, text="“điểm”\n") for seq in range(7, 10)))

texts = st.text(st.characters(exclude_categories=["Cs"]))
times = st.integers(1, 2**53 - 1)
payloads = st.dictionaries(texts, texts | st.integers()).map(json.dumps)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    first, size = draw(st.integers(1, 2**52)), draw(st.integers(0, 5))
    key, epoch = DiscussionKey(draw(texts), draw(texts)), draw(texts)
    if not size:
        return Message(key, epoch, (), first)
    events = (
        EncodedEvent(seq, KINDS[draw(st.sampled_from(sorted(KINDS)))], draw(st.none() | texts), draw(payloads))
        for seq in range(first, first + size)
    )
    return Message(key, epoch, tuple(events))


@given(messages(), texts, times)
def test_what_is_written_is_read(message: Message, instance: str, at: int) -> None:
    envelope = decode(encode_events(message, instance[:MAX_INSTANCE_CHARS], at))
    assert isinstance(envelope, Envelope)
    assert (envelope.instance, envelope.at, envelope.message()) == (instance[:MAX_INSTANCE_CHARS], at, message)


@given(
    texts,
    texts,
    texts.map(lambda name: name[:MAX_INSTANCE_CHARS]),
    st.integers(0, MAX_READERS),
    st.booleans(),
    st.data(),
)
def test_who_reads_is_read(
    site: str, key: str, instance: str, readers: int, wants_reply: bool, data: st.DataObject
) -> None:
    writing, at = data.draw(st.integers(0, readers)), data.draw(times)
    said = PresenceUpdate(DiscussionKey(site, key), instance, readers, writing, wants_reply, at)
    assert decode(encode_presence(said)) == said
    assert decode(encode_heartbeat(instance, at)) == InstanceHeartbeat(instance, at)


@given(texts, texts, texts, texts, texts, times)
def test_who_looks_at_what_is_read(site: str, key: str, person: str, name: str, comment: str, at: int) -> None:
    look = Glance(person[:MAX_LOOK_CHARS], name[:MAX_LOOK_CHARS], comment[:MAX_LOOK_CHARS])
    said = LookingUpdate(DiscussionKey(site, key), "i", look, at)
    assert decode(encode_looking(said)) == said


def test_a_name_that_is_too_long_is_cut() -> None:
    told = decode(encode_looking(LookingUpdate(KEY, "i", Glance("p", "n" * (MAX_LOOK_CHARS + 1), "c"), 1)))
    assert told == LookingUpdate(KEY, "i", Glance("p", "n" * MAX_LOOK_CHARS, "c"), 1)


def test_more_readers_than_an_instance_can_have_are_not_told() -> None:
    told = decode(encode_presence(PresenceUpdate(KEY, "me", MAX_READERS + 5, MAX_READERS + 4, at=1)))
    assert told == PresenceUpdate(KEY, "me", MAX_READERS, MAX_READERS, at=1)


@pytest.mark.parametrize("over", [False, True])
def test_of_a_message_that_is_too_long_the_header_is_sent(over: bool) -> None:
    spare = MAX_MESSAGE_BYTES - len(
        encode_events(Message(KEY, "one", (EncodedEvent(1, "comment.created", "c", "{}"),)), "me", 1)
    )
    long = Message(KEY, "one", (EncodedEvent(1, "comment.created", "c", "{" + " " * (spare + over) + "}"),))
    told = read(encode_events(long, "me", 1))
    assert told == (Message(KEY, "one", (), reached=1) if over else long)


def test_of_many_bytes_in_few_characters_too() -> None:
    long = Message(KEY, "one", (EncodedEvent(1, "comment.created", "c", json.dumps("\N{DUCK}" * 20_000)),))
    assert len(encode_events(long, "me", 1)) < 200


def test_a_channel_is_safe_and_its_own_discussions() -> None:
    keys = [
        DiscussionKey(site, key) for site in ("", "a", "a\0", "\ud800") for key in ("", "a", "\0a", " *\r\n", "điểm")
    ]
    channels = {channel_of(key) for key in keys}
    assert len(channels) == len(keys)
    for channel in channels:
        prefix, _, name = channel.partition(":")
        assert (prefix, len(name)) == ("tertulia", 32)
        int(name, 16)


# ---- what is none of ours -------------------------------------------------------------------------------


def header(**changed: object) -> bytes:
    fields: dict[str, object] = {"version": 2, "instance": "i", "at": 1, "epoch": "e", "site": "s", "key": "k"}
    fields |= {"first": 1, "last": 1} | changed
    return json.dumps(list(fields.values())).encode()


def events(*given: object) -> bytes:
    return header() + b"\n" + json.dumps(given).encode()


def event(
    seq: object = 1, kind: object = "comment.created", comment: object = "c", payload: object = "{}"
) -> list[object]:
    return [seq, kind, comment, payload]


def read(data: bytes) -> Message:
    envelope = decode(data)
    assert isinstance(envelope, Envelope)
    return envelope.message()


def test_the_pieces_of_these_tests_are_good() -> None:
    key = DiscussionKey("s", "k")
    assert read(header()) == Message(key, "e", (), 1)
    assert read(events(event())) == Message(key, "e", (EncodedEvent(1, "comment.created", "c", "{}"),))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"hello",
        b"\xff\xfe",
        b"null",
        b"{}",
        b"[]",
        b"[1]",
        b"[" * 60_000,
        b"9" * 60_000,
        header() + b" " * MAX_MESSAGE_BYTES,
        header()[:-1],
        header(version=0),
        header(version=3),
        header(version=1),
        header(version=True),
        header(version=2.0),
        header(version="2"),
        header(instance=None),
        header(at=None),
        header(at=0),
        header(at=True),
        header(at=1.5),
        header(at=2**53),
        header(epoch=1),
        header(site=["s"]),
        header(key=None),
        header(first=0),
        header(first=-1, last=-1),
        header(first=2),
        header(first=True),
        header(first=1.0),
        header(last=2**53),
        header(last=None),
        header(more=1),
        events(),
        events(event(), event()),
        events(event(2)),
        events(event(True)),
        events(event(1.0)),
        events(event("1")),
        events(event(kind="comment.exploded")),
        events(event(kind=None)),
        events(event(comment=1)),
        events(event(payload=None)),
        events(event(payload={})),
        events(event(payload="")),
        events(event(payload="[]")),
        events(event(payload="{")),
        events(event(payload='{"a":NaN}')),
        events(event(payload="{\n}")),
        events(event(payload="{\r}")),
        events(event(payload='{"a":"\ud800"}')),
        events(event()[:3]),
        events([*event(), 1]),
        events(None),
        events("abcd"),
        header() + b"\n{}",
        header() + b"\nnull",
        header() + b"\n" + b"[" * 60_000,
        events(event())[:-1],
        header(instance="i" * (MAX_INSTANCE_CHARS + 1)),
        b'[2,"alive","i"]',
        b'[1,"alive","i",1]',
        b'[true,"alive","i",1]',
        b'[2,"alive",1,1]',
        b'[2,"alive","i",0]',
        b'[2,"dead","i",1]',
        b'[2,"alive","%s",1]' % (b"i" * (MAX_INSTANCE_CHARS + 1)),
        b'[2,"here","i","s","k",1,0,0]',
        b'[2,"here","i",0,"s","k",1,0,0]',
        b'[2,"here","i",1,"s","k",1,0]',
        b'[2,"here","i",1,"s","k",-1,0,0]',
        b'[2,"here","i",1,"s","k",1,2,0]',
        b'[2,"here","i",1,"s","k",1.0,0,0]',
        b'[2,"here","i",1,"s","k",%d,0,0]' % (MAX_READERS + 1),
        b'[2,"here","i",1,"s","k",1,0,true]',
        b'[2,"here","i",1,"s","k",1,0,2]',
        b'[2,"here",null,1,"s","k",1,0,0]',
        b'[1,"here","i",1,"s","k",1,0,0]',
        b'[2,"looks","i",1,"s","k","p","n"]',
        b'[2,"looks","i",0,"s","k","p","n","c"]',
        b'[2,"looks","i",1,"s","k","p",null,"c"]',
        b'[2,"looks","i",1,"s","k","p","n",1]',
        b'[2,"looks","i",1,"s","k","p","n","%s"]' % (b"c" * (MAX_LOOK_CHARS + 1)),
        events(event()) + b"\n[]",
    ],
    ids=lambda data: repr(data[:100]),
)
def test_garbage_is_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)


@given(
    st.binary()
    | texts.map(str.encode)
    | st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | texts, st.lists).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_random_garbage_is_malformed_and_nothing_else(data: bytes) -> None:
    with pytest.raises(Malformed):
        read(data)


@given(st.data())
def test_a_damaged_message_is_malformed_or_in_good_form(data: st.DataObject) -> None:
    whole = bytearray(encode_events(GOOD, "me", 1))
    for _ in range(data.draw(st.integers(1, 3))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    del whole[data.draw(st.just(len(whole)) | st.integers(0, len(whole))) :]
    try:
        told = read(bytes(whole))
    except Malformed:
        return
    assert [one.seq for one in told.events] in ([], list(range(told.head - len(told.events) + 1, told.head + 1)))
    for one in told.events:
        assert isinstance(json.loads(one.payload.encode()), dict)
