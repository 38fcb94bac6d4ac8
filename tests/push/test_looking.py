"""Who looks at what at a desk: told to the others, on both buses, for as long as it is said, within bounds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from websockets.sync.client import ClientConnection

from tertulia.bus import Glance, LookingUpdate
from tertulia.bus.memory import MemoryBus
from tertulia.core.comments import DiscussionKey
from tertulia.errors import CloseCode
from tertulia.live.frames import Frame
from tertulia.live.reader import Reader
from tertulia.people import StaffMember
from tertulia.push.looking import LEAST_SECONDS, LOOKING_SECONDS, MAX_LOOKERS, MAX_MESSAGE_CHARS, Console, Lookers
from tests.push.desk import closing_code, desk_stream, moderator_token
from tests.support.server import ServerProcess
from tests.support.valkey import Valkey
from tests.support.waiting import PATIENCE

COMMENT, OTHER = str(UUID(int=1)), str(UUID(int=2))


@contextmanager
def consoles(*servers: ServerProcess, names: tuple[str, ...] = ("Mai", "Minh")) -> Iterator[list[ClientConnection]]:
    """One for each name, at the servers in turn; they share their data."""
    with ExitStack() as stack:
        opened = []
        for number, name in enumerate(names):
            token = moderator_token(servers[0], name)
            server = servers[number % len(servers)]
            opened.append(stack.enter_context(desk_stream(server, {"Authorization": f"Bearer {token}"})))
            assert json.loads(opened[-1].recv(PATIENCE))["type"] == "hello"
        yield opened


def look(console: ClientConnection, comment_id: str | None) -> None:
    console.send(json.dumps({"type": "looking", "comment_id": comment_id}))


def told(console: ClientConnection) -> list[dict[str, Any]]:
    """Whom it is told of next."""
    while True:
        message = json.loads(console.recv(PATIENCE))
        if message["type"] == "looking":
            return list(message["people"])


def test_the_others_are_told_who_looks_at_what(live: ServerProcess) -> None:
    with consoles(live, names=("Mai", "Minh", "Hoa")) as (mai, minh, hoa):
        look(mai, COMMENT)
        assert told(minh) == told(hoa) == [{"comment_id": COMMENT, "name": "Mai"}]
        look(minh, OTHER)
        assert told(mai) == [{"comment_id": OTHER, "name": "Minh"}], "one is not told of oneself"
        assert len(told(hoa)) == 2
        mai.close()
        assert told(hoa) == [{"comment_id": OTHER, "name": "Minh"}]
        look(minh, None)
        assert told(hoa) == []


def test_who_comes_later_is_told_at_once(live: ServerProcess) -> None:
    with consoles(live, names=("Thu", "An")) as (thu, an):
        look(thu, COMMENT)
        assert told(an) == [{"comment_id": COMMENT, "name": "Thu"}]
        with consoles(live, names=("Sen",)) as (sen,):
            assert told(sen) == [{"comment_id": COMMENT, "name": "Thu"}]


def test_between_two_instances(tmp_path: Path, valkey: Valkey) -> None:
    flags = ("--redis-url", valkey.url)
    here, there = (ServerProcess(tmp_path / "data", flags) for _ in range(2))
    try:
        with consoles(here, there) as (mai, minh):
            look(mai, COMMENT)
            assert told(minh) == [{"comment_id": COMMENT, "name": "Mai"}]
            look(minh, OTHER)
            assert told(mai) == [{"comment_id": OTHER, "name": "Minh"}]
            mai.close()
            assert told(minh) == []
    finally:
        assert [server.end() for server in (here, there)] == [0, 0]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "looking",
        "[]",
        '{"type":"writing"}',
        '{"type":"looking"}',
        '{"type":"looking","comment_id":7}',
        '{"type":"looking","comment_id":"nobody"}',
        json.dumps({"type": "looking", "comment_id": COMMENT, "name": "Mallory"}),
        json.dumps({"type": "looking", "comment_id": COMMENT}) + " " * MAX_MESSAGE_CHARS,
    ],
    ids=lambda said: said[:40],
)
def test_anything_else_ends_the_stream(live: ServerProcess, said: str) -> None:
    with consoles(live, names=("Ba",)) as (console,):
        console.send(said)
        assert closing_code(console) == CloseCode.malformed


# ---- time, which no test waits for ----------------------------------------------------------------------

DESK = DiscussionKey("news", "\x1fdesk")


class KeepingBus(MemoryBus):
    """Keeps what other instances would be told."""

    def __init__(self, sent: list[Glance]) -> None:
        super().__init__()
        self._sent = sent

    def publish_looking(self, key: DiscussionKey, look: Glance) -> None:
        self._sent.append(look)


class Board:
    """Lookers without a network, and what each console was told last."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sent: list[Glance] = []
        self.lookers = Lookers(KeepingBus(self.sent))
        self.frames: dict[Console, list[Frame]] = {}

    def open(self, person: str) -> Console:
        connection = Kept()
        reader = Reader(NoRoom())
        reader.connection = connection
        console = Console(DESK, StaffMember(None, person, person.title(), ()), reader)
        self.frames[console] = connection.frames
        self.lookers.enter(console)
        return console

    def look(self, console: Console, comment_id: str | None) -> CloseCode | None:
        return self.lookers.on_message(console, json.dumps({"type": "looking", "comment_id": comment_id}), self.now)

    def told(self, console: Console) -> list[str] | None:
        """The names in what it was told last, and nothing where that was nothing since."""
        frames = self.frames[console]
        if not frames:
            return None
        people = json.loads(frames[-1].text)["people"]
        frames.clear()
        return [one["name"] for one in people]

    def tick(self, seconds: float = 1.0) -> None:
        self.now += seconds
        self.lookers.tick(self.now)


class Kept:
    """A connection that keeps what is written."""

    def __init__(self) -> None:
        self.frames: list[Frame] = []

    def write(self, frame: Frame) -> None:
        self.frames.append(frame)

    def buffered(self) -> int:
        return 0

    def close(self, code: CloseCode) -> None:
        pass


class NoRoom:
    def on_drained(self, reader: Reader) -> None:
        pass

    def on_writing(self, reader: Reader) -> None:
        pass

    def leave(self, reader: Reader) -> None:
        pass


def test_silence_ends_it_and_repeats_keep_it_without_a_message() -> None:
    board = Board()
    mai, minh = board.open("mai"), board.open("minh")
    board.look(mai, COMMENT)
    board.tick()
    assert board.told(minh) == ["Mai"]
    board.tick(LOOKING_SECONDS - 2)
    board.look(mai, COMMENT)
    board.tick()
    assert board.told(minh) is None
    board.tick(LOOKING_SECONDS)
    assert board.told(minh) == []


def test_what_comes_too_soon_is_left() -> None:
    board = Board()
    mai = board.open("mai")
    for number in range(50):
        assert board.look(mai, COMMENT if number % 2 else OTHER) is None
    assert [look.comment_id for look in board.sent] == [OTHER]
    board.now += LEAST_SECONDS
    board.look(mai, COMMENT)
    assert board.sent[-1] == Glance("mai", "Mai", COMMENT)


def test_a_second_page_of_one_person_goes_on_when_the_first_is_closed() -> None:
    board = Board()
    first, second, minh = board.open("mai"), board.open("mai"), board.open("minh")
    board.look(second, OTHER)
    board.look(first, COMMENT)
    board.tick()
    assert board.told(minh) == ["Mai"]
    board.lookers.leave(first, board.now)
    assert board.sent[-1] == Glance("mai", "Mai", OTHER)
    board.lookers.leave(second, board.now)
    assert board.sent[-1] == Glance("mai", "Mai", "")
    board.tick()
    assert board.told(minh) == []


def test_no_more_are_kept_than_so_many_and_none_for_a_desk_that_nobody_is_at() -> None:
    board = Board()
    mai = board.open("mai")
    for number in range(MAX_LOOKERS + 10):
        look = Glance(f"p{number}", f"P{number}", COMMENT)
        board.lookers.receive(LookingUpdate(DESK, "there", look), board.now)
    board.lookers.receive(LookingUpdate(DiscussionKey("magazine", DESK.key), "there", look), board.now)
    board.tick()
    assert len(board.told(mai) or ()) == MAX_LOOKERS


def test_a_console_that_takes_nothing_is_told_later() -> None:
    board = Board()
    mai, minh = board.open("mai"), board.open("minh")
    minh.reader.pause()
    board.look(mai, COMMENT)
    board.tick()
    assert board.told(minh) is None
    minh.reader.resume()
    board.tick()
    assert board.told(minh) == ["Mai"]
