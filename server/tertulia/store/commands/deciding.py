"""What a moderator decides about a comment, and taking that back: each decision is a row in the log of actions.

    held ──approve──▶ visible ──remove, spam──▶ removed ──restore──▶ visible
      └──remove, spam──────────────────────────────┘

What was taken away without a moderator, by readers' reports, a check or a rule, is removed and still waits: it can be
approved or kept, which shows it again, or removed for good. A row of the log says how everything was before, so that
an undo needs no other knowledge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, cast, func, select, update

from tertulia.core.comments import Comment, HiddenBy, State
from tertulia.core.hooks import SiteChecks, site_checks_of
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import EventKind, timestamp
from tertulia.store import event_log, records, reviews, schema, tasks
from tertulia.store.actions import Action, By, Verb, record
from tertulia.store.commands.base import CommandResult
from tertulia.store.commands.comments import CommentCommand, existing, gone
from tertulia.store.event_log import CommittedEvent
from tertulia.store.mapping import milliseconds
from tertulia.store.reviews import IS_REPORT_OPEN, Review, Touched

_a, _c, _d, _p, _s = schema.action.c, schema.comment.c, schema.discussion.c, schema.report.c, schema.site.c
_LOOKED = 20
"""How many of the newest actions about a comment are looked at for the one that is meant."""


class Act(StrEnum):
    """What can be decided. ``spam`` removes, and says that it is what checks should learn from."""

    approve = "approve"
    keep = "keep"
    remove = "remove"
    spam = "spam"
    restore = "restore"
    pin = "pin"
    unpin = "unpin"


_VERBS = {
    Act.approve: Verb.approve_comment,
    Act.keep: Verb.keep_comment,
    Act.remove: Verb.remove_comment,
    Act.spam: Verb.spam_comment,
    Act.restore: Verb.restore_comment,
    Act.pin: Verb.pin_comment,
    Act.unpin: Verb.unpin_comment,
}
UNDOABLE = frozenset(verb.value for verb in _VERBS.values())
_DECIDED = {
    Act.approve: "approved",
    Act.keep: "kept",
    Act.remove: "removed",
    Act.spam: "spam",
    Act.restore: "restored",
}
"""What a review says came of it."""
_TAUGHT = frozenset({Act.approve, Act.keep, Act.restore, Act.spam})
TEACH = "teach"
"""The queue of the comments about which checks are told what was decided."""
TEACH_AFTER = 60_000
"""Milliseconds, in which a decision may be taken back."""


class Decided(NamedTuple):
    """The comment after the decision, the seq of its event, and the action that an undo names.

    ``seq`` is None where readers were told nothing, ``action`` where somebody else puts it into the log.
    """

    comment: Comment
    seq: int | None
    action: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why: ``reason`` is one of the reasons for reports, ``note`` is for the comment's author."""

    reason: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class DecideComment(CommentCommand[Decided]):
    """A decision of ``by``; None where the command that stands around this one puts it into the log.

    With ``site`` the comment is one of it; with ``version`` it is as it was when it was read. A repeated ``request`` of
    the same person is answered as before.

    Raises not_found, gone, bad_state; decided and changed where the comment has another version.
    """

    act: Act
    by: By | None
    at: datetime
    site: str | None = None
    version: int | None = None
    why: Reason = Reason()
    request: str = ""

    def apply(self, connection: Connection) -> CommandResult[Decided]:
        comment = existing(connection, self.comment_id, self.site)
        earlier = self._earlier(connection)
        if earlier is not None:
            return CommandResult(Decided(comment, None, earlier))
        require_version(connection, comment, self.version)
        before = _before(connection, comment)
        if self.act in (Act.pin, Act.unpin):
            changed, events = _pin(connection, comment, self.act, self.at)
        else:
            changed, events = self._settle(connection, comment, before)
        action = self._record(connection, changed, before)
        is_taught = before.is_taught and self.act in _TAUGHT
        if is_taught:
            tasks.enqueue(connection, TEACH, {"comment": changed.id}, name=f"{TEACH}:{changed.id}", delay=TEACH_AFTER)
        value = Decided(changed, events[0].event.seq if events else None, action)
        return CommandResult(value, events, makes_tasks=is_taught, touched=_touched(before, self.by))

    def _settle(
        self, connection: Connection, comment: Comment, before: _Before
    ) -> tuple[Comment, tuple[CommittedEvent, ...]]:
        is_open = before.review is not None and before.review.is_open
        state = _target(self.act, comment.state, is_open=is_open)
        hidden_by, decision = None, None
        if state is State.removed:
            hidden_by = HiddenBy.staff
            decision = {"reason": self.why.reason, "note": self.why.note, "at": timestamp(self.at)}
        moved = move(connection, comment, state, self.at, hidden_by=hidden_by, decision=decision)
        _resolve_reports(connection, comment.id, "upheld" if state is State.removed else "dismissed", self.at)
        if before.review is not None:
            at, who = milliseconds(self.at), "" if self.by is None else self.by.name
            closed = replace(before.review, weight=0, closed_at=at, closed_by=who, decision=_DECIDED[self.act])
            if state is State.visible:
                by_hand = comment.state is State.held
                closed = replace(closed, kept_at=at, approved_at=at if by_hand else before.review.approved_at)
            reviews.put(connection, closed)
        return moved

    def _earlier(self, connection: Connection) -> str | None:
        """The action that the same request led to before."""
        if not self.request or self.by is None:
            return None
        for row in actions_about(connection, self.comment_id):
            if row.actor_id == self.by.id and row.data.get("request") == self.request:
                return str(row.id)
        return None

    def _record(self, connection: Connection, changed: Comment, before: _Before) -> str | None:
        if self.by is None:
            return None
        data = {"version": changed.version, "was": before.stored()}
        if self.request:
            data["request"] = self.request
        action = Action(
            self.by,
            _VERBS[self.act],
            before.site_id,
            changed.author.id,
            changed.id,
            changed.discussion_id,
            self.why.reason,
            self.why.note,
            data,
        )
        return record(connection, action, self.at)


@dataclass(frozen=True, slots=True)
class UndoDecision(CommentCommand[Decided]):
    """Makes a comment what it was before a decision, as long as nothing else has happened to it.

    What readers have seen waits as a removed comment, and no longer as one that was never shown.
    Raises not_found, gone, bad_state where it was undone already; decided and changed.
    """

    action: str
    by: By
    at: datetime
    site: str | None = None

    def apply(self, connection: Connection) -> CommandResult[Decided]:
        comment = existing(connection, self.comment_id, self.site)
        row = self._action(connection)
        require_version(connection, comment, row.data["version"])
        now, was = _before(connection, comment), _was(row.data["was"])
        if was.pinned != comment.pinned:
            moved, events = _pin(connection, comment, Act.pin if was.pinned else Act.unpin, self.at)
        else:
            moved, events = self._move_back(connection, comment, was, row.at)
        action = Action(
            self.by,
            Verb.undo_decision,
            now.site_id,
            comment.author.id,
            comment.id,
            comment.discussion_id,
            data={"version": moved.version, "verb": row.verb},
            undoes=self.action,
        )
        action_id = record(connection, action, self.at)
        seq = events[0].event.seq if events else None
        return CommandResult(Decided(moved, seq, action_id), events, touched=_touched(now, self.by))

    def _action(self, connection: Connection) -> Any:
        """Raises not_found, bad_state."""
        about = actions_about(connection, self.comment_id)
        found = next((row for row in about if row.id == self.action and row.verb in UNDOABLE), None)
        if found is None:
            raise Problem(ErrorCode.not_found, "There is no such decision about this comment, or it is too long ago.")
        if any(row.undoes == self.action for row in about):
            raise Problem(ErrorCode.bad_state, "This decision was undone already.")
        return found

    def _move_back(
        self, connection: Connection, comment: Comment, was: _Before, decided_at: int
    ) -> tuple[Comment, tuple[CommittedEvent, ...]]:
        """With what was reported of it; ``decided_at`` is in milliseconds since 1970."""
        state, hidden_by = was.state, was.hidden_by
        if state is State.held and records.is_published(connection, comment.id):
            state, hidden_by = State.removed, HiddenBy.staff
        moved = move(connection, comment, state, self.at, hidden_by=hidden_by, decision=was.decision)
        _reopen_reports(connection, comment, state, decided_at)
        if was.review is not None:
            reviews.put(connection, replace(was.review, weight=_open_weight(connection, comment.id)))
        return moved


def record_edit(connection: Connection, comment: Comment, by: By, at: datetime) -> None:
    """Tells in the log of actions that a moderator has changed somebody's text."""
    site_id = connection.execute(select(_d.site_id).where(_d.id == comment.discussion_id)).scalar_one()
    about = (site_id, comment.author.id, comment.id, comment.discussion_id)
    record(connection, Action(by, Verb.edit_comment, *about, data={"version": comment.version}), at)


# ---- versions -------------------------------------------------------------------------------------------


def require_version(connection: Connection, comment: Comment, version: int | None) -> None:
    """Raises decided, where it was another decision that came between, and changed."""
    if version in (None, comment.version):
        return
    for row in actions_about(connection, comment.id):
        if row.data.get("version") == comment.version:
            raise Problem(ErrorCode.decided, f"{row.actor} has decided about this comment meanwhile; look at it again.")
    raise Problem(ErrorCode.changed, "The comment was changed meanwhile; look at it again.", field="version")


def actions_about(connection: Connection, comment_id: str) -> list[Any]:
    """The newest of them, the last first."""
    query = select(schema.action).where(_a.comment_id == comment_id)
    return list(connection.execute(query.order_by(_a.id.desc()).limit(_LOOKED)))


# ---- how it was -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Before:
    """What a decision changes, as it was; ``review`` is None where nobody had to look at it.

    ``is_taught`` is whether a hook of the site learns from it.
    """

    site_id: int
    state: State
    pinned: bool
    hidden_by: HiddenBy | None
    decision: Mapping[str, Any] | None
    review: Review | None
    is_taught: bool = False

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "site": self.site_id,
            "state": self.state.value,
            "pinned": self.pinned,
            "hidden_by": self.hidden_by,
            "decision": self.decision,
            "review": None if self.review is None else reviews.stored(self.review),
        }


def _before(connection: Connection, comment: Comment) -> _Before:
    site = select(_d.site_id, cast(_s.settings, Text)).join(schema.site, _s.id == _d.site_id)
    site_id, settings = connection.execute(site.where(_d.id == comment.discussion_id)).one()
    decision = connection.execute(select(_c.decision).where(_c.id == comment.id)).scalar_one()
    review = reviews.find(connection, comment.id)
    is_taught = SiteChecks.taught in site_checks_of(settings)
    return _Before(site_id, comment.state, comment.pinned, comment.hidden_by, decision, review, is_taught)


def _was(stored: Mapping[str, Any]) -> _Before:
    """What ``_Before.stored`` gave."""
    hidden_by, review = stored["hidden_by"], stored["review"]
    return _Before(
        stored["site"],
        State(stored["state"]),
        stored["pinned"],
        None if hidden_by is None else HiddenBy(hidden_by),
        stored["decision"],
        None if review is None else reviews.to_review(review),
    )


def _touched(before: _Before, by: By | None) -> tuple[Touched, ...]:
    if before.review is None:
        return ()
    return (Touched(before.site_id, before.review.comment_id, None if by is None else by.name),)


# ---- what becomes of the comment ------------------------------------------------------------------------


def _target(act: Act, state: State, *, is_open: bool) -> State:
    """What state a decision leads to. Raises bad_state."""
    if act in (Act.remove, Act.spam):
        if state is State.deleted:
            raise gone()
        if state is State.removed and not is_open:
            raise Problem(ErrorCode.bad_state, "This comment is removed already.")
        return State.removed
    waits = {
        Act.approve: state is State.held or is_open,
        Act.keep: is_open and state is not State.held,
        Act.restore: state is State.removed,
    }
    if not waits[act]:
        raise Problem(ErrorCode.bad_state, _OTHERWISE[act])
    return State.visible


_OTHERWISE = {
    Act.approve: "Only a held comment can be approved.",
    Act.keep: "Only a comment that waits for a decision can be kept.",
    Act.restore: "Only a removed comment can be restored.",
}


def move(
    connection: Connection,
    comment: Comment,
    state: State,
    at: datetime,
    *,
    hidden_by: HiddenBy | None = None,
    decision: Mapping[str, Any] | None = None,
) -> tuple[Comment, tuple[CommittedEvent, ...]]:
    """Puts a comment into a state, and tells its readers where that shows or hides it."""
    published = records.is_published(connection, comment.id)
    changed = replace(comment, state=state, hidden_by=hidden_by, version=comment.version + 1)
    is_shown = state is State.visible
    records.update_comment(
        connection,
        comment.id,
        state=state.value,
        hidden_by=hidden_by,
        decision=decision,
        version=changed.version,
        published=published or is_shown,
    )
    if comment.state is State.visible or is_shown:
        records.show_reports(connection, comment.id, listed=is_shown)
    shown = is_shown - (comment.state is State.visible)
    if not shown:
        return changed, ()
    kind: EventKind = "comment.removed"
    if is_shown:
        kind = "comment.restored" if published else "comment.created"
    return changed, (event_log.append(connection, kind, changed, at, shown=shown),)


def _pin(
    connection: Connection, comment: Comment, act: Act, at: datetime
) -> tuple[Comment, tuple[CommittedEvent, ...]]:
    """Raises bad_state."""
    pinned = act is Act.pin
    if comment.parent_id is not None or comment.state is not State.visible:
        raise Problem(ErrorCode.bad_state, "Only a comment of the top level that is shown can be pinned.")
    if comment.pinned is pinned:
        raise Problem(ErrorCode.bad_state, f"The comment is {'' if pinned else 'not '}pinned.")
    changed = replace(comment, pinned=pinned, version=comment.version + 1)
    records.update_comment(connection, comment.id, pinned=pinned, version=changed.version)
    return changed, (event_log.append(connection, "comment.pinned", changed, at),)


# ---- reports --------------------------------------------------------------------------------------------


def _resolve_reports(connection: Connection, comment_id: str, state: str, at: datetime) -> None:
    query = update(schema.report).where(_p.comment_id == comment_id, IS_REPORT_OPEN)
    connection.execute(query.values(state=state, open=False, resolved_at=milliseconds(at)))


def _reopen_reports(connection: Connection, comment: Comment, state: State, resolved_at: int) -> None:
    query = update(schema.report).where(_p.comment_id == comment.id, _p.resolved_at == resolved_at)
    connection.execute(query.values(state="open", open=state is State.visible, resolved_at=None))


def _open_weight(connection: Connection, comment_id: str) -> int:
    query = select(func.coalesce(func.sum(_p.weight), 0)).where(_p.comment_id == comment_id, IS_REPORT_OPEN)
    return int(connection.execute(query).scalar_one())
