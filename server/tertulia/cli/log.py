"""``tertulia log``."""

from __future__ import annotations

from typing import Any

import click

from tertulia.cli.options import DATABASE, Group, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.errors import no_such_site
from tertulia.people.action_log import LINES, log_lines, moment
from tertulia.store import queries
from tertulia.store.actions import LogPage, log_page


@click.group(cls=Group)
def log() -> None:
    """The log of actions: who decided what, and when."""


@log.command("export")
@click.option("--site", metavar="KEY", help="Of one site; without it, of all.")
@click.option("--from", "since", metavar="DAY", help="From this day or moment on, such as 2026-11-24.")
@click.option("--to", "until", metavar="DAY", help="Before this day or moment.")
@setting_options(*DATABASE)
@coroutine
async def log_export(site: str | None, since: str | None, until: str | None, **flags: Any) -> None:
    """Write the log as JSON Lines, the newest action first."""
    span = moment(since, "from"), moment(until, "to")
    async with store_of(flags, read_only=True) as store:
        if site is not None and site not in await store.read(queries.sites):
            raise no_such_site()

        async def read(cursor: str | None) -> LogPage:
            return await store.read(log_page, site, LINES, cursor)

        async for lines in log_lines(read, *span):
            click.echo(lines, nl=False)
