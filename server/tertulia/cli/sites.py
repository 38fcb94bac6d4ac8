"""``tertulia site``."""

from __future__ import annotations

from typing import Any

import click

from tertulia.cli.options import DATABASE, Group, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.identity import utc_now
from tertulia.store import administration, queries
from tertulia.web.origins import checked_origins


@click.group(cls=Group)
def site() -> None:
    """Sites that share this server, each with the origins that may use it."""


@site.command("add")
@click.argument("key")
@click.option("--origin", "origins", multiple=True, help="An origin such as https://news.example; may be repeated.")
@setting_options(*DATABASE)
@coroutine
async def site_add(key: str, origins: tuple[str, ...], **flags: Any) -> None:
    """Add the site KEY, or give it other origins; a running server knows it within seconds."""
    checked = checked_origins(origins)
    async with store_of(flags) as store:
        await store.write(administration.AddSite(key, checked, utc_now()))
    click.echo(f"Site {key}: {', '.join(checked) or 'no origin besides the server itself'}")


@site.command("list")
@setting_options(*DATABASE)
@coroutine
async def site_list(**flags: Any) -> None:
    """List the sites and their origins."""
    async with store_of(flags, read_only=True) as store:
        for key, origins in sorted((await store.read(queries.sites)).items()):
            click.echo(f"{key}\t{' '.join(origins)}")
