"""A comment and a discussion as clients see them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from tertulia.core.comments import Badge, Comment, Discussion, Mode, State
from tertulia.core.rules import Check, FirstComments, Links, Nudge, Rules, WhoMayWrite
from tertulia.protocol.models import Outbound, left_out_if_none, timestamp


class AuthorView(Outbound):
    id: str
    name: str
    badge: Badge | None


class Votes(Outbound):
    up: int
    down: int


class CommentView(Outbound):
    """A comment; a tombstone (``removed``, ``deleted``) has neither ``author`` nor ``body``."""

    id: str
    parent_id: str | None
    author: AuthorView | None
    body: list[dict[str, Any]] | None
    created_at: str
    edited_at: str | None
    state: State
    votes: Votes
    reply_count: int
    pinned: bool
    idempotency_key: str | None = left_out_if_none()


class RulesView(Outbound):
    """The rules that hold in a discussion: its own, or its site's."""

    who: WhoMayWrite
    first: FirstComments
    first_n: int
    links: Links
    slow: int
    hide_after: int
    edit: int | None
    check: Check
    nudge: Nudge


class DiscussionView(Outbound):
    site: str
    key: str
    title: str
    url: str
    mode: Mode
    rules: RulesView
    closes_at: str | None
    comment_count: int
    epoch: str
    seq: int
    readers: int


def comment_view(
    comment: Comment, *, own: bool = False, reveal: bool = False, idempotency_key: str | None = None
) -> CommentView:
    """``own`` shows a held comment to its author; ``reveal`` shows a removed one, too, to a moderator.

    ``idempotency_key`` is the one of the request that this answers.
    """
    shown = reveal or own or comment.state is State.visible
    if comment.state.is_tombstone:
        shown = reveal and comment.state is State.removed
    author = AuthorView(id=comment.author.id, name=comment.author.name, badge=comment.author.badge)
    return CommentView(
        id=comment.id,
        parent_id=comment.parent_id,
        author=author if shown else None,
        body=list(comment.body) if shown else None,
        created_at=timestamp(comment.created_at),
        edited_at=timestamp(comment.edited_at) if comment.edited_at else None,
        state=comment.state,
        votes=Votes(up=comment.up, down=comment.down),
        reply_count=comment.reply_count,
        pinned=comment.pinned,
        idempotency_key=idempotency_key,
    )


def moment(at: datetime | None) -> str | None:
    """A time that may be none."""
    return None if at is None else timestamp(at)


def rules_view(rules: Rules) -> RulesView:
    return RulesView(**asdict(rules))


def discussion_view(discussion: Discussion, *, epoch: str, readers: int) -> DiscussionView:
    return DiscussionView(
        site=discussion.key.site,
        key=discussion.key.key,
        title=discussion.title,
        url=discussion.url,
        mode=discussion.mode,
        rules=rules_view(discussion.rules),
        closes_at=moment(discussion.closes_at),
        comment_count=discussion.comment_count,
        epoch=epoch,
        seq=discussion.seq,
        readers=readers,
    )
