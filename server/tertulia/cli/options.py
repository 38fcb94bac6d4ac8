"""Flags for settings, and the store that they name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import click

from tertulia import settings
from tertulia.errors import StartupError
from tertulia.settings import Settings
from tertulia.store import Store
from tertulia.store.database import OpenMode

DATABASE = ("database_url", "database_url_file", "data_dir")
"""The settings of commands that work on a database."""
SAMPLES = "Fill an empty database and an empty folder with sample articles."
RETRY_SECONDS = 0.5


def setting_options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A flag for each of these settings, or for all of them if none is named."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        # the key itself is no flag: other users of the machine see the flags of every process
        for name in reversed(names or tuple(name for name in Settings.model_fields if name != "secret_key")):
            field = Settings.model_fields[name]
            default = settings.as_written(field.default)
            text = f"{field.description} [default: {default}]" if default else field.description
            command = click.option(f"--{name.replace('_', '-')}", name, default=None, help=text)(command)
        return command

    return decorate


def store_of(flags: dict[str, Any], *, read_only: bool = False) -> AbstractAsyncContextManager[Store]:
    """The store that a command's flags and the environment name, which has to be there. Raises StartupError."""
    return opened(settings.load(**flags), opening="read" if read_only else "use")


@asynccontextmanager
async def opened(chosen: Settings, patience: float = 0, *, opening: OpenMode = "create") -> AsyncIterator[Store]:
    """The store of these settings; waits ``patience`` seconds for its database. Raises StartupError.

    Only what serves and what fills a database may make one: everything else would praise an empty one that a mistyped
    address had just made.
    """
    store = await _answering(chosen.database, patience, opening)
    if opening != "read":
        store.start()
    try:
        yield store
    finally:
        await store.close()


async def _answering(url: str, patience: float, opening: OpenMode) -> Store:
    """The store, which may take a while to answer: a database is often started at the same moment."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        try:
            return await Store.open(url, timeouts=False, opening=opening)
        except StartupError:
            if loop.time() >= deadline:
                raise
        await asyncio.sleep(RETRY_SECONDS)


def address_of(chosen: Settings, host: str, port: int) -> str:
    """Where readers find the server, as far as it knows, without a slash at the end."""
    return (chosen.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}").rstrip("/")


def counted(number: int, what: str) -> str:
    """``1 comment``, ``1,488 comments``: the regular plural of English."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"
