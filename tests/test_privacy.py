"""docs/privacy.md has every column that says something of a person, and how long it is kept."""

from __future__ import annotations

import re
from pathlib import Path

from tertulia.store import schema

PAGE = Path(__file__).parents[1] / "docs/privacy.md"
COUNTED = "a number or a mark of a discussion"
NUMBER = "a number of the database"
OF_NOBODY = {
    "meta": "names of the database itself",
    "site": "what an owner set",
    "discussion": "the page, which has a row of its own on that page of the documents",
    "key_alias": "keys of discussions",
    "thread": COUNTED,
    "cursor": "how far the log was read",
    "search_entry": "which comments the index has; its words have a row of their own",
    "hook": "what an owner set",
    "word": "what an owner set",
    "review.site_id": NUMBER,
    "review.queue": COUNTED,
    "review.rank": COUNTED,
    "review.since": COUNTED,
    "review.weight": COUNTED,
    "review.kept_at": COUNTED,
    "review.approved_at": COUNTED,
    "review.closed_at": COUNTED,
    "ban.id": NUMBER,
    "ban.site_id": NUMBER,
    "task": "ids of what is to be done: whoever does it reads what is true then",
    "issuer": "what an owner set",
    "site_token": "programs of a site",
    "comment.id": NUMBER,
    "comment.root_id": NUMBER,
    "comment.published": COUNTED,
    "comment.up": COUNTED,
    "comment.down": COUNTED,
    "comment.reply_count": COUNTED,
    "comment.pinned": COUNTED,
    "event.discussion_id": NUMBER,
    "event.seq": NUMBER,
    "event.kind": COUNTED,
    "report.id": NUMBER,
    "report.open": "whether moderators have it in their list",
    "session.id": NUMBER,
    "signin.site_id": NUMBER,
    "signin.provider": "what an owner set",
    "signin.expires_at": "the minute at which it is over",
    "signin_code.site_id": NUMBER,
    "signin_code.expires_at": "the minute at which it is over",
    "challenge.id": NUMBER,
    "challenge.site_id": NUMBER,
    "action.id": NUMBER,
    "action.site_id": NUMBER,
    "action.discussion_id": NUMBER,
    "action.undoes": NUMBER,
}
"""Tables and columns that say nothing of anybody, and what they have instead."""


def _rows() -> list[tuple[set[str], str]]:
    """The columns of each row of the page, and for how long they are kept."""
    lines = PAGE.read_text("utf-8").split("### Column by column")[1].splitlines()
    told = [line.split(" | ") for line in lines if line.startswith("| `")]
    return [(set(re.findall(r"`([a-z_]+\.[a-z_]+)`", cells[0])), cells[-1].strip(" |")) for cells in told]


def test_every_column_is_on_the_page_or_of_nobody() -> None:
    stored = {f"{table.name}.{column.name}" for table in schema.metadata.sorted_tables for column in table.columns}
    told = [column for columns, _ in _rows() for column in columns]
    assert len(told) == len(set(told)), "each has one time for which it is kept"
    assert set(told) <= stored, "a column that is not there any more"
    silent = {column for column in stored - set(told) if column.partition(".")[0] not in OF_NOBODY}
    assert silent == {column for column in OF_NOBODY if "." in column}


def test_every_row_says_for_how_long() -> None:
    assert all(columns and kept for columns, kept in _rows())


def test_what_is_of_nobody_is_there() -> None:
    tables = schema.metadata.tables
    for name in OF_NOBODY:
        table, _, column = name.partition(".")
        assert table in tables
        assert not column or column in tables[table].columns, name
