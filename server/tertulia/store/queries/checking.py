"""What whoever checks a comment is told of it, as it is at the moment."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import Connection, select

from tertulia.core.comments import Comment, Discussion, State
from tertulia.core.hooks import HookKind, Verdict
from tertulia.core.rules import Trust
from tertulia.store import clock, hooks, records, schema, standing
from tertulia.store.commands.checking import CheckedText, decided_spam, has_text, is_decided, outstanding
from tertulia.store.hooks import Hook
from tertulia.store.mapping import milliseconds, to_datetime
from tertulia.store.queries.desk import AuthorFacts, author_facts

_d, _o, _v = schema.discussion.c, schema.origin.c, schema.verdict.c


@dataclass(frozen=True, slots=True)
class ToCheck:
    """A text, and who is to be asked about it.

    ``origin`` is sealed; ``age`` is in milliseconds, ``now`` since 1970 by the database's clock.
    """

    comment: Comment
    discussion: Discussion
    author: AuthorFacts
    trust: Trust
    parent: Comment | None
    origin: str | None
    hooks: list[Hook]
    age: int
    now: int


def to_check(connection: Connection, text: CheckedText, asked_at: int) -> ToCheck | None:
    """None of a text that is not there any more, or about which a moderator has decided."""
    comment = records.find_comment(connection, text.comment_id)
    if comment is None or not has_text(comment, text) or is_decided(connection, text):
        return None
    site_id = connection.execute(select(_d.site_id).where(_d.id == comment.discussion_id)).scalar_one()
    return _about(connection, comment, outstanding(connection, site_id, text), asked_at)


def _about(connection: Connection, comment: Comment, asked: list[Hook], asked_at: int) -> ToCheck:
    now, author_id = clock.now(connection), comment.author.id
    return ToCheck(
        comment=comment,
        discussion=records.discussion_of(connection, comment),
        author=author_facts(connection, author_id),
        trust=standing.trust(connection, [author_id], to_datetime(now)),
        parent=None if comment.parent_id is None else records.find_comment(connection, comment.parent_id),
        origin=connection.scalar(select(_o.sealed).where(_o.comment_id == comment.id)),
        hooks=asked,
        age=now - asked_at,
        now=now,
    )


class ToTeach(NamedTuple):
    """A text about which moderators think otherwise than the hooks of ``about``: it is spam, or is not."""

    text: CheckedText
    about: ToCheck
    is_spam: bool


def to_teach(connection: Connection, comment_id: str) -> ToTeach | None:
    """None where nobody has to be told: it is deleted, or what was decided is taken back."""
    comment, is_spam = records.find_comment(connection, comment_id), decided_spam(connection, comment_id)
    if comment is None or comment.state is State.deleted or is_spam is None:
        return None
    site_id = connection.execute(select(_d.site_id).where(_d.id == comment.discussion_id)).scalar_one()
    wrong = [
        hook
        for hook in hooks.known(connection, site_id, (HookKind.akismet,))
        if (_last_verdict(connection, comment_id, hook.id) == Verdict.spam) is not is_spam
    ]
    edited = 0 if comment.edited_at is None else milliseconds(comment.edited_at)
    text = CheckedText(comment_id, comment.version, edited)
    return ToTeach(text, _about(connection, comment, wrong, 0), is_spam) if wrong else None


def _last_verdict(connection: Connection, comment_id: str, hook_id: int) -> str | None:
    query = select(_v.verdict).where(_v.comment_id == comment_id, _v.hook_id == hook_id)
    found: str | None = connection.scalar(query.order_by(_v.version.desc()).limit(1))
    return found


def nudge_hook(connection: Connection, site: str) -> Hook | None:
    """Whom a site asks before something is sent: the first, by name."""
    return next((one for one in hooks.hooks(connection, site) if one.kind is HookKind.nudge), None)


def hook_named(connection: Connection, site: str, name: str) -> Hook | None:
    """A site's hook of this name."""
    return next((one for one in hooks.hooks(connection, site) if one.name == name), None)
