"""All services together: started in order, supervised while they run, stopped in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from tertulia.errors import StartupError
from tertulia.showcase.demo.services import LOCALHOST, Action, Instance, Service, ServiceState, redis_and_postgres

RESTART_SECONDS = 10.0
"""A service that is down or frozen is started or resumed by itself after this long."""
CHECK_SECONDS = 0.25


class ActionRefused(Exception):
    """The action is not possible in the state that the service is in; the message says which."""


class Cluster:
    """Use as a context manager.

    ``on_down`` is called just before an action on a service that is up, and when one is found dead; ``on_up`` when one
    is up again; ``on_start_failed`` when one could not be started.
    """

    def __init__(self, count: int, folder: Path, origins: Iterable[str], page: str) -> None:
        """``page`` is host and port of the demonstration's own, which the instances may ask."""
        self._redis, self._postgres = redis_and_postgres(folder)
        self._folder = folder
        self._count = count
        self._origins = ",".join(origins)
        self._page = page
        self._restart_at: dict[Service, float] = {}
        self._wake = asyncio.Event()
        self.instances: list[Instance] = []
        self.on_down: Callable[[Service, str], None] = lambda service, cause: None
        self.on_up: Callable[[Service], None] = lambda service: None
        self.on_start_failed: Callable[[Service, StartupError], None] = lambda service, error: None

    @property
    def database_url(self) -> str:
        return self._postgres.address

    @property
    def services(self) -> list[Service]:
        return [*self.instances, self._redis, self._postgres]

    async def __aenter__(self) -> Self:
        """Raises StartupError, once everything that was started is stopped again."""
        try:
            await _gather(self._redis.start(), self._postgres.start())
            self.instances = [Instance(number + 1, self._flags(), self._folder) for number in range(self._count)]
            first, *others = self.instances
            await first.start_with_samples()  # alone: several would install them at once
            await _gather(*(instance.start() for instance in others))
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stop()

    def service(self, name: str) -> Service | None:
        return next((service for service in self.services if service.name == name), None)

    def restarts_in(self, service: Service) -> float | None:
        """Seconds until the service is started or resumed by itself; None if nothing is scheduled."""
        at = self._restart_at.get(service)
        return None if at is None else max(at - _now(), 0.0)

    async def perform(self, service: Service, action: Action) -> None:
        """Raises ActionRefused if the state of the service does not allow it."""
        if action not in service.actions:
            raise ActionRefused(f"{service.title} is {service.state}.")
        if action is Action.start:
            self._restart_at[service] = _now()
            self._wake.set()
            return
        if service.state is ServiceState.up:
            self.on_down(service, service.effects[action])
        self._restart_at[service] = _now() + RESTART_SECONDS
        if action is Action.kill:
            await service.kill()
        else:
            service.freeze()

    async def supervise(self) -> None:
        """Notices services that somebody else killed and restarts what is due, for ever."""
        async with asyncio.TaskGroup() as starting:
            while True:
                for service in self.services:
                    await self._check_alive(service)
                    if service in self._restart_at and self._restart_at[service] <= _now():
                        del self._restart_at[service]
                        starting.create_task(self._start(service))
                self._wake.clear()
                try:
                    async with asyncio.timeout(CHECK_SECONDS):
                        await self._wake.wait()
                except TimeoutError:
                    pass

    async def _check_alive(self, service: Service) -> None:
        if service.state is ServiceState.up and not await service.is_alive() and service.state is ServiceState.up:
            self.on_down(service, "found dead")
            self._restart_at[service] = _now() + RESTART_SECONDS
            await service.kill()

    async def _start(self, service: Service) -> None:
        try:
            await service.start()
        except StartupError as error:
            self._restart_at[service] = _now() + RESTART_SECONDS
            self.on_start_failed(service, error)
        else:
            self.on_up(service)

    def _flags(self) -> list[str]:
        """One data folder for all: they share the key that signs tokens, and the articles."""
        return [
            *("--data-dir", str(self._folder), "--database-url", self._postgres.address),
            *("--redis-url", self._redis.url, "--allowed-origins", self._origins),
            *("--post-limit-guest", "off", "--post-limit-address", "off", "--trusted-proxies", LOCALHOST),
            *("--private-hosts", self._page),
            *("--connections-per-address", "2000", "--drain-seconds", "0", "--log-level", "warning"),
        ]

    async def _stop(self) -> None:
        await _gather(*(instance.stop() for instance in self.instances))
        await _gather(self._redis.stop(), self._postgres.stop())


async def _gather(*jobs: Awaitable[None]) -> None:
    """Waits for all of them even if one fails, then raises the first failure."""
    for outcome in await asyncio.gather(*jobs, return_exceptions=True):
        if isinstance(outcome, BaseException):
            raise outcome


def _now() -> float:
    return asyncio.get_running_loop().time()
