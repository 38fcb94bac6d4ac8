"""``tertulia import`` and ``tertulia export``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any

import click

from tertulia import settings, transfer
from tertulia.articles import Articles
from tertulia.cli.options import DATABASE, counted, opened, setting_options
from tertulia.cli.running import coroutine, print_line, reporter_of


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@setting_options(*DATABASE, "articles", "log_format")
@coroutine
async def import_(file: Path, **flags: Any) -> None:
    """Import articles and their comments from FILE; what is there already stays as it is.

    A file that needs more memory than there is is refused before it is read.
    """
    chosen = settings.load(**flags)
    with reporter_of(flags) as reporter:
        reporter(f"Reading {file}")
        async with opened(chosen) as store:
            imported = await transfer.import_file(store, chosen.articles_dir, transfer.read_file(file), reporter)
    for kept in imported.kept:
        print_line(chosen.log_format, "warning", kept)
    there = f"{imported.known:,} {'was' if imported.known == 1 else 'were'} there already"
    click.echo(f"Imported {counted(imported.comments, 'comment')} of {counted(imported.articles, 'article')}; {there}.")


@click.command()
@click.option("--site", default=None, help="One site only.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the terminal.")
@setting_options(*DATABASE, "articles", "log_format")
@coroutine
async def export(site: str | None, output: Path | None, **flags: Any) -> None:
    """Export articles and discussions in the format that import reads."""
    chosen = settings.load(**flags)
    articles = Articles(chosen.articles_dir, chosen.language, chosen.time_zone)
    with reporter_of(flags) as reporter:
        async with opened(chosen, opening="use") as store:
            with transfer.written(output) if output else nullcontext(_utf8_output()) as stream:
                await transfer.export(store, articles, site, stream.write, reporter)
                stream.flush()


def _utf8_output() -> IO[str]:
    """Standard output in UTF-8, as the format is, whatever the terminal's encoding."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout
