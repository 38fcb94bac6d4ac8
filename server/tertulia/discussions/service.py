"""What can be done with a discussion. Edges call this and nothing below it; it returns what goes over the wire."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from tertulia import protocol
from tertulia.core import documents, text
from tertulia.core.comments import Author, Block, Comment, Discussion, DiscussionKey, Mode, Sort
from tertulia.core.ids import is_uuid, uuid7
from tertulia.core.names import unadorned
from tertulia.discussions.names import Names
from tertulia.discussions.page_cache import FirstPageCache, PageKey
from tertulia.discussions.voting import VOTE_SECONDS, Voting
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import MODERATOR_PREFIX, REPEAT_HOURS, Identity, Tokens, token_hash, unauthenticated, utc_now
from tertulia.languages import Language
from tertulia.limits import PostingLimits, Write
from tertulia.live.hub import Hub
from tertulia.protocol import comment_view, discussion_view
from tertulia.store import Store, commands
from tertulia.store.commands import Actor, Ballot, Draft, PostResult
from tertulia.store.queries import DiscussionSnapshot

_EMPTY = protocol.Page(comments=[], next=None, replies={}, votes={})
_MADE_APART = {*protocol.Page.model_fields, "strings"}
_LONG = 500
"""Characters of a text that may take more than two milliseconds to read. Who may say it is asked before, in a query of
its own, and it is read in a thread: for shorter ones either would cost more than the text."""
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{16,64}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a post came to; ``repeated`` when it had been answered before and nothing new was stored."""

    posted: protocol.Posted
    repeated: bool


class Discussions:
    """Reads and changes discussions for whoever a token names; nothing here knows HTTP."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        tokens: Tokens,
        limits: PostingLimits,
        *,
        edit_window: timedelta,
        vote_seconds: float = VOTE_SECONDS,
    ) -> None:
        self._store = store
        self._first_pages = FirstPageCache(store.reads)
        self._hub = hub
        self._tokens = tokens
        self._limits = limits
        self._names = Names(store.reads.moderators)
        self._edit_window = edit_window
        self._voting = Voting(store.write_queue, vote_seconds)
        self._long_texts = asyncio.Semaphore()

    async def close(self) -> None:
        """Commits the votes that wait."""
        await self._voting.close()

    # ---- who asks ---------------------------------------------------------------------------------------

    async def identify(self, authorization: str | None, site: str | None) -> Identity | None:
        """Whom an Authorization header names, None without one. Raises unauthenticated.

        A guest's token is good for the site it was made for; with ``site`` None the caller checks that later.
        """
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        token = token.lstrip(" ")  # RFC 9110: a scheme in any case, one or more blanks, and nothing after the token
        if scheme.lower() != "bearer" or not token:
            raise unauthenticated()
        if not token.startswith(MODERATOR_PREFIX):
            return self._tokens.read(token, site)
        moderator = await self._store.reads.moderator(token_hash(token))
        if moderator is None:
            raise unauthenticated()
        return Identity(moderator.id, moderator.name, moderator=True, site=None)

    # ---- reading ----------------------------------------------------------------------------------------

    async def snapshot(
        self,
        key: DiscussionKey,
        *,
        sort: Sort = Sort.oldest,
        limit: int = 50,
        cursor: str | None = None,
        viewer: Identity | None = None,
    ) -> protocol.Snapshot:
        """The discussion and a page of it at one moment. Raises unknown_site, bad_cursor."""
        if viewer is None and cursor is None:
            discussion, first = await self._first_pages.get(PageKey(key, sort, limit))
            return self._snapshot(discussion, first.page(), None)
        snapshot = await self._store.reads.snapshot(key, sort=sort, limit=limit, viewer=_id(viewer), cursor=cursor)
        return self._snapshot(snapshot.discussion, self._page(snapshot, viewer), viewer)

    async def first_page(
        self,
        key: DiscussionKey,
        *,
        sort: Sort,
        limit: int,
        viewer: Identity | None,
        language: Language | None = None,
    ) -> str:
        """The snapshot of the first page as JSON (protocol.Snapshot), with what the client says in ``language``.

        Raises unknown_site.
        """
        if viewer is not None:
            own = await self.snapshot(key, sort=sort, limit=limit, viewer=viewer)
            parts = [own.model_dump_json(exclude={"strings"})]
        else:
            discussion, first = await self._first_pages.get(PageKey(key, sort, limit))
            parts = [first.json, self._snapshot(discussion, _EMPTY, None).model_dump_json(exclude=_MADE_APART)]
        fields = ",".join(part[1:-1] for part in parts)
        return f'{{{fields},"strings":{protocol.strings_json(language)}}}'

    def _snapshot(self, discussion: Discussion, page: protocol.Page, viewer: Identity | None) -> protocol.Snapshot:
        readers = self._hub.readers(discussion.key)
        return protocol.Snapshot(
            comments=page.comments,
            next=page.next,
            replies=page.replies,
            votes=page.votes,
            discussion=discussion_view(discussion, epoch=self._store.epoch, readers=readers),
            viewer=_viewer(viewer),
            limits=protocol.Limits(edit_seconds=int(self._edit_window.total_seconds())),
            server_time=protocol.timestamp(utc_now()),
            strings=None,
        )

    async def page(
        self, key: DiscussionKey, *, sort: Sort, limit: int, cursor: str | None, viewer: Identity | None
    ) -> protocol.Page:
        """A further page. Raises unknown_site, bad_cursor."""
        snapshot = await self._store.reads.snapshot(key, sort=sort, limit=limit, viewer=_id(viewer), cursor=cursor)
        return self._page(snapshot, viewer)

    async def thread(
        self, key: DiscussionKey, parent_id: str, *, limit: int, cursor: str | None, viewer: Identity | None
    ) -> protocol.Page:
        """Replies to a comment, of all depths. Raises unknown_site, not_found, bad_cursor."""
        if not is_uuid(parent_id):
            raise Problem(ErrorCode.not_found, "There is no such comment in this discussion.", field="parent")
        snapshot = await self._store.reads.thread(key, parent_id, limit=limit, cursor=cursor, viewer=_id(viewer))
        return self._page(snapshot, viewer)

    async def permalink(self, comment_id: str) -> protocol.Permalink:
        """Where a comment stands. Raises not_found."""
        discussion, chain, cursor = await self._store.reads.permalink(_comment_id(comment_id))
        return protocol.Permalink(
            site=discussion.key.site,
            key=discussion.key.key,
            comment=comment_view(chain[-1]),
            ancestors=[comment_view(comment) for comment in chain[:-1]],
            cursor=cursor,
        )

    async def site_of(self, comment_id: str) -> str | None:
        """The site of a comment, None where there is none."""
        return await self._store.reads.site_of(comment_id) if is_uuid(comment_id) else None

    async def events(self, key: DiscussionKey, epoch: str | None, after: int, limit: int) -> str:
        """Events after a cursor as JSON (protocol.Events), from a warm room where there is one.

        A cursor that cannot be continued is answered without events, by an ``epoch`` or ``seq`` unlike its own.
        Raises unknown_site.
        """
        if epoch is not None and epoch != self._store.epoch:
            discussion = await self._store.reads.discussion(key)
            return protocol.events_page(self._store.epoch, discussion.seq, [], more=False)
        head, events = self._hub.recent(key, after) or await self._store.reads.events(key, after, limit)
        events = protocol.page_of(events[:limit])
        more = bool(events) and events[-1].seq < head
        return protocol.events_page(self._store.epoch, head, [event.payload for event in events], more=more)

    async def counts(self, site: str, keys: Sequence[str]) -> dict[str, int]:
        """How many comments are visible, 0 where nothing was said. Raises unknown_site."""
        found = await self._store.reads.counts(site, keys)
        return {key: found.get(key, 0) for key in keys}

    async def newest(
        self, key: DiscussionKey, limit: int
    ) -> tuple[protocol.DiscussionView, list[protocol.CommentView]]:
        """The newest visible comments of all depths. Raises unknown_site."""
        discussion, comments = await self._store.reads.newest(key, limit)
        view = discussion_view(discussion, epoch=self._store.epoch, readers=self._hub.readers(key))
        return view, [comment_view(comment) for comment in comments]

    async def held(self, site: str, limit: int, cursor: str | None, moderator: Identity | None) -> protocol.HeldPage:
        """Comments that wait for approval. Raises unauthenticated, forbidden, unknown_site, bad_cursor."""
        require_moderator(moderator)
        held, following = await self._store.reads.held(site, limit, cursor)
        return protocol.HeldPage(
            comments=[
                protocol.HeldComment(site=one.key.site, key=one.key.key, comment=comment_view(one.comment, reveal=True))
                for one in held
            ],
            next=following,
        )

    async def reported(
        self, site: str, limit: int, cursor: str | None, moderator: Identity | None
    ) -> protocol.ReportPage:
        """What readers reported and can still be read. Raises unauthenticated, forbidden, unknown_site, bad_cursor."""
        require_moderator(moderator)
        reports, following = await self._store.reads.reported(site, limit, cursor)
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
                for one in reports
            ],
            next=following,
        )

    # ---- writing ----------------------------------------------------------------------------------------

    async def post_comment(
        self,
        new: protocol.NewComment,
        idempotency_key: str | None,
        *,
        identity: Identity | None = None,
        address: str | None = None,
    ) -> Answer:
        """Says something, once for one idempotency key.

        Raises idempotency_key_required, empty, too_long, invalid, malformed, unauthenticated, rate_limited,
        name_taken, unknown_site, closed, bad_parent, idempotency_conflict.
        """
        key = _idempotency_key(idempotency_key)
        draft = self._draft(new, key, identity)
        text.check_size(new.body)
        await self._limits.count(identity.author_id if identity else None, address)
        if not (identity and identity.moderator):
            await self._names.check(draft.author.name)
        if len(new.body) > _LONG:
            await self._store.reads.ask(partial(commands.may_post, draft=draft))
        draft = await self._with_content(draft, new)
        said = await self._store.write_queue.submit(lambda c: commands.post(c, draft), draft.key)
        renewed = identity is None or identity.name != draft.author.name or identity.is_old(draft.at)
        token = None
        if renewed and (identity is None or not identity.moderator) and not _is_late(said, identity, draft.at):
            token = self._tokens.issue(draft.author.id, draft.author.name, new.site, draft.at)
        posted = protocol.Posted(
            comment=comment_view(said.comment, own=True, idempotency_key=key), seq=said.seq, token=token
        )
        return Answer(posted, said.repeated)

    def _draft(self, new: protocol.NewComment, key: str, identity: Identity | None) -> Draft:
        """Who says something and where; what is said is not looked at yet."""
        return Draft(
            id=uuid7(),
            key=DiscussionKey(text.clean_site(new.site), text.clean_key(new.key)),
            title="",
            url="",
            parent_id=None if new.parent_id is None else _parent_id(new.parent_id),
            author=self._author(new, key, identity),
            text="",
            body=[],
            at=utc_now(),
            idempotency_key=self._tokens.hide_key(key),
            digest="",
            bare=(key, ""),
        )

    def _author(self, new: protocol.NewComment, key: str, identity: Identity | None) -> Author:
        if identity is not None and identity.moderator:
            return Author(identity.author_id, identity.name, "moderator")
        if identity is not None and identity.member:
            return Author(identity.author_id, unadorned(identity.name))
        name = unadorned(text.clean_name(new.author.name)) if new.author is not None else None
        if identity is not None:
            return Author(identity.author_id, name or unadorned(identity.name))
        if name is None:
            raise Problem(ErrorCode.empty, "Give a name.", field="author.name")
        return Author(self._tokens.guest_id(new.site, key), name)

    async def _with_content(self, draft: Draft, new: protocol.NewComment) -> Draft:
        """Raises empty, too_long, invalid, malformed."""
        said, document = await self._document(new.body)
        key, _ = draft.bare
        digest = _digest(draft.key.site, draft.key.key, draft.parent_id or "", draft.author.name, said)
        return replace(
            draft,
            title=text.clean_title(new.title or ""),
            url=text.clean_url(new.url or ""),
            text=said,
            body=document,
            digest=self._tokens.hide_digest(digest),
            bare=(key, digest),
        )

    async def _document(self, body: str) -> tuple[str, list[Block]]:
        """What somebody wrote, as it is stored and as it is shown. Raises empty, too_long, malformed.

        This alone costs milliseconds, so whoever may not write is refused before. A long text is read in a thread, one
        after the other: there it holds the loop for no more than the interpreter's switch interval (5 ms) at a time.
        """
        if len(body) <= _LONG:
            return _read(body)
        async with self._long_texts:
            return await asyncio.to_thread(_read, body)

    async def preview(self, body: str, address: str | None) -> protocol.Preview:
        """What a comment of this text would show; nothing is stored.

        Raises rate_limited, empty, too_long, malformed.
        """
        text.check_size(body)
        await self._limits.count_preview(address)
        _, document = await self._document(body)
        return protocol.Preview(body=document)

    async def edit(
        self, comment_id: str, body: str, identity: Identity | None, address: str | None = None
    ) -> protocol.Changed:
        """Changes what one said, or as a moderator what anybody said.

        Raises unauthenticated, rate_limited, empty, too_long, malformed, not_found, forbidden, gone, edit_window_over.
        """
        text.check_size(body)
        actor, found = await self._counted(Write.change, identity, address), _comment_id(comment_id)
        at = utc_now()
        await self._store.reads.ask(lambda c: commands.may_edit(c, found, actor, at, self._edit_window))
        said, document = await self._document(body)
        changed = await self._store.write_queue.submit(
            lambda c: commands.edit(c, found, actor, said, document, at, self._edit_window), found
        )
        return _changed(changed, actor)

    async def delete_comment(
        self, comment_id: str, identity: Identity | None, address: str | None = None
    ) -> protocol.Changed:
        """Deletes one's own comment, or removes another's as a moderator.

        Raises unauthenticated, rate_limited, not_found, forbidden, gone.
        """
        actor, found, at = await self._counted(Write.change, identity, address), _comment_id(comment_id), utc_now()
        changed = await self._store.write_queue.submit(lambda c: commands.delete_comment(c, found, actor, at), found)
        return _changed(changed, actor)

    async def restore(self, comment_id: str, identity: Identity | None) -> protocol.Changed:
        """Raises unauthenticated, forbidden, rate_limited, not_found, bad_state."""
        actor, found, at = await self._moderating(identity), _comment_id(comment_id), utc_now()
        changed = await self._store.write_queue.submit(lambda c: commands.restore(c, found, at), found)
        return _changed(changed, actor)

    async def approve(self, comment_id: str, identity: Identity | None) -> protocol.Changed:
        """Raises unauthenticated, forbidden, rate_limited, not_found, bad_state."""
        actor, found, at = await self._moderating(identity), _comment_id(comment_id), utc_now()
        changed = await self._store.write_queue.submit(lambda c: commands.approve(c, found, at), found)
        return _changed(changed, actor)

    async def vote(
        self, comment_id: str, vote: protocol.Vote, identity: Identity | None, address: str | None = None
    ) -> protocol.Voted:
        """Raises unauthenticated, rate_limited, not_found, forbidden, gone."""
        actor, found = await self._counted(Write.vote, identity, address), _comment_id(comment_id)
        counted = await self._voting.vote(found, Ballot(actor, vote.value))
        votes = protocol.Votes(up=counted.up, down=counted.down)
        return protocol.Voted(votes=votes, value=vote.value, seq=counted.seq)

    async def report(
        self, comment_id: str, report: protocol.Report, identity: Identity | None, address: str | None
    ) -> protocol.Reported:
        """Raises not_found, gone, malformed, too_long, rate_limited."""
        found, at = _comment_id(comment_id), utc_now()
        reporter = None if identity is None else _actor(identity)
        await self._limits.count(reporter.id if reporter else None, address)
        note = text.clean_text(report.note, field="note") if report.note else ""
        report_id = await self._store.write_queue.submit(
            lambda c: commands.report(c, found, reporter, report.reason, note, at), found
        )
        return protocol.Reported(id=report_id)

    async def set_mode(self, key: DiscussionKey, mode: Mode, identity: Identity | None) -> protocol.DiscussionChanged:
        """Opens, holds or closes a discussion. Raises unauthenticated, forbidden, rate_limited, unknown_site."""
        await self._moderating(identity)
        at = utc_now()
        changed = await self._store.write_queue.submit(lambda c: commands.set_mode(c, key, mode, at), key)
        view = discussion_view(changed, epoch=self._store.epoch, readers=self._hub.readers(key))
        return protocol.DiscussionChanged(discussion=view, seq=changed.seq)

    # ---- how often --------------------------------------------------------------------------------------

    async def _counted(self, write: Write, identity: Identity | None, address: str | None) -> Actor:
        """Who writes, once it is counted. Raises unauthenticated, rate_limited."""
        actor = _actor(identity)
        if actor.moderator and write is Write.change:
            write, address = Write.moderation, None
        await self._limits.count(actor.id, address, write)
        return actor

    async def _moderating(self, identity: Identity | None) -> Actor:
        """Raises unauthenticated, forbidden, rate_limited."""
        actor = require_moderator(identity)
        await self._limits.count(actor.id, None, Write.moderation)
        return actor

    # ---- from the store to the wire ---------------------------------------------------------------------

    def _page(self, snapshot: DiscussionSnapshot, viewer: Identity | None) -> protocol.Page:
        return protocol.Page(
            comments=[_seen_by(viewer, comment) for comment in snapshot.page.comments],
            next=snapshot.page.next,
            replies=snapshot.page.replies,
            votes={comment_id: 1 if value > 0 else -1 for comment_id, value in snapshot.votes.items()},
        )


def _read(body: str) -> tuple[str, list[Block]]:
    said = text.clean_text(body)
    return said, documents.parse(said)


def require_moderator(identity: Identity | None) -> Actor:
    """Raises unauthenticated, forbidden."""
    actor = _actor(identity)
    if not actor.moderator:
        raise Problem(ErrorCode.forbidden, "Only a moderator may do this.")
    return actor


def _actor(identity: Identity | None) -> Actor:
    if identity is None:
        raise unauthenticated()
    return Actor(identity.author_id, identity.moderator, identity.site)


def _id(identity: Identity | None) -> str | None:
    return None if identity is None else identity.author_id


def _viewer(identity: Identity | None) -> protocol.Viewer | None:
    if identity is None:
        return None
    return protocol.Viewer(id=identity.author_id, name=identity.name, moderator=identity.moderator)


def _seen_by(viewer: Identity | None, comment: Comment) -> protocol.CommentView:
    own = viewer is not None and comment.author.id == viewer.author_id
    return comment_view(comment, own=own, reveal=viewer is not None and viewer.moderator)


def _changed(said: PostResult, actor: Actor) -> protocol.Changed:
    own = said.comment.author.id == actor.id
    return protocol.Changed(comment=comment_view(said.comment, own=own, reveal=actor.moderator), seq=said.seq)


def _is_late(said: PostResult, identity: Identity | None, now: datetime) -> bool:
    """Whether somebody who shows no token repeats what a guest said so long ago that it is hardly a retry."""
    return identity is None and said.repeated and abs(now - said.comment.created_at) > timedelta(hours=REPEAT_HOURS)


def _idempotency_key(given: str | None) -> str:
    if given is None or not _IDEMPOTENCY_KEY.fullmatch(given):
        raise Problem(
            ErrorCode.idempotency_key_required,
            "Send a header Idempotency-Key of 16 to 64 visible ASCII characters, random and new for each comment.",
            field="Idempotency-Key",
        )
    return given


def _comment_id(given: str) -> str:
    if not is_uuid(given):
        raise Problem(ErrorCode.not_found, "There is no such comment.")
    return given


def _parent_id(given: str) -> str:
    if not is_uuid(given):
        raise Problem(ErrorCode.bad_parent, "The comment replied to is not in this discussion.", field="parent_id")
    return given


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
