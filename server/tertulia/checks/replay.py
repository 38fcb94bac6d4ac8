"""Replaying: what a reader who knows nothing but the events makes of them.

fold(events 1..n)  ==  what a guest sees of the discussion at n
fold(events s+1..n, what is seen at s)  ==  the same
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from tertulia.core.comments import Mode
from tertulia.protocol import CommentView, Event


@dataclass(slots=True)
class Replayed:
    """A discussion as a guest sees it: every published comment, the number of visible ones, and the mode."""

    comments: dict[str, CommentView] = field(default_factory=dict)
    comment_count: int = 0
    mode: Mode = Mode.open
    seq: int = 0


def fold(events: Iterable[Event], start: Replayed | None = None) -> Replayed:
    """The state after the events; ``start`` is left as it is. What is said of an unknown comment has no effect."""
    state = Replayed() if start is None else replace(start, comments=dict(start.comments))
    for event in events:
        _apply(state, event)
    return state


def _apply(state: Replayed, event: Event) -> None:
    state.seq = event.seq
    if event.comment is not None:
        state.comments[event.comment.id] = event.comment
    if event.votes is not None and event.comment_id is not None:
        _change(state, event.comment_id, votes=event.votes)
    if event.parent is not None:
        _change(state, event.parent.id, reply_count=event.parent.reply_count)
    if event.comment_count is not None:
        state.comment_count = event.comment_count
    if event.discussion is not None:
        state.mode = event.discussion.mode


def _change(state: Replayed, comment_id: str, **values: object) -> None:
    if comment_id in state.comments:
        state.comments[comment_id] = state.comments[comment_id].model_copy(update=values)
