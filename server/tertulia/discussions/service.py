"""What can be done with a discussion. Edges call this and nothing below it; it returns what goes over the wire."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import re
from collections.abc import Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from tertulia import protocol
from tertulia.core import documents, pages, text
from tertulia.core.comments import Author, Block, Discussion, DiscussionKey, Mode, Sort
from tertulia.core.ids import is_uuid, uuid7
from tertulia.core.names import unadorned
from tertulia.core.pages import PageFacts
from tertulia.discussions import views
from tertulia.discussions.keys import Keys
from tertulia.discussions.names import Names
from tertulia.discussions.page_cache import CachedPage, FirstPageCache, PageKey
from tertulia.discussions.voting import VOTE_SECONDS, Voting
from tertulia.errors import ErrorCode, Problem, no_such_comment, no_such_parent
from tertulia.identity import MODERATOR_PREFIX, REPEAT_HOURS, Identity, Tokens, token_hash, unauthenticated, utc_now
from tertulia.languages import Language
from tertulia.limits import PostingLimits, Write
from tertulia.live.hub import Hub
from tertulia.protocol import comment_view, discussion_view
from tertulia.store import Store, commands, queries
from tertulia.store.commands import Actor, Ballot, Command, Draft, PostResult, Request

_EMPTY = protocol.Page(comments=[], next=None, replies={}, votes={})
_MADE_APART = {*protocol.Page.model_fields, "strings"}
_SLOW_TEXT = 500
"""Characters. Longer texts can take more than two milliseconds to parse: whether they may be posted is asked first, in
a query of its own, and they are parsed in a thread. For shorter ones either would cost more than the text."""
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{16,64}")

log = logging.getLogger(__name__)


class NewestComments(NamedTuple):
    """The newest comments of a discussion, the newest first."""

    discussion: protocol.DiscussionView
    comments: list[protocol.CommentView]


class Content(NamedTuple):
    """What somebody wrote: the text as it is stored, and its tree as it is shown."""

    text: str
    body: list[Block]


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
        self._first_pages = FirstPageCache(store)
        self._hub = hub
        self._tokens = tokens
        self._limits = limits
        self._names = Names(store.reader(queries.moderators))
        self._keys = Keys(store.reader(queries.stored_key))
        self._edit_window = edit_window
        self._voting = Voting(store.write, vote_seconds)
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
        moderator = await self._store.read(queries.moderator, token_hash(token))
        if moderator is None:
            raise unauthenticated()
        return Identity(moderator.id, moderator.name, moderator=True, site=None)

    # ---- which discussion -------------------------------------------------------------------------------

    async def resolve(self, key: DiscussionKey) -> DiscussionKey:
        """The name of the discussion that a key leads to: its room and its events have it. Raises unavailable."""
        known = self._keys.known(key)
        return known if self._hub.has(known) else await self._keys.resolve(key)

    def has_room(self, key: DiscussionKey) -> bool:
        """Whether the discussion that a key is known to lead to has readers here, or had a moment ago."""
        return self._hub.has(self._keys.known(key))

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
            discussion, first = await self._first_page(key, sort, limit)
            return self._snapshot(discussion, first.page(), None)
        snapshot = await self._store.read(
            queries.snapshot, self._keys.known(key), sort=sort, limit=limit, viewer=_id(viewer), cursor=cursor
        )
        self._keys.learn(key, snapshot.discussion)
        return self._snapshot(snapshot.discussion, views.page(snapshot, viewer), viewer)

    async def _first_page(self, key: DiscussionKey, sort: Sort, limit: int) -> CachedPage:
        found = await self._first_pages.get(PageKey(self._keys.known(key), sort, limit))
        self._keys.learn(key, found.discussion)
        return found

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
            discussion, first = await self._first_page(key, sort, limit)
            parts = [first.json, self._snapshot(discussion, _EMPTY, None).model_dump_json(exclude=_MADE_APART)]
        fields = ",".join(part[1:-1] for part in parts)
        return f'{{{fields},"strings":{protocol.strings_json(language)}}}'

    def _snapshot(self, discussion: Discussion, page: protocol.Page, viewer: Identity | None) -> protocol.Snapshot:
        return protocol.Snapshot(
            comments=page.comments,
            next=page.next,
            replies=page.replies,
            votes=page.votes,
            discussion=self._view(discussion),
            viewer=views.viewer(viewer),
            limits=protocol.Limits(edit_seconds=int(self._edit_window.total_seconds())),
            server_time=protocol.timestamp(utc_now()),
            strings=None,
        )

    async def page(
        self, key: DiscussionKey, *, sort: Sort, limit: int, cursor: str | None, viewer: Identity | None
    ) -> protocol.Page:
        """A further page. Raises unknown_site, bad_cursor."""
        snapshot = await self._store.read(
            queries.snapshot, self._keys.known(key), sort=sort, limit=limit, viewer=_id(viewer), cursor=cursor
        )
        return views.page(snapshot, viewer)

    async def thread(
        self, key: DiscussionKey, parent_id: str, *, limit: int, cursor: str | None, viewer: Identity | None
    ) -> protocol.Page:
        """Replies to a comment, of all depths. Raises unknown_site, not_found, bad_cursor."""
        if not is_uuid(parent_id):
            raise no_such_parent()
        snapshot = await self._store.read(
            queries.thread, self._keys.known(key), parent_id, limit=limit, cursor=cursor, viewer=_id(viewer)
        )
        return views.page(snapshot, viewer)

    async def permalink(self, comment_id: str) -> protocol.Permalink:
        """Where a comment stands. Raises not_found."""
        found = await self._store.read(queries.permalink, _comment_id(comment_id))
        return protocol.Permalink(
            site=found.discussion.key.site,
            key=found.discussion.key.key,
            comment=comment_view(found.chain[-1]),
            ancestors=[comment_view(comment) for comment in found.chain[:-1]],
            cursor=found.cursor,
        )

    async def site_of(self, comment_id: str) -> str | None:
        """The site of a comment, None where there is none."""
        return await self._store.read(queries.site_of, comment_id) if is_uuid(comment_id) else None

    async def events(self, key: DiscussionKey, epoch: str | None, after: int, limit: int) -> str:
        """Events after a cursor as JSON (protocol.Events), from a warm room where there is one.

        A cursor that cannot be continued is answered without events, by an ``epoch`` or ``seq`` unlike its own.
        Raises unknown_site.
        """
        key = self._keys.known(key)
        if epoch is not None and epoch != self._store.epoch:
            discussion = await self._store.read(queries.discussion, key)
            return protocol.events_page(self._store.epoch, discussion.seq, [], more=False)
        recent = self._hub.recent(key, after)
        if recent is None:
            recent = await self._store.read(queries.events, key, after, limit)
        head, events = recent
        events = protocol.page_of(events[:limit])
        more = bool(events) and events[-1].seq < head
        return protocol.events_page(self._store.epoch, head, [event.payload for event in events], more=more)

    async def counts(self, site: str, keys: Sequence[str]) -> dict[str, int]:
        """How many comments are visible, 0 where nothing was said. Raises unknown_site."""
        found = await self._store.read(queries.comment_counts, site, keys)
        return {key: found.get(key, 0) for key in keys}

    async def newest(self, key: DiscussionKey, limit: int) -> NewestComments:
        """The newest visible comments of all depths. Raises unknown_site."""
        newest = await self._store.read(queries.newest, self._keys.known(key), limit)
        return NewestComments(self._view(newest.discussion), [comment_view(comment) for comment in newest.comments])

    async def changed_at(self, key: DiscussionKey) -> datetime | None:
        """When something last happened in a discussion, None where nothing has. Raises unknown_site."""
        return await self._store.read(queries.changed_at, key)

    async def held(self, site: str, limit: int, cursor: str | None, moderator: Identity | None) -> protocol.HeldPage:
        """Comments that wait for approval. Raises unauthenticated, forbidden, unknown_site, bad_cursor."""
        require_moderator(moderator)
        held = await self._store.read(queries.held, site, limit, cursor)
        return views.held_page(held)

    async def reported(
        self, site: str, limit: int, cursor: str | None, moderator: Identity | None
    ) -> protocol.ReportPage:
        """What readers reported and can still be read. Raises unauthenticated, forbidden, unknown_site, bad_cursor."""
        require_moderator(moderator)
        reported = await self._store.read(queries.reported, site, limit, cursor)
        return views.report_page(reported)

    # ---- writing ----------------------------------------------------------------------------------------

    async def post_comment(
        self,
        new: protocol.NewComment,
        idempotency_key: str | None,
        *,
        identity: Identity | None = None,
        address: str | None = None,
        origins: Set[str] = frozenset(),
    ) -> Answer:
        """Says something, once for one idempotency key.

        origins: of the site's pages, and the server's own

        Raises idempotency_key_required, empty, too_long, invalid, malformed, unauthenticated, rate_limited,
        name_taken, unknown_site, closed, bad_parent, idempotency_conflict.
        """
        key = _idempotency_key(idempotency_key)
        draft = self._draft(new, key, identity)
        text.check_size(new.body)
        await self._limits.count(identity.author_id if identity else None, address)
        if not (identity and identity.moderator):
            await self._names.check(draft.author.name)
        if len(new.body) > _SLOW_TEXT:
            await self._store.read(commands.check_post, draft)
        draft = await self._with_content(draft, new, _page(new, origins, identity))
        result = await self._store.write(commands.PostComment(draft))
        posted = protocol.Posted(
            comment=_own_view(result, key), seq=result.seq, token=self._new_token(draft, identity, result)
        )
        return Answer(posted, result.repeated)

    def _new_token(self, draft: Draft, identity: Identity | None, result: PostResult) -> str | None:
        """A token for a guest who has none, or whose own is old or of another name."""
        author = draft.author
        if identity is not None:
            if identity.moderator or (identity.name == author.name and not identity.is_old(draft.at)):
                return None
        elif _is_late(result, draft.at):
            return None
        return self._tokens.issue(author.id, author.name, draft.key.site, draft.at)

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
            idempotency_key=self._tokens.hashed_key(key),
            digest="",
            unhashed=Request(key, ""),
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

    async def _with_content(self, draft: Draft, new: protocol.NewComment, page: PageFacts) -> Draft:
        """Raises empty, too_long, malformed."""
        content = await self._content(new.body)
        # of the key as it was sent: a repeat is the same whatever was learned of the key meanwhile
        digest = _digest(draft.key.site, draft.key.key, draft.parent_id or "", draft.author.name, content.text)
        return replace(
            draft,
            key=self._keys.known(draft.key),
            title=page.title,
            url=page.url,
            corrects=page.correct,
            text=content.text,
            body=content.body,
            digest=self._tokens.hashed_digest(digest),
            unhashed=Request(draft.unhashed.key, digest),
        )

    async def _content(self, body: str) -> Content:
        """What somebody wrote. Raises empty, too_long, malformed.

        This alone costs milliseconds, so whoever may not write is refused before. A long text is read in a thread, one
        after the other: there it holds the loop for no more than the interpreter's switch interval (5 ms) at a time.
        """
        if len(body) <= _SLOW_TEXT:
            return _read(body)
        async with self._long_texts:
            return await asyncio.to_thread(_read, body)

    async def preview(self, body: str, address: str | None) -> protocol.Preview:
        """What a comment of this text would show; nothing is stored.

        Raises rate_limited, empty, too_long, malformed.
        """
        text.check_size(body)
        await self._limits.count_preview(address)
        return protocol.Preview(body=(await self._content(body)).body)

    async def edit(
        self, comment_id: str, body: str, identity: Identity | None, address: str | None = None
    ) -> protocol.Changed:
        """Changes what one said, or as a moderator what anybody said.

        Raises unauthenticated, rate_limited, empty, too_long, malformed, not_found, forbidden, gone, edit_window_over.
        """
        text.check_size(body)
        actor, found = await self._counted(Write.change, identity, address), _comment_id(comment_id)
        at, window = utc_now(), self._edit_window
        await self._store.read(commands.check_edit, found, actor, at, window)
        content = await self._content(body)
        edit = commands.EditComment(found, actor=actor, text=content.text, body=content.body, at=at, window=window)
        return await self._change(edit, actor, "edit", identity)

    async def delete_comment(
        self, comment_id: str, identity: Identity | None, address: str | None = None
    ) -> protocol.Changed:
        """Deletes one's own comment, or removes another's as a moderator.

        Raises unauthenticated, rate_limited, not_found, forbidden, gone.
        """
        actor, found = await self._counted(Write.change, identity, address), _comment_id(comment_id)
        return await self._change(commands.DeleteComment(found, actor, utc_now()), actor, "remove", identity)

    async def restore(self, comment_id: str, identity: Identity | None) -> protocol.Changed:
        """Raises unauthenticated, forbidden, rate_limited, not_found, bad_state."""
        actor, found = await self._moderating(identity), _comment_id(comment_id)
        return await self._change(commands.RestoreComment(found, utc_now()), actor, "restore", identity)

    async def approve(self, comment_id: str, identity: Identity | None) -> protocol.Changed:
        """Raises unauthenticated, forbidden, rate_limited, not_found, bad_state."""
        actor, found = await self._moderating(identity), _comment_id(comment_id)
        return await self._change(commands.ApproveComment(found, utc_now()), actor, "approve", identity)

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
        command = commands.ReportComment(found, reporter=reporter, reason=report.reason, note=note, at=at)
        return protocol.Reported(id=await self._store.write(command))

    async def set_mode(self, key: DiscussionKey, mode: Mode, identity: Identity | None) -> protocol.DiscussionChanged:
        """Opens, holds or closes a discussion. Raises unauthenticated, forbidden, rate_limited, unknown_site."""
        return await self.change(key, protocol.DiscussionChange(mode=mode.value), identity)

    async def change(
        self,
        key: DiscussionKey,
        change: protocol.DiscussionChange,
        identity: Identity | None,
        origins: Set[str] = frozenset(),
    ) -> protocol.DiscussionChanged:
        """Opens, holds or closes a discussion, or says what its page is called and where it is.

        A program of the site may do the latter. ``origins`` are those of the site's pages, and the server's own.
        Raises unauthenticated, forbidden, rate_limited, unknown_site, invalid, too_long, malformed.
        """
        actor = require_moderator(identity) if change.mode is not None else _require_staff(identity, key.site)
        await self._limits.count(actor.id, None, Write.moderation)
        if change.mode is change.title is change.url is None:
            raise Problem(ErrorCode.invalid, "Give mode, title or url.", field="mode")
        command = commands.ChangeDiscussion(
            self._keys.known(key),
            utc_now(),
            mode=None if change.mode is None else Mode(change.mode),
            title=None if change.title is None else _new_title(change.title),
            url=None if change.url is None else _new_url(change.url, origins),
        )
        changed = await self._store.write(command)
        act = "describe the page" if change.mode is None else f"set to {change.mode}"
        _log_moderation(identity, act, site=key.site, discussion=changed.id)
        return protocol.DiscussionChanged(discussion=self._view(changed), seq=changed.seq)

    async def _change(
        self, command: Command[PostResult], actor: Actor, act: str, identity: Identity | None
    ) -> protocol.Changed:
        """The comment after the change, as whoever made it sees it; acts of moderation are told in the log."""
        changed = await self._store.write(command)
        own = changed.comment.author.id == actor.id
        if actor.moderator and not own:
            _log_moderation(identity, act, comment=changed.comment.id)
        return protocol.Changed(comment=comment_view(changed.comment, own=own, reveal=actor.moderator), seq=changed.seq)

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

    def _view(self, discussion: Discussion) -> protocol.DiscussionView:
        return discussion_view(discussion, epoch=self._store.epoch, readers=self._hub.readers(discussion.key))


def _log_moderation(identity: Identity | None, act: str, **what: object) -> None:
    log.info("moderation", extra={"by": identity.name if identity else "", "act": act, **what})


def _read(body: str) -> Content:
    cleaned = text.clean_text(body)
    return Content(cleaned, documents.parse(cleaned))


def require_moderator(identity: Identity | None) -> Actor:
    """Raises unauthenticated, forbidden."""
    actor = _actor(identity)
    if not actor.moderator:
        raise Problem(ErrorCode.forbidden, "Only a moderator may do this.")
    return actor


def _require_staff(identity: Identity | None, site: str) -> Actor:
    """A moderator, or a program of the site. Raises unauthenticated, forbidden."""
    actor = _actor(identity)
    if not _is_staff(identity) or actor.site not in (None, site):
        raise Problem(ErrorCode.forbidden, "Only a moderator or a program of the site may do this.")
    return actor


def _is_staff(identity: Identity | None) -> bool:
    return identity is not None and (identity.moderator or identity.program)


def _page(new: protocol.NewComment, origins: Set[str], identity: Identity | None) -> PageFacts:
    """Raises malformed."""
    return pages.said(new.title or "", new.url or "", key=new.key, origins=origins, trusted=_is_staff(identity))


def _new_title(given: str) -> str:
    """Raises too_long, malformed."""
    title = text.clean_title(given)
    if len(given.strip()) > text.TITLE_LENGTH and len(title) == text.TITLE_LENGTH:
        raise Problem(ErrorCode.too_long, f"A title has at most {text.TITLE_LENGTH} characters.", field="title")
    return title


def _new_url(given: str, origins: Set[str]) -> str:
    """Raises invalid, too_long, malformed."""
    url = text.clean_url(given)
    kept = pages.own_address(url, origins)
    if url and not kept:
        raise Problem(ErrorCode.invalid, "Send the address of a page of one of the site's origins.", field="url")
    return kept


def _actor(identity: Identity | None) -> Actor:
    if identity is None:
        raise unauthenticated()
    return Actor(identity.author_id, identity.moderator, identity.site)


def _id(identity: Identity | None) -> str | None:
    return None if identity is None else identity.author_id


def _own_view(result: PostResult, idempotency_key: str) -> protocol.CommentView:
    """The comment as its author sees it: that of the event, where there is one."""
    if result.view is None:
        return comment_view(result.comment, own=True, idempotency_key=idempotency_key)
    return result.view.model_copy(update={"idempotency_key": idempotency_key})


def _is_late(result: PostResult, now: datetime) -> bool:
    """Whether it repeats what was said so long ago that it is hardly a retry."""
    return result.repeated and abs(now - result.comment.created_at) > timedelta(hours=REPEAT_HOURS)


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
        raise no_such_comment()
    return given


def _parent_id(given: str) -> str:
    if not is_uuid(given):
        raise Problem(ErrorCode.bad_parent, "The comment replied to is not in this discussion.", field="parent_id")
    return given


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
