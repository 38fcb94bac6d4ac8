"""``tertulia snippet``."""

from __future__ import annotations

from typing import Any

import click

from tertulia import settings
from tertulia.cli.options import address_of, setting_options
from tertulia.cli.running import coroutine
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.pages import snippet


@click.command("snippet")
@click.option("--key", default=None, help="What the discussion is about. [default: the page's canonical address]")
@click.option("--site", default=DEFAULT_SITE, show_default=True, help="The site.")
@click.option("--sri", is_flag=True, help="Say which bytes the script has to have (subresource integrity).")
@setting_options("public_url", "host", "port", "language")
@coroutine
async def print_snippet(key: str | None, site: str, sri: bool, **flags: Any) -> None:
    """Print the HTML that puts a discussion into your page."""
    chosen = settings.load(**flags)
    base_url = address_of(chosen, chosen.host, chosen.port)
    html = snippet(base_url, site=site, key=key, language=chosen.language, pinned=sri)
    if chosen.public_url is None:
        click.echo("TERTULIA_PUBLIC_URL is not set; the address is one of this machine.", err=True)
    click.echo(html, nl=False)
