"""Who opens room after room is asked to wait, and others are not."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

import asyncpg  # type: ignore[import-untyped]

from tertulia.limits.openings import AT_ONCE
from tests.serving.raw import CLOSE, TEXT, Raw, WellBehavedClient, get, live
from tests.support.postgres import Postgres
from tests.support.server import ServerProcess

HOSTILE = "127.0.0.77"


def test_rooms_of_one_address_have_a_bound(server: ServerProcess, well_behaved: WellBehavedClient) -> None:
    well_behaved.follow()
    answers = [_opened(server, f"nobody reads {number}") for number in range(AT_ONCE)]
    assert answers == [None] * AT_ONCE
    code, reason = next(filter(None, (_opened(server, f"nor this {number}") for number in range(10 * AT_ONCE))))
    assert (code, reason) == (4429, b"1000")
    assert _stream_status(server, "yet another") == (429, "1")
    assert _opened(server, well_behaved.key) is None, "a room that is there is open to everybody"


async def test_a_crowd_that_comes_to_one_discussion_opens_one_room(
    postgres: Postgres, starting: Callable[..., ServerProcess]
) -> None:
    """A newsroom behind one address follows a link, and the database takes its time."""
    name = await postgres.create()
    crowded = starting("--database-url", postgres.address(name), "--connections-per-address", str(2 * AT_ONCE))
    assert _opened(crowded, "of another discussion") is None, "what a first reader costs is not what a crowd costs"
    busy = await asyncpg.connect(postgres.address(name).replace("+asyncpg", ""))
    with ExitStack() as stack:
        await busy.execute("BEGIN; LOCK TABLE discussion IN ACCESS EXCLUSIVE MODE")
        crowd = [stack.enter_context(Raw(crowded, HOSTILE)) for _ in range(AT_ONCE + 50)]
        for one in crowd:
            one.follow(live("a discussion"))
        await busy.close()
        assert {one.frame().opcode for one in crowd} == {TEXT}


def _opened(server: ServerProcess, key: str) -> tuple[int, bytes] | None:
    """None where it may be read, else the code and the reason that it is closed with."""
    with Raw(server, HOSTILE) as raw:
        raw.follow(live(key))
        found = raw.frame()
        assert found.opcode in (TEXT, CLOSE)
        return None if found.opcode == TEXT else (found.code, found.payload[2:])


def _stream_status(server: ServerProcess, key: str) -> tuple[int, str]:
    for number in range(10 * AT_ONCE):  # time passes, in which it may open another
        path = live(f"{key} {number}").replace("/live", "/events")
        with Raw(server, HOSTILE) as raw:
            assert raw.send(get(path, "Accept: text/event-stream"))
            head = raw.read_until(b"\r\n\r\n").decode()
        if " 429 " in head:
            return 429, head.lower().partition("retry-after: ")[2].partition("\r\n")[0]
    raise AssertionError("never refused")
