"""The server code of docs/signing-in.md runs as it is printed, and signs a reader in."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tertulia.identity.keys import Algorithm
from tests.people.commands import instance
from tests.support.databases import new_sqlite
from tests.support.issuers import SigningServer
from tests.support.valkey import free_port
from tests.support.waiting import until

PAGE = Path(__file__).parents[2] / "docs/signing-in.md"
LINES = 25
PROGRAMS = {
    "php": ("token.php", ("php", "-S", "127.0.0.1:PORT", "token.php"), ("php", "php-cli")),
    "python": ("endpoint.py", ("python3", "endpoint.py", "PORT"), ("python3", "python3")),
    "js": ("token.js", ("node", "token.js", "PORT"), ("node", "nodejs")),
}


def program(language: str) -> str:
    [found] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return str(found)


@contextmanager
def serving(language: str, code: str, secret: str, folder: Path) -> Iterator[str]:
    """The address at which the code of this language answers."""
    file, command, needed = PROGRAMS[language]
    subprocess.run(["sh", "scripts/need", *needed], check=True, cwd=PAGE.parents[1])
    (folder / file).write_text(code, "utf-8")
    port = free_port()
    arguments = [shutil.which(command[0]) or command[0], *(part.replace("PORT", str(port)) for part in command[1:])]
    environment = os.environ | {"SITE_SECRET": secret}
    process = subprocess.Popen(
        arguments, cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.kill()
        process.wait()


async def answer(url: str) -> httpx.Response:
    """The first answer, once the program listens."""
    found: list[httpx.Response] = []

    async def is_answered() -> bool:
        async with httpx.AsyncClient() as client:
            try:
                found.append(await client.get(url))
            except httpx.TransportError:
                return False
        return True

    await until(is_answered, "the program of the page")
    return found[0]


@pytest.mark.parametrize("language", PROGRAMS)
async def test_the_code_of_the_page_signs_a_reader_in(tmp_path: Path, language: str) -> None:
    secret = secrets.token_urlsafe(48)
    database = new_sqlite(tmp_path / "store.db")
    async with instance(database, tmp_path / "data") as one:
        await one.add_issuer(SigningServer(Algorithm.HS256, key=f"{secret}\n".encode()), tmp_path)
        with serving(language, program(language), secret, tmp_path) as url:
            given = await answer(url)
        assert (given.status_code, given.headers["cache-control"]) == (200, "no-store")
        opened = await one.exchange(given.json()["token"])
        assert opened.status_code == 201, opened.text
        said = await one.say(opened.json()["token"])
        assert said.json()["comment"]["author"]["name"] == "Nguyễn Thị Lan"


@pytest.mark.parametrize(
    ("language", "reader", "nobody"),
    [
        ("php", "return ['id' => '4711', 'name' => 'Nguyễn Thị Lan'];", "return null;"),
        ("python", 'return {"id": "4711", "name": "Nguyễn Thị Lan"}', "return None"),
        ("js", "return { id: '4711', name: 'Nguyễn Thị Lan' };", "return null;"),
    ],
)
async def test_for_strangers_it_answers_401(tmp_path: Path, language: str, reader: str, nobody: str) -> None:
    code = program(language)
    assert reader in code
    with serving(language, code.replace(reader, nobody), secrets.token_urlsafe(48), tmp_path) as url:
        given = await answer(url)
    assert (given.status_code, given.json(), given.headers["cache-control"]) == (401, {}, "no-store")


@pytest.mark.parametrize("language", PROGRAMS)
def test_it_is_short(language: str) -> None:
    assert len([line for line in program(language).splitlines() if line.strip()]) <= LINES
