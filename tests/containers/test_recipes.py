"""What docs/operating.md tells an operator to paste: followed word by word, and what comes later still works."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

import httpx
import pytest

from tests.containers.engine import ROOT
from tests.containers.people import Writer
from tests.containers.stack import Stack
from tests.support.api_client import ApiClient, Json
from tests.support.waiting import PATIENCE

LATER = """
import asyncio, asyncpg, pathlib, sys
async def main():
    url = pathlib.Path('/secrets/database-url').read_text().strip().replace('+asyncpg', '')
    connection = await asyncpg.connect(url)
    print(await connection.execute(sys.argv[1]))
asyncio.run(main())
"""


def recipe(name: str) -> list[str]:
    """The commands of the block that is marked so."""
    page = (ROOT / "docs/operating.md").read_text("utf-8")
    found = re.search(rf"^<!-- followed: {re.escape(name)} -->\n```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert found, name
    return found[1].splitlines()


def told(what: str) -> str:
    """The command that docs/containers.md has for it, without a terminal."""
    page = (ROOT / "docs/containers.md").read_text("utf-8")
    found = re.search(rf"^\| {re.escape(what)} \| `(docker compose [^`]+)`", page, re.MULTILINE)
    assert found, what
    return found[1].replace(" exec server ", " exec -T server ")


@pytest.fixture
def key() -> str:
    return f"discussion {uuid.uuid4()}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where an operator sits: the project's files, and what a recipe leaves."""
    for name in ("docker-compose.yml", "deploy", "tests", "Dockerfile", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    return tmp_path


def seen(stack: Stack, key: str) -> Json:
    return ApiClient(stack.url, key).snapshot()


async def _restored(stack: Stack, file: str, key: str, folder: Path) -> None:
    """Two comments are in the backup, three came after it."""
    writer = Writer(stack.url, key)
    await writer.say(2)
    kept = seen(stack, key)
    stack.follow(recipe(f"backup {file}"), folder)
    await writer.say(3)
    stack.follow(recipe(f"restore {file}"), folder)
    again = seen(stack, key)
    assert [one["id"] for one in again["comments"]] == [one["id"] for one in kept["comments"]]
    assert again["discussion"]["epoch"] != kept["discussion"]["epoch"]
    later = Writer(stack.url, key)
    await later.say(2)
    assert later.seqs == [3, 4]


async def test_postgresql_comes_back_and_takes_a_later_version(stack: Stack, key: str, folder: Path) -> None:
    await _restored(stack, "docker-compose.yml", key, folder)
    # what a later version does: the role that migrates makes a table, and the servers' role writes into it
    table = f"later_{uuid.uuid4().hex[:8]}"
    assert stack.once("setup", LATER, f"CREATE TABLE {table} (id bigserial PRIMARY KEY)") == "CREATE TABLE"
    server = stack.containers("server")[0]
    assert stack.python(server, LATER, f"INSERT INTO {table} DEFAULT VALUES") == "INSERT 0 1"
    assert "permission denied" in stack.python(server, LATER, f"TRUNCATE {table}", check=False)
    assert stack.once("setup", LATER, f"DROP TABLE {table}") == "DROP TABLE"


def test_the_key_and_the_articles_come_back(stack: Stack, folder: Path) -> None:
    stack.follow(recipe("backup docker-compose.yml"), folder)
    own = (folder / "secret-key").read_text()
    [server, *_] = stack.containers("server")
    articles = stack.execute(server, "ls", "/articles")
    for key in ("the key of another machine, of more than 32 bytes\n", own):
        (folder / "secret-key").write_text(key)
        stack.follow(recipe("key docker-compose.yml"), folder)
        assert stack.execute(server, "cat", "/secrets/secret-key") == key.strip()
        assert stack.execute(server, "stat", "-c", "%u:%g %a", "/secrets/secret-key") == "0:10001 440"
        assert stack.execute(server, "ls", "/articles") == articles


async def test_sqlite_comes_back_and_takes_a_later_version(small: Stack, key: str, folder: Path) -> None:
    await _restored(small, "deploy/compose.sqlite.yml", key, folder)
    later = "import sqlite3; sqlite3.connect('/data/tertulia.db').execute('CREATE TABLE later (id int)')"
    drop = later.replace("CREATE TABLE later (id int)", "DROP TABLE later")
    for statement in (later, drop):
        assert small.python(small.container("server"), statement) == ""


def test_what_the_table_tells_is_so(stack: Stack, key: str, folder: Path) -> None:
    at = "2026-10-13T12:25:00+07:00"
    comment = {"author": "Nguyễn Văn Quân", "at": at, "text": "It should have stayed."}
    (folder / "FILE").write_text(json.dumps({"key": key, "comments": [comment]}))
    (folder / "bridge.md").write_text("---\ntitle: The old bridge\ndate: 2026-10-13 12:25\n---\nThey took it down.\n")
    stack.follow([told("an article").replace("NAME", "bridge"), told("an import")], folder)
    assert "They took it down." in httpx.get(f"{stack.url}/articles/bridge", timeout=PATIENCE).text
    assert [one["author"]["name"] for one in seen(stack, key)["comments"]] == [comment["author"]]
    stack.follow([told("an export").replace("FILE", "export.json")], folder)
    exported = json.loads((folder / "export.json").read_text("utf-8"))["articles"]
    assert [one["comments"][0]["text"] for one in exported if one["key"] == key] == [comment["text"]]
    name = f"Mai {uuid.uuid4().hex[:6]}"
    stack.follow(
        [f"{told('a moderator').replace('Mai', repr(name))} >token", f"{told('the invariants, verified')} >said"],
        folder,
    )
    assert len((folder / "token").read_text().strip()) > 20
    assert (folder / "said").read_text().strip().endswith(": nothing is wrong.")


def test_the_numbers_are_read_from_inside(stack: Stack, folder: Path) -> None:
    page = " ".join((ROOT / "docs/containers.md").read_text("utf-8").split())
    found = re.search(r"From inside: `(docker compose exec server python[^`]+)`", page)
    assert found
    stack.follow([f"{found[1].replace('exec server', 'exec -T server')} >numbers"], folder)
    assert "tertulia_readers" in (folder / "numbers").read_text()
