"""``tertulia work``."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import click

from tertulia.cli.options import DATABASE, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.errors import StartupError
from tertulia.store import tasks

LISTED = 100


@click.group()
def work() -> None:
    """Background work: tasks that wait, and those that failed too often."""


@work.command("list")
@click.option("--dead", is_flag=True, help="Only the tasks that failed too often and are not tried any more.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@setting_options(*DATABASE)
@coroutine
async def work_list(dead: bool, as_json: bool, **flags: Any) -> None:
    """List what waits in each queue, and the tasks that nobody tries any more, with the reason of the last failure."""
    async with store_of(flags) as store:
        queues = [] if dead else await store.read(tasks.summary)
        failed = await store.read(tasks.dead, LISTED)
    if as_json:
        for line in ({"queue": one.queue, "waiting": one.waiting, "due": one.due} for one in queues):
            click.echo(json.dumps(line))
        for task in failed:
            about = {"id": task.id, "queue": task.queue, "name": task.name, "attempts": task.attempts}
            click.echo(json.dumps(about | {"dead_at": _time(task.dead_at), "error": task.error}))
        return
    for one in queues:
        click.echo(f"{one.queue}: {one.waiting} waiting, {one.due} due")
    for task in failed:
        click.echo(
            f"{task.id} {task.queue}: given up {_time(task.dead_at)} after {_attempts(task.attempts)}: {task.error}"
        )
    if not queues and not failed:
        click.echo("Nothing has failed." if dead else "Nothing waits.")


@work.command("retry")
@click.argument("task_id", metavar="[ID]", type=int, required=False)
@click.option("--queue", help="All tasks of this queue that were given up.")
@setting_options(*DATABASE)
@coroutine
async def work_retry(task_id: int | None, queue: str | None, **flags: Any) -> None:
    """Have the task ID, or all of a queue, tried again that were given up; a server takes them within seconds."""
    if (task_id is None) == (queue is None):
        raise StartupError("Name one task, or a queue with --queue; see: tertulia work list")
    async with store_of(flags) as store:
        revived = await store.write(tasks.RetryTasks(task_id, queue))
    if not revived:
        raise StartupError("No such task was given up; see: tertulia work list --dead")
    click.echo(f"{revived} {'task is' if revived == 1 else 'tasks are'} tried again.")


def _attempts(count: int) -> str:
    return "one attempt" if count == 1 else f"{count} attempts"


def _time(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1_000, UTC).strftime("%Y-%m-%d %H:%M:%SZ")
