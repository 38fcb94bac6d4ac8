"""First pages as strangers see them: each made once while nothing changes in its discussion.

An article on the front page is opened by thousands at once, and all but a few get the same. Every answer is still as
new as the store: who asks gets what was looked up after the asking, but who asks meanwhile shares the next look.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from tertulia import protocol
from tertulia.core.comments import Discussion, DiscussionKey, Sort
from tertulia.discussions.single_flight import SingleFlight
from tertulia.protocol import comment_view
from tertulia.store import Store, queries

KEPT_BYTES = 16 * 1024 * 1024
"""Of memory; an ordinary page of 50 comments has 30 KB of JSON, so that some hundred discussions find room."""
ENTRY_BYTES = 600
"""Of a page besides its JSON and its key: the objects that hold them, and their places in the table."""


class PageKey(NamedTuple):
    discussion: DiscussionKey
    sort: Sort
    limit: int


@dataclass(frozen=True, slots=True)
class FirstPage:
    """A page as it is while the discussion's head is ``seq``: JSON alone, since its objects are ten times as large."""

    seq: int
    json: str

    def page(self) -> protocol.Page:
        """The page, read from its JSON."""
        return protocol.Page.model_validate_json(self.json)


_EMPTY = FirstPage(0, protocol.Page(comments=[], next=None, replies={}, votes={}).model_dump_json())
"""Of every discussion in which nothing has happened yet, and of those that are no more than a name."""


class CachedPage(NamedTuple):
    """A discussion and its first page, as they were at one time."""

    discussion: Discussion
    page: FirstPage


class FirstPageCache:
    """Keeps the pages that were asked for last, KEPT_BYTES of them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[PageKey, FirstPage] = OrderedDict()
        self._loads: dict[PageKey, SingleFlight[CachedPage]] = {}
        self.size = 0
        """Bytes of memory that the pages take."""

    @property
    def kept(self) -> Mapping[PageKey, FirstPage]:
        """The pages, the one first that goes next."""
        return self._kept

    @property
    def loading(self) -> int:
        """How many pages are being looked up."""
        return len(self._loads)

    async def get(self, key: PageKey) -> CachedPage:
        """The discussion and the page as they are now. Raises unknown_site."""
        load = self._loads.get(key)
        if load is None:
            load = self._loads[key] = SingleFlight(partial(self._load, key))
        try:
            return await load.ask()
        finally:
            if not load.is_busy and self._loads.get(key) is load:
                del self._loads[key]

    async def _load(self, key: PageKey) -> CachedPage:
        kept = self._kept.get(key)
        known = 0 if kept is None else kept.seq
        discussion, page = await self._store.read(
            queries.first_page, key.discussion, sort=key.sort, limit=key.limit, known=known
        )
        if page is None:
            if kept is None:
                return CachedPage(discussion, _EMPTY)
            if key in self._kept:  # other pages may have taken its room meanwhile
                self._kept.move_to_end(key)
            return CachedPage(discussion, kept)
        made = _made(discussion.seq, page)
        self._drop(key)
        if page.comments:
            self._keep(key, made)
        return CachedPage(discussion, made)

    def _keep(self, key: PageKey, page: FirstPage) -> None:
        self._kept[key] = page
        self.size += weight(key, page)
        while self.size > KEPT_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: PageKey) -> None:
        earlier = self._kept.pop(key, None)
        if earlier is not None:
            self.size -= weight(key, earlier)


def _made(seq: int, page: queries.CommentPage) -> FirstPage:
    comments = [comment_view(comment) for comment in page.comments]
    shown = protocol.Page(
        comments=comments, next=page.next, replies=page.replies, thread_counts=page.thread_counts, votes={}
    )
    return FirstPage(seq, shown.model_dump_json())


def weight(key: PageKey, page: FirstPage) -> int:
    """In bytes of memory."""
    name = key.discussion
    return ENTRY_BYTES + sys.getsizeof(page.json) + sys.getsizeof(name.key) + sys.getsizeof(name.site)
