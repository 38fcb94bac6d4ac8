"""``tertulia moderator``."""

from __future__ import annotations

from typing import Any

import click

from tertulia.cli.options import DATABASE, Group, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.core.text import clean_name
from tertulia.identity import new_moderator_token, utc_now
from tertulia.store import administration, queries


@click.group(cls=Group)
def moderator() -> None:
    """Moderators and their tokens."""


@moderator.command("add")
@click.argument("name")
@setting_options(*DATABASE)
@coroutine
async def moderator_add(name: str, **flags: Any) -> None:
    """Add the moderator NAME and print the bearer token, once."""
    name = clean_name(name, "name")
    token, hashed = new_moderator_token()
    async with store_of(flags) as store:
        await store.write(administration.AddModerator(name, hashed, utc_now()))
    _print_token(name, token)


@moderator.command("renew")
@click.argument("name")
@setting_options(*DATABASE)
@coroutine
async def moderator_renew(name: str, **flags: Any) -> None:
    """Give the moderator NAME another token and print it, once; the old one is refused from then on, by all servers."""
    name = clean_name(name, "name")
    token, hashed = new_moderator_token()
    async with store_of(flags) as store:
        await store.write(administration.RenewModerator(name, hashed))
    _print_token(name, token)


@moderator.command("remove")
@click.argument("name")
@setting_options(*DATABASE)
@coroutine
async def moderator_remove(name: str, **flags: Any) -> None:
    """Take the rights of the moderator NAME back; the token is refused from then on, by all servers.

    What the moderator wrote and decided stays as it is. The name can be given to somebody else with add; that is
    another moderator, to whom earlier comments do not belong.
    """
    name = clean_name(name, "name")
    async with store_of(flags) as store:
        await store.write(administration.RemoveModerator(name, utc_now()))
    click.echo(f"{name} is no moderator any more.")


@moderator.command("list")
@setting_options(*DATABASE)
@coroutine
async def moderator_list(**flags: Any) -> None:
    """List the moderators."""
    async with store_of(flags, read_only=True) as store:
        for name in await store.read(queries.moderators):
            click.echo(name)


def _print_token(name: str, token: str) -> None:
    click.echo(f"The token of {name}; it is not kept and not shown again:", err=True)
    click.echo(token)
