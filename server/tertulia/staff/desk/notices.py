"""What one has done just now, told at the top of the page that comes next, with a form that undoes it.

The address names rows of the log of actions, and the page says what stands there: an address that somebody else made up
says nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from tertulia.store.actions import Recorded
from tertulia.store.commands import UNDOABLE

DID = "did"
"""The parameter, with ids between points."""


@dataclass(frozen=True, slots=True)
class Notice:
    """``verb`` is the same of all ``actions``; ``about`` is whom one is about, ``ban`` the one that was made."""

    verb: str
    count: int
    about: str | None
    reason: str
    undoable: list[Recorded]
    ban: str | None


def notices(done: Sequence[Recorded]) -> list[Notice]:
    """One of each verb, in the order in which they were done."""
    verbs: dict[str, list[Recorded]] = {}
    for one in done:
        verbs.setdefault(one.verb, []).append(one)
    return [
        Notice(
            verb,
            len(found),
            found[0].about if len(found) == 1 else None,
            found[0].reason,
            [one for one in found if one.verb in UNDOABLE and one.comment_id is not None],
            found[0].data.get("ban"),
        )
        for verb, found in verbs.items()
    ]


def named(given: str | None) -> list[str]:
    """The ids of an address."""
    return given.split(".") if given else []


def with_done(back: str, actions: Sequence[str]) -> str:
    """The address of a page that tells of these actions, and of no earlier ones."""
    parts = urlsplit(back)
    query = [(name, value) for name, value in parse_qsl(parts.query) if name != DID]
    query += [(DID, ".".join(actions))] if actions else []
    return urlunsplit(("", "", parts.path, urlencode(query), ""))
