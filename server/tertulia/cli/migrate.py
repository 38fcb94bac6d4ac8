"""``tertulia migrate``."""

from __future__ import annotations

from typing import Any

import click

from tertulia import settings
from tertulia.cli.options import DATABASE, SAMPLES, opened, setting_options
from tertulia.cli.running import coroutine
from tertulia.showcase import samples


@click.command()
@click.option("--with-samples", is_flag=True, help=SAMPLES)
@click.option(
    "--patience",
    type=click.FloatRange(0),
    metavar="NUMBER",
    default=0.0,
    help="Seconds to wait for a database that does not answer yet. [default: 0]",
)
@setting_options(*DATABASE, "articles")
@coroutine
async def migrate(with_samples: bool, patience: float, **flags: Any) -> None:
    """Bring the database to the newest schema; serve does so too."""
    chosen = settings.load(**flags)
    async with opened(chosen, patience) as store:
        click.echo("The database has the newest schema.")
        if with_samples:
            await samples.install(store, chosen.articles_dir)
