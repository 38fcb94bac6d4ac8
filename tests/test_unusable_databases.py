"""Every command on a database that cannot be used, or with nobody to read its output: a sentence, never a traceback.

The commands come from click itself: a new one is tried without a word here.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import click
import pytest
from click.testing import CliRunner, Result

from tertulia.cli import main
from tests.support.waiting import PATIENCE

SECRET = "a key of the tests, not a secret of anybody"


class Leaf(NamedTuple):
    """A command that does something, and the words that lead to it."""

    words: tuple[str, ...]
    command: click.Command

    def __str__(self) -> str:
        return " ".join(self.words)


def _leaves(group: click.Group, words: tuple[str, ...] = ()) -> Iterator[Leaf]:
    for name in group.commands:
        command = group.commands[name]
        if isinstance(command, click.Group):
            yield from _leaves(command, (*words, name))
        else:
            yield Leaf((*words, name), command)


LEAVES = list(_leaves(main))
ON_A_DATABASE = [leaf for leaf in LEAVES if any(one.name == "database_url" for one in leaf.command.params)]
each = pytest.mark.parametrize("leaf", LEAVES, ids=str)
each_on_a_database = pytest.mark.parametrize("leaf", ON_A_DATABASE, ids=str)


@pytest.fixture(scope="module")
def taken() -> Iterator[int]:
    """A port that another program has: what could serve for ever ends there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    assert _run(("migrate",), folder).exit_code == 0
    return folder


@pytest.fixture
def home(tmp_path: Path, template: Path) -> Path:
    """A folder with an empty database, a folder and a file that is no database."""
    shutil.copytree(template, tmp_path, dirs_exist_ok=True)
    (tmp_path / "folder").mkdir()
    (tmp_path / "note.txt").write_text("Buy bread.")
    return tmp_path


def _run(arguments: tuple[str, ...], home: Path, port: int = 0) -> Result:
    environment = {"TERTULIA_DATA_DIR": str(home), "TERTULIA_SECRET_KEY": SECRET, "TERTULIA_PORT": str(port)}
    with contextlib.chdir(home):  # where a relative path would make a file
        return CliRunner().invoke(main, arguments, env=environment)


def _in_process(arguments: tuple[str, ...], home: Path, port: int, **streams: int) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as an operator runs it."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TERTULIA_")}
    environment |= {"TERTULIA_DATA_DIR": str(home), "TERTULIA_SECRET_KEY": SECRET, "TERTULIA_PORT": str(port)}
    command = [sys.executable, "-m", "tertulia", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
    return subprocess.run(command, env=environment, cwd=home, text=True, timeout=PATIENCE, **pipes)  # type: ignore[call-overload,no-any-return]


def _is_said_well(result: Result, *, may_succeed: bool = False) -> None:
    assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
    assert result.exit_code in ((0, 1, 2) if may_succeed else (1, 2)), result.output
    assert "Traceback" not in result.output
    if result.exit_code:
        said = result.stderr.strip() or result.stdout.strip()
        assert said, "it ended without a word"
        assert len(said.splitlines()[-1]) > 10


def _arguments(command: click.Command) -> tuple[str, ...]:
    """Words for what a command needs, none of which it can use, but for those that it has a list of."""
    needed = [one for one in command.params if one.required]
    words = ["nothing" for one in needed if isinstance(one, click.Argument)]
    for one in needed:
        if isinstance(one, click.Option):
            words += [one.opts[0], one.type.choices[0] if isinstance(one.type, click.Choice) else "nothing"]
    return tuple(words)


def _is_long(leaf: Leaf) -> bool:
    """Whether it starts real servers where its options are right: then only what click checks can be tried."""
    return leaf.words[0] == "demo"


WRONG_URLS = {
    "no address": "nonsense",
    "another's dialect": "mysql://root@localhost/x",
    "no driver": "postgresql://",
    "folder": "sqlite+aiosqlite:///{home}/folder",
    "no database": "sqlite+aiosqlite:///{home}/note.txt",
    "under a file": "sqlite+aiosqlite:///{home}/note.txt/tertulia.db",
    "nobody there": "postgresql+asyncpg://u:secret-word@127.0.0.1:1/x",
    "no such host": "postgresql+asyncpg://u:secret-word@nowhere.invalid/x",
    "port": "postgresql+asyncpg://u:secret-word@127.0.0.1:99999/x",
}


@each_on_a_database
@pytest.mark.parametrize("kind", WRONG_URLS)
def test_a_wrong_database_is_said(leaf: Leaf, kind: str, home: Path) -> None:
    url = WRONG_URLS[kind].format(home=home)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = int(listener.getsockname()[1])
        result = _run((*leaf.words, f"--database-url={url}", *_arguments(leaf.command)), home, port)
    _is_said_well(result)
    assert "secret-word" not in result.output


@each_on_a_database
def test_a_data_folder_that_is_a_file_is_said(leaf: Leaf, home: Path, taken: int) -> None:
    _is_said_well(_run((*leaf.words, f"--data-dir={home / 'note.txt'}", *_arguments(leaf.command)), home, taken))


def test_a_locked_database_is_said(tmp_path: Path, template: Path, taken: int) -> None:
    """Reading goes on beside a writer; whoever wants to write waits for five seconds, all commands at once here."""

    def ended(leaf: Leaf) -> subprocess.CompletedProcess[str]:
        home = shutil.copytree(template, tmp_path / "-".join(leaf.words))
        with closing(sqlite3.connect(home / "tertulia.db", isolation_level=None)) as holder:
            holder.execute("BEGIN EXCLUSIVE")
            return _in_process((*leaf.words, *_arguments(leaf.command)), home, taken)

    with ThreadPoolExecutor(len(ON_A_DATABASE)) as pool:
        results = dict(zip(ON_A_DATABASE, pool.map(ended, ON_A_DATABASE), strict=True))
    for leaf, result in results.items():
        assert result.returncode in (0, 1, 2), leaf
        assert "Traceback" not in result.stdout + result.stderr, leaf
        assert not result.returncode or len(result.stderr.strip() or result.stdout.strip()) > 10, leaf
    assert sum("database is locked" in result.stderr for result in results.values()) > 10, "nothing was locked"


@each
def test_a_closed_pipe_is_no_traceback(leaf: Leaf, home: Path, taken: int) -> None:
    """``tertulia … | head -0``: whoever read has gone before the first line."""
    if _is_long(leaf):
        return
    reading, writing = os.pipe()
    os.close(reading)
    try:
        ended = _in_process((*leaf.words, *_arguments(leaf.command)), home, taken, stdout=writing)
    finally:
        os.close(writing)
    assert "Traceback" not in ended.stderr
    assert "Exception ignored" not in ended.stderr
    assert ended.returncode in (0, 1, 2)
