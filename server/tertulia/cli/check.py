"""``tertulia check``."""

from __future__ import annotations

import sys
from typing import Any

import click

from tertulia.checks import Finding, search
from tertulia.cli.options import DATABASE, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.reporting import Reporter


@click.command()
@setting_options(*DATABASE)
@coroutine
async def check(**flags: Any) -> None:
    """Verify the database and print what is wrong; exit code 1 if anything is.

    Seqs without holes, counts and votes recounted, replies and their parents, visibility, events against tables.
    """
    found = 0

    def report(finding: Finding) -> None:
        nonlocal found
        found += 1
        click.echo(f"{finding.code}: {finding.where}: {finding.detail}")

    with Reporter(sys.stderr) as reporter:
        async with store_of(flags) as store:
            await search(store, report, reporter)
    if found:
        sys.exit(1)
    click.echo("Nothing is wrong.")
