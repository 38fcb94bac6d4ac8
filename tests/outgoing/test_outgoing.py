"""What this server asks of others: public addresses alone, whatever an address pretends to be, and within bounds."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import pytest

from tertulia.outgoing import Outgoing, OutgoingError, Reply, destinations
from tertulia.outgoing.destinations import DestinationError, Destinations, is_public


@dataclass(slots=True)
class Canary:
    """A server on this machine that notes whoever connects and what is sent, and answers ``answer``."""

    port: int = 0
    answer: bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    heard: list[bytes] = field(default_factory=list)
    connections: int = 0
    hangs: bool = False

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                self.heard.append(head)
                if self.hangs:
                    await reader.read()
                writer.write(self.answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"


@asynccontextmanager
async def listening(canary: Canary) -> AsyncIterator[Canary]:
    server = await asyncio.start_server(canary.take, "127.0.0.1", 0)
    canary.port = server.sockets[0].getsockname()[1]
    async with server:
        yield canary


@pytest.fixture
async def canary() -> AsyncIterator[Canary]:
    async with listening(Canary()) as one:
        yield one


PRIVATE = [
    "0.0.0.0",
    "0.1.2.3",
    "10.0.0.1",
    "100.64.0.1",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.8",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.1",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2001:10::1",
    "2002:7f00:1::",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "193.0.6.139",
    "198.20.0.1",
    "223.255.255.1",
    "2001:4860:4860::8888",
    "2606:4700::1111",
    "2a00:1450:4001::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_no_public_host(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", PUBLIC)
def test_an_address_of_a_public_host(address: str) -> None:
    assert is_public(ip_address(address))


ODD_HOSTS = [
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.0.0.1",
    "017700000001",
    "127.0.0.1.",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "0",
    "0.0.0.0",
    "[::1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[fe80::1]",
]


@pytest.mark.parametrize("host", ODD_HOSTS)
async def test_no_spelling_of_this_machine_is_asked(host: str, canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(destinations, "PORTS", frozenset({canary.port}))
    async with Outgoing() as outgoing:
        with pytest.raises(OutgoingError):
            await outgoing.request("GET", f"https://{host}:{canary.port}/", seconds=5)
    assert canary.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://news.example/",
        "ftp://news.example/",
        "file:///etc/passwd",
        "gopher://news.example/",
        "unix:///run/socket",
        "//news.example/",
        "news.example",
        "",
        "https://",
        "https:///path",
        "https://user@news.example/",
        "https://user:password@news.example/",
        "https://news.example:22/",
        "https://news.example:6379/",
        "https://news.example:80/",
        "https://news.example:99999/",
        "https://news.example:port/",
        "https://news.example\\@127.0.0.1/",
        "https://news.example/ HTTP/1.1\r\nX: y",
        "https://news.example/\x00",
        "https://nеws.example/",
        "https://[::1/",
        "https://news.example/" + "a" * 3_000,
    ],
)
def test_an_address_that_is_not_asked(url: str) -> None:
    with pytest.raises(DestinationError):
        Destinations().checked(url)


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://news.example", "news.example", 443, "/"),
        ("https://News.Example./a?b=c#d", "news.example", 443, "/a?b=c"),
        ("https://news.example:8443/a", "news.example", 8443, "/a"),
        ("https://xn--nws-hma.example/", "xn--nws-hma.example", 443, "/"),
    ],
)
def test_an_address_that_is_asked(url: str, host: str, port: int, target: str) -> None:
    found = Destinations().checked(url)
    assert (found.host, found.port, found.target, found.may_be_private) == (host, port, target, False)


async def test_a_name_is_resolved_once_and_what_was_checked_is_connected_to(
    canary: Canary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name leads to a public address first and to this machine from then on, as a hostile name server answers."""
    answers = [[("192.0.1.1", canary.port)], [("127.0.0.1", canary.port)], [("127.0.0.1", canary.port)]]
    asked: list[str] = []

    async def getaddrinfo(host: str, port: int, **_options: Any) -> list[Any]:
        if host != "news.example":  # the network asks once more for the address that it was given
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        asked.append(host)
        found = answers[min(len(asked), len(answers)) - 1]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", place) for place in found]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    monkeypatch.setattr(destinations, "PORTS", frozenset({canary.port}))
    async with Outgoing() as outgoing:
        for _ in range(3):
            with pytest.raises(OutgoingError):
                await outgoing.request("GET", f"https://news.example:{canary.port}/", seconds=0.2)
    assert len(asked) == 3
    assert canary.connections == 0


# ---- what the operator listed ---------------------------------------------------------------------------


async def ask(canary: Canary, path: str = "/", **options: Any) -> Reply:
    async with Outgoing([canary.host]) as outgoing:
        return await outgoing.request("POST", f"http://{canary.host}{path}", **options)


async def test_a_listed_host_is_asked_plainly(canary: Canary) -> None:
    reply = await ask(canary, "/verify?a=b", body=b"{}", headers={"X-Kind": "check"})
    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"ok", "2")
    [head] = canary.heard
    assert head.startswith(b"POST /verify?a=b HTTP/1.1\r\n")
    assert b"User-Agent: Tertulia/" in head
    assert b"X-Kind: check" in head
    assert b"Content-Length: 2" in head


async def test_a_listed_port_lists_no_other(canary: Canary) -> None:
    async with listening(Canary()) as other, Outgoing([canary.host]) as outgoing:
        with pytest.raises(OutgoingError):
            await outgoing.request("GET", f"http://{other.host}/")
        assert other.connections == 0


async def test_a_redirect_is_an_answer(canary: Canary) -> None:
    canary.answer = b"HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n"
    assert (await ask(canary)).status == 302
    assert canary.connections == 1


async def test_cookies_are_not_kept(canary: Canary) -> None:
    canary.answer = b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 0\r\n\r\n"
    async with Outgoing([canary.host]) as outgoing:
        for _ in range(2):
            await outgoing.request("GET", f"http://{canary.host}/")
    assert not any(b"cookie" in head.lower() for head in canary.heard)


async def test_a_proxy_of_the_environment_is_not_used(canary: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    async with listening(Canary()) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.host}")
        assert (await ask(canary)).status == 200
        assert proxy.connections == 0


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 70000\r\n\r\n" + b"a" * 70_000, "more than 65,536 bytes"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"8000\r\n" + b"a" * 0x8000 + b"\r\n", "answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", "encoding"),
        (b"garbage\r\n\r\n", "no answer"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000 + b"\r\n", "no answer"),
    ],
    ids=["large", "unended", "packed", "garbage", "head"],
)
async def test_an_answer_that_nobody_wants(canary: Canary, answer: bytes, reason: str) -> None:
    canary.answer = answer
    with pytest.raises(OutgoingError, match=reason):
        await ask(canary, seconds=1)


async def test_an_answer_that_never_comes(canary: Canary) -> None:
    canary.hangs = True
    with pytest.raises(OutgoingError, match=r"no answer in 0\.05 s"):
        await ask(canary, seconds=0.05)


async def test_a_host_that_is_not_there() -> None:
    async with Outgoing(["127.0.0.1:1"]) as outgoing:
        with pytest.raises(OutgoingError, match="no answer"):
            await outgoing.request("GET", "http://127.0.0.1:1/")


@pytest.mark.parametrize("entry", ["", "http://news.example", "news.example/path", "a@b", "news.example:port"])
def test_a_list_that_cannot_be_read(entry: str) -> None:
    with pytest.raises(ValueError, match="host"):
        Destinations([entry])
