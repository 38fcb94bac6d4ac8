"""Accepting where files run out: it rests, and what is open goes on."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from tertulia.serving.accepting import RESERVE, TURN, Accepting, raise_file_limit
from tests.serving.raw import Raw, WellBehavedClient, get, note
from tests.support.server import ServerProcess
from tests.support.waiting import wait_until

FILES = 256
CLIENTS = 600


class Listener(socket.socket):
    """One that counts how often it is asked, and may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0
        self.error: int | None = None
        self.is_lasting = True
        self.bind(("127.0.0.1", 0))
        self.listen(2048)

    def accept(self) -> tuple[socket.socket, object]:
        self.asked += 1
        if self.error is not None:
            error = self.error
            if not self.is_lasting:
                self.error = None
            raise OSError(error, "for the test")
        return super().accept()


@pytest.fixture
def listener() -> Iterator[Listener]:
    with closing(Listener()) as made:
        yield made


@pytest.fixture
def clients() -> Iterator[Callable[[Listener, int], list[socket.socket]]]:
    """Makes connections, which end with the test."""
    with ExitStack() as stack:

        def connect(listener: Listener, count: int) -> list[socket.socket]:
            return [
                stack.enter_context(socket.create_connection(listener.getsockname(), source_address=("127.0.0.2", 0)))
                for _ in range(count)
            ]

        yield connect


class Greeting(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"welcome")
        transport.close()


Connect = Callable[[Listener, int], list[socket.socket]]


async def test_each_is_handed_over(listener: Listener, clients: Connect) -> None:
    accepting = Accepting(listener, Greeting, 10_000)
    for client in clients(listener, 3 * TURN):
        client.setblocking(False)
        assert await asyncio.get_running_loop().sock_recv(client, 100) == b"welcome"
    assert accepting.turned_away == 0
    assert listener.asked <= 3 * TURN + 40
    accepting.close()
    accepting.close()
    await accepting.wait_closed()


@pytest.mark.parametrize("error", [errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EINVAL])
async def test_where_nothing_can_be_accepted_it_rests(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    listener: Listener,
    clients: Connect,
    error: int,
) -> None:
    rests: list[float] = []
    ends: list[Callable[[], None]] = []
    loop = asyncio.get_running_loop()
    call_later = loop.call_later

    def rest(seconds: float, then: Callable[[], None]) -> asyncio.TimerHandle:
        rests.append(seconds)
        ends.append(then)
        return call_later(0, lambda: None)  # the time is told, not waited for

    listener.error = error
    monkeypatch.setattr(loop, "call_later", rest)
    accepting = Accepting(listener, Greeting, 10_000)
    (client,) = clients(listener, 1)
    client.setblocking(False)
    for count in range(1, 11):
        for _ in range(20):
            await asyncio.sleep(0)
        assert listener.asked == len(rests) == count, "asked once, then it rests"
        if count == 10:
            listener.error = None
        ends[-1]()
    assert rests[0] == 0.05
    assert rests[9] == 1.0
    assert len(caplog.records) == 1
    assert await loop.sock_recv(client, 100) == b"welcome"
    accepting.close()


async def test_one_that_is_gone_again_is_passed_over(listener: Listener, clients: Connect) -> None:
    listener.error, listener.is_lasting = errno.ECONNABORTED, False
    accepting = Accepting(listener, Greeting, 10_000)
    (client,) = clients(listener, 1)
    client.setblocking(False)
    assert await asyncio.get_running_loop().sock_recv(client, 100) == b"welcome"
    accepting.close()


async def test_the_reserve_is_not_given_to_clients(
    caplog: pytest.LogCaptureFixture, listener: Listener, clients: Connect
) -> None:
    (client,) = clients(listener, 1)
    accepting = Accepting(listener, Greeting, 2 * client.fileno())  # whoever comes is above the half
    client.setblocking(False)
    assert (await asyncio.get_running_loop().sock_recv(client, 100)).startswith(b"HTTP/1.1 503 ")
    assert accepting.turned_away == 1
    assert len(caplog.records) == 1
    accepting.close()


def test_the_limit_of_files_is_raised_to_the_hard_one(monkeypatch: pytest.MonkeyPatch) -> None:
    limits = {resource.RLIMIT_NOFILE: (64, 4096)}
    monkeypatch.setattr(resource, "getrlimit", limits.__getitem__)
    monkeypatch.setattr(resource, "setrlimit", limits.__setitem__)
    assert raise_file_limit() == 4096
    assert limits == {resource.RLIMIT_NOFILE: (4096, 4096)}

    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, "no more")

    monkeypatch.setattr(resource, "setrlimit", refuse)
    limits[resource.RLIMIT_NOFILE] = (64, 4096)
    assert raise_file_limit() == 64


def test_a_server_whose_files_run_out_serves_whom_it_has(tmp_path: Path) -> None:
    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (128, FILES))

    flags = ("--connections-per-address", "5000", "--drain-seconds", "1")
    server = ServerProcess(tmp_path, flags, before_it_runs=limit)
    with ExitStack() as stack:
        well_behaved = stack.enter_context(WellBehavedClient(server))
        well_behaved.post_and_read()
        assert _limit(server) == (FILES, FILES)
        waiting = [stack.enter_context(Raw(server)) for _ in range(CLIENTS)]
        for raw in waiting:
            raw.send(get("/api/v1/events?key=x", "Accept: text/event-stream"))
        wait_until(lambda: _open_files(server) >= FILES - RESERVE, "the files to be used up")
        spent = _processor_seconds(server)
        for _ in range(10):
            well_behaved.post_and_read()  # posts over a connection that is open go on
            well_behaved.healthy()
            assert well_behaved.client.get("/").status_code == 200
        note(f"{_processor_seconds(server) - spent:.2f} s of the processor")
        assert _open_files(server) <= FILES - 8, "the reserve is not used up"
        for raw in waiting:
            raw.socket.close()
        with WellBehavedClient(server) as other:
            other.post_and_read()
    assert server.end() == 0, server.output
    assert "Traceback" not in server.output, server.output
    assert 1 <= server.output.count("New connections wait") <= 3, server.output
    assert len(server.output) < 2_000, server.output


def _limit(server: ServerProcess) -> tuple[int, int]:
    return resource.prlimit(server.pid, resource.RLIMIT_NOFILE)


def _open_files(server: ServerProcess) -> int:
    return len(list(Path(f"/proc/{server.pid}/fd").iterdir()))


def _processor_seconds(server: ServerProcess) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100
