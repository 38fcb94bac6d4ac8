"""``tertulia check``."""

from __future__ import annotations

import sys
from typing import Any

import click

from tertulia.checks import Finding, search
from tertulia.cli.options import DATABASE, counted, setting_options, store_of
from tertulia.cli.running import coroutine, reporter_of


@click.command()
@setting_options(*DATABASE, "log_format")
@coroutine
async def check(**flags: Any) -> None:
    """Verify the database and print what is wrong; exit code 1 if anything is.

    Seqs without holes, counts and votes recounted, replies and their parents, visibility, events against tables.
    The database is opened for reading only.
    """
    found = 0

    def report(finding: Finding) -> None:
        nonlocal found
        found += 1
        click.echo(f"{finding.code}: {finding.where}: {finding.detail}")

    with reporter_of(flags) as reporter:
        async with store_of(flags, read_only=True) as store:
            extent = await search(store, report, reporter)
    looked_at = ", ".join(counted(number, what) for what, number in extent.items())
    click.echo(f"{looked_at}: {'nothing is wrong' if not found else counted(found, 'finding')}.")
    if found:
        sys.exit(1)
