"""What moving costs: an export and a check hold a few rows, an import no more than it was let in with."""

from __future__ import annotations

import io
import json
import os
import stat
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import event

from tertulia import transfer
from tertulia.articles import Articles
from tertulia.checks import Finding, check, search
from tertulia.errors import ErrorCode, Problem, StartupError
from tertulia.store import Store, streaming
from tertulia.store.commands import Actor
from tertulia.transfer import files, format, memory
from tertulia.transfer.format import read
from tertulia.transfer.plan import plan
from tests.support.full_store import MINH, NEWS, everything, exported, many, opened, planted
from tests.support.inside import awaiting
from tests.support.store_actions import StoreActions
from tests.transfer.test_format import UUID_A, article, comment, file

MIB = 1024 * 1024
FEW, MANY = 400, 4000
NOISE = MIB
"""What a whole run takes besides: other fixtures live in this process, and coverage is measured in it. Without cursors
MANY take several times as much."""


async def _peak(work: Callable[[], Awaitable[object]]) -> int:
    """Bytes that were held at once beyond those before."""
    await work()  # what is made once, such as statements, does not count
    tracemalloc.start()
    try:
        await work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# ---- out ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["export", "check"])
async def test_four_times_the_comments_take_the_same_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setattr(streaming, "FETCH", 20)
    monkeypatch.setattr("tertulia.checks.log.SLICE", 20)
    peaks = []
    for count in (FEW, MANY):
        async with opened(tmp_path / f"{count}.db") as store:
            await many(store, count)
            written, found = io.StringIO(), list[Finding]()

            async def work(store: Store = store, written: io.StringIO = written, found: list[Finding] = found) -> None:
                if command == "export":
                    written.seek(0)
                    await transfer.export(store, Articles(tmp_path / "none"), None, lambda piece: None)
                else:
                    await search(store, found.append)

            peaks.append(await _peak(work))
            assert found == []
    assert peaks[1] < 1.3 * peaks[0] + NOISE, peaks


async def test_a_comment_may_have_any_number_of_votes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "FETCH", 20)
    peaks = []
    for count in (FEW, MANY):
        path = tmp_path / f"{count}.db"
        async with opened(path) as store:
            said = await StoreActions(store).post_comment("Liked", key=NEWS, by=MINH)
            voters = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {10 * count})"
            vote = f"SELECT '{said.comment.id}', printf('018f0000-0000-8000-8000-%012x', i), 1 FROM n"
            planted(path, f"INSERT INTO vote {voters} {vote}")
            [found] = (await exported(store, tmp_path / "none"))["articles"][0]["comments"]
            assert len(found["votes"]) == 10 * count

            async def work(store: Store = store) -> None:
                await transfer.export(store, Articles(tmp_path / "none"), None, lambda piece: None)

            peaks.append(await _peak(work))
    assert peaks[1] < 1.3 * peaks[0] + NOISE, peaks


async def test_rows_come_by_a_cursor_on_both_databases(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """No query of an export or a check is fetched as a whole, but those of one row."""
    monkeypatch.setattr(streaming, "FETCH", 7)
    monkeypatch.setattr("tertulia.checks.log.SLICE", 5)
    await everything(store)
    whole: list[str] = []

    @event.listens_for(store.database.read.engine, "before_cursor_execute")
    def before(*said: object) -> None:
        _, _, statement, _, context, _ = said
        if not getattr(context, "execution_options", {}).get("yield_per"):
            whole.append(str(statement))

    await transfer.export(store, Articles(Path("/nowhere")), None, lambda piece: None)
    assert await check(store) == []
    allowed = ("SELECT count(*)", "SELECT site.id, site.key", 'SELECT site.id, site."key"', "PRAGMA integrity", "BEGIN")
    assert [statement for statement in whole if not statement.startswith(allowed)] == []


async def test_an_export_is_of_one_moment(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said and deleted while it is written changes nothing of it."""
    monkeypatch.setattr(streaming, "FETCH", 1)
    await everything(store)
    actions = StoreActions(store)
    kept = await actions.post_comment("Here, until it is deleted", key=NEWS, by=MINH)
    before = await exported(store, tmp_path / "none")
    pieces: list[str] = []
    awaited = awaiting(store)

    async def meanwhile() -> None:
        await actions.delete_comment(kept, Actor(MINH.id))
        await actions.post_comment("Too late", key=NEWS, by=MINH)

    def write(piece: str) -> None:
        pieces.append(piece)
        if "Chợ nổi" in piece:
            awaited(meanwhile())  # an export waits for the database, and others go on

    await transfer.export(store, Articles(tmp_path / "none"), None, write)
    assert json.loads("".join(pieces)) == before
    assert await exported(store, tmp_path / "none") != before


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "export.json"
    path.write_text("the one before")
    with suppress(ZeroDivisionError), files.written(path) as stream:
        stream.write("half")
        raise ZeroDivisionError
    assert path.read_text() == "the one before"
    with files.written(path) as stream:
        stream.write("trọn")
        assert path.read_text() == "the one before"
    assert path.read_text("utf-8") == "trọn"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["export.json"]


def test_what_is_no_file_is_written_to_as_it_comes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with files.written(tmp_path / "pipe") as stream:
        stream.write("now")
        stream.flush()
        assert os.read(reader, 10) == b"now"
    os.close(reader)
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_a_place_where_nothing_can_be_written_is_named(tmp_path: Path) -> None:
    target = files.written(tmp_path / "nowhere" / "export.json")
    with pytest.raises(StartupError, match=r"Cannot write .*nowhere/export.json: No such file"):
        target.__enter__()


# ---- in -------------------------------------------------------------------------------------------------

DAY = datetime(2026, 2, 3, tzinfo=UTC)


def _large(count: int, words: int) -> bytes:
    """As an export has it: ids, authors and requests of their own, and a reply for each comment."""
    comments = [
        comment(
            id=f"018f{number:04x}-0000-7000-8000-00000000ffff",
            parent=f"018f{number - 1:04x}-0000-7000-8000-00000000ffff" if number % 2 else None,
            author=f"Somebody {number}",
            author_id=f"018f{number:04x}-0000-8000-8000-00000000ffff",
            at=(DAY + timedelta(minutes=number)).isoformat(),
            text=f"*word* {number} " * words,
            idempotency_key=f"a-key-of-the-tests-{number}",
            request_digest=f"{number:064x}",
            votes=[{"voter": UUID_A, "value": 1}],
        )
        for number in range(count)
    ]
    return json.dumps(article(*comments), ensure_ascii=False).encode()


@pytest.mark.parametrize(("count", "words"), [(600, 2), (300, 40)])
def test_an_import_takes_no_more_than_it_is_let_in_with(count: int, words: int) -> None:
    data = _large(count, words)
    plan(*read(data))
    tracemalloc.start()
    try:
        planned = plan(*read(data))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(planned.discussions[0].comments) == count
    allowed = memory.needed(len(data), count, count) - memory.RESERVE
    assert peak + len(data) < allowed, f"{(peak + len(data)) / count:,.0f} bytes a comment of {len(data) / count:,.0f}"
    assert allowed < 4 * (peak + len(data)), "and not so much more that files are refused for nothing"


async def test_votes_that_are_only_counted_are_only_counted(tmp_path: Path) -> None:
    """A file of a few hundred bytes that tells of 20,000 voters a comment."""
    data = json.dumps(article(*[comment(id=f"c{number}", votes={"up": 10_000, "down": 10_000}) for number in range(9)]))
    tracemalloc.start()
    try:
        planned = plan(*read(data.encode()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MIB
    [first, *_] = planned.discussions[0].comments
    assert (first.vote_count, len(set(first.votes()))) == (20_000, 20_000)
    assert first.votes() == first.votes()


def test_a_file_is_let_go_of_while_it_is_planned() -> None:
    found, locations = read(json.dumps(file(article(comment()), article(comment(), key="b"))).encode())
    plan(found, locations)
    assert found.articles == [None, None]


def _with_memory(monkeypatch: pytest.MonkeyPatch, size: int | None) -> None:
    monkeypatch.setattr(memory, "available", lambda: size)


async def test_a_file_that_does_not_fit_is_refused_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = _large(400, 5)
    _with_memory(monkeypatch, memory.needed(len(data), 400, 400) - len(data) - 1)
    async with opened(tmp_path / "store.db") as store:
        with pytest.raises(Problem) as refused:
            await transfer.import_file(store, tmp_path / "articles", data)
        said = refused.value.detail
        assert refused.value.code is ErrorCode.invalid
        assert said.startswith(f"The file: it has {len(data):,} bytes with 400 comments, which take up to ")
        assert said.endswith("Split it into files of some articles each, or give the command more memory.")
        _with_memory(monkeypatch, memory.needed(len(data), 400, 400))
        assert (await transfer.import_file(store, tmp_path / "articles", data)).comments == 400
        _with_memory(monkeypatch, None)
        assert (await transfer.import_file(store, tmp_path / "articles", data)).known == 400


def test_a_file_that_does_not_fit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "large.json"
    with path.open("wb") as stream:
        stream.truncate(100 * MIB)
    _with_memory(monkeypatch, 90 * MIB)
    monkeypatch.setattr(files, "PART", None)  # a first read would fail
    with pytest.raises(Problem, match="it has 104,857,600 bytes, which take up to 664 MiB of memory, and 90 MiB"):
        files.read_file(path)
    _with_memory(monkeypatch, None)
    monkeypatch.setattr(format, "FILE_BYTES", 5)
    with pytest.raises(Problem, match="5 is the most"):
        files.read_file(path)


def test_a_pipe_is_read_as_far_as_there_is_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody knows how long it is: it ends the command with a sentence, not the kernel without one."""
    monkeypatch.setattr(files, "PART", 1000)
    _with_memory(monkeypatch, memory.RESERVE + 2 * memory.BYTE * 3000)
    with pytest.raises(Problem, match="more memory"):
        files.read_file(Path("/dev/zero"))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="nothing cannot be read: No such file"):
        files.read_file(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("group", "written", "left"),
    [
        ("0::/", {"memory.max": "268435456", "memory.current": "100000000", "memory.stat": "file 5\n"}, 168435456),
        (
            "0::/",
            {
                "memory.max": "1000",
                "memory.current": "900",
                "memory.stat": "inactive_file 300\nactive_file 50\ninactive_anon 70\n",
            },
            450,
        ),
        ("0::/a/b", {"a/memory.max": "1000", "a/memory.current": "400", "a/b/memory.max": "max"}, 600),
        ("0::/", {"memory.max": "max", "memory.current": "900"}, None),
        ("0::/", {"memory.max": "500", "memory.current": "900"}, 0),
        (
            "3:cpu:/x\n5:hugetlb,memory:/docker/abc",
            {
                "memory/memory.limit_in_bytes": "2000",
                "memory/memory.usage_in_bytes": "1500",
                "memory/memory.stat": "total_inactive_file 100\ninactive_file 9\n",
            },
            600,
        ),
        ("", {}, None),
    ],
)
def test_the_memory_that_a_container_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, group: str, written: dict[str, str], left: int | None
) -> None:
    for name, content in written.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{content}\n")
    (tmp_path / "own").write_text(f"{group}\n" if group else "")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    monkeypatch.setattr(memory, "OWN_CGROUP", tmp_path / "own")
    monkeypatch.setattr(memory, "MACHINE", tmp_path / "nothing")
    assert memory.available() == left


def test_the_memory_that_the_machine_leaves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:    2048 kB\n")
    monkeypatch.setattr(memory, "OWN_CGROUP", tmp_path / "nothing")
    monkeypatch.setattr(memory, "MACHINE", tmp_path / "meminfo")
    assert memory.available() == 2 * MIB
