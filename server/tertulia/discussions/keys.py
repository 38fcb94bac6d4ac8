"""Which discussion a key leads to: what the store said is kept, since a discussion keeps its name.

The store resolves every key by itself, so this only saves queries: those of a key that is another spelling of a stored
one, and those of a room that is not open yet.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable

from tertulia.core.comments import Discussion, DiscussionKey

KNOWN_KEYS = 4_096
"""Kept, the ones used last: with keys of ordinary length 2 MB, at most some 20."""


class Keys:
    """From keys as they are given to the names of discussions."""

    def __init__(self, read: Callable[[DiscussionKey], Awaitable[DiscussionKey | None]]) -> None:
        self._read = read
        self._known: OrderedDict[DiscussionKey, DiscussionKey] = OrderedDict()

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
            found = await self._read(key)
            if found is None:
                return key.canonical
            self._keep(key, found)
        return found

    def _keep(self, key: DiscussionKey, name: DiscussionKey) -> None:
        self._known[key] = name
        self._known.move_to_end(key)
        if len(self._known) > KNOWN_KEYS:
            self._known.popitem(last=False)
