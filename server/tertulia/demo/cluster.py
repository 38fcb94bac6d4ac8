"""All parts together: started in order, tended while they run, ended in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from tertulia.demo.parts import Act, Instance, Part, State, services
from tertulia.errors import StartupError

AWAY_SECONDS = 10.0
"""After this long without help a part is started again, or goes on."""
LOOK_SECONDS = 0.25


class Refused(Exception):
    """An act that is not possible now; says why."""


class Cluster:
    """Use as a context manager. ``fell`` is called just before a part is acted on or when one is found dead, ``rose``
    when one is up again, ``stayed`` when one could not be started.
    """

    def __init__(self, count: int, folder: Path, origins: Iterable[str]) -> None:
        self._redis, self._postgres = services(folder)
        self._folder = folder
        self._count = count
        self._origins = ",".join(origins)
        self._due: dict[Part, float] = {}
        self._wake = asyncio.Event()
        self.instances: list[Instance] = []
        self.fell: Callable[[Part, str], None] = lambda part, how: None
        self.rose: Callable[[Part], None] = lambda part: None
        self.stayed: Callable[[Part, StartupError], None] = lambda part, error: None

    @property
    def parts(self) -> list[Part]:
        return [*self.instances, self._redis, self._postgres]

    async def __aenter__(self) -> Self:
        """Raises StartupError, after everything has ended again."""
        try:
            await _all(self._redis.start(), self._postgres.start())
            self.instances = [Instance(number + 1, self._flags(), self._folder) for number in range(self._count)]
            first, *others = self.instances
            await first.start_with_samples()  # alone: several would install them at once
            await _all(*(instance.start() for instance in others))
        except BaseException:
            await self._end()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end()

    def part(self, name: str) -> Part | None:
        return next((part for part in self.parts if part.name == name), None)

    def due_in(self, part: Part) -> float | None:
        """Seconds until the part is started without help."""
        due = self._due.get(part)
        return None if due is None else max(due - _now(), 0.0)

    async def act(self, part: Part, act: Act) -> None:
        """Raises Refused where the part's state does not allow it."""
        if act not in part.acts:
            raise Refused(f"{part.title} is {part.state}.")
        if act is Act.start:
            self._due[part] = _now()
            self._wake.set()
            return
        if part.state is State.up:
            self.fell(part, part.how[act])
        self._due[part] = _now() + AWAY_SECONDS
        if act is Act.kill:
            await part.kill()
        else:
            part.freeze()

    async def tend(self) -> None:
        """Notices who died by another hand, and starts what is due; for ever."""
        async with asyncio.TaskGroup() as starting:
            while True:
                for part in self.parts:
                    await self._look(part)
                    if part in self._due and self._due[part] <= _now():
                        del self._due[part]
                        starting.create_task(self._start(part))
                self._wake.clear()
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    pass

    async def _look(self, part: Part) -> None:
        if part.state is State.up and not await part.is_alive() and part.state is State.up:
            self.fell(part, "found dead")
            self._due[part] = _now() + AWAY_SECONDS
            await part.kill()

    async def _start(self, part: Part) -> None:
        try:
            await part.start()
        except StartupError as error:
            self._due[part] = _now() + AWAY_SECONDS
            self.stayed(part, error)
        else:
            self.rose(part)

    def _flags(self) -> list[str]:
        """One data folder for all: they share the key that signs tokens, and the articles."""
        return [
            *("--data-dir", str(self._folder), "--database-url", self._postgres.address),
            *("--redis-url", self._redis.url, "--allowed-origins", self._origins),
            *("--post-limit-guest", "off", "--post-limit-address", "off"),
            *("--connections-per-address", "2000", "--drain-seconds", "0", "--log-level", "warning"),
        ]

    async def _end(self) -> None:
        await _all(*(instance.end() for instance in self.instances))
        await _all(self._redis.end(), self._postgres.end())


async def _all(*works: Awaitable[None]) -> None:
    """Waits for all of them also where one fails; raises the first failure."""
    for outcome in await asyncio.gather(*works, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _now() -> float:
    return asyncio.get_running_loop().time()
