"""A comment as the pages show it: its text with what was found in it, why it waits, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, get_args
from urllib.parse import urlencode

from tertulia import protocol
from tertulia.core.causes import CauseKind
from tertulia.core.comments import State
from tertulia.protocol import ReportReason
from tertulia.store.commands import Act
from tertulia.store.queries import COUNTED

REASONS: tuple[str, ...] = get_args(ReportReason)
"""In the order of their numbers on the keyboard."""
HOURS = (24, 72, 168, 720, 8760)
"""For which somebody is banned, as the form offers it."""
_BODY = "body"


class Piece(NamedTuple):
    """Of a text; ``is_found`` is what is on the site's list of words."""

    text: str
    is_found: bool


class Why(NamedTuple):
    """A cause: its sentence is ``desk.cause.`` and ``key``; ``entry`` is the one of the site's list."""

    key: str
    entry: str = ""


@dataclass(frozen=True, slots=True)
class Reported:
    """All reports with one reason."""

    reason: str
    count: int
    notes: list[str]


@dataclass(frozen=True, slots=True)
class Card:
    """``acts`` are buttons; ``removing`` is whether it can be removed, which asks for a reason."""

    site: str
    item: protocol.DeskItemView
    pieces: list[Piece]
    why: list[Why]
    reports: list[Reported]
    acts: list[Act]
    removing: bool

    @property
    def page(self) -> str:
        """Where it stands: one that is shown by its own address, another on the page that it is about."""
        place = self.item.discussion
        if self.item.comment.state is State.visible:
            return f"/c/{self.item.comment.id}"
        return place.url or f"/d?{urlencode({'site': self.site, 'key': place.key})}"

    @property
    def shown(self) -> str:
        return counted(self.item.author.shown)

    @property
    def removed(self) -> str:
        return counted(self.item.author.removed)


def card(site: str, item: protocol.DeskItemView) -> Card:
    acts = list(_acts(item))
    return Card(
        site,
        item,
        list(pieces(item.text, _places(item.causes))),
        list(dict.fromkeys(_why(one) for one in item.causes)),
        _grouped(item.reports),
        [one for one in acts if one is not Act.remove],
        Act.remove in acts,
    )


def _acts(item: protocol.DeskItemView) -> Iterator[Act]:
    """What makes sense with a comment in this state; store/commands/deciding.py is what decides that."""
    waits, state = item.queue is not None, item.comment.state
    if state is State.deleted:
        return
    if state is State.held:
        yield Act.approve
    elif waits:
        yield Act.keep
    elif state is State.removed:
        yield Act.restore
        return
    yield Act.spam
    yield Act.remove
    if state is State.visible and not waits and item.comment.parent_id is None:
        yield Act.unpin if item.comment.pinned else Act.pin


def pieces(text: str, places: Iterable[tuple[int, int]]) -> Iterator[Piece]:
    """The text in its order; places that overlap are one, and what lies outside of the text is left out."""
    at = 0
    for start, end in places:
        begin, stop = max(at, start), min(end, len(text))
        if begin >= stop:
            continue
        if begin > at:
            yield Piece(text[at:begin], is_found=False)
        yield Piece(text[begin:stop], is_found=True)
        at = stop
    if at < len(text):
        yield Piece(text[at:], is_found=False)


def _places(causes: Sequence[Mapping[str, Any]]) -> list[tuple[int, int]]:
    """Where in the text words of the list are."""
    found = [one for one in causes if one["kind"] == CauseKind.word and one.get("field") == _BODY]
    return sorted((one["start"], one["end"]) for one in found)


def _why(cause: Mapping[str, Any]) -> Why:
    kind = str(cause["kind"])
    if kind != CauseKind.word:
        return Why(kind)
    is_in_text = cause.get("field") == _BODY
    return Why("word" if is_in_text else "word_in_name", str(cause.get("entry", "")))


def _grouped(reports: Sequence[protocol.ReportView]) -> list[Reported]:
    """The reason that most of them give first."""
    found: dict[str, list[str]] = {}
    for one in reports:
        found.setdefault(one.reason, []).append(one.note)
    groups = [Reported(reason, len(notes), [note for note in notes if note]) for reason, notes in found.items()]
    return sorted(groups, key=lambda one: -one.count)


def counted(number: int) -> str:
    return f"{number}+" if number >= COUNTED else str(number)
