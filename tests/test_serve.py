"""`tertulia serve`: if it cannot start it says why in one line, else it is found at the address it prints."""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest
from websockets.sync.client import connect

from tertulia.errors import StartupError
from tertulia.serving import listening
from tertulia.serving.listening import listen
from tests.support.postgres import Postgres
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE


def _serve(data: Path, *flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Runs `tertulia serve` until it exits by itself."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
    command = [sys.executable, "-W", "error", "-m", "tertulia", "serve", "--port", "0", "--data-dir", str(data), *flags]
    return subprocess.run(command, env=environment | variables, capture_output=True, text=True, timeout=PATIENCE)


def _error_line(ended: subprocess.CompletedProcess[str]) -> str:
    assert ended.returncode == 1, ended
    assert ended.stdout == ""
    assert "Traceback" not in ended.stderr
    [line] = ended.stderr.splitlines()
    assert line.startswith("tertulia: ")
    return line


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = _error_line(_serve(tmp_path / "data", "--port", str(port)))
        shared = _error_line(
            _serve(tmp_path / "data", "--port", str(port), "--workers", "2", "--redis-url", "redis://localhost")
        )
    assert str(port) in line
    assert "--port" in line
    assert str(port) in shared
    assert not (tmp_path / "data").exists(), "nothing is made before it is clear that it can be served"


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid", "a..b", "x" * 300, "::ffff:999"])
def test_an_address_that_is_not_here_is_named(tmp_path: Path, host: str) -> None:
    assert host in _error_line(_serve(tmp_path, "--host", host))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "tertulia.db").write_bytes(b"a letter, not a database " * 200)
    line = _error_line(_serve(tmp_path))
    assert "tertulia.db" in line
    assert (tmp_path / "tertulia.db").read_bytes().startswith(b"a letter")


def test_a_folder_that_is_no_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "file" in _error_line(_serve(tmp_path / "file" / "data", TERTULIA_SECRET_KEY="k" * 32))


def test_a_short_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    line = _error_line(_serve(tmp_path, TERTULIA_SECRET_KEY="hunter2-hunter2"))
    assert "at least 32" in line
    assert "hunter2" not in line


@pytest.mark.parametrize(
    ("flag", "value", "named"),
    [
        ("--port", "many", "--port"),
        ("--trusted-proxies", "*", "--trusted-proxies"),
        ("--allowed-origins", "*", "'*'"),
        ("--log-format", "xml", "--log-format"),
        ("--database-url", "mysql://u:hunter2@localhost/x", "database"),
        ("--secret-key-file", "/nowhere/key", "/nowhere/key"),
    ],
)
def test_a_bad_flag_is_named(tmp_path: Path, flag: str, value: str, named: str) -> None:
    line = _error_line(_serve(tmp_path, flag, value))
    assert named in line
    assert "hunter2" not in line


def test_workers_need_redis(tmp_path: Path) -> None:
    assert "TERTULIA_REDIS_URL" in _error_line(_serve(tmp_path / "data", "--workers", "2"))
    assert not (tmp_path / "data").exists()


def test_what_stops_all_workers_is_reported_once(tmp_path: Path) -> None:
    line = _error_line(_serve(tmp_path, "--workers", "3", "--redis-url", "mailto:hunter2"))
    assert "TERTULIA_REDIS_URL cannot be read" in line
    assert "hunter2" not in line


def test_the_key_is_no_flag(tmp_path: Path) -> None:
    ended = _serve(tmp_path, "--secret-key", "k" * 32)
    assert ended.returncode == 2
    assert "No such option" in ended.stderr


def test_a_variable_that_nobody_reads_is_named_and_ignored(tmp_path: Path) -> None:
    ended = _serve(tmp_path, "--time-zone", "UTC", TERTULIA_PROT="80", TERTULIA_SECRET_KEY="short")
    assert ended.stderr.splitlines()[0].startswith("TERTULIA_PROT is not a setting")


@pytest.mark.parametrize("variable", [False, True])
def test_a_start_that_fails_is_lines_of_json_where_those_were_asked_for(tmp_path: Path, variable: bool) -> None:
    variables = {"TERTULIA_PROT": "80", "TERTULIA_SECRET_KEY": "short"}
    if variable:
        ended = _serve(tmp_path, **variables, TERTULIA_LOG_FORMAT="json")
    else:
        ended = _serve(tmp_path, "--log-format", "json", **variables)
    assert (ended.returncode, ended.stdout) == (1, "")
    warned, failed = map(json.loads, ended.stderr.splitlines())
    assert (warned["level"], failed["level"]) == ("warning", "error")
    assert warned["message"].startswith("TERTULIA_PROT is not a setting")
    assert "at least 32" in failed["message"]


def test_a_flag_that_cannot_be_read_is_a_line_of_json(tmp_path: Path) -> None:
    ended = _serve(tmp_path, "--time-zone", "\x1b[31mnowhere", TERTULIA_LOG_FORMAT="json")
    assert "--time-zone" in json.loads(ended.stderr)["message"]


def test_no_control_characters_are_printed(tmp_path: Path) -> None:
    line = _error_line(_serve(tmp_path / "data", "--secret-key-file", str(tmp_path / "\x1b[31m\u202ekey")))
    assert line.isprintable()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_log_at_its_most_holds_nothing_of_what_people_wrote(
    start_server: Callable[..., ServerProcess], request: pytest.FixtureRequest, kind: str, form: str
) -> None:
    flags = ["--log-level", "debug", "--log-format", form]
    if kind == "postgresql":
        flags += ["--database-url", request.getfixturevalue("own_address")]
    server = start_server(*flags)
    marker = "marker" * 4
    with connect(f"{server.url.replace('http', 'ws')}/api/v1/live?key=x") as stream:
        headers = {"Idempotency-Key": marker}
        comment = {"key": "x", "body": f"It says {marker}.", "author": {"name": f"Lan {marker}"}, "title": marker}
        answer = httpx.post(f"{server.url}/api/v1/comments", json=comment, headers=headers)
        assert answer.status_code == 201
        while marker not in stream.recv(30):
            pass
    token = answer.json()["token"]
    comment_id = answer.json()["comment"]["id"]
    bearer = {"Authorization": f"Bearer {token}", "Idempotency-Key": f"{marker}2"}
    path = f"{server.url}/api/v1/comments/{comment_id}"
    assert httpx.patch(path, json={"body": f"Edited {marker}"}, headers=bearer).status_code == 200
    assert httpx.get(f"{server.url}/d?key=x&token={marker}").status_code == 200
    assert httpx.get(f"{server.url}/api/v1/events?key=x&after={marker}").status_code >= 400
    assert server.end() == 0
    assert "request" in server.output
    assert "marker" not in server.output
    assert token not in server.output


@pytest.fixture
async def own_address(postgres: Postgres) -> AsyncIterator[str]:
    name = await postgres.create(migrated=False)
    yield postgres.address(name)
    await postgres.drop(name)


def test_a_server_says_where_it_is_and_ends_when_asked(start_server: Callable[..., ServerProcess]) -> None:
    server = start_server()
    assert httpx.get(f"{server.url}/healthz").json() == {"status": "ok"}
    assert server.end() == 0
    assert "Tertulia is ready" in server.output
    assert "Traceback" not in server.output


def test_ctrl_c_is_an_end_without_a_trace(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
    command = [sys.executable, "-m", "tertulia", "serve", "--port", "0", "--data-dir", str(tmp_path)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert any("Stop with Ctrl+C" in line for line in process.stdout)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert "Traceback" not in errors
    assert "KeyboardInterrupt" not in errors


def test_the_log_of_a_server_is_lines_of_json(tmp_path: Path, start_server: Callable[..., ServerProcess]) -> None:
    server = start_server("--log-format", "json", "--log-level", "info")
    assert httpx.get(f"{server.url}/%0D%0Ainfo%1B[31m?token=secret").status_code == 404
    assert server.end() == 0
    assert "secret" not in server.output
    lines = server.output.splitlines()
    assert all(isinstance(json.loads(line), dict) for line in lines)
    ready = json.loads(lines[0])
    assert (ready["message"], ready["url"], ready["data"]) == ("Tertulia is ready", server.url, str(server.data_dir))
    assert any('"path": "/\\r\\ninfo\\u001b[31m"' in line for line in lines)


@pytest.mark.parametrize(("host", "family"), [("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)])
def test_a_listener_is_of_its_address_family(host: str, family: socket.AddressFamily) -> None:
    try:
        listener = listen(host, 0)
    except StartupError:
        assert family is socket.AF_INET6, "this machine has no IPv6"
        return
    with listener:
        assert listener.family is family
        assert listener.getsockname()[0] == host


@pytest.mark.parametrize(
    ("number", "advice"),
    [
        (errno.EADDRINUSE, "stop what uses it or choose another with --port"),
        (errno.EACCES, "choose a port above 1023"),
        (errno.EMFILE, "raise the limit of open files"),
        (errno.EADDRNOTAVAIL, "choose an address of this machine with --host"),
    ],
)
def test_the_advice_about_a_port_fits_the_error(monkeypatch: pytest.MonkeyPatch, number: int, advice: str) -> None:
    def refused(*_: object, **__: object) -> socket.socket:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(listening, "_bound", refused)
    with pytest.raises(StartupError, match=advice) as caught:
        listen("127.0.0.1", 80)
    assert os.strerror(number) in str(caught.value)


def test_small_writes_are_sent_at_once() -> None:
    """What is accepted takes it from the listener: asyncio does not set it there."""
    with listen("127.0.0.1", 0) as listener, socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
