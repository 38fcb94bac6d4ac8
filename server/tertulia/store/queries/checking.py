"""What whoever checks a comment is told of it, as it is at the moment."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from tertulia.core.comments import Comment, Discussion
from tertulia.core.rules import Trust
from tertulia.store import clock, hooks, records, schema, standing
from tertulia.store.commands.checking import CheckedText, has_text, is_decided, outstanding
from tertulia.store.hooks import Hook
from tertulia.store.mapping import to_datetime
from tertulia.store.queries.desk import AuthorFacts, author_facts

_d = schema.discussion.c


@dataclass(frozen=True, slots=True)
class ToCheck:
    """A text, and who has not said anything of it. ``age`` is in milliseconds, ``now`` since 1970 by the
    database's clock."""

    comment: Comment
    discussion: Discussion
    author: AuthorFacts
    trust: Trust
    parent: Comment | None
    hooks: list[Hook]
    age: int
    now: int


def to_check(connection: Connection, text: CheckedText, asked_at: int) -> ToCheck | None:
    """None of a text that is not there any more, or about which a moderator has decided."""
    comment = records.find_comment(connection, text.comment_id)
    if comment is None or not has_text(comment, text) or is_decided(connection, text):
        return None
    site_id = connection.execute(select(_d.site_id).where(_d.id == comment.discussion_id)).scalar_one()
    now, author_id = clock.now(connection), comment.author.id
    return ToCheck(
        comment=comment,
        discussion=records.discussion_of(connection, comment),
        author=author_facts(connection, author_id),
        trust=standing.trust(connection, [author_id], to_datetime(now)),
        parent=None if comment.parent_id is None else records.find_comment(connection, comment.parent_id),
        hooks=outstanding(connection, site_id, text),
        age=now - asked_at,
        now=now,
    )


def hook_named(connection: Connection, site: str, name: str) -> Hook | None:
    """A site's hook of this name."""
    return next((one for one in hooks.hooks(connection, site) if one.name == name), None)
