"""What somebody wrote, read once: a long text in a thread, so that nobody else waits for it."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from tertulia.core import documents, text
from tertulia.core.comments import Block

SLOW_TEXT = 500
"""Characters. Longer texts can take more than two milliseconds to parse: whether they may be posted is asked first, in
a query of its own, and they are parsed in a thread. For shorter ones either would cost more than the text."""


class Content(NamedTuple):
    """The text as it is stored, and its tree as it is shown."""

    text: str
    body: list[Block]


class Texts:
    """Reads what people write."""

    def __init__(self) -> None:
        self._long_texts = asyncio.Semaphore()

    async def read(self, body: str) -> Content:
        """What somebody wrote. Raises empty, too_long, malformed.

        This alone costs milliseconds, so whoever may not write is refused before. A long text is read in a thread, one
        after the other: there it holds the loop for no more than the interpreter's switch interval (5 ms) at a time.
        """
        if len(body) <= SLOW_TEXT:
            return _read(body)
        async with self._long_texts:
            return await asyncio.to_thread(_read, body)


def _read(body: str) -> Content:
    cleaned = text.clean_text(body)
    return Content(cleaned, documents.parse(cleaned))
