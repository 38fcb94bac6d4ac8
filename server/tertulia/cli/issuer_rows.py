"""Lists of whose word is taken at which site, for ``tertulia issuer`` and ``tertulia provider``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from tertulia.cli.options import store_of
from tertulia.store.issuers import IssuerRow, issuers

T = TypeVar("T")


async def echo_issuers(
    flags: dict[str, Any],
    kind: str,
    understood: Callable[[IssuerRow], T | None],
    columns: Callable[[T], list[str]],
) -> None:
    """A line for each row of a kind: its site, its name, and the columns of what can be understood."""
    async with store_of(flags, read_only=True) as store:
        for row in await store.read(issuers, kind):
            stored = understood(row)
            click.echo("\t".join([row.site, row.name, *(["cannot be read"] if stored is None else columns(stored))]))
