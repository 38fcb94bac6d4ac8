"""A frame: the same bytes for everybody, and bytes that any client reads as the text."""

from __future__ import annotations

import random
import zlib

import pytest
from websockets.extensions.permessage_deflate import PerMessageDeflate
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.protocol import CLIENT, Protocol

from tertulia.live.frames import WINDOW_BITS, Frame
from tertulia.protocol import events_message
from tests.live.fakes import EPOCH, created_event

SHORT = '{"type":"heartbeat","seq":5,"readers":1}'
LONG = events_message([created_event(seq, text="Thảo luận ☕ ").payload for seq in range(40)])
HUGE = events_message([created_event(seq, text=str(hash(str(seq))) * 20).payload for seq in range(300)])
NOISE = "".join(chr(33 + (number * number * 7919 + number // 7 * 31) % 90) for number in range(160))


def read(*frames: bytes, deflates: bool) -> list[str]:
    """What a client understands of these bytes, message by message."""
    client = Protocol(CLIENT, max_size=2**24)
    if deflates:
        client.extensions = [
            PerMessageDeflate(
                remote_no_context_takeover=True,
                local_no_context_takeover=True,
                remote_max_window_bits=WINDOW_BITS,
                local_max_window_bits=WINDOW_BITS,
            )
        ]
    client.receive_data(b"".join(frames))
    found = client.events_received()
    assert client.parser_exc is None
    texts = []
    for frame in found:
        assert isinstance(frame, WireFrame)
        assert (frame.opcode, frame.fin) == (Opcode.TEXT, True)
        texts.append(bytes(frame.data).decode())
    return texts


@pytest.mark.parametrize("text", ["{}", SHORT, LONG, HUGE, NOISE], ids=["empty", "short", "long", "huge", "noise"])
def test_a_client_reads_the_text(text: str) -> None:
    frame = Frame(text)
    assert read(frame.plain, deflates=False) == [text]
    assert read(frame.plain, deflates=True) == [text]
    assert read(frame.deflated, deflates=True) == [text]


def test_frames_depend_on_nothing_that_was_sent_before() -> None:
    """Whoever missed some, in whatever order: there is no context to take over."""
    texts = [LONG, SHORT, HUGE, LONG, SHORT, LONG]
    assert read(*(Frame(text).deflated for text in texts), deflates=True) == texts


def test_long_messages_get_smaller_and_short_ones_are_left_alone() -> None:
    frame, short, noise = Frame(LONG), Frame(SHORT), Frame(NOISE)
    assert len(frame.deflated) < len(frame.plain) / 3
    assert frame.deflated[0] & 0x40
    for left_alone in (short, Frame("x" * 100)):
        assert left_alone.deflated is left_alone.plain
        assert not left_alone.plain[0] & 0x40
    assert len(noise.deflated) <= len(noise.plain)


def test_it_is_made_once() -> None:
    for text in (LONG, SHORT):
        frame = Frame(text, 5)
        assert frame.plain is frame.plain
        assert frame.deflated is frame.deflated
        assert frame.sse(EPOCH) is frame.sse(EPOCH)


def test_the_window_is_no_larger_than_what_was_offered() -> None:
    """Something said again after more than 4 KiB must not be a reference that a small window cannot follow."""
    chance = random.Random(5)
    filler = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(6000))
    text = f"{filler[:400]}{filler}{filler[:400]}"
    data = Frame(text).deflated
    header = 4  # 126 and two bytes of length
    inflater = zlib.decompressobj(-WINDOW_BITS)
    assert inflater.decompress(data[header:] + b"\x00\x00\xff\xff").decode() == text


def test_an_event_stream_is_told_where_to_go_on() -> None:
    assert Frame(SHORT).sse(EPOCH) == f"data: {SHORT}\n\n".encode()
    assert Frame(LONG, 7).sse(EPOCH) == f"id: {EPOCH}:7\ndata: {LONG}\n\n".encode()
