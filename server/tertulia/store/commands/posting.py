"""Storing a new comment: once for one request, and with its event unless it is held."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from tertulia.core.causes import Cause, CauseKind
from tertulia.core.comments import Comment, Discussion, State
from tertulia.core.hooks import SiteChecks
from tertulia.core.rules import Check
from tertulia.errors import ErrorCode, Problem, unauthenticated
from tertulia.protocol import comment_view
from tertulia.store import bans, event_log, names, records, reviews
from tertulia.store.bans import BanEffect
from tertulia.store.commands.admitting import causes, require_admitted
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.commands.checking import CheckedText, begin_check, hold_for_check
from tertulia.store.commands.comments import PostResult
from tertulia.store.commands.discussions import change_discussion
from tertulia.store.commands.drafts import Draft, DraftHead
from tertulia.store.event_log import CommittedEvent
from tertulia.store.locks import LockTarget
from tertulia.store.mapping import milliseconds
from tertulia.store.reviews import Touched


@dataclass(frozen=True, slots=True)
class PostComment(Command[PostResult]):
    """Stores a comment, once for one idempotency key.

    Raises unknown_site, unauthenticated, closed, members_only, slow_mode, name_taken, bad_parent, links,
    idempotency_conflict.
    """

    draft: Draft

    @property
    def locks(self) -> LockTarget:
        return self.draft.key

    def apply(self, connection: Connection) -> CommandResult[PostResult]:
        draft = self.draft
        origin = draft.origin() if draft.keeps_origin else None
        context = records.post_context(
            connection, draft.key, draft.request, at=draft.at, title=draft.title, url=draft.url
        )
        if draft.token_at is not None and records.is_void(context.tokens_after, draft.token_at):
            raise unauthenticated()
        earlier = _earlier(connection, draft) if context.is_repeated else None
        if earlier is not None:
            return CommandResult(earlier)
        require_admitted(connection, context.discussion, draft)
        if context.author_name != draft.author.name and not draft.is_staff:
            site = None if draft.signed_in else draft.key.site
            names.require_free(connection, draft.author.id, draft.author.name, chosen_at=site)
        parent = _require_parent(connection, context.discussion, draft.parent_id)
        waits_for = (*self._bans(connection, context, origin), *causes(connection, context.discussion, draft))
        is_checked = bool(context.discussion.checks) and draft.is_checked and not draft.is_staff
        is_held = bool(waits_for) or (is_checked and context.discussion.rules.check is Check.first)
        comment = _comment(draft, context, parent, State.held if is_held else State.visible)
        corrected = _named(connection, context.discussion, draft)
        records.insert_post(connection, comment, context, at=draft.at, digest=draft.digest)
        self._note_origin(connection, comment.id, context.discussion, origin, is_checked=is_checked)
        if is_checked:
            begin_check(connection, CheckedText(comment.id, comment.version, edited=0))
        if waits_for:
            reviews.begin(connection, comment.id, context.site_id, waits_for, milliseconds(draft.at))
            touched = (Touched(context.site_id, comment.id),)
            return CommandResult(PostResult(comment, None), corrected, makes_tasks=is_checked, touched=touched)
        if is_held:
            hold_for_check(connection, comment.id)
            return CommandResult(PostResult(comment, None), corrected, makes_tasks=True)
        view = comment_view(comment)
        event = event_log.append(connection, "comment.created", comment, draft.at, shown=+1, view=view, queued=True)
        return CommandResult(
            PostResult(comment, event.event.seq, view=view), (*corrected, event), makes_tasks=is_checked
        )

    def _note_origin(
        self, connection: Connection, comment_id: str, discussion: Discussion, origin: str | None, *, is_checked: bool
    ) -> None:
        """``origin`` is what is noted of every comment of a guest."""
        traces = self.draft.traces() if is_checked and SiteChecks.traced in discussion.checks else None
        if traces is None and origin is None and discussion.rules.slow:
            origin = self.draft.origin()
        network, sealed = traces or (origin, None)
        if network is not None:
            records.note_origin(connection, comment_id, network, self.draft.at, sealed)

    def _bans(self, connection: Connection, context: records.PostContext, origin: str | None) -> tuple[Cause, ...]:
        """Raises banned."""
        if self.draft.is_staff or not (context.ban_effect or context.networks_banned_until):
            return ()
        found = []
        if context.ban_effect is not None:
            found.append(bans.active(connection, self.draft.author.id, self.draft.at))
        if context.networks_banned_until and origin is not None:
            found.append(bans.active_near(connection, context.site_id, origin, self.draft.at))
        ban = bans.strictest(found)
        if ban is not None and ban.effect is BanEffect.refuse:
            raise bans.banned(connection, ban, self.draft.at)
        return () if ban is None else (Cause(CauseKind.ban),)


def check_post(connection: Connection, head: DraftHead) -> None:
    """Refuses what PostComment would refuse whatever the text is: asked before a long one is read.

    Raises closed, members_only, slow_mode, bad_parent.
    """
    discussion = records.find_discussion(connection, head.key) or Discussion(head.key)
    if records.find_request(connection, head.request) is None:
        require_admitted(connection, discussion, head)
        _require_parent(connection, discussion, head.parent_id)


def said_at(connection: Connection, request: records.RequestId) -> datetime | None:
    """When the comment of a request was said; None where there is none."""
    earlier = records.find_request(connection, request)
    return None if earlier is None else earlier.comment.created_at


def _comment(draft: Draft, context: records.PostContext, parent: Comment | None, state: State) -> Comment:
    return Comment(
        id=draft.id,
        discussion_id=context.discussion_id,
        parent_id=draft.parent_id,
        root_id=parent.root_id if parent else draft.id,
        author=draft.author,
        text=draft.text,
        body=draft.body,
        created_at=_reply_time(parent, draft.at),
        edited_at=None,
        state=state,
        up=0,
        down=0,
        reply_count=0,
        pinned=False,
        idempotency_key=draft.idempotency_key,
    )


def _reply_time(parent: Comment | None, at: datetime) -> datetime:
    """A reply is younger than what it answers, although clocks go back and those of two instances differ."""
    return at if parent is None else max(at, parent.created_at + timedelta(milliseconds=1))


def _require_parent(connection: Connection, discussion: Discussion, parent_id: str | None) -> Comment | None:
    if parent_id is None:
        return None
    parent = records.find_comment(connection, parent_id)
    if parent is None or parent.discussion_id != discussion.id or parent.state is State.held:
        raise Problem(ErrorCode.bad_parent, "The comment replied to is not in this discussion.", field="parent_id")
    if parent.state.is_tombstone:
        raise Problem(ErrorCode.bad_parent, "The comment replied to is no longer there.", field="parent_id")
    return parent


def _named(connection: Connection, discussion: Discussion, draft: Draft) -> tuple[CommittedEvent, ...]:
    """Gives a discussion the title and the address that come with a comment; what is corrected makes an event."""
    if not draft.corrects:
        records.fill_in(connection, discussion, title=draft.title, url=draft.url)
        return ()
    return change_discussion(connection, discussion, draft.at, title=draft.title or None, url=draft.url or None).events


def _earlier(connection: Connection, draft: Draft) -> PostResult | None:
    """What the same request came to before. Raises idempotency_conflict."""
    earlier = records.find_request(connection, draft.request)
    if earlier is None:
        return None
    is_new_form = earlier.comment.idempotency_key == draft.idempotency_key
    if earlier.digest != (draft.digest if is_new_form else draft.unhashed_digest):
        raise Problem(
            ErrorCode.idempotency_conflict,
            "This Idempotency-Key was used with another content; make a new key for a new comment.",
            field="Idempotency-Key",
        )
    return PostResult(earlier.comment, event_log.created_seq(connection, earlier.comment.id), repeated=True)
