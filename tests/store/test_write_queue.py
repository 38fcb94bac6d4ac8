"""The write queue: many commands in one transaction, none harmed by another, and no answer before it is durable."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, event, insert

from tertulia.checks import check
from tertulia.core.comments import DiscussionKey
from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem
from tertulia.store import Store, schema, write_queue
from tertulia.store.commands import Actor, CommandResult, PostComment, PostResult
from tertulia.store.event_log import CommittedEvent
from tertulia.store.write_queue import WriteQueue
from tests.support.full_store import planted
from tests.support.store_actions import (
    EVA,
    HERE,
    LAN,
    MINH,
    THERE,
    Custom,
    StoreActions,
    author_of,
    listed,
    log,
    tables,
)
from tests.support.waiting import until


@contextmanager
def counted(store: Store, name: str) -> Iterator[list[None]]:
    """How often something happened on the connection that writes: "commit" or "rollback"."""
    seen: list[None] = []

    def note(_connection: Connection) -> None:
        seen.append(None)

    event.listen(store.database.write.engine, name, note)
    yield seen
    event.remove(store.database.write.engine, name, note)


@asynccontextmanager
async def heard(path: Path) -> AsyncIterator[tuple[StoreActions, list[list[CommittedEvent]]]]:
    """A store on a file, and what was announced of it."""
    told: list[list[CommittedEvent]] = []
    store = await Store.open(f"sqlite+aiosqlite:///{path}")
    store.start(told.append)
    try:
        yield await StoreActions(store).begin(), told
    finally:
        await store.close()


def fails(error: Exception) -> Custom[Any]:
    def apply(_connection: Connection) -> CommandResult[Any]:
        raise error

    return Custom(apply)


def forged_vote(connection: Connection) -> CommandResult[None]:
    """Breaks a foreign key in a way that only COMMIT notices."""
    connection.exec_driver_sql("PRAGMA defer_foreign_keys=ON")
    connection.execute(insert(schema.vote).values(comment_id="nowhere", voter_id="nobody", value=1))
    return CommandResult(None)


# ---- together -------------------------------------------------------------------------------------------


async def test_what_waits_together_is_committed_together(store: Store, actions: StoreActions) -> None:
    with counted(store, "commit") as commits:
        answers = await asyncio.gather(*(actions.post_comment(str(number)) for number in range(300)))
    assert [answer.seq for answer in answers] == list(range(1, 301))
    assert len(commits) == 3  # of 128, 128 and 44
    assert [comment.text for comment in await listed(store)] == [str(number) for number in range(300)]


async def test_commands_that_come_one_by_one_do_not_wait_for_more(store: Store, actions: StoreActions) -> None:
    with counted(store, "commit") as commits:
        for _ in range(5):
            await actions.post_comment()
    assert len(commits) == 5


async def test_seqs_are_dense_in_every_discussion(store: Store, actions: StoreActions) -> None:
    keys = [DiscussionKey("default", f"key {number}") for number in range(7)]
    roots = [await actions.post_comment(key=key) for key in keys]

    async def busy(number: int) -> list[int]:
        key, root = keys[number % 7], roots[number % 7]
        said = await actions.post_comment(key=key, parent=root, by=MINH)
        edited = await actions.edit(said.comment.id, actions.as_moderator)
        voted = await actions.vote(said.comment.id, Actor(EVA.id), 1)
        return [seq for seq in (said.seq, edited.seq, voted.seq) if seq is not None]

    answers = await asyncio.gather(*(busy(number) for number in range(140)))
    for number, key in enumerate(keys):
        mine = sorted(seq for at, seqs in enumerate(answers) if at % 7 == number for seq in seqs)
        assert mine == list(range(2, 62))
        assert [one.seq for one in await log(store, key)] == list(range(1, 62))
    assert await check(store) == []


async def test_two_instances_on_one_database_number_as_one(tmp_path: Path) -> None:
    async with heard(tmp_path / "store.db") as (one, _):
        other_store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
        other_store.start()
        other = StoreActions(other_store)
        key = uuid7()
        same = [actions.post(actions.draft("Once", by=EVA, idempotency_key=key)) for actions in (one, other) * 10]
        said = await asyncio.gather(
            *same, *(actions.post_comment(by=by) for actions, by in ((one, LAN), (other, MINH)) * 40)
        )
        assert len({(answer.comment.id, answer.seq) for answer in said[:20]}) == 1
        assert {answer.seq for answer in said} == set(range(1, 82))
        assert [one.seq for one in await log(other_store)] == list(range(1, 82))
        assert await check(other_store) == []
        await other_store.close()


async def test_what_one_batch_says_twice_is_stored_once(store: Store, actions: StoreActions) -> None:
    key = uuid7()
    drafts = [actions.draft("Once", idempotency_key=key) for _ in range(3)]
    with counted(store, "commit") as commits:
        first = await actions.post_comment()
        answers = await asyncio.gather(
            *(actions.post(draft) for draft in drafts), actions.post_comment("Other", by=MINH)
        )
    assert len(commits) == 2
    assert [(answer.comment.id, answer.seq) for answer in answers[:3]] == [(drafts[0].id, 2)] * 3
    assert [answer.repeated for answer in answers] == [False, True, True, False]
    assert (first.seq, answers[3].seq) == (1, 3)
    assert await check(store) == []


async def test_a_name_is_kept_that_the_same_batch_uses_again(store: Store, actions: StoreActions) -> None:
    said = await actions.post_comment()
    _, again, _ = await asyncio.gather(
        actions.post_comment(by=EVA),
        actions.post_comment("Again"),
        actions.delete_comment(said.comment.id, Actor(LAN.id, site="default")),
    )
    author = await store.read(author_of, LAN.id)
    assert author is not None
    assert author.name == LAN.name == again.comment.author.name
    assert await check(store) == []


# ---- one bad command ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "error",
    [
        Problem(ErrorCode.gone, "It is gone."),
        ValueError("a bad value"),
        KeyError("a missing key"),
        ZeroDivisionError(),
        AssertionError("a mistake of ours"),
        AttributeError("a mistake of ours"),
        RuntimeError("a mistake of ours"),
        RecursionError(),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_command_that_fails_fails_alone(store: Store, actions: StoreActions, error: Exception) -> None:
    said = actions.post_comment(), actions.do(fails(error)), actions.post_comment()
    answers: tuple[Any, ...] = await asyncio.gather(*said, return_exceptions=True)
    before, bad, after = answers
    assert bad is error
    assert isinstance(before, PostResult), before
    assert isinstance(after, PostResult), after
    assert (before.seq, after.seq) == (1, 2)
    assert await check(store) == []


async def test_what_a_failing_command_did_before_is_undone(store: Store, actions: StoreActions) -> None:
    def half(connection: Connection) -> CommandResult[Any]:
        PostComment(actions.draft("Half done", by=EVA)).apply(connection)
        connection.execute(insert(schema.vote).values(comment_id="nowhere", voter_id="nobody", value=1))
        return CommandResult(None)

    answers: tuple[Any, ...] = await asyncio.gather(
        actions.post_comment(), actions.do(Custom(half)), actions.post_comment(), return_exceptions=True
    )
    before, bad, after = answers
    assert isinstance(bad, Exception)
    assert "foreign key" in str(bad).lower()
    assert isinstance(before, PostResult)
    assert isinstance(after, PostResult)
    assert [one.seq for one in await log(store)] == [1, 2]
    assert await store.read(author_of, EVA.id) is None
    assert await check(store) == []


async def test_a_database_out_of_service_is_met_once_a_batch(store: Store, actions: StoreActions) -> None:
    """Each of the others would meet it, too: a batch of 128 costs one failure, not 129."""
    tried = 0

    def meets(_connection: Connection) -> CommandResult[Any]:
        nonlocal tried
        tried += 1
        raise ConnectionResetError("cut")

    waiting = [actions.do(Custom(meets)) for _ in range(50)], [actions.post_comment() for _ in range(20)]
    answers = await asyncio.gather(*waiting[0], *waiting[1], return_exceptions=True)
    assert [getattr(answer, "code", None) for answer in answers] == [ErrorCode.unavailable] * 70
    assert tried == 1
    assert store.write_queue.stats.failed_commits == 1
    assert (await actions.post_comment()).seq == 1


# ---- whether it can write -------------------------------------------------------------------------------


async def test_a_database_is_written_to_where_nobody_did_so_lately(
    store: Store, actions: StoreActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await tables(store)
    await actions.post_comment()
    with counted(store, "commit") as commits:
        assert await store.write_queue.can_write()
        assert commits == [], "a commit is proof enough"
        monkeypatch.setattr(write_queue, "PROVEN_SECONDS", -1.0)
        assert await asyncio.gather(*(store.write_queue.can_write() for _ in range(20))) == [True] * 20
        assert len(commits) == 1
    assert (await tables(store))["meta"] == before["meta"], "nothing is left of it"


async def test_one_that_cannot_write_is_tried_again_and_no_more_often_than_that(
    store: Store, actions: StoreActions, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = store.database.write.engine

    def full(*_: object) -> None:
        raise ConnectionRefusedError("nobody listens")

    monkeypatch.setattr(write_queue, "PROVEN_SECONDS", -1.0)
    event.listen(engine, "before_cursor_execute", full)
    assert not await store.write_queue.can_write()
    assert store.write_queue.is_stuck
    failed = store.write_queue.stats.failed_commits
    assert failed == 1
    monkeypatch.setattr(write_queue, "RETRY_SECONDS", 3600.0)
    assert not await store.write_queue.can_write()
    assert store.write_queue.stats.failed_commits == failed
    event.remove(engine, "before_cursor_execute", full)
    with pytest.raises(Problem):
        await actions.do(fails(Problem(ErrorCode.gone, "It is gone.")))
    assert store.write_queue.is_stuck, "what is refused is no proof"
    monkeypatch.setattr(write_queue, "RETRY_SECONDS", 0.0)
    assert await store.write_queue.can_write()
    assert not store.write_queue.is_stuck


# ---- a commit that fails --------------------------------------------------------------------------------


async def test_a_commit_that_fails_is_unavailable_to_all_and_announced_to_nobody(tmp_path: Path) -> None:
    async with heard(tmp_path / "store.db") as (actions, told):
        before = await tables(actions.store)
        told.clear()
        refusal = actions.do(fails(Problem(ErrorCode.gone, "It is gone.")))
        answers = await asyncio.gather(
            actions.post_comment(),
            refusal,
            actions.do(Custom(forged_vote)),
            actions.post_comment(key=THERE),
            return_exceptions=True,
        )
        codes = [answer.code for answer in answers if isinstance(answer, Problem)]
        assert codes == [
            ErrorCode.unavailable, ErrorCode.gone, ErrorCode.unavailable, ErrorCode.unavailable,
        ]  # fmt: skip
        assert [one for batch in told for one in batch] == []
        assert await tables(actions.store) == before
        assert (await actions.post_comment()).seq == 1, "the next batch is committed as if nothing had been"
        assert await check(actions.store) == []


async def test_what_was_answered_is_stored_when_the_disk_is_full(tmp_path: Path) -> None:
    async with heard(tmp_path / "store.db") as (actions, told):
        await actions.post_comment()
        with actions.store.database.write.engine.connect() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count")
            connection.exec_driver_sql(f"PRAGMA max_page_count={pages.scalar_one() + 4}")
        told.clear()
        texts = ["small"] * 3 + ["large" * 1500] + ["small"] * 3
        answers = await asyncio.gather(*(actions.post_comment(text) for text in texts), return_exceptions=True)
        answered = [answer for answer in answers if isinstance(answer, PostResult)]
        assert len(answered) < len(texts), "the disk was not full"
        stored = {comment.id: comment for comment in await listed(actions.store)}
        assert all(answer.comment.id in stored for answer in answered)
        announced = [one.event for batch in told for one in batch]
        assert [one.seq for one in announced] == [answer.seq for answer in answered]
        assert {one.comment_id for one in announced} == {answer.comment.id for answer in answered}
        assert await check(actions.store) == []


async def test_what_was_answered_is_stored_when_the_database_gives_the_transaction_up(tmp_path: Path) -> None:
    async with heard(tmp_path / "store.db") as (actions, told):
        await actions.post_comment()
        raising = "BEGIN SELECT RAISE(ROLLBACK, 'given up'); END"
        planted(tmp_path / "store.db", f"CREATE TRIGGER no BEFORE INSERT ON comment WHEN NEW.text = 'no' {raising}")
        told.clear()
        answers = await asyncio.gather(
            *(actions.post_comment(text) for text in ("one", "two", "no", "three", "four")), return_exceptions=True
        )
        stored = {comment.id for comment in await listed(actions.store)}
        for answer in answers:
            assert not isinstance(answer, PostResult) or answer.comment.id in stored
        announced = [one.event for batch in told for one in batch]
        assert {one.comment_id for one in announced} <= stored
        assert len({one.seq for one in announced}) == len(announced)
        assert (await actions.post_comment("five")).seq == len(await log(actions.store))
        assert await check(actions.store) == []


async def test_a_database_that_fails_is_unavailable_until_it_works_again(tmp_path: Path) -> None:
    async with heard(tmp_path / "store.db") as (actions, told):
        said = await actions.post_comment()
        engine = actions.store.database.write.engine

        def broken(_connection: Connection) -> None:
            raise sqlite3.OperationalError("disk I/O error")

        event.listen(engine, "begin", broken)
        told.clear()
        answers = await asyncio.gather(*(actions.post_comment() for _ in range(5)), return_exceptions=True)
        assert [answer.code for answer in answers if isinstance(answer, Problem)] == [ErrorCode.unavailable] * 5
        assert [one for batch in told for one in batch] == []
        assert [comment.id for comment in await listed(actions.store)] == [said.comment.id]
        event.remove(engine, "begin", broken)
        assert (await actions.post_comment()).seq == 2


async def test_a_connection_that_was_lost_is_made_anew(tmp_path: Path) -> None:
    async with heard(tmp_path / "store.db") as (actions, _):
        await actions.post_comment()
        actions.store.database.write.engine.dispose()
        assert (await actions.post_comment()).seq == 2


# ---- announcing and answering ---------------------------------------------------------------------------


async def test_events_are_announced_after_the_commit_and_before_any_answer(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    answers: list[asyncio.Future[object]] = []
    told: list[CommittedEvent] = []

    def committed(events: list[CommittedEvent]) -> None:
        assert not any(answer.done() for answer in answers), "somebody was answered before all were told"
        stored = planted_texts(tmp_path / "store.db")
        assert len(stored) == len(events) == len(answers), "it was announced before it was durable"
        told.extend(events)

    store.start(committed)
    actions = StoreActions(store)
    waiting = [store.write_queue.submit(PostComment(actions.draft(key=key))) for key in (HERE, THERE, HERE)]
    for one in waiting:
        answers.append(one.send(None))
    await asyncio.wait(awaitable(answers))
    assert [(one.key, one.event.seq) for one in told] == [(HERE, 1), (THERE, 1), (HERE, 2)]
    for one in waiting:
        with pytest.raises(StopIteration):
            one.send(None)
    await store.close()


def awaitable(answers: list[asyncio.Future[object]]) -> list[asyncio.Future[object]]:
    """Futures that a coroutine driven by hand has given out are marked as awaited by it."""
    for answer in answers:
        answer._asyncio_future_blocking = False
    return answers


def planted_texts(path: Path) -> list[str]:
    connection = sqlite3.connect(path)
    try:
        return [row[0] for row in connection.execute("SELECT text FROM comment")]
    finally:
        connection.close()


async def test_an_announcement_that_fails_costs_nobody_the_answer(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")

    def committed(_events: list[CommittedEvent]) -> None:
        raise RuntimeError("nobody listens")

    store.start(committed)
    actions = StoreActions(store)
    assert [said.seq for said in await asyncio.gather(*(actions.post_comment() for _ in range(5)))] == [1, 2, 3, 4, 5]
    assert (await actions.post_comment()).seq == 6
    await store.close()


# ---- callers that go ------------------------------------------------------------------------------------


async def test_what_is_cancelled_before_its_batch_is_not_done(store: Store, actions: StoreActions) -> None:
    tasks = [asyncio.create_task(actions.post_comment(str(number))) for number in range(6)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [comment.text for comment in await listed(store)] == ["1", "3", "5"]
    assert [task.cancelled() for task in tasks] == [True, False] * 3


async def test_what_is_cancelled_in_its_batch_is_done_and_harms_nobody(store: Store, actions: StoreActions) -> None:
    tasks: list[asyncio.Task[object]] = []

    def cancels(_connection: Connection) -> CommandResult[object]:
        tasks[0].cancel()
        return CommandResult(None)

    tasks += [asyncio.create_task(actions.post_comment("0")), asyncio.create_task(actions.do(Custom(cancels)))]
    tasks.append(asyncio.create_task(actions.post_comment("2")))
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [task.cancelled() for task in tasks] == [True, False, False]
    assert [comment.text for comment in await listed(store)] == ["0", "2"]
    assert (await actions.post_comment()).seq == 3


async def test_readers_that_go_in_the_middle_harm_nobody(store: Store, actions: StoreActions) -> None:
    await actions.post_comment()
    for turns in range(12):
        tasks = [asyncio.create_task(listed(store)) for _ in range(8)]
        for _ in range(turns):
            await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        assert all(isinstance(one, list) for one in found[1::2])
    assert len(await asyncio.gather(*(listed(store) for _ in range(8)))) == 8


# ---- beginning and ending -------------------------------------------------------------------------------


async def test_closing_commits_what_waits(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    store = await Store.open(url)
    store.start()
    actions = StoreActions(store)
    tasks = [asyncio.create_task(actions.post_comment(str(number))) for number in range(200)]
    await asyncio.sleep(0)
    await store.close()
    assert sorted(task.result().seq or 0 for task in tasks) == list(range(1, 201))
    reopened = await Store.open(url)
    assert len(await listed(reopened)) == 200
    await reopened.close()


async def test_a_command_that_comes_while_it_closes_is_answered(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    actions = StoreActions(store)
    late: list[asyncio.Task[PostResult]] = []

    def committed(_events: list[CommittedEvent]) -> None:
        late.append(asyncio.create_task(actions.post_comment("late")))

    store.start(committed)
    first = asyncio.create_task(actions.post_comment("first"))
    await asyncio.sleep(0)
    await store.close()
    assert (await first).seq == 1
    await until(lambda: late and all(task.done() for task in late), "the late ones")
    for task in late:
        assert isinstance(task.exception(), Problem) or task.result().seq


async def test_nothing_is_written_before_the_start_and_after_the_end(tmp_path: Path) -> None:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path / 'store.db'}")
    actions = StoreActions(store)
    with pytest.raises(Problem, match="unavailable"):
        await actions.post_comment()
    store.start()
    assert (await actions.post_comment()).seq == 1
    await store.close()
    with pytest.raises(Problem, match="unavailable"):
        await actions.post_comment()
    await store.write_queue.close()


async def test_more_than_can_wait_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write_queue, "QUEUE", 3)
    small = WriteQueue(store.database.write)
    small.start(lambda events: None)
    tasks = [asyncio.create_task(small.submit(Custom(lambda _: CommandResult(1)))) for _ in range(5)]
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert answers[:3] == [1, 1, 1]
    refused = [answer for answer in answers[3:] if isinstance(answer, Problem)]
    assert [(problem.code, problem.retry_after) for problem in refused] == [(ErrorCode.unavailable, 1)] * 2
    await small.close()
