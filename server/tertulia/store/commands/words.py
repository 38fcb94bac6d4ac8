"""The words that are not said at a site: added, removed, or all of them replaced.

Each counts the version of the site, by which instances see that what they know is of before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, delete, select, update

from tertulia.core.words import ENTRIES, Entry, too_many
from tertulia.errors import ErrorCode, Problem
from tertulia.store import records, schema
from tertulia.store.actions import Action, By, Verb, record
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.mapping import milliseconds
from tertulia.store.roles import lock_site

MOST_NAMED = 20
"""Entries that a row of the log names; of an import it says how many there were."""
_w, _s = schema.word.c, schema.site.c


class WordsChanged(NamedTuple):
    """How many entries are new or say something else now, and how many are gone."""

    set: int
    removed: int


@dataclass(frozen=True, slots=True)
class AddWords(Command[WordsChanged]):
    """Adds entries; one that is there already says from now on what is given. Raises unknown_site, invalid."""

    by: By
    site: str
    entries: tuple[Entry, ...]
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[WordsChanged]:
        site_id = lock_site(connection, self.site)
        known = _entries(connection, site_id)
        added = _set(connection, site_id, self.entries, known, self.by, self.at)
        if len(known.keys() | {entry.text for entry in self.entries}) > ENTRIES:
            raise too_many()
        return _changed(connection, site_id, self.by, self.at, added, [])


@dataclass(frozen=True, slots=True)
class RemoveWord(Command[WordsChanged]):
    """Removes an entry, by its text. Raises unknown_site, not_found."""

    by: By
    site: str
    text: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[WordsChanged]:
        site_id = lock_site(connection, self.site)
        gone = delete(schema.word).where(_w.site_id == site_id, _w.entry == self.text)
        if not connection.execute(gone).rowcount:
            raise Problem(ErrorCode.not_found, f"The site's list has no {self.text}.", field="entry")
        return _changed(connection, site_id, self.by, self.at, [], [self.text])


@dataclass(frozen=True, slots=True)
class ReplaceWords(Command[WordsChanged]):
    """Makes these entries the whole list. Raises unknown_site, invalid."""

    by: By
    site: str
    entries: tuple[Entry, ...]
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[WordsChanged]:
        if len(self.entries) > ENTRIES:
            raise too_many()
        site_id = lock_site(connection, self.site)
        known = _entries(connection, site_id)
        removed = sorted(known.keys() - {entry.text for entry in self.entries})
        for text in removed:
            connection.execute(delete(schema.word).where(_w.site_id == site_id, _w.entry == text))
        added = _set(connection, site_id, self.entries, known, self.by, self.at)
        return _changed(connection, site_id, self.by, self.at, added, removed)


def _entries(connection: Connection, site_id: int) -> dict[str, Entry]:
    found = connection.execute(select(_w.entry, _w.does, _w.note).where(_w.site_id == site_id))
    return {row.entry: Entry(row.entry, row.does, row.note) for row in found}


def _set(
    connection: Connection, site_id: int, entries: Iterable[Entry], known: Mapping[str, Entry], by: By, at: datetime
) -> list[str]:
    """Writes those that are not known so already; their texts."""
    new = [entry for entry in entries if known.get(entry.text) != entry]
    if new:
        statement = records.insert_into(connection, schema.word)
        said = {name: statement.excluded[name] for name in ("does", "note", "by", "at")}
        statement = statement.on_conflict_do_update(index_elements=[_w.site_id, _w.entry], set_=said)
        common = {"site_id": site_id, "by": by.name, "at": milliseconds(at)}
        values = [{"entry": entry.text, "does": entry.does.value, "note": entry.note, **common} for entry in new]
        connection.execute(statement, values)
    return [entry.text for entry in new]


def _changed(
    connection: Connection, site_id: int, by: By, at: datetime, added: list[str], removed: list[str]
) -> CommandResult[WordsChanged]:
    """Counts the site's version and says in the log what was done, where anything was."""
    for verb, texts in ((Verb.add_word, added), (Verb.remove_word, removed)):
        if texts:
            data = {"words": texts[:MOST_NAMED], "count": len(texts)}
            record(connection, Action(by, verb, site_id, data=data), at)
    if added or removed:
        connection.execute(update(schema.site).where(_s.id == site_id).values(version=_s.version + 1))
    return CommandResult(WordsChanged(len(added), len(removed)))
