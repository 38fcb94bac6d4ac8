"""Which discussion a key leads to: what the store said is kept, since a discussion keeps its name.

The store resolves every key by itself, so this only saves queries: those of a key that is another spelling of a stored
one, and those of a room that is not open yet.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from tertulia.core.comments import Discussion, DiscussionKey
from tertulia.discussions.single_flight import SingleFlight

KNOWN_KEYS = 4_096
"""Kept, the ones used last: with keys of ordinary length 2 MB, at most some 20."""


@dataclass(slots=True)
class _Asked:
    """The store is being asked for a key; ``waiting`` for the answer are so many."""

    flight: SingleFlight[DiscussionKey | None]
    waiting: int = 0


class Keys:
    """From keys as they are given to the names of discussions."""

    def __init__(self, read: Callable[[DiscussionKey], Awaitable[DiscussionKey | None]]) -> None:
        self._read = read
        self._known: OrderedDict[DiscussionKey, DiscussionKey] = OrderedDict()
        self._asked: dict[DiscussionKey, _Asked] = {}

    def known(self, key: DiscussionKey) -> DiscussionKey:
        """The name, as far as it is known: else the key as it was given, which the store resolves."""
        found = self._known.get(key)
        if found is None:
            return key
        self._known.move_to_end(key)
        return found

    def learn(self, key: DiscussionKey, discussion: Discussion) -> None:
        """Keeps to which discussion a key led; of one that is no more than a name nothing is known yet."""
        if discussion.id is not None:
            self._keep(key, discussion.key)

    async def resolve(self, key: DiscussionKey) -> DiscussionKey:
        """The name, asked for where it is not known; of no discussion yet the one that it will have."""
        found = self._known.get(key)
        if found is None:
            found = await self._ask(key)
            if found is None:
                return key.canonical
            self._keep(key, found)
        return found

    def is_asked(self, key: DiscussionKey) -> bool:
        """Whether somebody waits for ``resolve`` of it: to wait with them costs nothing."""
        return key in self._asked

    async def _ask(self, key: DiscussionKey) -> DiscussionKey | None:
        """Asks once for all who come meanwhile: a thousand readers of an article may come in one second."""
        asked = self._asked.setdefault(key, _Asked(SingleFlight(partial(self._read, key))))
        asked.waiting += 1
        try:
            return await asked.flight.ask()
        finally:
            asked.waiting -= 1
            if not asked.waiting:
                del self._asked[key]

    def _keep(self, key: DiscussionKey, name: DiscussionKey) -> None:
        self._known[key] = name
        self._known.move_to_end(key)
        if len(self._known) > KNOWN_KEYS:
            self._known.popitem(last=False)
