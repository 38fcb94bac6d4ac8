"""Where Redis is: what a URL says, and that the library of the posting limits reads the same."""

from __future__ import annotations

import pytest
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection

from tertulia.bus.redis.bus import RedisBus
from tertulia.bus.redis.connections import Endpoint
from tertulia.bus.redis.urls import ClusterAddress, SentinelAddress, parse_redis_url
from tertulia.errors import StartupError
from tests.bus.instances import SECRET

GOOD = [
    "redis://localhost",
    "rediss://:p%40ss@redis.example:6380/2",
    "unix:///run/redis.sock",
    "redis://[::1]:1",
    "redis+sentinel://a:26379/talk",
    "redis+sentinel://a:1,b:2,[::1]:3/talk?ssl=true&ssl_ca_certs=/ca.pem",
    "redis+sentinel://me:p%40ss@a:1,b:2/talk?sentinel_username=&sentinel_password=",
    "redis+cluster://a:7000",
    "redis+cluster://me:secret@a:7000,[::1]:7001/?ssl=false",
]
BAD = [
    "",
    "localhost",
    "http://x:hidden@localhost",
    "redis://x:hidden@localhost:port",
    "redis://x:6379:hidden/word@localhost",
    "redis://x:hidden@localhost:99999",
    "redis://x:hidden@localhost?colour=hidden",
    "redis://x:hidden@localhost?socket_timeout=hidden",
    "redis://x:hidden@localhost?ssl=true",
    "redis://x:hidden@[::1",
    "redis+sentinel://x:hidden@a:1",
    "redis+sentinel://x:hidden@a:1/",
    "redis+sentinel://x:hidden@a:1/talk/hidden",
    "redis+sentinel://x:hidden@a/talk",
    "redis+sentinel://x:hidden@a:1,b/talk",
    "redis+sentinel://x:hidden@a:1,,b:2/talk",
    "redis+sentinel://x:hidden@/talk",
    "redis+sentinel://x:hidden@a:1/talk?colour=hidden",
    "redis+sentinel://x:hidden@a:1/talk?ssl=hidden",
    "redis+cluster://x:hidden@a",
    "redis+cluster://x:hidden@",
    "redis+cluster://x:hidden@a:port",
    "redis+cluster://x:hidden@a:1/3",
    "redis+cluster://x:hidden@a:1?sentinel_password=hidden",
    "rediss+cluster://x:hidden@a:1",
]


def login(server: Endpoint) -> tuple[str | None, str | None]:
    one = server.new_connection()
    return one.username, one.password


def host_ports(servers: tuple[Endpoint, ...]) -> list[tuple[str, int]]:
    return [server.host_port for server in servers]


@pytest.mark.parametrize("url", GOOD)
def test_a_url_that_is_one(url: str) -> None:
    RedisBus(url, SECRET)


@pytest.mark.parametrize("url", BAD)
def test_a_url_that_is_none_is_one_line(url: str) -> None:
    with pytest.raises(StartupError) as refused:
        RedisBus(url, SECRET)
    line = str(refused.value)
    assert line.startswith("TERTULIA_REDIS_URL")
    assert "hidden" not in line
    assert refused.value.__suppress_context__


def test_one_server() -> None:
    kinds = {"redis://a:1": Connection, "rediss://a:1": SSLConnection, "unix:///a": UnixDomainSocketConnection}
    for url, kind in kinds.items():
        given = parse_redis_url(url)
        assert isinstance(given, Endpoint)
        assert type(given.new_connection()) is kind


def test_sentinels_have_the_login_of_the_servers_unless_another_is_given() -> None:
    given = parse_redis_url("redis+sentinel://me:p%40ss@a:1,[::1]:2/talk")
    assert isinstance(given, SentinelAddress)
    assert (host_ports(given.servers), given.service) == ([("a", 1), ("::1", 2)], "talk")
    assert {*map(login, given.servers), login(given.master.at("c", 3))} == {("me", "p@ss")}

    for query, expected in {
        "sentinel_username=you&sentinel_password=p%26ss": ("you", "p&ss"),
        "sentinel_username=&sentinel_password=": (None, None),
        "sentinel_password=other": ("me", "other"),
    }.items():
        given = parse_redis_url(f"redis+sentinel://me:secret@a:1/talk?{query}")
        assert isinstance(given, SentinelAddress)
        assert login(given.servers[0]) == expected
        assert login(given.master) == ("me", "secret")


def test_nodes_of_a_cluster() -> None:
    given = parse_redis_url("redis+cluster://me:p%40ss@a:7000,b:7001")
    assert isinstance(given, ClusterAddress)
    assert host_ports(given.servers) == [("a", 7000), ("b", 7001)]
    assert {*map(login, given.servers), login(given.servers[0].at("c", 1))} == {("me", "p@ss")}


@pytest.mark.parametrize("is_secure", [True, False])
def test_both_may_be_encrypted(is_secure: bool) -> None:
    query = f"?ssl={str(is_secure).lower()}" + ("&ssl_check_hostname=false" if is_secure else "")
    sentinels, nodes = (
        parse_redis_url(f"redis+sentinel://a:1/talk{query}"),
        parse_redis_url(f"redis+cluster://a:1{query}"),
    )
    assert isinstance(sentinels, SentinelAddress)
    assert isinstance(nodes, ClusterAddress)
    for server in (sentinels.servers[0], sentinels.master.at("b", 2), nodes.servers[0].at("b", 2)):
        one = server.new_connection()
        assert isinstance(one, SSLConnection) == is_secure
        assert not isinstance(one, SSLConnection) or one.check_hostname is False
