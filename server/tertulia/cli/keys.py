"""``tertulia key``."""

from __future__ import annotations

import click

from tertulia.cli.running import coroutine, print_line
from tertulia.core.keys import explained, is_unrendered
from tertulia.core.text import clean_key


@click.group()
def key() -> None:
    """Keys: what names a discussion."""


@key.command("canonical")
@click.argument("given", metavar="KEY")
@coroutine
async def key_canonical(given: str) -> None:
    """Print the form of KEY that a new discussion gets, and which rule changed what; no database is asked.

    All addresses of one form lead to one discussion. What a database holds already keeps the key it has.
    """
    clean_key(given)
    first, *steps = explained(given)
    click.echo(first.key)
    for step in steps:
        click.echo(f"  {step.why}:\n    {step.key}")
    click.echo([first, *steps][-1].key)
    if is_unrendered(given):
        said = "This looks like what a template left behind, the same on every page: give each page a key of its own."
        print_line("text", "warning", said)
