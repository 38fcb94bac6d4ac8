"""Checks from outside: a task of each text that somebody is to look at, and what comes of their verdicts.

    visible ──hold, remove, spam──▶ removed, and waits for a moderator
    held for its check ──all say show──▶ visible;  ──hold, remove, spam──▶ held, and waits for a moderator

A text is known by the version of the comment that had it first, and by when it was edited: decisions count versions,
too. What a moderator has decided since is the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from tertulia.core.causes import Cause, CauseKind, Queue, queue_for
from tertulia.core.comments import Comment, HiddenBy, State
from tertulia.core.hooks import CHECKING, Judgement, Verdict, WhenDown
from tertulia.store import clock, hooks, prepared, records, reviews, schema, tasks
from tertulia.store.actions import SERVER, Action, Verb, record
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.commands.comments import CommentCommand
from tertulia.store.commands.deciding import UNDOABLE, actions_about, move
from tertulia.store.event_log import CommittedEvent
from tertulia.store.hooks import Hook
from tertulia.store.mapping import milliseconds
from tertulia.store.reviews import Review, Touched

CHECK = "check"
"""The queue of the texts that are to be checked."""
KEPT_DAYS = 180
"""Verdicts, so that a site can see what its hooks are worth."""
_OF_NO_TEXT = frozenset({Verb.pin_comment.value, Verb.unpin_comment.value})
_DECISIONS = (UNDOABLE | {Verb.undo_decision.value}) - _OF_NO_TEXT
_d, _v = schema.discussion.c, schema.verdict.c


class CheckedText(NamedTuple):
    """What is checked: ``edited`` is when it was, in milliseconds since 1970, 0 of a text as it was posted."""

    comment_id: str
    version: int
    edited: int


class FromHook(NamedTuple):
    """What a hook says of a text."""

    hook: Hook
    judgement: Judgement

    @property
    def is_against(self) -> bool:
        verdict = self.judgement.verdict
        return verdict.is_against or (verdict is Verdict.down and self.hook.config.when_down is WhenDown.hold)

    def cause(self) -> Cause:
        """What it has in words is kept with the verdict, and goes with the text."""
        detail: dict[str, Any] = {"hook": self.hook.name, "verdict": self.judgement.verdict.value}
        if self.judgement.score is not None:
            detail["score"] = self.judgement.score
        if self.judgement.labels:
            detail["labels"] = list(self.judgement.labels)
        return Cause(CauseKind.check, detail)


def begin_check(connection: Connection, text: CheckedText) -> None:
    """Has the hooks of the site look at it, once the transaction is committed."""
    named: dict[str, str | int] = {"comment": text.comment_id, "version": text.version, "edited": text.edited}
    tasks.enqueue(connection, CHECK, {**named, "at": clock.now(connection)})


def hold_for_check(connection: Connection, comment_id: str) -> None:
    """A new comment, that is held, waits for its check alone: no desk has it."""
    prepared.flush(connection)
    records.update_comment(connection, comment_id, hidden_by=HiddenBy.check)


def waits_for_check(comment: Comment) -> bool:
    """Whether nobody but its check holds it."""
    return comment.state is State.held and comment.hidden_by is HiddenBy.check


def has_text(comment: Comment, text: CheckedText) -> bool:
    """Whether it still says what was checked."""
    edited = 0 if comment.edited_at is None else milliseconds(comment.edited_at)
    return comment.state is not State.deleted and edited == text.edited


def is_decided(connection: Connection, text: CheckedText) -> bool:
    """Whether a moderator has decided about the text; a program's decision says no version."""
    return any(
        row.verb in _DECISIONS and row.data.get("version", text.version + 1) > text.version
        for row in actions_about(connection, text.comment_id)
    )


def decided_spam(connection: Connection, comment_id: str) -> bool | None:
    """Whether moderators say that it is spam; None where they say neither, or have taken it back."""
    found = next((row.verb for row in actions_about(connection, comment_id) if row.verb in _DECISIONS), None)
    if found in (None, Verb.remove_comment, Verb.undo_decision):
        return None
    return bool(found == Verb.spam_comment)


@dataclass(frozen=True, slots=True)
class JudgeComment(CommentCommand[bool]):
    """Keeps what hooks say of a text, and does as the strictest of them says; without any it shows what none is asked
    about any more.

    The value is whether it counts: not for a text that was changed meanwhile, nor where a moderator has decided.
    """

    text: CheckedText
    said: tuple[FromHook, ...]
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[bool]:
        for one in self.said:
            if one.judgement.verdict is not Verdict.down:
                hooks.note_answer(connection, one.hook.id)
        comment = records.find_comment(connection, self.comment_id, flushed=True)
        if comment is None or not has_text(comment, self.text):
            return CommandResult(False)
        for one in self.said:
            _keep(connection, self.text, one)
        if is_decided(connection, self.text):
            return CommandResult(False)
        site_id = connection.execute(select(_d.site_id).where(_d.id == comment.discussion_id)).scalar_one()
        against = [one for one in self.said if one.is_against]
        if against:
            return self._hold(connection, comment, site_id, against)
        if waits_for_check(comment) and not outstanding(connection, site_id, self.text):
            _, events = move(connection, comment, State.visible, self.at)
            return CommandResult(True, events)
        return CommandResult(True)

    def _hold(
        self, connection: Connection, comment: Comment, site_id: int, against: Sequence[FromHook]
    ) -> CommandResult[bool]:
        review = _with_causes(self._review(connection, comment, site_id), against)
        if review is None:
            return CommandResult(False)
        events: tuple[CommittedEvent, ...] = ()
        if comment.state is State.visible:
            events = self._retract(connection, comment, site_id, against)
        elif waits_for_check(comment):
            records.update_comment(connection, comment.id, hidden_by=None)
        reviews.put(connection, review)
        return CommandResult(True, events, touched=(Touched(site_id, comment.id),))

    def _review(self, connection: Connection, comment: Comment, site_id: int) -> Review | None:
        """None of a comment that somebody has taken away, and nobody is to look at."""
        found = reviews.find(connection, comment.id)
        if found is not None and found.is_open:
            return found
        if comment.state is State.removed:
            return None
        new = Review(comment_id=comment.id, site_id=site_id, queue=Queue.suspected, since=milliseconds(self.at))
        return new if found is None else replace(new, kept_at=found.kept_at, approved_at=found.approved_at)

    def _retract(
        self, connection: Connection, comment: Comment, site_id: int, against: Sequence[FromHook]
    ) -> tuple[CommittedEvent, ...]:
        changed, events = move(connection, comment, State.removed, self.at, hidden_by=HiddenBy.check)
        about = (site_id, comment.author.id, comment.id, comment.discussion_id)
        verdicts = {one.hook.name: one.judgement.verdict.value for one in against}
        data = {"version": changed.version, "verdicts": verdicts}
        record(connection, Action(SERVER, Verb.hide_comment, *about, reason="check", data=data), self.at)
        return events


def _with_causes(review: Review | None, against: Sequence[FromHook]) -> Review | None:
    """In place of what the same hooks said before."""
    if review is None:
        return None
    names = {one.hook.name for one in against}
    others = [one for one in review.causes if one.kind is not CauseKind.check or one.detail.get("hook") not in names]
    causes = (*others, *(one.cause() for one in against))
    return replace(review, causes=causes, queue=queue_for(causes))


def _keep(connection: Connection, text: CheckedText, said: FromHook) -> None:
    judgement = said.judgement
    values = {
        "comment_id": text.comment_id,
        "version": text.version,
        "hook_id": said.hook.id,
        "verdict": judgement.verdict.value,
        "score": judgement.score,
        "labels": list(judgement.labels),
        # of what a moderator is shown: whoever deletes the comment takes it along
        "note": judgement.note if said.is_against else "",
        "at": clock.now(connection),
    }
    kept = records.insert_into(connection, schema.verdict).values(**values)
    connection.execute(kept.on_conflict_do_nothing())


def outstanding(connection: Connection, site_id: int, text: CheckedText) -> list[Hook]:
    """The site's hooks that have said nothing of the text."""
    said = select(_v.hook_id).where(_v.comment_id == text.comment_id, _v.version == text.version)
    heard = set(connection.scalars(said))
    return [one for one in hooks.known(connection, site_id, CHECKING) if one.id not in heard]


@dataclass(frozen=True, slots=True)
class SweepVerdicts(Command[None]):
    """Forgets those that nobody asks for any more."""

    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        before = clock.instant(connection, self.at, -timedelta(days=KEPT_DAYS))
        connection.execute(delete(schema.verdict).where(_v.at <= before))
        return CommandResult(None)


def forget_notes(connection: Connection, comment_id: str) -> None:
    """What hooks said in words of a comment that its author has deleted."""
    connection.execute(update(schema.verdict).where(_v.comment_id == comment_id).values(note=""))
