"""The log of actions: who decided what, why, and when; a row is made in the transaction of what it tells of."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert, select

from tertulia.core.ids import uuid7
from tertulia.core.ordering import PageCursor, decode_page_cursor, encode_page_cursor
from tertulia.store import schema
from tertulia.store.mapping import milliseconds, to_datetime
from tertulia.store.roles import ALL_SITES

_c, _s = schema.action.c, schema.site.c
_EVERYWHERE = "every site"
# looked up by row: for a join PostgreSQL may read all authors
_RECORDED = select(
    schema.action,
    select(_s.key).where(_s.id == _c.site_id).scalar_subquery().label("site"),
    select(schema.author.c.name).where(schema.author.c.id == _c.author_id).scalar_subquery().label("about"),
)


class Verb(StrEnum):
    """What can be done; later decisions have verbs of their own here."""

    grant = "role.grant"
    take = "role.take"
    invite = "staff.invite"
    sign_in = "staff.sign_in"
    attach_way = "way.attach"
    detach_way = "way.detach"
    end_sessions = "sessions.end"
    change_rules = "site.rules"
    change_badge = "site.badge"
    edit_comment = "comment.edit"
    remove_comment = "comment.remove"
    restore_comment = "comment.restore"
    approve_comment = "comment.approve"
    keep_comment = "comment.keep"
    spam_comment = "comment.spam"
    pin_comment = "comment.pin"
    unpin_comment = "comment.unpin"
    hide_comment = "comment.hide"
    ban = "person.ban"
    lift_ban = "person.unban"
    undo_decision = "comment.undo"
    change_discussion = "discussion.change"
    add_issuer = "issuer.add"
    remove_issuer = "issuer.remove"
    add_token = "token.add"  # noqa: S105 - the word for what was done
    remove_token = "token.remove"  # noqa: S105 - likewise
    add_word = "word.add"
    remove_word = "word.remove"
    add_hook = "hook.add"
    remove_hook = "hook.remove"


class By(NamedTuple):
    """Who acts: an author by id and name, or without an id the operator, or the server itself."""

    id: str | None
    name: str


OPERATOR = By(None, "operator")
SERVER = By(None, "server")
"""What the server itself decides, by rules, readers' reports and checks."""


@dataclass(frozen=True, slots=True)
class Action:
    """What was decided: ids, a verb and a reason, never a comment's text. ``site_id`` ALL_SITES is every site.

    ``author_id`` is whom it is about, ``note`` what was written about it, ``undoes`` the action that it takes back.
    """

    by: By
    verb: Verb
    site_id: int
    author_id: str | None = None
    comment_id: str | None = None
    discussion_id: int | None = None
    reason: str = ""
    note: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    undoes: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A row of the log; ``site`` is None for what concerns all sites, ``about`` the name of whom it is about."""

    id: str
    at: datetime
    site: str | None
    actor_id: str | None
    actor: str
    verb: str
    author_id: str | None
    about: str | None
    comment_id: str | None
    discussion_id: int | None
    reason: str
    note: str
    data: Mapping[str, Any]
    undoes: str | None

    @property
    def is_operators(self) -> bool:
        """Whether the operator did it, and no person, nor a program by its token."""
        return By(self.actor_id, self.actor) == OPERATOR

    @property
    def is_servers(self) -> bool:
        """Whether the server did it by itself."""
        return By(self.actor_id, self.actor) == SERVER


class LogPage(NamedTuple):
    """``next`` is the cursor that goes on, None at the end."""

    actions: list[Recorded]
    next: str | None


def record(connection: Connection, action: Action, at: datetime) -> str:
    """Puts an action into the log; its id."""
    values = {
        "id": uuid7(),
        "at": milliseconds(at),
        "site_id": None if action.site_id == ALL_SITES else action.site_id,
        "actor_id": action.by.id,
        "actor": action.by.name,
        "verb": action.verb.value,
        "comment_id": action.comment_id,
        "author_id": action.author_id,
        "discussion_id": action.discussion_id,
        "reason": action.reason,
        "note": action.note,
        "data": dict(action.data),
        "undoes": action.undoes,
    }
    connection.execute(insert(schema.action).values(values))
    return str(values["id"])


def log_page(connection: Connection, site: str | None, limit: int, cursor: str | None = None) -> LogPage:
    """The log of a site, or of everything, the newest first; a site that is not there has none. Raises bad_cursor."""
    scope = f"log:{_EVERYWHERE if site is None else site}"
    after = decode_page_cursor(cursor, scope, 0)
    query = _RECORDED.order_by(_c.id.desc()).limit(limit + 1)
    if site is not None:
        query = query.where(_c.site_id == select(_s.id).where(_s.key == site).scalar_subquery())
    if after is not None:
        query = query.where(_c.id < after.id)
    found = [_recorded(row) for row in connection.execute(query)]
    shown = found[:limit]
    following = encode_page_cursor(PageCursor(scope, (), shown[-1].id)) if len(found) > limit else None
    return LogPage(shown, following)


def actions_of(connection: Connection, site: str, actor_id: str, ids: Collection[str]) -> list[Recorded]:
    """Those of these actions that are somebody's own at the site, the oldest first."""
    query = _RECORDED.where(_c.id.in_(ids), _c.actor_id == actor_id).order_by(_c.id)
    return [one for one in map(_recorded, connection.execute(query)) if one.site == site]


def actions_about(connection: Connection, site: str, author_id: str, limit: int) -> list[Recorded]:
    """The newest about somebody, or about what they wrote, at the site."""
    query = _RECORDED.where(_c.author_id == author_id).order_by(_c.id.desc()).limit(limit)
    return [one for one in map(_recorded, connection.execute(query)) if one.site == site]


def _recorded(row: Any) -> Recorded:
    return Recorded(
        row.id,
        to_datetime(row.at),
        row.site,
        row.actor_id,
        row.actor,
        row.verb,
        row.author_id,
        row.about,
        row.comment_id,
        row.discussion_id,
        row.reason,
        row.note,
        row.data,
        row.undoes,
    )
