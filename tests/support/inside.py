"""Awaiting from inside of a query, which is a plain function: others go on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from sqlalchemy.util import await_only

from tertulia.store import Store


def awaiting(store: Store) -> Callable[[Coroutine[Any, Any, object]], None]:
    """Made on the event loop, for queries of this store: they run in a thread (SQLite) or a greenlet."""
    loop = asyncio.get_running_loop()

    def awaited(work: Coroutine[Any, Any, object]) -> None:
        if store.database.read.engine.dialect.name == "sqlite":
            asyncio.run_coroutine_threadsafe(work, loop).result()
        else:
            await_only(work)

    return awaited
