"""A lane: one connection that says and one that hears, to the server that a way leads to."""

from __future__ import annotations

import asyncio
import secrets

from tertulia.bus.connecting import Way
from tertulia.bus.doubt import Doubt
from tertulia.bus.encoding import PREFIX
from tertulia.bus.hearing import Ear
from tertulia.bus.sending import Outbox, Parcel
from tertulia.bus.speech import PLAIN, Speech
from tertulia.bus.topology import Ends


class Lane:
    """Carries all channels that it is given."""

    def __init__(self, way: Way, speech: Speech, ends: Ends, doubt: Doubt, probe_channel: str) -> None:
        self._outbox = Outbox(way, speech, ends.counts, doubt)
        self._ear = Ear(way, speech, self._outbox, ends, doubt, probe_channel)
        self._tasks: list[asyncio.Task[None]] = []
        # no call between, since publishing is what is done most
        self.put = self._outbox.put
        self.want = self._ear.want
        self.unwant = self._ear.unwant
        self.emptied = self._outbox.emptied

    @classmethod
    def alone(cls, way: Way, ends: Ends) -> Lane:
        """The only one of its bus."""
        return cls(way, PLAIN, ends, ends.doubts.open(), probe_channel())

    def __len__(self) -> int:
        return len(self._outbox)

    def start(self) -> None:
        self._tasks = [
            asyncio.create_task(self._outbox.run(), name="bus-outbox"),
            asyncio.create_task(self._ear.run(), name="bus-ear"),
        ]

    def end(self) -> list[Parcel]:
        """Begins to close; gives what still waited."""
        for task in self._tasks:
            task.cancel()
        return self._outbox.left()

    async def close(self) -> None:
        self.end()
        await asyncio.gather(*self._tasks, return_exceptions=True)


def probe_channel() -> str:
    """One that nobody else knows of."""
    return f"{PREFIX}probe:{secrets.token_hex(16)}"
