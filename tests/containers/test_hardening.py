"""What the containers cannot do, what the image does not hold, and what strangers get to see."""

from __future__ import annotations

import re
import socket
from urllib.parse import urlsplit

import httpx
import pytest

from tertulia import __version__
from tests.containers.engine import Engine, python_version
from tests.containers.people import RECOVERY_SECONDS, Writer, following
from tests.containers.stack import PROBE, Stack
from tests.support.api_client import ApiClient
from tests.support.waiting import PATIENCE, until

OURS_MEGABYTES = 110
"""What the image may add to its base; 16 are cryptography, by which the tokens of sites are verified, and 3 what sends
mail and knows its addresses. The official python:3-slim has 120 to 140 MB: both stay below 250."""
LASTING = ("server", "caddy", "postgres", "redis")


@pytest.fixture(scope="module")
def server(stack: Stack) -> str:
    return stack.containers("server")[0]


@pytest.fixture(scope="module")
def secrets(stack: Stack, server: str) -> set[str]:
    """Every password and key that this run has made."""
    code = "import pathlib; [print(path.read_text()) for path in pathlib.Path('/secrets').iterdir()]"
    found = set(re.findall(r"[\w-]{40,}", stack.python(server, code)))
    assert len(found) == 3
    return found


# ---- processes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", LASTING)
def test_a_process_is_nobody_and_can_do_nothing(stack: Stack, service: str) -> None:
    status = stack.execute(stack.containers(service)[0], "cat", "/proc/1/status")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    users = set(fields["Uid"].split())
    assert len(users) == 1
    assert users != {"0"}
    if service in ("server", "caddy"):
        assert users == {"10001"}
    allowed = 1 << 10 if service == "caddy" else 0  # CAP_NET_BIND_SERVICE
    for kind in ("CapEff", "CapPrm", "CapBnd"):
        assert int(fields[kind], 16) | allowed == allowed, kind
    assert fields["NoNewPrivs"].strip() == "1"


@pytest.mark.parametrize("service", LASTING)
@pytest.mark.parametrize("place", ["/x", "/usr/x", "/etc/x", "/opt/tertulia/x", "/secrets/x", "/articles/x"])
def test_nothing_can_be_written(stack: Stack, service: str, place: str) -> None:
    said = stack.execute(stack.containers(service)[0], "sh", "-c", f"echo x >{place} && echo written", check=False)
    assert "written" not in said


def test_what_runs_belongs_to_root(stack: Stack, server: str) -> None:
    assert stack.execute(server, "find", "/opt/tertulia", "!", "-user", "root") == ""
    assert stack.execute(server, "find", "/opt/tertulia", "-perm", "/022", "!", "-type", "l") == ""


def test_secrets_can_be_read_by_one_group_alone(stack: Stack, server: str) -> None:
    listed = stack.execute(
        server,
        "stat",
        "-c",
        "%n %u:%g %a",
        *(f"/secrets/{name}" for name in ("database-url", "redis-url", "secret-key")),
    )
    assert listed.split("\n") == [
        "/secrets/database-url 0:10001 440",
        "/secrets/redis-url 0:10001 440",
        "/secrets/secret-key 0:10001 440",
    ]


def test_servers_cannot_reach_the_world(stack: Stack, server: str) -> None:
    code = "import socket; s = socket.socket(); s.settimeout(3); print(s.connect_ex(('1.1.1.1', 443)))"
    assert stack.python(server, code) != "0"


def test_the_servers_role_changes_rows_and_no_tables(stack: Stack, server: str) -> None:
    code = """
import asyncio, asyncpg, pathlib
async def main():
    url = pathlib.Path('/secrets/database-url').read_text().strip().replace('+asyncpg', '')
    connection = await asyncpg.connect(url)
    print(await connection.fetchval('select count(*) from comment'))
    for statement in ('create table x (y int)', 'drop table vote', 'create role z', 'truncate comment'):
        try:
            await connection.execute(statement)
            print('allowed')
        except asyncpg.InsufficientPrivilegeError:
            print('refused')
        except asyncpg.PostgresError as error:
            print('refused' if 'must be owner' in str(error) else error)
asyncio.run(main())
"""
    count, *answers = stack.python(server, code).split("\n")
    assert int(count) > 0
    assert answers == ["refused"] * 4


def test_the_servers_user_of_redis_does_what_the_server_does(stack: Stack, server: str) -> None:
    code = """
import pathlib, redis
client = redis.Redis.from_url(pathlib.Path('/secrets/redis-url').read_text().strip())
script = "redis.call('lpush', KEYS[1], 1) redis.call('ltrim', KEYS[1], 0, 9) redis.call('expire', KEYS[1], 9)"
def tried(*command):
    try:
        client.execute_command(*command)
        return 'allowed'
    except redis.exceptions.RedisError as error:
        return 'refused' if 'no permissions' in str(error) else str(error)
print(tried('PUBLISH', 'tertulia:x', '1'), tried('EVAL', script, 1, 'tertulia:limit'), tried('PING'))
print(tried('PUBLISH', 'x', '1'), tried('EVAL', script, 1, 'x'), tried('FLUSHALL'), tried('CONFIG', 'GET', '*'),
      tried('KEYS', '*'), tried('CLIENT', 'LIST'), tried('ACL', 'LIST'))
try:
    redis.Redis(host='redis').ping()
    print('anybody may')
except redis.exceptions.AuthenticationError:
    print('nobody else may')
"""
    assert stack.python(server, code).split("\n") == [
        "allowed " * 2 + "allowed",
        "refused " * 6 + "refused",
        "nobody else may",
    ]


def test_posts_are_counted_in_redis(stack: Stack, server: str) -> None:
    code = """
import asyncio, limits, pathlib
from tertulia.limits.counting import Window
from tertulia.limits.shared import RedisCounts, Timing
async def main():
    patient = Timing(timeout=30.0)
    counts = RedisCounts(pathlib.Path('/secrets/redis-url').read_text().strip(), b'k' * 32, lambda: False, patient)
    window = Window(limits.parse('2/minute'), 'guest', 'somebody of this test')
    print([await counts.count([window]) > 0 for _ in range(3)])
asyncio.run(main())
"""
    assert stack.python(server, code) == "[False, False, True]"


def test_servers_hear_each_other_by_redis(stack: Stack) -> None:
    for server in stack.containers("server"):
        assert "tertulia_bus_in_doubt 0.0" in stack.python(server, PROBE, "/metrics")


# ---- secrets --------------------------------------------------------------------------------------------


def test_no_secret_shows(stack: Stack, secrets: set[str]) -> None:
    for container in stack.containers():
        shown = stack.logs(container) + str(stack.engine.inspect("container", container))
        for secret in secrets:
            assert secret not in shown, container


def test_no_password_in_the_image(stack: Stack, server: str, secrets: set[str]) -> None:
    image = stack.engine.inspect("container", server)["Image"]
    history = stack.engine("history", "--no-trunc", image) + str(stack.engine.inspect("image", image))
    assert not re.search(r"(?i)(secret|token|password|key)=", history)
    assert not any(secret in history for secret in secrets)


# ---- the image ------------------------------------------------------------------------------------------


def test_the_image_has_what_runs_and_nothing_that_builds(stack: Stack, server: str) -> None:
    base = f"docker.io/library/python:{python_version()}-slim"
    for python in ("/opt/tertulia/bin/python", "/usr/local/bin/python"):
        assert "ModuleNotFoundError" in stack.execute(server, python, "-c", "import pip", check=False)
    find = "for tool in gcc cc g++ make git curl wget; do command -v $tool; done; true"
    ours = set(stack.execute(server, "sh", "-c", find).split())
    assert ours <= set(stack.engine("run", "--rm", "--entrypoint", "sh", base, "-c", find).split())
    assert "No such file" in stack.execute(server, "ls", "/source", check=False), "what it was built from is not in it"
    assert stack.execute(server, "tertulia", "--version").endswith(__version__)


def test_the_image_is_small_and_labelled(stack: Stack, server: str) -> None:
    engine = stack.engine
    image = engine.inspect("image", engine.inspect("container", server)["Image"])
    base = engine.inspect("image", f"docker.io/library/python:{python_version()}-slim")
    assert (image["Size"] - base["Size"]) / 1e6 < OURS_MEGABYTES
    labels = image["Config"]["Labels"]
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.licenses"] == "MIT"
    assert labels["org.opencontainers.image.source"].startswith("https://")
    assert image["Config"]["User"] == "10001:10001"
    assert image["Config"]["Entrypoint"] == ["tertulia"]
    assert image["Config"]["StopSignal"] in ("SIGTERM", "15")


# ---- the proxy ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics", "/x/../metrics", "/Metrics"])
def test_metrics_are_for_those_inside(stack: Stack, path: str) -> None:
    place = urlsplit(stack.url)
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 127.0.0.1\r\nConnection: close\r\n\r\n"
    with socket.create_connection((place.hostname, place.port), timeout=PATIENCE) as connection:
        connection.sendall(request.encode())
        assert b" 404 " in connection.makefile("rb").readline()


def test_servers_see_the_peer_of_the_proxy_whatever_it_says(stack: Stack) -> None:
    before = {server: stack.logs(server).count("\n") for server in stack.containers("server")}
    headers = {
        "X-Forwarded-For": "203.0.113.9, 198.51.100.7",
        "X-Real-IP": "203.0.113.9",
        "Forwarded": "for=203.0.113.9",
    }
    assert httpx.get(f"{stack.url}/api/v1/counts?key=seen", headers=headers).status_code == 200
    lines = [line for server in before for line in stack.logs(server).split("\n")[before[server] :] if "counts" in line]
    assert len(lines) == 1
    assert "203.0.113" not in lines[0]
    assert "198.51.100" not in lines[0]
    assert "network=10.84.0." not in lines[0], "the proxy is believed, and no reader looks like it"
    assert re.search(r"network=\d+\.\d+\.\d+\.0/24", lines[0])


@pytest.mark.parametrize("size", [66_000, 70_000, 100_000, 131_999, 300_000, 5_000_000])
def test_a_body_that_is_too_large_is_told_so_every_time(stack: Stack, size: int) -> None:
    content, headers = b"x" * size, {"Content-Type": "application/json"}
    for _ in range(10):
        answer = httpx.post(f"{stack.url}/api/v1/comments", content=content, headers=headers, timeout=PATIENCE)
        assert answer.status_code == 413
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "too_large"


def test_the_proxy_says_what_the_server_says(stack: Stack) -> None:
    """Of a body that is a little too large the server speaks, of a larger one the proxy."""
    said = [httpx.post(f"{stack.url}/api/v1/comments", content=b"x" * size).json() for size in (65_537, 5_000_000)]
    assert said[0] == said[1]


def test_a_form_that_is_too_large_is_told_so(stack: Stack) -> None:
    assert httpx.post(f"{stack.url}/", data={"body": "x" * 140_000}, timeout=PATIENCE).status_code == 413


def test_a_head_that_is_too_large_is_told_so(stack: Stack) -> None:
    assert httpx.get(f"{stack.url}/healthz", headers={"X-A": "x" * 40_000}).status_code == 431


def test_the_proxy_does_not_say_what_it_is(stack: Stack) -> None:
    for path in ("/healthz", "/metrics", "/nothing"):
        assert "server" not in httpx.get(stack.url + path).headers


def test_streams_are_not_held_back(stack: Stack) -> None:
    question = {"key": "a stream through the proxy"}
    with (
        httpx.Client(timeout=PATIENCE) as client,
        client.stream(
            "GET", f"{stack.url}/api/v1/events", params=question, headers={"Accept": "text/event-stream"}
        ) as stream,
    ):
        lines = stream.iter_lines()
        while '"hello"' not in next(lines):
            pass
        ApiClient(stack.url, question["key"]).post_comment("Now.")
        while "comment.created" not in next(lines):
            pass


# ---- the small form ---------------------------------------------------------------------------------------


async def test_the_small_form_is_live(small: Stack) -> None:
    writer = Writer(small.url, "small")
    async with following(small.url, "small", 3) as readers:
        await writer.say(5)
        await until(
            lambda: all(reader.seqs == [1, 2, 3, 4, 5] for reader in readers),
            "five comments at each reader",
            RECOVERY_SECONDS,
        )


def test_the_small_form_can_do_nothing_else_and_keeps_its_data(small: Stack) -> None:
    container = small.container("server")
    assert small.is_healthy(container)
    assert _count(small, "who-reads-the-river") > 0
    status = small.execute(container, "cat", "/proc/1/status")
    assert re.search(r"Uid:\t10001\t", status)
    assert re.search(r"CapEff:\t0+\n", status)
    assert "written" not in small.execute(container, "sh", "-c", "echo x >/x && echo written", check=False)
    assert small.execute(container, "stat", "-c", "%a", "/data/secret-key") == "600"
    before = _count(small, "small")
    small.down(volumes=False)
    small.up()
    assert _count(small, "small") == before


def _count(stack: Stack, key: str) -> int:
    [found] = httpx.get(f"{stack.url}/api/v1/counts", params={"key": key}, timeout=PATIENCE).json()["counts"]
    count: int = found["count"]
    return count


def test_settings_that_are_wrong_end_in_one_line(engine: Engine, stack: Stack) -> None:
    image = engine.inspect("container", stack.containers("server")[0])["Image"]
    said = engine("run", "--rm", "-e", "TERTULIA_PORT=many", image, check=False)
    assert said.startswith("tertulia: TERTULIA_PORT: ")
    said = engine("run", "--rm", "-e", "TERTULIA_DATABASE_URL_FILE=/nowhere", image, check=False)
    assert said == "tertulia: TERTULIA_DATABASE_URL_FILE: cannot read /nowhere: No such file or directory"
