"""``tertulia epoch``."""

from __future__ import annotations

from typing import Any

import click

from tertulia.cli.options import DATABASE, Group, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.store import administration


@click.group(cls=Group)
def epoch() -> None:
    """The epoch: what a reader's cursor belongs to."""


@epoch.command("renew")
@setting_options(*DATABASE)
@coroutine
async def epoch_renew(**flags: Any) -> None:
    """Give a restored database a new epoch; run it after a restore, before any server starts.

    Seqs given since the backup are given again, to other events. With a new epoch no cursor from before is
    continued: every reader is told to read anew.
    """
    async with store_of(flags) as store:
        await store.write(administration.RenewEpoch())
    click.echo("The database has a new epoch; every reader will read its discussion anew.")
