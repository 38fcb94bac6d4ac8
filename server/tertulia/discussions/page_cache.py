"""First pages as strangers see them: each made once while nothing changes in its discussion.

An article on the front page is opened by thousands at once, and all but a few get the same. Every answer is still as
new as the store: who asks gets what was looked up after the asking, but who asks meanwhile shares the next look.
"""

from __future__ import annotations

import asyncio
import sys
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, NamedTuple, TypeVar

from tertulia import protocol
from tertulia.core.comments import Discussion, DiscussionKey, Sort
from tertulia.protocol import comment_view
from tertulia.store.queries import CommentPage, Reads

KEPT_BYTES = 16 * 1024 * 1024
"""Of memory; an ordinary page of 50 comments has 30 KB of JSON, so that some hundred discussions find room."""
ENTRY_BYTES = 600
"""Of a page besides its JSON and its key: the objects that hold them, and their places in the table."""

T = TypeVar("T")


class PageKey(NamedTuple):
    key: DiscussionKey
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


_NOTHING = FirstPage(0, protocol.Page(comments=[], next=None, replies={}, votes={}).model_dump_json())
"""Of every discussion in which nothing has happened yet, and of those that are no more than a name."""


class FirstPageCache:
    """Keeps the pages that were asked for last."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._kept: OrderedDict[PageKey, FirstPage] = OrderedDict()
        self._bytes = 0
        self._loads: dict[PageKey, SingleFlight[tuple[Discussion, FirstPage]]] = {}

    async def get(self, asked: PageKey) -> tuple[Discussion, FirstPage]:
        """The discussion and the page at one moment. Raises unknown_site."""
        load = self._loads.get(asked)
        if load is None:
            load = self._loads[asked] = SingleFlight(partial(self._load, asked))
        try:
            return await load.ask()
        finally:
            if not load.is_busy and self._loads.get(asked) is load:
                del self._loads[asked]

    async def _load(self, asked: PageKey) -> tuple[Discussion, FirstPage]:
        kept = self._kept.get(asked)
        known = 0 if kept is None else kept.seq
        discussion, page = await self._reads.first_page(asked.key, sort=asked.sort, limit=asked.limit, known=known)
        if page is None:
            if kept is None:
                return discussion, _NOTHING
            if asked in self._kept:  # other pages may have taken its room meanwhile
                self._kept.move_to_end(asked)
            return discussion, kept
        made = _made(discussion.seq, page)
        self._drop(asked)
        if page.comments:
            self._keep(asked, made)
        return discussion, made

    def _keep(self, asked: PageKey, made: FirstPage) -> None:
        self._kept[asked] = made
        self._bytes += _weight(asked, made)
        while self._bytes > KEPT_BYTES:
            self._drop(next(iter(self._kept)))

    def _drop(self, asked: PageKey) -> None:
        earlier = self._kept.pop(asked, None)
        if earlier is not None:
            self._bytes -= _weight(asked, earlier)


class SingleFlight(Generic[T]):
    """Work that several ask for: one run at a time, and one more for all who asked while it ran."""

    def __init__(self, work: Callable[[], Awaitable[T]]) -> None:
        self._work = work
        self._current: asyncio.Task[T] | None = None
        self._next: asyncio.Task[T] | None = None

    @property
    def is_busy(self) -> bool:
        return self._next is not None or (self._current is not None and not self._current.done())

    async def ask(self) -> T:
        """The result of a run that begins after this call; raises what it raises."""
        if self._next is None:
            self._next = asyncio.create_task(self._run(self._current))
            self._next.add_done_callback(_is_seen)
        return await asyncio.shield(self._next)

    async def _run(self, before: asyncio.Task[T] | None) -> T:
        if before is not None:
            await asyncio.wait([before])
        self._current, self._next = self._next, None
        return await self._work()


def _is_seen(task: asyncio.Task[T]) -> None:
    """An error that everybody who asked for is gone for is nobody's: asyncio need not tell of it."""
    if not task.cancelled():
        task.exception()


def _made(seq: int, page: CommentPage) -> FirstPage:
    comments = [comment_view(comment) for comment in page.comments]
    shown = protocol.Page(comments=comments, next=page.next, replies=page.replies, votes={})
    return FirstPage(seq, shown.model_dump_json())


def _weight(asked: PageKey, made: FirstPage) -> int:
    """In bytes of memory."""
    return ENTRY_BYTES + sys.getsizeof(made.json) + sys.getsizeof(asked.key.key) + sys.getsizeof(asked.key.site)
