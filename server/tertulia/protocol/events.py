"""What happened to a discussion, as its log keeps it and clients receive it."""

from __future__ import annotations

from typing import Literal

from tertulia.core import documents
from tertulia.core.comments import Mode
from tertulia.protocol.models import Outbound, left_out_if_none
from tertulia.protocol.views import CommentView, RulesView, Votes

EventKind = Literal[
    "comment.created",
    "comment.edited",
    "comment.removed",
    "comment.restored",
    "comment.voted",
    "comment.pinned",
    "comment.superseded",
    "discussion.changed",
]


class ParentCount(Outbound):
    id: str
    reply_count: int


class DiscussionState(Outbound):
    """How it is led, whole, and ``title`` and ``url`` where they changed; ``closes_at`` is null where it stays open.

    Events from before there were rules have none.
    """

    mode: Mode
    closes_at: str | None = None
    rules: RulesView | None = left_out_if_none()
    title: str | None = left_out_if_none()
    url: str | None = left_out_if_none()


class Event(Outbound):
    """One change. It carries whole values, never a difference, so applying it twice changes nothing more.

    ``comment`` for created, edited, removed, restored and pinned; ``comment_id`` and ``votes`` for voted; nothing for
    superseded; ``discussion`` for changed. ``comment_count``, ``parent`` and, for the thread that a reply stands in,
    ``thread_counts`` (see Page) are the totals after the event.
    """

    seq: int
    kind: EventKind
    at: str
    comment: CommentView | None = left_out_if_none()
    comment_id: str | None = left_out_if_none()
    votes: Votes | None = left_out_if_none()
    discussion: DiscussionState | None = left_out_if_none()
    comment_count: int | None = left_out_if_none()
    parent: ParentCount | None = left_out_if_none()
    thread_counts: dict[str, int] | None = left_out_if_none()


class Events(Outbound):
    """``GET /events``: what came after ``after``, at most EVENTS_PAGE; ``more`` says to ask again."""

    epoch: str
    seq: int
    events: list[Event]
    more: bool


def within(event: Event) -> Event:
    """The event as it is shown: with a document tree within the limits, which one from before them may exceed."""
    if event.comment is None or event.comment.body is None:
        return event
    comment = event.comment.model_copy(update={"body": documents.within(event.comment.body)})
    return event.model_copy(update={"comment": comment})


def payload_within(payload: str) -> str:
    """The same of an event's JSON, which nearly always is too short to be looked into."""
    return payload if documents.fits(payload) else within(Event.model_validate_json(payload)).model_dump_json()
