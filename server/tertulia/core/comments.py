"""Comments, their authors and the discussion that holds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from tertulia.core.hooks import SiteChecks
from tertulia.core.keys import canonical_key
from tertulia.core.rules import DEFAULT, NONE_OWN, OwnRules, Rules

Block = dict[str, Any]
"""A block of a document tree: ``{"type": "paragraph" | "quote" | "list" | "code", ...}``; see core.documents."""


class State(StrEnum):
    """Where a comment stands. ``removed`` and ``deleted`` are tombstones: the place stays, the text is not shown."""

    visible = "visible"
    held = "held"
    removed = "removed"
    deleted = "deleted"

    @property
    def is_tombstone(self) -> bool:
        return self in (State.removed, State.deleted)


class HiddenBy(StrEnum):
    """Who took a comment away: moderators, readers' reports, a check from outside, a rule, or a ban."""

    staff = "staff"
    reports = "reports"
    check = "check"
    rule = "rule"
    ban = "ban"


class Mode(StrEnum):
    """What a discussion does with a new comment: show it, let it wait for approval, refuse it."""

    open = "open"
    held = "held"
    closed = "closed"


class Sort(StrEnum):
    """The order of top-level comments; replies always stand oldest first under what they answer."""

    oldest = "oldest"
    newest = "newest"
    top = "top"


Badge = str
"""The key of one; core/badges.py says what it may be."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who writes: a guest, a member or a moderator."""

    id: str
    name: str
    badge: Badge | None = None


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment as it stands now. ``text`` is what was typed, ``body`` the document tree made of it.

    ``idempotency_key`` is what is stored of it: a keyed hash. ``version`` is counted with each change of its text and
    each decision about it; ``hidden_by`` says who took it away.
    """

    id: str
    discussion_id: int
    parent_id: str | None
    root_id: str
    author: Author
    text: str
    body: list[Block]
    created_at: datetime
    edited_at: datetime | None
    state: State
    up: int
    down: int
    reply_count: int
    pinned: bool
    idempotency_key: str | None = None
    version: int = 1
    hidden_by: HiddenBy | None = None


@dataclass(frozen=True, slots=True)
class DiscussionKey:
    """``(site, key)`` names a discussion, whether or not it has comments."""

    site: str
    key: str

    @property
    def canonical(self) -> DiscussionKey:
        """What it is called when it is made; see core.keys."""
        return DiscussionKey(self.site, canonical_key(self.key))


@dataclass(frozen=True, slots=True)
class Discussion:
    """A discussion; ``id`` is None until its first comment (then ``seq`` and the count are 0).

    ``own_rules`` are what it says itself, over ``site_rules``; ``closes_at`` is when it will be closed; ``checks`` is
    what the hooks of its site want.
    """

    key: DiscussionKey
    id: int | None = None
    title: str = ""
    url: str = ""
    mode: Mode = Mode.open
    comment_count: int = 0
    seq: int = 0
    own_rules: OwnRules = NONE_OWN
    site_rules: OwnRules = NONE_OWN
    closes_at: datetime | None = None
    checks: SiteChecks = SiteChecks.none

    @property
    def rules(self) -> Rules:
        """Those that hold here."""
        return self.own_rules.over(self.site_rules.over(DEFAULT))
