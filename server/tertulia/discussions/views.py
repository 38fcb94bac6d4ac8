"""From the store to the wire: what somebody is shown of pages and lists."""

from __future__ import annotations

from tertulia import protocol
from tertulia.core.comments import Comment
from tertulia.identity import Identity
from tertulia.protocol import comment_view
from tertulia.store import queries


def viewer(identity: Identity | None) -> protocol.Viewer | None:
    if identity is None:
        return None
    return protocol.Viewer(
        id=identity.author_id,
        also=list(identity.also),
        name=identity.name,
        kind=identity.kind,
        moderator=identity.moderator,
    )


def page(snapshot: queries.DiscussionSnapshot, identity: Identity | None) -> protocol.Page:
    """A page as ``identity`` sees it."""
    return protocol.Page(
        comments=[_seen_by(identity, comment) for comment in snapshot.page.comments],
        next=snapshot.page.next,
        replies=snapshot.page.replies,
        thread_counts=snapshot.page.thread_counts,
        votes={comment_id: 1 if value > 0 else -1 for comment_id, value in snapshot.votes.items()},
        changed=snapshot.page.changed,
    )


def _seen_by(identity: Identity | None, comment: Comment) -> protocol.CommentView:
    own = identity is not None and identity.owns(comment.author.id)
    return comment_view(comment, own=own, reveal=identity is not None and identity.moderator)


def held_page(held: queries.HeldPage) -> protocol.HeldPage:
    return protocol.HeldPage(
        comments=[
            protocol.HeldComment(site=one.key.site, key=one.key.key, comment=comment_view(one.comment, reveal=True))
            for one in held.comments
        ],
        next=held.next,
    )


def report_page(reported: queries.ReportPage) -> protocol.ReportPage:
    return protocol.ReportPage(
        reports=[
            protocol.ReportedComment(
                id=one.id,
                reason=one.reason,
                note=one.note,
                at=protocol.timestamp(one.at),
                reporter_id=one.reporter_id,
                site=one.key.site,
                key=one.key.key,
                comment=comment_view(one.comment),
            )
            for one in reported.reports
        ],
        next=reported.next,
    )
