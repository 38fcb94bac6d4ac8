"""What the desk of a site is told of, and what it asks for."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tertulia.core.causes import CauseKind, Queue
from tertulia.core.comments import HiddenBy, State
from tertulia.protocol.models import Inbound, Outbound
from tertulia.protocol.requests import NOTE_LENGTH, ReportReason
from tertulia.protocol.views import CommentView

MAX_DECISIONS = 100
"""In one request."""


MOST_BAN_HOURS = 24 * 365
"""Of a ban that ends."""
DeskEventKind = Literal["desk.item"]


class DeskItem(Outbound):
    """A comment that waits for a moderator, or waits no more: then ``queue`` is null, and ``decision`` says why.

    ``reports`` is the weight of the open reports, ``by`` who decided just now. There is no text in it.
    """

    comment_id: str
    version: int
    queue: Queue | None
    state: State
    since: str
    causes: list[CauseKind]
    reports: int
    by: str | None
    decision: str | None


class DeskEvent(Outbound):
    """An event of the log of a site's desk."""

    seq: int
    kind: DeskEventKind = "desk.item"
    at: str
    item: DeskItem


class ChecksView(Outbound):
    """Since when one of the checks from outside has not been answering; null while all do, and where there are none."""

    down_since: str | None


class Looking(Inbound):
    """What a console says over the desk's stream: the comment that its reader looks at, null where none any more."""

    type: Literal["looking"]
    comment_id: str | None


class Looker(Outbound):
    comment_id: str
    name: str


class LookingPeople(Outbound):
    """Who else looks at something at this desk: all of them, whenever that has changed."""

    type: Literal["looking"] = "looking"
    people: list[Looker]


class DeskCounts(Outbound):
    """``GET /staff/queues``: how many comments wait in each, and where the desk's stream goes on.

    ``banned`` are the bans that nobody has lifted, counted to 1,000.
    """

    epoch: str
    seq: int
    waiting: int
    reported: int
    suspected: int
    banned: int
    checks: ChecksView


class CommentPlace(Outbound):
    key: str
    title: str
    url: str


class AuthorFactsView(Outbound):
    """Who wrote it; ``shown`` and ``removed`` are counted to 1,000."""

    id: str
    name: str
    kind: str
    since: str
    shown: int
    removed: int


class ReportView(Outbound):
    reason: str
    note: str
    at: str
    weight: int


class DecisionView(Outbound):
    """What was decided last, or taken back; ``id`` is what an undo names."""

    id: str
    by: str
    verb: str
    at: str
    reason: str
    note: str


class DeskItemView(Outbound):
    """A comment with all that a decision needs. ``text`` is as it was typed: causes say where in it something is.

    ``queue`` is null where it does not wait; ``rank`` 0 is urgent. Of ``reports`` there are the newest, those that are
    open; ``parent`` is what it answers, ``replies`` the first that answer it.
    """

    comment: CommentView
    text: str
    version: int
    hidden_by: HiddenBy | None
    discussion: CommentPlace
    queue: Queue | None
    rank: int
    since: str | None
    causes: list[dict[str, Any]]
    author: AuthorFactsView
    weight: int
    reports: list[ReportView]
    parent: CommentView | None
    replies: list[CommentView]
    decision: DecisionView | None


class DeskPage(Outbound):
    """``GET /staff/queue``."""

    items: list[DeskItemView]
    next: str | None


class DeskItems(Outbound):
    """``GET /staff/items``."""

    items: list[DeskItemView]


class Decision(Inbound):
    """What to do with a comment that is as it was in ``version``; ``note`` is for its author."""

    comment_id: str
    version: int = Field(ge=1, le=2**31)
    do: Literal["approve", "keep", "remove", "spam", "restore", "pin", "unpin"]
    reason: ReportReason | None = None
    note: str | None = Field(default=None, max_length=NOTE_LENGTH)


class Decisions(Inbound):
    """``POST /staff/decisions``."""

    site: str = "default"
    decisions: list[Decision] = Field(min_length=1, max_length=MAX_DECISIONS)


class UndoneAction(Inbound):
    comment_id: str
    action: str


class Undoing(Inbound):
    """``POST /staff/undo``."""

    site: str = "default"
    actions: list[UndoneAction] = Field(min_length=1, max_length=MAX_DECISIONS)


class DecisionProblem(Outbound):
    """Why nothing was changed: a code of the error table."""

    code: str
    detail: str


class DecisionResult(Outbound):
    """``action`` is what an undo names; where there is a ``problem``, ``item`` is what is there now."""

    comment_id: str
    action: str | None
    problem: DecisionProblem | None
    item: DeskItemView | None


class DecisionResults(Outbound):
    """The results in the order of what was asked."""

    results: list[DecisionResult]


class NewBan(Inbound):
    """``POST /staff/bans``: of an author, or of the guests of the network that a comment came from.

    ``near`` is a /32 or a /64, ``wide`` a /24 or a /48. ``hours`` null is without an end, of a network a week.
    ``remove`` takes away what they wrote in the last 24 hours, or ever. ``note`` is for moderators.
    """

    site: str = "default"
    author_id: str | None = None
    comment_id: str | None = None
    reach: Literal["author", "near", "wide"] = "author"
    effect: Literal["refuse", "hold"] = "refuse"
    hours: int | None = Field(default=None, ge=1, le=MOST_BAN_HOURS)
    reason: ReportReason | None = None
    note: str | None = Field(default=None, max_length=NOTE_LENGTH)
    remove: Literal["none", "day", "all"] = "none"


class BanNetworks(Outbound):
    """``GET /staff/networks``: how many have written, as guests, from the network that a comment came from.

    Both are null where that is not known; they are counted in a thousand comments at most.
    """

    near: int | None
    wide: int | None


class BanView(Outbound):
    """``author_id`` and ``name`` are of who is banned: of a guest who became a member, the member; of a network, of
    whose comment led to it.
    """

    id: str
    reach: Literal["author", "near", "wide"]
    author_id: str
    name: str
    effect: Literal["refuse", "hold"]
    reason: str
    note: str
    at: str
    until: str | None
    by: str


class Bans(Outbound):
    """``GET /staff/bans``: those that nobody has lifted, the newest first."""

    bans: list[BanView]
    next: str | None
