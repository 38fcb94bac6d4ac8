"""What a command is, and what comes of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

from tertulia.store.event_log import CommittedEvent
from tertulia.store.locks import LockTarget
from tertulia.store.reviews import Touched

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CommandResult(Generic[T]):
    """``erases`` where something is stored no more that was to be forgotten; ``makes_tasks`` where there is work.

    ``touched`` are comments of which the desk of their site is told, once all commands of the batch are applied.
    """

    value: T
    events: tuple[CommittedEvent, ...] = ()
    erases: bool = False
    makes_tasks: bool = False
    touched: tuple[Touched, ...] = ()


class Command(Generic[T]):
    """One change, applied in the write queue's transaction."""

    __slots__ = ()

    @property
    def locks(self) -> LockTarget:
        """What to lock before ``apply``: no other transaction changes it until this one ends."""
        return None

    @property
    def holds(self) -> frozenset[str]:
        """Names of what else it changes, an author's id or an address: one transaction at a time has each of them."""
        return frozenset()

    def apply(self, connection: Connection) -> CommandResult[T]:
        """Makes the change; it may be called again, after a rollback. Raises Problem to refuse it."""
        raise NotImplementedError


class Wrapping(Command[T]):
    """A command that another one stands around, which locks what it does."""

    __slots__ = ()
    command: Command[T]

    @property
    def locks(self) -> LockTarget:
        return self.command.locks

    @property
    def holds(self) -> frozenset[str]:
        return self.command.holds
