"""``tertulia words``."""

from __future__ import annotations

from typing import IO, Any

import click

from tertulia.cli.options import DATABASE, counted, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.core.words import Does, Entry, parse_entry, parse_list
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import utc_now
from tertulia.store import Store, queries
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import AddWords, Command, RemoveWord, ReplaceWords, WordsChanged

_ONE_OF_THEM = Problem(ErrorCode.invalid, "Give --import, --add or --remove, or none of them to see the list.")


@click.command()
@click.argument("site")
@click.option("--import", "file", type=click.File(encoding="utf-8-sig"), help="Add the entries of a file; - is a pipe.")
@click.option("--replace", is_flag=True, help="With --import: what is not in the file goes.")
@click.option("--add", "added", metavar="ENTRY", help="Add one entry.")
@click.option("--remove", "removed", metavar="ENTRY", help="Remove one entry.")
@click.option(
    "--list", "_listed", is_flag=True, help="Show the list, as --import reads it: what it does without others."
)
@setting_options(*DATABASE)
@coroutine
async def words(
    site: str,
    file: IO[str] | None,
    replace: bool,
    added: str | None,
    removed: str | None,
    _listed: bool,
    **flags: Any,
) -> None:
    """Words that are not said at SITE; a running server looks for others a second later.

    An entry is a word, several words, *part* or =Exact, then refuse or suspect (without either: suspect), then # and a
    note. docs/moderating.md says what is found by each.
    """
    command = _command(site, file, replace, added, removed)
    async with store_of(flags, read_only=command is None) as store:
        if command is None:
            await _list(store, site)
            return
        changed = await store.write(command)
    click.echo(f"{site}: {counted(changed.set, 'word')} added or changed, {changed.removed:,} removed")


def _command(
    site: str, file: IO[str] | None, replace: bool, added: str | None, removed: str | None
) -> Command[WordsChanged] | None:
    """Raises invalid, malformed."""
    match file, added, removed:
        case None, None, None if not replace:
            return None
        case None, str(), None if not replace:
            return AddWords(OPERATOR, site, (parse_entry(added),), utc_now())
        case None, None, str() if not replace:
            return RemoveWord(OPERATOR, site, parse_entry(removed).text, utc_now())
        case _, None, None if file is not None:
            of = ReplaceWords if replace else AddWords
            return of(OPERATOR, site, tuple(parse_list(_lines(file))), utc_now())
    raise _ONE_OF_THEM


def _lines(file: IO[str]) -> list[str]:
    """Raises malformed."""
    try:
        return file.read().splitlines()
    except UnicodeDecodeError as error:
        raise Problem(ErrorCode.malformed, "The file is not in UTF-8.", field="import") from error


async def _list(store: Store, site: str) -> None:
    for listed in await store.read(queries.words, site):
        click.echo(_line(listed.entry))


def _line(entry: Entry) -> str:
    does = f" {entry.does}" if entry.does is not Does.suspect else ""
    return f"{entry.text}{does}" + (f" # {entry.note}" if entry.note else "")
