"""The receiver of docs/hooks.md runs as it stands there, and knows what is ours."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from tertulia.cli import main
from tertulia.hooks import new_secret
from tertulia.hooks.signing import signed
from tests.support.valkey import free_port
from tests.support.waiting import wait_until

PAGE = Path(__file__).parents[2] / "docs/hooks.md"
LINES = 30
CLASSIFIER = ("add", "default", "a", "--url", "https://checks.example/", "--kind", "classifier")


def _code() -> str:
    found = re.search(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    return found.group(1)


def _answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/").status_code == 501
    except httpx.TransportError:
        return False


def _run(folder: Path, *arguments: str, port: int) -> tuple[int, str]:
    environment = {
        "TERTULIA_DATA_DIR": str(folder),
        "TERTULIA_SECRET_KEY": "a secret of these tests, long enough to be taken",
        "TERTULIA_PRIVATE_HOSTS": f"127.0.0.1:{port}",
    }
    result = CliRunner().invoke(main, ["hooks", *arguments], env=environment)
    return result.exit_code, result.output


def test_it_is_short() -> None:
    assert len([line for line in _code().splitlines() if line]) <= LINES


def test_the_command_line_sets_it_up_and_tries_it(tmp_path: Path) -> None:
    environment = {"TERTULIA_DATA_DIR": str(tmp_path)}
    assert CliRunner().invoke(main, ["migrate"], env=environment).exit_code == 0
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    exit_code, told = _run(tmp_path, "add", "default", "spam", "--url", url, "--when-down", "hold", port=port)
    secret = told.splitlines()[-1]
    assert (exit_code, secret[:6]) == (0, "whsec_")
    assert _run(tmp_path, "test", "default", "spam", port=port)[0] == 1, "nobody is there"
    with _served(new_secret(), port):
        assert "status 401" in _run(tmp_path, "test", "default", "spam", port=port)[1], "it is not its secret"
    with _served(secret, port):
        assert _run(tmp_path, "test", "default", "spam", port=port) == (0, "show\n")
    listed = f"default\tspam\tcheck\t{url}\thold without a verdict in 10 s\tanswers\n"
    assert _run(tmp_path, "list", port=port) == (0, listed)
    assert _run(tmp_path, "remove", "default", "spam", port=port) == (0, "default asks spam no more.\n")
    assert _run(tmp_path, "list", port=port) == (0, "")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("add", "default", "A B", "--url", "https://checks.example/"), "A hook's name has"),
        (("add", "default", "spam", "--url", "http://checks.example/"), "--url is not asked: It is not an https"),
        (("add", "nowhere", "spam", "--url", "https://checks.example/"), "site"),
        ((*CLASSIFIER,), "needs --hold or --remove"),
        ((*CLASSIFIER, "--hold", "insult=much"), "'much' is not a number"),
        (("add", "default", "a", "--url", "https://checks.example/", "--hold", "1"), "are for scores"),
        (("add", "default", "a", "--url", "https://checks.example/", "--token-file", __file__), "gets no token"),
        (("remove", "default", "spam"), "has no hook spam"),
        (("test", "default", "spam"), "has no hook spam"),
    ],
)
def test_a_mistake_is_one_line(tmp_path: Path, arguments: tuple[str, ...], sentence: str) -> None:
    assert CliRunner().invoke(main, ["migrate"], env={"TERTULIA_DATA_DIR": str(tmp_path)}).exit_code == 0
    exit_code, told = _run(tmp_path, *arguments, port=1)
    assert exit_code
    assert sentence in told


def test_a_request_of_a_while_ago_and_a_changed_one_are_refused() -> None:
    secret, port = new_secret(), free_port()
    url = f"http://127.0.0.1:{port}/"
    body = b'{"data": {"comment": {"text": "pills"}}}'
    now = int(time.time())
    with _served(secret, port):
        good = httpx.post(url, content=body, headers=signed(secret, "c_1", now, body))
        assert good.json() == {"verdict": "spam", "labels": ["pharma"]}
        assert httpx.post(url, content=body, headers=signed(secret, "c_1", now - 999, body)).status_code == 401
        assert httpx.post(url, content=b" " + body, headers=signed(secret, "c_1", now, body)).status_code == 401


@contextmanager
def _served(secret: str, port: int) -> Iterator[None]:
    environment = os.environ | {"SECRET": secret, "PORT": str(port)}
    process = subprocess.Popen([sys.executable, "-c", _code()], env=environment, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(port), "the receiver answers")
        yield
    finally:
        process.kill()
        process.wait()
