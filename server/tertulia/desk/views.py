"""From the store to the wire: a comment as a moderator needs it."""

from __future__ import annotations

from tertulia import protocol
from tertulia.protocol import comment_view, timestamp
from tertulia.store import queries
from tertulia.store.bans import Ban


def item(found: queries.Item) -> protocol.DeskItemView:
    review = found.review if found.review is not None and found.review.is_open else None
    return protocol.DeskItemView(
        comment=comment_view(found.comment, reveal=True),
        text=found.comment.text,
        version=found.comment.version,
        hidden_by=found.comment.hidden_by,
        discussion=protocol.CommentPlace(key=found.key.key, title=found.title, url=found.url),
        queue=None if review is None else review.queue,
        rank=1 if review is None else review.rank,
        since=None if review is None else timestamp(queries.since(review)),
        causes=[] if review is None else [one.stored() for one in review.causes],
        author=_author(found.author),
        weight=0 if review is None else review.weight,
        reports=[
            protocol.ReportView(reason=one.reason, note=one.note, at=timestamp(one.at), weight=one.weight)
            for one in found.reports
        ],
        parent=None if found.parent is None else comment_view(found.parent, reveal=True),
        replies=[comment_view(one, reveal=True) for one in found.replies],
        decision=None if found.decision is None else _decision(found.decision),
    )


def ban(found: Ban) -> protocol.BanView:
    return protocol.BanView(
        id=found.id,
        reach=found.reach.value,
        author_id=found.author_id,
        name=found.name,
        effect=found.effect.value,
        reason=found.reason,
        note=found.note,
        at=timestamp(found.at),
        until=None if found.until is None else timestamp(found.until),
        by=found.by,
    )


def _author(facts: queries.AuthorFacts) -> protocol.AuthorFactsView:
    return protocol.AuthorFactsView(
        id=facts.id,
        name=facts.name,
        kind=facts.kind,
        since=timestamp(facts.since),
        shown=facts.shown,
        removed=facts.removed,
    )


def _decision(found: queries.LastDecision) -> protocol.DecisionView:
    return protocol.DecisionView(
        id=found.id, by=found.by, verb=found.verb, at=timestamp(found.at), reason=found.reason, note=found.note
    )
