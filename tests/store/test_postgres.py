"""PostgreSQL with several instances, and what each of its faults costs: never what was answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import asyncpg  # type: ignore[import-untyped]
import pytest
from sqlalchemy import Connection, text
from sqlalchemy.util import await_only

from tertulia.checks import check
from tertulia.core.comments import Author, DiscussionKey, Sort
from tertulia.core.ids import uuid7
from tertulia.core.roles import Role
from tertulia.errors import ErrorCode, Problem
from tertulia.store import Store, database, postgresql, queries
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import Command, CommandResult, Invite, PostResult, TakeRole
from tertulia.store.commands.staff import end_staff_sessions
from tertulia.store.connections import READ_CONNECTIONS
from tertulia.store.write_queue import ATTEMPTS
from tests.support.postgres import Postgres, running_postgres
from tests.support.store_actions import EVA, HERE, LAN, MINH, START, THERE, Custom, StoreActions, actor, listed, log
from tests.support.waiting import until


@pytest.fixture
async def name(postgres: Postgres) -> AsyncIterator[str]:
    """An empty database."""
    made = await postgres.create(migrated=False)
    yield made
    await postgres.drop(made)


@asynccontextmanager
async def instance(address: str) -> AsyncIterator[StoreActions]:
    store = await Store.open(address)
    store.start()
    try:
        yield StoreActions(store)
    finally:
        await store.close()


@asynccontextmanager
async def instances(address: str, count: int) -> AsyncIterator[list[StoreActions]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(instance(address)) for _ in range(count)]


async def is_waiting(postgres: Postgres, name: str) -> bool:
    """Whether a transaction of this database waits for another one's lock."""
    connection = await asyncpg.connect(postgres.address(name).replace("+asyncpg", ""))
    try:
        query = "SELECT count(*) FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'"
        return bool(await connection.fetchval(query, name))
    finally:
        await connection.close()


# ---- many instances -------------------------------------------------------------------------------------


async def test_instances_that_start_at_once_migrate_once(postgres: Postgres, name: str) -> None:
    stores = await asyncio.gather(*(Store.open(postgres.address(name)) for _ in range(6)))
    assert len({store.epoch for store in stores}) == 1
    assert await stores[0].read(queries.sites) == {"default": []}
    for store in stores:
        await store.close()


async def test_two_instances_number_as_one(postgres: Postgres, name: str) -> None:
    async with instances(postgres.address(name), 2) as (one, other):
        await one.begin()
        key = uuid7()
        same = [actions.post(actions.draft("Once", by=EVA, idempotency_key=key)) for actions in (one, other) * 10]
        said = await asyncio.gather(
            *same, *(actions.post_comment(by=by) for actions, by in ((one, LAN), (other, MINH)) * 40)
        )
        assert len({(answer.comment.id, answer.seq) for answer in said[:20]}) == 1
        assert {answer.seq for answer in said} == set(range(1, 82))
        assert [event.seq for event in await log(other.store)] == list(range(1, 82))
        assert await check(other.store) == []


async def test_batches_that_meet_in_many_discussions_do_not_block_each_other(postgres: Postgres, name: str) -> None:
    keys = [DiscussionKey("default", f"key {number}") for number in range(12)]
    async with instances(postgres.address(name), 3) as all_actions:
        await all_actions[0].begin()
        voters = [Author(uuid7(), f"Voter {number}") for number in range(5)]
        roots = [await all_actions[0].post_comment(key=key) for key in keys]

        async def busy(actions: StoreActions, order: list[int]) -> None:
            await asyncio.gather(
                *(actions.post_comment(key=keys[number], parent=roots[number], by=MINH) for number in order)
            )
            await asyncio.gather(
                *(actions.vote(roots[number].comment.id, actor(voter), 1) for number in order for voter in voters)
            )

        forward = list(range(12))
        await asyncio.gather(*(busy(actions, order) for actions in all_actions for order in (forward, forward[::-1])))
        for root, key in zip(roots, keys, strict=True):
            found = {comment.id: comment for comment in await listed(all_actions[1].store, key)}
            assert (found[root.comment.id].up, found[root.comment.id].reply_count) == (5, 6)
        assert await check(all_actions[2].store) == []


def _end_sessions(author_id: str, connection: Connection) -> CommandResult[None]:
    end_staff_sessions(connection, author_id, START)
    return CommandResult(None)


@pytest.mark.parametrize("first", ["taken", "given"])
async def test_who_gives_a_role_and_who_takes_the_last_one_wait_for_each_other(
    postgres: Postgres, name: str, first: str
) -> None:
    """Else a role would be left without its person."""
    commands: dict[str, Command[Any]] = {
        "taken": TakeRole(OPERATOR, "Mai", None, Role.owner, START),
        "given": Invite(OPERATOR, "Mai", None, Role.moderator, "b" * 64, START),
    }
    done, go_on = asyncio.Event(), asyncio.Event()

    def slowly(connection: Connection) -> CommandResult[Any]:
        result = commands[first].apply(connection)
        done.set()
        await_only(go_on.wait())
        return result

    async with instances(postgres.address(name), 2) as (one, other), asyncio.TaskGroup() as group:
        invited = await one.store.write(Invite(OPERATOR, "Mai", None, Role.owner, "a" * 64, START))
        # nothing of theirs is open that both would end, and so meet at
        await one.store.write(Custom(partial(_end_sessions, invited.author_id)))
        group.create_task(one.store.write(Custom(slowly)))
        await done.wait()
        [second] = {"taken", "given"} - {first}
        group.create_task(other.store.write(commands[second]))
        try:
            await until(lambda: is_waiting(postgres, name), "the second to wait for the first")
        finally:
            go_on.set()
    async with instance(postgres.address(name)) as actions:
        assert await check(actions.store) == []
        assert [held.role for held in await actions.store.read(queries.staff_of, None)] == ["moderator"]


async def test_votes_through_many_instances_are_all_counted(postgres: Postgres, name: str) -> None:
    """Each reads the number and writes one more: without a lock some would be lost."""
    async with instances(postgres.address(name), 3) as all_actions:
        said = await all_actions[0].post_comment()
        voters = [actor(Author(uuid7(), f"Voter {number}")) for number in range(60)]
        await asyncio.gather(
            *(all_actions[number % 3].vote(said.comment.id, voter, 1) for number, voter in enumerate(voters))
        )
        assert [comment.up for comment in await listed(all_actions[0].store)] == [60]
        assert await check(all_actions[1].store) == []


async def test_instances_that_make_the_same_discussions_at_once(postgres: Postgres, name: str) -> None:
    keys = [DiscussionKey("default", f"key {number}") for number in range(10)]
    async with instances(postgres.address(name), 3) as all_actions:
        said = await asyncio.gather(
            *(actions.post_comment(key=key) for actions in all_actions for key in keys),
            *(actions.post_comment(key=key) for actions in all_actions for key in keys[::-1]),
        )
        assert sorted(answer.seq or 0 for answer in said) == sorted(list(range(1, 7)) * 10)
        assert await check(all_actions[0].store) == []


async def test_a_slow_commit_is_skipped_by_nobody(postgres: Postgres, name: str) -> None:
    """With a global number the second commit would be read first, and the first never."""
    async with instances(postgres.address(name), 2) as (one, other):
        await one.post_comment()
        await one.post_comment(key=THERE)
        slow = await asyncpg.connect(postgres.address(name).replace("+asyncpg", ""))
        transaction = slow.transaction()
        await transaction.start()
        await slow.execute("UPDATE discussion SET seq = seq + 1 WHERE key = $1", HERE.key)
        waits = asyncio.create_task(other.post_comment())
        while not await is_waiting(postgres, name):
            assert not waits.done()
        assert (await one.post_comment(key=THERE)).seq == 2, "other discussions go on"
        assert [event.seq for event in await log(one.store)] == [1]
        await transaction.rollback()
        await slow.close()
        assert (await waits).seq == 2
        assert [event.seq for event in await log(one.store)] == [1, 2]


# ---- faults ---------------------------------------------------------------------------------------------


async def tried_until_said(actions: StoreActions, key: str, by: Author = LAN) -> PostResult:
    """Posts again with the same key as long as the answer is "unavailable", as clients do."""
    draft = actions.draft(f"Said with {key}", by=by, idempotency_key=key)
    while True:
        try:
            return await actions.post(draft)
        except Problem as problem:
            if problem.code is not ErrorCode.unavailable:
                raise
            await asyncio.sleep(0.01)


async def test_connections_that_end_at_any_moment_lose_and_double_nothing(postgres: Postgres, name: str) -> None:
    async with instances(postgres.address(name), 2) as both:
        await both[0].begin()
        writing = [
            asyncio.create_task(tried_until_said(actions, f"{'key' * 6} {number}", by))
            for number in range(150)
            for actions, by in zip(both, (LAN, MINH), strict=True)
        ]
        for some in range(0, 300, 12):
            await until(lambda some=some: sum(task.done() for task in writing) >= some, "some posts")  # type: ignore[misc]
            await postgres.end_connections(name)
        answered = {(await task).comment.id for task in writing}
        assert len(answered) == 300
        assert {comment.id for comment in await listed(both[0].store)} == answered
        assert await check(both[1].store) == []


async def test_a_commit_whose_answer_is_lost_is_found_by_its_key(
    postgres: Postgres, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with instance(postgres.address(name)) as actions:
        await actions.post_comment()
        transact = actions.store.database.write.transact

        async def cut(work: object) -> object:
            await transact(work)  # type: ignore[arg-type]
            raise ConnectionResetError("between COMMIT and its answer")

        draft = actions.draft("Once", idempotency_key=uuid7())
        with monkeypatch.context() as patch:
            patch.setattr(actions.store.database.write, "transact", cut)
            with pytest.raises(Problem) as unknown:
                await actions.post(draft)
        assert unknown.value.code is ErrorCode.unavailable
        again = await actions.post(draft)
        assert (again.seq, again.repeated) == (2, True)
        assert [comment.text for comment in await listed(actions.store)] == ["Something", "Once"]
        assert await check(actions.store) == []


@pytest.mark.parametrize("times", [1, ATTEMPTS - 1, ATTEMPTS])
async def test_a_batch_that_met_anothers_is_tried_again(postgres: Postgres, name: str, times: int) -> None:
    class Deadlock(Exception):
        sqlstate = "40P01"

    left = times

    def meets(_connection: object) -> CommandResult[str]:
        nonlocal left
        if left:
            left -= 1
            raise Deadlock
        return CommandResult("done")

    async with instance(postgres.address(name)) as actions:
        answers = await asyncio.gather(
            actions.post_comment(), actions.do(Custom(meets)), actions.post_comment(), return_exceptions=True
        )
        if times < ATTEMPTS:
            assert [getattr(answer, "seq", answer) for answer in answers] == [1, "done", 2]
        else:
            assert [getattr(answer, "code", None) for answer in answers] == [ErrorCode.unavailable] * 3
        assert await check(actions.store) == []


@pytest.fixture
def own() -> Iterator[Postgres]:
    """A server that the test may crash."""
    with running_postgres() as server:
        yield server


async def test_a_database_that_crashes_keeps_what_was_answered(own: Postgres) -> None:
    async with instance(own.address()) as actions:
        await actions.begin()
        answered: list[str] = []

        async def write(number: int) -> None:
            answered.append((await tried_until_said(actions, f"{'key' * 6} {number}")).comment.id)

        writing = [asyncio.create_task(write(number)) for number in range(300)]
        await until(lambda: len(answered) > 50, "fifty answers")
        await asyncio.to_thread(own.crash)
        with pytest.raises(Problem) as read:
            await actions.store.read(queries.snapshot, HERE, sort=Sort.oldest, limit=50, viewer=None)
        assert read.value.code is ErrorCode.unavailable
        assert read.value.retry_after
        with pytest.raises(Problem) as written:
            await actions.post_comment()
        assert written.value.code is ErrorCode.unavailable
        await asyncio.to_thread(own.start_again)
        await asyncio.gather(*writing)
        assert len(set(answered)) == 300
        assert {comment.id for comment in await listed(actions.store)} == set(answered)
        assert await check(actions.store) == []


async def test_more_readers_than_connections_are_told_to_come_back(
    postgres: Postgres, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tertulia.store.connections.POOL_SECONDS", 0.05)
    held: asyncio.Queue[None] = asyncio.Queue()
    released = asyncio.Event()

    async def hold() -> None:
        held.put_nowait(None)
        await released.wait()

    async with instance(postgres.address(name)) as actions, asyncio.TaskGroup() as group:
        for _ in range(READ_CONNECTIONS):
            group.create_task(actions.store.read(lambda connection: await_only(hold())))
        for _ in range(READ_CONNECTIONS):
            await held.get()
        with pytest.raises(Problem) as busy:
            await actions.store.read(queries.discussion, HERE)
        assert busy.value.code is ErrorCode.unavailable
        released.set()


async def test_migrations_and_work_on_a_whole_database_have_all_the_time_they_need(
    postgres: Postgres, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other statements end after a while: whoever asked has gone."""

    def slowly(connection: Connection) -> None:
        connection.execute(text("SELECT pg_sleep(0.6)"))
        connection.commit()
        migrate(connection)

    migrate = database.migrate
    monkeypatch.setattr(postgresql, "COMMAND_SECONDS", 0.3)
    monkeypatch.setattr(database, "migrate", slowly)
    store = await Store.open(postgres.address(name))
    with pytest.raises(TimeoutError):
        await store.database.write.run(slowly)
    await store.close()
    unbounded = await Store.open(postgres.address(name), timeouts=False)
    await unbounded.database.write.run(slowly)
    await unbounded.database.read.run(lambda connection: connection.execute(text("SELECT pg_sleep(0.6)")))
    await unbounded.close()
