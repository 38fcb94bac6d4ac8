"""Reading a discussion: pages, threads, events, counts. Nothing here writes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from tertulia import protocol
from tertulia.core.badges import in_language
from tertulia.core.comments import Discussion, DiscussionKey, Sort
from tertulia.core.ids import is_uuid
from tertulia.discussions import request_ids, views
from tertulia.discussions.actors import guest_token
from tertulia.discussions.badges import Badges
from tertulia.discussions.keys import Keys
from tertulia.discussions.page_cache import CachedPage, FirstPageCache, PageKey
from tertulia.errors import no_such_parent
from tertulia.identity import Identity, utc_now
from tertulia.languages import DEFAULT, Language
from tertulia.live.hub import Hub
from tertulia.protocol import comment_view, discussion_view
from tertulia.store import Store, queries
from tertulia.store.guests import asked_by
from tertulia.store.queries import DiscussionSnapshot

_EMPTY = protocol.Page(comments=[], next=None, replies={}, votes={})
_MADE_APART = {*protocol.Page.model_fields, "strings"}


class NewestComments(NamedTuple):
    """The newest comments of a discussion, the newest first."""

    discussion: protocol.DiscussionView
    comments: list[protocol.CommentView]


class Reading:
    """``edit_window``: how long guests may change what they wrote; clients are told."""

    def __init__(self, store: Store, hub: Hub, keys: Keys, edit_window: timedelta, badges: Badges) -> None:
        self._store = store
        self._first_pages = FirstPageCache(store)
        self._hub = hub
        self._keys = keys
        self._edit_window = edit_window
        self._badges = badges

    # ---- which discussion -------------------------------------------------------------------------------

    async def resolve(self, key: DiscussionKey) -> DiscussionKey:
        """The name of the discussion that a key leads to: its room and its events have it. Raises unavailable."""
        known = self._keys.known(key)
        return known if self._hub.has(known) else await self._keys.resolve(key)

    def has_room(self, key: DiscussionKey) -> bool:
        """Whether the discussion that a key leads to has readers here, had them a moment ago, or is being opened."""
        return self._hub.has(self._keys.known(key)) or self._keys.is_asked(key)

    async def site_of(self, comment_id: str) -> str | None:
        """The site of a comment, None where there is none."""
        return await self._store.read(queries.site_of, comment_id) if is_uuid(comment_id) else None

    # ---- a page of it ------------------------------------------------------------------------------------

    async def snapshot(
        self,
        key: DiscussionKey,
        *,
        sort: Sort = Sort.oldest,
        limit: int = 50,
        cursor: str | None = None,
        viewer: Identity | None = None,
    ) -> protocol.Snapshot:
        """The discussion and a page of it at one moment. Raises unauthenticated, unknown_site, bad_cursor."""
        if viewer is None and cursor is None:
            discussion, first = await self._first_page(key, sort, limit)
            return self._snapshot(discussion, first.page(), None, {})
        snapshot = await self._read_page(key, sort, limit, cursor, viewer)
        self._keys.learn(key, snapshot.discussion)
        return self._snapshot(snapshot.discussion, views.page(snapshot, viewer), viewer, {})

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
        badges = in_language(await self._badges.of(key.site), language.tag if language else DEFAULT)
        if viewer is not None:
            own = await self.snapshot(key, sort=sort, limit=limit, viewer=viewer)
            parts = [own.model_copy(update={"badges": badges}).model_dump_json(exclude={"strings"})]
        else:
            discussion, first = await self._first_page(key, sort, limit)
            parts = [first.json, self._snapshot(discussion, _EMPTY, None, badges).model_dump_json(exclude=_MADE_APART)]
        fields = ",".join(part[1:-1] for part in parts)
        return f'{{{fields},"strings":{protocol.strings_json(language)}}}'

    def _snapshot(
        self, discussion: Discussion, page: protocol.Page, viewer: Identity | None, badges: dict[str, str]
    ) -> protocol.Snapshot:
        return protocol.Snapshot(
            comments=page.comments,
            next=page.next,
            replies=page.replies,
            thread_counts=page.thread_counts,
            votes=page.votes,
            discussion=self.view(discussion),
            viewer=views.viewer(viewer),
            limits=protocol.Limits(edit_seconds=int(discussion.rules.edit_window(self._edit_window).total_seconds())),
            server_time=protocol.timestamp(utc_now()),
            strings=None,
            badges=badges,
        )

    async def page(
        self, key: DiscussionKey, *, sort: Sort, limit: int, cursor: str | None, viewer: Identity | None
    ) -> protocol.Page:
        """A further page. Raises unknown_site, bad_cursor."""
        return views.page(await self._read_page(key, sort, limit, cursor, viewer), viewer)

    async def _read_page(
        self, key: DiscussionKey, sort: Sort, limit: int, cursor: str | None, viewer: Identity | None
    ) -> DiscussionSnapshot:
        return await self._store.read(
            asked_by,
            guest_token(viewer),
            queries.snapshot,
            self._keys.known(key),
            sort=sort,
            limit=limit,
            viewer=_id(viewer),
            also=_also(viewer),
            cursor=cursor,
        )

    async def thread(
        self, key: DiscussionKey, parent_id: str, *, limit: int, cursor: str | None, viewer: Identity | None
    ) -> protocol.Page:
        """Replies to a comment, of all depths. Raises unknown_site, not_found, bad_cursor."""
        if not is_uuid(parent_id):
            raise no_such_parent()
        snapshot = await self._store.read(
            asked_by,
            guest_token(viewer),
            queries.thread,
            self._keys.known(key),
            parent_id,
            limit=limit,
            cursor=cursor,
            viewer=_id(viewer),
            also=_also(viewer),
        )
        return views.page(snapshot, viewer)

    async def permalink(self, comment_id: str) -> protocol.Permalink:
        """Where a comment stands. Raises not_found."""
        found = await self._store.read(queries.permalink, request_ids.comment_id(comment_id))
        return protocol.Permalink(
            site=found.discussion.key.site,
            key=found.discussion.key.key,
            comment=comment_view(found.chain[-1]),
            ancestors=[comment_view(comment) for comment in found.chain[:-1]],
            cursor=found.cursor,
        )

    # ---- what happened in it ------------------------------------------------------------------------------

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
        return NewestComments(self.view(newest.discussion), [comment_view(comment) for comment in newest.comments])

    async def changed_at(self, key: DiscussionKey) -> datetime | None:
        """When something last happened in a discussion, None where nothing has. Raises unknown_site."""
        return await self._store.read(queries.changed_at, key)

    def view(self, discussion: Discussion) -> protocol.DiscussionView:
        """Its state on the wire, with how many read it."""
        return discussion_view(discussion, epoch=self._store.epoch, readers=self._hub.readers(discussion.key))


def _id(identity: Identity | None) -> str | None:
    return None if identity is None else identity.author_id


def _also(identity: Identity | None) -> tuple[str, ...]:
    return () if identity is None else identity.also
