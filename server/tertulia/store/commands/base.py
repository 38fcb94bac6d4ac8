"""What a command is, and what comes of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

from sqlalchemy import Connection

from tertulia.store.event_log import CommittedEvent
from tertulia.store.locks import LockTarget

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CommandResult(Generic[T]):
    """``erases`` where something is stored no more that was meant to be forgotten."""

    value: T
    events: tuple[CommittedEvent, ...] = ()
    erases: bool = False


class Command(Generic[T]):
    """One change, applied in the write queue's transaction."""

    __slots__ = ()

    @property
    def locks(self) -> LockTarget:
        """What to lock before ``apply``: no other transaction changes it until this one ends."""
        return None

    def apply(self, connection: Connection) -> CommandResult[T]:
        """Makes the change; it may be called again, after a rollback. Raises Problem to refuse it."""
        raise NotImplementedError
