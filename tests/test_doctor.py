"""What the doctor finds: a server that is set up rightly, and each mistake by its name."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from click.testing import CliRunner

from tertulia.cli import main
from tertulia.doctor import Finding, examine, remote
from tertulia.doctor.local import clock
from tertulia.doctor.remote import judged
from tertulia.settings import Settings, secret_key
from tertulia.web.seen import PATH, QUESTION_SECONDS, question
from tests.support.careless import CarelessProxy
from tests.support.server import ServerProcess
from tests.support.valkey import Valkey

TRUSTED = ("--trusted-proxies", "127.0.0.1")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """One that trusts proxies of this machine."""
    opened = ServerProcess(tmp_path_factory.mktemp("doctor"), TRUSTED)
    yield opened
    opened.end()


async def _found(server: ServerProcess, url: str | None, **settings: object) -> dict[str, Finding]:
    chosen = Settings.model_validate({"data_dir": server.data_dir, **settings})
    return {finding.tried: finding async for finding in examine(chosen, url, quick=True)}


FORWARDED = ("X-Forwarded-For: 192.0.2.77",)


async def test_a_server_that_is_set_up_rightly(server: ServerProcess) -> None:
    async with CarelessProxy(server.port, *FORWARDED) as proxy:
        found = await _found(server, proxy.url, public_url=proxy.url)
    # the disk is this machine's, and another test may have let the server warn of a proxy
    assert {finding.verdict for tried, finding in found.items() if tried not in ("disk", "address")} == {"ok"}, found
    assert {"database", "address", "clock", "proxies", "compression", "WebSocket", "event stream"} <= set(found)
    assert "192.0.2.77" in found["proxies"].found


@pytest.mark.parametrize(
    ("adds", "advice"),
    [
        ([], "let the proxy set X-Forwarded-For"),
        (["X-Forwarded-For: unknown"], "let the proxy write the address alone"),
        (["X-Forwarded-For: 192.0.2.77", "Forwarded: for=192.0.2.78"], "let the proxy remove the one"),
        (["X-Forwarded-For: 192.0.2.77", "X-Forwarded-Proto: https"], "TERTULIA_PUBLIC_URL"),
        (["X-Forwarded-For: 192.0.2.77", "X-Forwarded-Host: inner:80"], "let the proxy keep Host"),
    ],
)
async def test_what_a_proxy_writes_wrongly_is_named(server: ServerProcess, adds: list[str], advice: str) -> None:
    async with CarelessProxy(server.port, *adds) as proxy:
        found = (await _found(server, proxy.url))["proxies"]
    assert (found.verdict, advice in found.advice) == ("fail", True), found


def test_a_proxy_that_is_not_trusted_is_named() -> None:
    answer = {"peer": "10.1.2.3", "is_trusted": False, "headers": [["x-forwarded-for", "192.0.2.7"]]}
    answer |= {"address": "10.1.2.3", "known": "peer", "base_url": "http://x"}
    assert "add 10.1.2.3 or its network to TERTULIA_TRUSTED_PROXIES" in judged(answer, "http://x").advice


async def test_a_proxy_without_upgrade_and_one_that_buffers_are_named(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "ANSWER_SECONDS", 1.0)
    async with CarelessProxy(server.port, *FORWARDED, strips_upgrade=True, holds_streams=True) as proxy:
        monkeypatch.setattr(remote._Site.connection, "__defaults__", (1.0,))
        found = await _found(server, proxy.url)
    assert (found["WebSocket"].verdict, "Upgrade" in found["WebSocket"].advice) == ("fail", True)
    assert (found["event stream"].verdict, "buffering" in found["event stream"].advice) == ("fail", True)
    assert found["address"].verdict != "fail"


async def test_an_address_that_does_not_answer_is_the_last_that_is_tried(server: ServerProcess) -> None:
    found = await _found(server, "http://127.0.0.1:9")
    assert found["address"].verdict == "fail"
    assert "WebSocket" not in found


async def test_strangers_learn_nothing_and_a_question_is_good_once(server: ServerProcess) -> None:
    secret, now = secret_key(Settings(data_dir=server.data_dir)), time.time()
    good = question(secret, now)
    forged = [
        question(b"x" * 32, now),
        question(secret, now - QUESTION_SECONDS - 60),
        good[:-1],
        good + "0",
        "Bearer x",
    ]
    async with httpx.AsyncClient(base_url=server.url) as client:
        for given, status in [*((one, 404) for one in ["", *forged]), (good, 200), (good, 404)]:
            answer = await client.get(PATH, headers={"Authorization": given})
            assert answer.status_code == status, given
        assert "peer" not in answer.text


@pytest.mark.parametrize(
    ("origins", "verdict", "said"),
    [
        (("https://a.example",), "ok", "https://a.example"),
        (("a.example",), "fail", "is no origin"),
        (("https://a.example", "HTTPS://A.example:443"), "warn", "twice"),
        (("http://a.example",), "warn", "without TLS"),
        (("https://talk.example",), "warn", "the server's own"),
    ],
)
async def test_origins_are_looked_at(server: ServerProcess, origins: tuple[str, ...], verdict: str, said: str) -> None:
    found = await _found(server, None, allowed_origins=origins, public_url="https://talk.example")
    assert (found["origins of default"].verdict, said in found["origins of default"].found) == (verdict, True)


@pytest.mark.parametrize(("ahead", "verdict"), [(0.5, "ok"), (-30, "warn"), (300, "fail")])
def test_a_clock_may_be_a_little_wrong(ahead: float, verdict: str) -> None:
    assert clock("clock", ahead).verdict == verdict


MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("free", "total", "verdict", "advice"),
    [
        (99 * MIB, 500 * MIB, "fail", "make room before the database has none"),
        (100 * MIB, 1100 * MIB, "warn", "make room"),
        (90_000 * MIB, 1_000_000 * MIB, "warn", "make room"),
        (100 * MIB, 1000 * MIB, "ok", ""),
    ],
)
async def test_a_disk_that_fills_is_named_before_it_is_full(
    server: ServerProcess, monkeypatch: pytest.MonkeyPatch, free: int, total: int, verdict: str, advice: str
) -> None:
    asked: list[Path] = []

    def usage(folder: Path) -> SimpleNamespace:
        asked.append(folder)
        return SimpleNamespace(total=total, used=total - free, free=free)

    monkeypatch.setattr("tertulia.doctor.local.shutil.disk_usage", usage)
    found = (await _found(server, None))["disk"]
    assert (found.verdict, found.advice) == (verdict, advice)
    assert found.found == f"{server.data_dir}: {free / 2**30:.1f} GiB free of {total / 2**30:.1f}."
    assert asked == [server.data_dir]


async def test_a_redis_that_is_away_is_named(server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tertulia.doctor.local.REDIS_SECONDS", 0.3)
    found = await _found(server, None, redis_url="redis://127.0.0.1:9")
    assert found["redis"].verdict == "fail"


def test_the_command_ends_with_1_where_something_fails_and_makes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "mistyped"
    result = CliRunner().invoke(main, ["doctor", "--data-dir", str(data), "--json"])
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert (result.exit_code, data.exists()) == (1, False)
    assert ("database", "fail") in [(line["tried"], line["verdict"]) for line in lines]
    assert all({"tried", "verdict", "found", "advice"} == set(line) for line in lines)
    assert CliRunner().invoke(main, ["migrate", "--data-dir", str(data)]).exit_code == 0
    result = CliRunner().invoke(main, ["doctor", "--data-dir", str(data)])
    assert result.exit_code == 0, result.output
    assert not (data / "secret-key").exists()
    assert [path.name for path in data.iterdir()] == ["tertulia.db"]


def test_a_database_of_before_is_named(tmp_path: Path) -> None:
    assert CliRunner().invoke(main, ["migrate", "--data-dir", str(tmp_path)]).exit_code == 0
    with sqlite3.connect(tmp_path / "tertulia.db") as database:
        database.execute("update alembic_version set version_num = '0001'")
    database.close()
    result = CliRunner().invoke(main, ["doctor", "--data-dir", str(tmp_path)])
    assert (result.exit_code, "tertulia migrate" in result.stdout) == (1, True)


def test_an_address_that_is_none_is_refused() -> None:
    for url in ("news.example", "ftp://news.example", "https://news.example/path"):
        result = CliRunner().invoke(main, ["doctor", url])
        assert (result.exit_code, "is not an address" in result.output) == (1, True)


async def test_a_redis_that_carries_messages_is_told_with_its_memory(server: ServerProcess, valkey: Valkey) -> None:
    found = await _found(server, None, redis_url=valkey.url)
    assert (found["redis"].verdict, found["redis memory"].verdict) == ("ok", "ok"), found
    assert "noeviction" in found["redis memory"].found


async def test_an_idle_connection_is_watched(server: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said in this time, as behind a proxy that ends quiet connections."""
    monkeypatch.setattr(remote, "IDLE_SECONDS", 0.05)
    settings = Settings(data_dir=server.data_dir)
    async with CarelessProxy(server.port, *FORWARDED) as proxy:
        found = {one.tried: one async for one in examine(settings, proxy.url)}
    for tried in ("WebSocket", "event stream"):
        assert (found[tried].verdict, "proxy_read_timeout" in found[tried].advice) == ("fail", True), found
