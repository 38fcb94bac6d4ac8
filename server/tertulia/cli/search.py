"""``tertulia search``."""

from __future__ import annotations

from typing import Any

import click

from tertulia.cli.options import DATABASE, setting_options, store_of
from tertulia.cli.running import coroutine, reporter_of
from tertulia.discussions.search import ForgetIndex


@click.group()
def search() -> None:
    """The index of comments that the search reads."""


@search.command("rebuild")
@setting_options(*DATABASE, "log_format")
@coroutine
async def search_rebuild(**flags: Any) -> None:
    """Empty the index and have it made again, by a server that runs or the next that starts with TERTULIA_SEARCH.

    Until it is done the search finds only a part; what waits is in: tertulia work list
    """
    with reporter_of(flags) as reporter:
        reporter("Emptying the index")
        async with store_of(flags) as store:
            await store.write(ForgetIndex())
    click.echo("The index is empty; a server with TERTULIA_SEARCH=true makes it again.")
