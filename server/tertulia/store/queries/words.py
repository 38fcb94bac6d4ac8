"""The words that are not said at a site."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, exists, select

from tertulia.core.words import Does, Entry
from tertulia.store import schema
from tertulia.store.mapping import to_datetime
from tertulia.store.roles import site_id_of

_w, _s = schema.word.c, schema.site.c


class ListedWord(NamedTuple):
    """An entry, who put it there and when."""

    entry: Entry
    by: str
    at: datetime


class WordList(NamedTuple):
    """The list of a site, and the version of the site that it is of."""

    version: int
    entries: list[Entry]


def words(connection: Connection, site: str) -> list[ListedWord]:
    """The list of a site, in the order of its letters. Raises unknown_site."""
    query = select(_w.entry, _w.does, _w.note, _w.by, _w.at).where(_w.site_id == site_id_of(connection, site))
    found = [
        ListedWord(Entry(row.entry, Does(row.does), row.note), row.by, to_datetime(row.at))
        for row in connection.execute(query)
    ]
    return sorted(found, key=lambda one: one.entry.text)


def word_versions(connection: Connection) -> dict[str, int]:
    """The sites that have a list, each with its version."""
    query = select(_s.key, _s.version).where(exists().where(_w.site_id == _s.id))
    return {row.key: row.version for row in connection.execute(query)}


def word_list(connection: Connection, site: str) -> WordList:
    """What is looked for at a site. Raises unknown_site."""
    query = select(_s.version, _w.entry, _w.does).join_from(schema.site, schema.word, isouter=True)
    found = connection.execute(query.where(_s.id == site_id_of(connection, site))).all()
    entries = [Entry(row.entry, Does(row.does)) for row in found if row.entry is not None]
    return WordList(found[0].version, entries)
