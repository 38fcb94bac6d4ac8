"""``tertulia doctor``."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import asdict
from typing import Any

import click

from tertulia import logs, settings
from tertulia.cli.options import GroupedCommand, setting_options
from tertulia.cli.running import coroutine
from tertulia.doctor import examine
from tertulia.errors import StartupError


@click.command(cls=GroupedCommand)
@click.argument("url", required=False)
@click.option("--page", metavar="ADDRESS", help="A page that embeds discussions: look at what its HTML says of them.")
@click.option("--quick", is_flag=True, help="Do not wait until connections have been idle, which takes half a minute.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
@setting_options()
@coroutine
async def doctor(url: str | None, page: str | None, quick: bool, as_json: bool, **flags: Any) -> None:
    """Look whether the server is set up rightly, through the proxy at URL; exit code 1 if something fails.

    URL is the address that readers use, by default that of --public-url. Each line says what was tried, what was found
    and what to do. Run it as the server's user, with its settings: nothing is changed.
    """
    chosen = settings.load(**flags)
    asked = (url or chosen.public_url or "").rstrip("/") or None
    if asked is not None and not re.fullmatch(r"https?://[^\s/?#@]+", asked):
        raise StartupError(f"{url!r} is not an address such as https://news.example")
    if page is not None and not re.match(r"https?://[^\s/?#@]+", page):
        raise StartupError(f"--page {page!r} is not an address such as https://news.example/articles/123")
    has_failed = False
    async for finding in examine(chosen, asked, page=page, quick=quick):
        has_failed |= finding.verdict == "fail"
        if as_json:
            click.echo(json.dumps(asdict(finding)))
            continue
        advice = f" To do: {finding.advice}." if finding.advice else ""
        click.echo(logs.printable(f"{finding.verdict:4}  {finding.tried}: {finding.found}{advice}"))
    if asked is None and page is None:
        click.echo("Nothing was asked over the network: name the address that readers use.", err=True)
    if has_failed:
        sys.exit(1)
