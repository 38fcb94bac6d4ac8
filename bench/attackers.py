"""Hostile clients, one kind each: ``python -m bench.attackers NAME PORT SECONDS KEY EPOCH``.

Each does from one address, without an account, what costs a server most for what it costs the client, until its time is
over. Prints nothing; being refused, cut off or kept waiting is what they expect.
"""

from __future__ import annotations

import http.client
import json
import select
import socket
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode

from bench.load import handshake

ADDRESS = "127.0.1.1"
PATIENCE = 10.0
AT_ONCE = 4
"""Connections that ask and wait for their answers."""
UNREAD = 60
"""Connections that ask and never read."""
TEXTS = (
    "> " * 4_000,
    "*a **b " * 1_400,
    "[" * 9_000,
    "`" + "``" * 4_000,
    "- " * 4_000 + "x",
    "a@b.c " * 1_600,
    "![a](b" * 1_500,
    "_a*" * 3_300,
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where to, which discussion is there already, and until when, on the clock of ``time.monotonic``."""

    port: int
    key: str
    epoch: str
    ends: float

    def going_on(self) -> bool:
        return time.monotonic() < self.ends

    def connect(self, *, receive_buffer: int | None = None) -> socket.socket:
        """A new connection from the hostile address; raises OSError."""
        one = socket.socket()
        try:
            if receive_buffer is not None:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.settimeout(PATIENCE)
            one.bind((ADDRESS, 0))
            one.connect(("127.0.0.1", self.port))
        except BaseException:
            one.close()
            raise
        return one


Attack = Callable[[Target], None]


# ---- those that ask and wait ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Request:
    """One request."""

    method: str
    path: str
    body: object = None
    token: str | None = None


def _send_all(target: Target, requests: Iterator[Request]) -> None:
    """Asks one after another, as fast as the answers come."""
    connection: http.client.HTTPConnection | None = None
    for request in requests:
        if not target.going_on():
            break
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", target.port, PATIENCE, (ADDRESS, 0))
        try:
            _send(connection, request)
        except (OSError, http.client.HTTPException):
            connection.close()
            connection = None
            time.sleep(0.01)  # refused at once: a client that spins takes the load's core from the honest one
    if connection is not None:
        connection.close()


def _send(connection: http.client.HTTPConnection, request: Request) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/json", "Idempotency-Key": uuid.uuid4().hex}
    if request.token is not None:
        headers["Authorization"] = f"Bearer {request.token}"
    body = None if request.body is None else json.dumps(request.body)
    connection.request(request.method, request.path, body, headers)
    answer = connection.getresponse()
    return answer.status, answer.read()


def _together(target: Target, requests: Callable[[], Iterator[Request]], count: int = AT_ONCE) -> None:
    threads = [threading.Thread(target=_send_all, args=(target, requests())) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _endless(texts: tuple[str, ...] = TEXTS) -> Iterator[str]:
    while True:
        yield from texts


def posts(target: Target) -> None:
    """Comments that take long to parse; after the first few they are over the limit."""
    said = {"key": target.key, "author": {"name": "A stranger"}}
    _together(target, lambda: (Request("POST", "/api/v1/comments", said | {"body": text}) for text in _endless()))


def previews(target: Target) -> None:
    """Previews of the same texts."""
    _together(target, lambda: (Request("POST", "/api/v1/preview", {"body": text}) for text in _endless()))


def _guest(target: Target) -> tuple[str, str]:
    """The id of a comment of one's own, and the token of its author. Raises OSError where none can be had."""
    connection = http.client.HTTPConnection("127.0.0.1", target.port, PATIENCE, (ADDRESS, 0))
    said = {"key": target.key, "author": {"name": "A stranger"}, "body": "Mine."}
    status, answer = _send(connection, Request("POST", "/api/v1/comments", said))
    connection.close()
    if status != 201:
        raise OSError(f"the first comment was answered {status}: {answer[:200]!r}")
    posted = json.loads(answer)
    return posted["comment"]["id"], posted["token"]


def edits(target: Target) -> None:
    """One comment, changed to a large text again and again."""
    comment, token = _guest(target)
    changed = (f"word {number} " * 1_100 for number in range(10**9))
    _send_all(
        target, (Request("PATCH", f"/api/v1/comments/{comment}", {"body": text[:9_999]}, token) for text in changed)
    )


def votes(target: Target) -> None:
    """One comment of somebody else, voted for and taken back in turn."""
    _, token = _guest(target)
    connection = http.client.HTTPConnection("127.0.0.1", target.port, PATIENCE, (ADDRESS, 0))
    page = json.loads(_send(connection, Request("GET", f"/api/v1/discussion?{urlencode({'key': target.key})}"))[1])
    connection.close()
    path = f"/api/v1/comments/{page['comments'][0]['id']}/vote"
    _send_all(target, (Request("PUT", path, {"value": number % 2}, token) for number in range(10**9)))


def feeds(target: Target) -> None:
    """Eight feed readers that come back at once."""
    _together(target, lambda: (Request("GET", "/feed.atom") for _ in iter(target.going_on, False)), 8)


def pages(target: Target) -> None:
    """The page of a long discussion, made anew for each."""
    address = f"/d?{urlencode({'key': target.key})}"
    _together(target, lambda: (Request("GET", address) for _ in iter(target.going_on, False)))


def lists(target: Target) -> None:
    """Snapshots of discussions that nobody has written in, each of another."""
    addresses = (f"/api/v1/discussion?{urlencode({'key': uuid.uuid4().hex})}" for _ in iter(target.going_on, False))
    _send_all(target, (Request("GET", address) for address in addresses))


# ---- those that cut small ---------------------------------------------------------------------------------


def _pouring(target: Target, head: bytes, piece: bytes) -> None:
    """Sends the head, then the piece without an end; connects again when it is cut off."""
    while target.going_on():
        with suppress(OSError), target.connect() as one:
            one.sendall(head)
            while target.going_on():
                one.sendall(piece)
        time.sleep(0.01)


def chunks(target: Target) -> None:
    """A body in chunks of one byte."""
    head = (
        b"POST /api/v1/comments HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n"
    )
    _pouring(target, head, b"1\r\n \r\n" * 2_000)


def fragments(target: Target) -> None:
    """A message in frames of no bytes."""
    _pouring(target, handshake(_live(target)), (b"\x00\x80" + bytes(4)) * 2_000)


def pings(target: Target) -> None:
    """Pings whose pongs nobody reads."""
    _pouring(target, handshake(_live(target)), (b"\x89\xfd" + bytes(4) + bytes(125)) * 200)


def heads(target: Target) -> None:
    """Requests in a row, none of whose answers is read."""
    _pouring(target, b"", b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" * 200)


# ---- those that keep ----------------------------------------------------------------------------------------


def _live(target: Target, **more: str | int) -> str:
    return f"/api/v1/live?{urlencode({'key': target.key, **more})}"


def rooms(target: Target) -> None:
    """Each connection watches a discussion of another name, and leaves."""
    while target.going_on():
        with suppress(OSError), target.connect() as one:
            one.sendall(handshake(f"/api/v1/live?key={uuid.uuid4().hex}"))
            one.recv(4096)


def _unread(target: Target, request: bytes) -> None:
    """Keeps so many connections that have asked and read nothing."""
    held: list[socket.socket] = []
    while target.going_on():
        while len(held) < UNREAD and target.going_on():
            with suppress(OSError):
                one = target.connect(receive_buffer=4096)
                one.sendall(request)
                held.append(one)
        time.sleep(0.2)
        held = _still_open(held)
    for one in held:
        one.close()


def _still_open(held: list[socket.socket]) -> list[socket.socket]:
    """Those that the server has not ended; the others are closed. What waits to be read is left there."""
    poll = select.poll()
    by_number = {one.fileno(): one for one in held}
    for number in by_number:
        poll.register(number, select.POLLRDHUP)
    for number, _ in poll.poll(0):
        by_number.pop(number).close()
    return list(by_number.values())


def snapshots(target: Target) -> None:
    """Asks for all of a long discussion and reads nothing of it."""
    path = f"/api/v1/discussion?{urlencode({'key': target.key, 'limit': 100})}"
    _unread(target, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())


def catchups(target: Target) -> None:
    """Comes back to a long discussion from its beginning and reads nothing of it."""
    _unread(target, handshake(_live(target, epoch=target.epoch, after=0, full=1)))


def streams(target: Target) -> None:
    """The same over Server-Sent Events."""
    path = f"/api/v1/events?{urlencode({'key': target.key, 'epoch': target.epoch, 'after': 0})}"
    _unread(target, f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n\r\n".encode())


ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        *(posts, previews, edits, votes, feeds, pages, lists),
        *(chunks, fragments, pings, heads),
        *(rooms, snapshots, catchups, streams),
    )
}


def main(name: str, port: int, seconds: float, key: str, epoch: str) -> None:
    ATTACKS[name](Target(port, key, epoch, time.monotonic() + seconds))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), sys.argv[4], sys.argv[5])
