"""Tasks: made once a name, taken by one, done once, tried again; on both databases."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import Connection, select, update

from tertulia.core.comments import DiscussionKey
from tertulia.store import Store, followers, schema, tasks
from tertulia.store.administration import ChangeSiteRules
from tertulia.store.challenges import AskForCode
from tertulia.store.commands import Command, CommandResult
from tertulia.store.followers import FollowDiscussions
from tertulia.store.tasks import (
    AddPeriodic,
    Claimed,
    ClaimTasks,
    CompleteTask,
    FailTask,
    LeaseLostError,
    ProlongLeases,
    ReleaseTasks,
    RetryTasks,
)
from tests.support import tables
from tests.support.store_actions import HERE, START, THERE, Custom, StoreActions

MAIL = {"mail": 10}


async def make(store: Store, *names: str | None, queue: str = "mail", delay: int = 0) -> None:
    def enqueue(connection: Connection) -> CommandResult[None]:
        for number, name in enumerate(names):
            tasks.enqueue(connection, queue, {"number": number}, name=name, delay=delay)
        return CommandResult(None)

    await store.write(Custom(enqueue))


async def claim(store: Store, **free: int) -> list[Claimed]:
    return await store.write(ClaimTasks(free or MAIL))


async def rows(store: Store) -> list[dict[str, Any]]:
    return await tables.rows(store, select(schema.task).order_by(schema.task.c.id))


async def change(store: Store, **values: Any) -> None:
    """Changes all tasks, as time does."""
    await tables.execute(store, update(schema.task).values(**values))


async def let_leases_end(store: Store) -> None:
    await change(store, leased_until=1)


async def test_a_task_is_taken_once_and_gone_when_it_is_complete(store: Store) -> None:
    await make(store, None)
    assert set(await store.read(tasks.waiting, ["mail", "push"])) == {"mail"}
    [claimed] = await claim(store)
    assert (claimed.queue, claimed.payload, claimed.attempts) == ("mail", {"number": 0}, 1)
    assert await claim(store) == []
    assert await store.read(tasks.waiting, ["mail"]) == {}
    await store.write(CompleteTask(claimed))
    assert await rows(store) == []


async def test_what_is_due_later_is_not_taken_now(store: Store) -> None:
    await make(store, "later", delay=60_000)
    assert await store.read(tasks.waiting, ["mail"]) == {}
    assert await claim(store) == []


async def test_the_oldest_are_taken_first_and_no_more_than_there_is_room_for(store: Store) -> None:
    await make(store, "a", "b", "c")
    await make(store, "d", queue="push")
    assert [one.name for one in await claim(store, mail=2, push=5)] == ["a", "b", "d"]
    assert [one.name for one in await claim(store, mail=2, push=5)] == ["c"]


async def test_there_is_one_of_a_name_and_it_comes_no_later_than_was_asked(store: Store) -> None:
    await make(store, "digest", delay=60_000)
    await make(store, "digest", delay=90_000)
    assert await claim(store) == []
    await make(store, "digest")
    [claimed] = await claim(store)
    assert claimed.version == 3
    assert len(await rows(store)) == 1


async def test_a_task_without_a_name_is_one_of_many(store: Store) -> None:
    await make(store, None, None)
    assert len(await claim(store)) == 2


async def test_what_is_touched_while_it_is_done_is_due_again(store: Store) -> None:
    await make(store, "follow")
    [claimed] = await claim(store)
    await make(store, "follow")
    assert await claim(store) == []  # by nobody else meanwhile
    await store.write(CompleteTask(claimed))
    [again] = await claim(store)
    assert (again.version, again.attempts) == (2, 1)
    await store.write(CompleteTask(again))
    assert await rows(store) == []


async def test_an_effect_and_the_end_of_its_task_are_stored_together_or_not_at_all(store: Store) -> None:
    await make(store, "a", "b")
    first, second = await claim(store)

    def add(key: str) -> Custom[None]:
        def apply(connection: Connection) -> CommandResult[None]:
            connection.execute(schema.meta.insert().values(name=key, value="stored"))
            return CommandResult(None)

        return Custom(apply)

    await store.write(CompleteTask(first, add("first")))
    await let_leases_end(store)
    [taken] = await claim(store)
    with pytest.raises(LeaseLostError):
        await store.write(CompleteTask(second, add("second")))
    await store.write(CompleteTask(taken, add("taken")))

    def names(connection: Connection) -> set[str]:
        return set(connection.scalars(select(schema.meta.c.name)))

    assert {"first", "taken"} <= await store.read(names)
    assert "second" not in await store.read(names)
    assert await rows(store) == []


async def test_an_effect_that_is_refused_leaves_its_task(store: Store) -> None:
    await make(store, "a")
    [claimed] = await claim(store)

    def refuse(_connection: Connection) -> CommandResult[None]:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await store.write(CompleteTask(claimed, Custom(refuse)))
    assert [row["lease"] for row in await rows(store)] == [claimed.lease]


async def test_a_lease_that_ended_is_another_s(store: Store) -> None:
    await make(store, "a")
    [dead] = await claim(store)
    await let_leases_end(store)
    [alive] = await claim(store)
    assert alive.attempts == 2
    await store.write(FailTask(dead, "too late", None))  # changes nothing
    await store.write(ReleaseTasks((dead,)))
    with pytest.raises(LeaseLostError):
        await store.write(CompleteTask(dead))
    [row] = await rows(store)
    assert (row["lease"], row["dead_at"], row["attempts"]) == (alive.lease, None, 2)


async def test_a_prolonged_lease_does_not_end(store: Store) -> None:
    await make(store, "a")
    claimed = await claim(store)
    await let_leases_end(store)
    await store.write(ProlongLeases(tuple(claimed)))
    assert await claim(store) == []


async def test_what_is_released_is_due_at_once_and_was_no_attempt(store: Store) -> None:
    await make(store, "a")
    await store.write(ReleaseTasks(tuple(await claim(store))))
    [again] = await claim(store)
    assert again.attempts == 1


async def test_a_failed_task_waits_its_turn_although_it_is_touched(store: Store) -> None:
    await make(store, "a")
    [claimed] = await claim(store)
    await store.write(FailTask(claimed, "x" * 5_000, 60_000))
    await make(store, "a")
    assert await claim(store) == []
    [row] = await rows(store)
    assert (row["error"], row["lease"]) == ("x" * tasks.ERROR_CHARACTERS, None)
    await change(store, run_at=1)
    assert [one.attempts for one in await claim(store)] == [2]


async def test_a_dead_task_is_not_tried_until_somebody_asks(store: Store) -> None:
    await make(store, "a", "b")
    for claimed in await claim(store):
        await store.write(FailTask(claimed, "no such host", None))
    await make(store, "a")
    assert await claim(store) == []
    assert await store.read(tasks.waiting, ["mail"]) == {}
    assert await store.read(tasks.dead_counts) == {"mail": 2}
    found = await store.read(tasks.dead, 10)
    assert [(one.queue, one.attempts, one.error) for one in found] == [("mail", 1, "no such host")] * 2
    assert await store.write(RetryTasks(id=found[0].id)) == 1
    assert await store.write(RetryTasks(id=found[0].id)) == 0  # it is not dead any more
    assert await store.write(RetryTasks(queue="mail")) == 1
    assert [one.attempts for one in await claim(store)] == [1, 1]


async def test_periodic_work_has_one_task_that_stays(store: Store) -> None:
    assert await store.read(tasks.missing_periodic, ["sweep", "digest"]) == ["digest", "sweep"]
    await store.write(AddPeriodic(["sweep", "digest"]))
    assert await store.read(tasks.missing_periodic, ["sweep", "digest"]) == []
    [claimed] = await claim(store, sweep=5)
    await store.write(CompleteTask(claimed, again_in=3_600_000))
    assert await claim(store, sweep=5) == []
    await change(store, run_at=1)
    [again] = await claim(store, sweep=5)
    assert again.attempts == 1


async def test_periodic_work_that_is_asked_for_while_it_is_done_comes_at_once(store: Store) -> None:
    await store.write(AddPeriodic(["sweep"]))
    [claimed] = await claim(store, sweep=5)
    await make(store, tasks.PERIODIC + "sweep", queue="sweep")
    await store.write(CompleteTask(claimed, again_in=3_600_000))
    assert len(await claim(store, sweep=5)) == 1


# ---- two instances --------------------------------------------------------------------------------------


@pytest.fixture
async def other(database: str, store: Store) -> AsyncIterator[Store]:
    """Another instance on the same database."""
    opened = await Store.open(database)
    opened.start()
    yield opened
    await opened.close()


async def test_no_task_is_taken_twice_by_two_that_look_at_once(store: Store, other: Store) -> None:
    await make(store, *[None] * 60)
    taken: list[int] = []
    while found := await asyncio.gather(*(claim(one, mail=7) for one in (store, other) for _ in range(4))):
        batch = [claimed.id for claims in found for claimed in claims]
        if not batch:
            break
        taken += batch
    assert len(taken) == len(set(taken)) == 60


async def test_whoever_makes_a_task_wakes_the_workers(store: Store) -> None:
    woken: list[None] = []
    store.write_queue.on_tasks = lambda: woken.append(None)
    said = await StoreActions(store).post_comment()
    assert not woken, "there are no followers"
    code = AskForCode("c" * 36, "default", "a" * 64, "sealed", "b" * 64, "en", START)
    rules = ChangeSiteRules("default", lambda own: own.changed({"who": "all"}), START)
    commands: list[Command[Any]] = [code, rules, FollowDiscussions((1,))]
    for number, command in enumerate(commands, 1):
        await store.write(command)
        assert (len(woken), len(await rows(store))) == (number, number)
    await store.write(rules)
    assert len(woken) == 3, "nothing changed"
    store.write_queue.before_commit = followers.touch
    await StoreActions(store).post_comment(parent=said)
    assert len(woken) == 4


# ---- followers ------------------------------------------------------------------------------------------


async def test_events_touch_one_task_a_discussion_in_their_own_transaction(store: Store) -> None:
    store.write_queue.before_commit = followers.touch
    actions = StoreActions(store)
    await asyncio.gather(*(actions.post_comment(key=key) for key in (HERE, THERE, HERE, HERE)))
    await actions.post_comment()
    assert {row["name"] for row in await rows(store)} == {"follow:1", "follow:2"}
    taken = await claim(store, follow=5)
    await actions.post_comment()
    for claimed in taken:
        await store.write(CompleteTask(claimed))
    ids = {row["payload"]["discussion"] for row in await rows(store)}
    assert ids == {await discussion_id(store, HERE)}


async def test_a_store_without_followers_makes_no_task(store: Store) -> None:
    await StoreActions(store).post_comment()
    assert await rows(store) == []


async def test_a_cursor_moves_once_over_each_event(store: Store) -> None:
    actions = StoreActions(store)
    first = await actions.post_comment()
    await actions.post_comment()
    here = await discussion_id(store, HERE)
    read = await store.read(followers.next_events, "search", here)
    assert [(event.seq, event.kind) for event in read.events] == [(1, "comment.created"), (2, "comment.created")]
    assert read.events[0].comment_id == first.comment.id
    assert await store.read(followers.behind, "search", 0, 10) == [here]

    def move(connection: Connection) -> CommandResult[None]:
        followers.move_cursor(connection, "search", read)
        return CommandResult(None)

    await store.write(Custom(move))
    with pytest.raises(LeaseLostError):
        await store.write(Custom(move))
    assert (await store.read(followers.next_events, "search", here)).events == ()
    assert await store.read(followers.behind, "search", 0, 10) == []
    assert await store.read(followers.behind, "figures", 0, 10) == [here]  # has a cursor of its own
    await actions.post_comment()
    again = await store.read(followers.next_events, "search", here)
    assert (again.after, [event.seq for event in again.events]) == (2, [3])


async def discussion_id(store: Store, key: DiscussionKey) -> int:
    def read(connection: Connection) -> int:
        d = schema.discussion.c
        found: int = connection.execute(select(d.id).where(d.key == key.key)).scalar_one()
        return found

    return await store.read(read)
