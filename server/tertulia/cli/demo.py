"""``tertulia demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tertulia.cli.options import Group
from tertulia.cli.running import coroutine
from tertulia.showcase.demo import Options, demonstrate


@click.group(cls=Group)
def demo() -> None:
    """Demonstrations on this machine, with real servers."""


@demo.command("cluster")
@click.option("--instances", type=click.IntRange(2, 6), default=3, show_default=True, help="How many instances.")
@click.option(
    "--port",
    type=click.IntRange(1, 65_500),
    default=8080,
    show_default=True,
    help="Port of the page; load balancers follow.",
)
@click.option("--rate", type=click.FloatRange(0.1, 20), default=1.0, show_default=True, help="Comments a second.")
@click.option(
    "--evening",
    type=click.FloatRange(0, 600),
    default=40.0,
    show_default=True,
    help="Comments a minute under each of three articles, for the moderators' desk; 0 is none.",
)
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="A folder that stays afterwards.")
@coroutine
async def demo_cluster(**options: Any) -> None:
    """Instances on one PostgreSQL and one Redis, a page to watch them, and buttons that kill them; until Ctrl+C.

    Meanwhile people write under three articles and report each other, for whoever tries the moderators' desk.
    """
    await demonstrate(Options(**options), click.echo)
