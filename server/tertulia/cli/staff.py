"""``tertulia staff``."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import click

from tertulia import settings
from tertulia.cli.options import DATABASE, Group, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.core.roles import Role
from tertulia.core.text import clean_name
from tertulia.identity import derived_key, new_invitation, utc_now
from tertulia.identity.sealing import Sealing
from tertulia.people import Mailboxes, member_named
from tertulia.store import queries
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import GiveMember, Invite, TakeRole

_SITE = click.option("--site", help="The site; all sites without it.")
_ROLES = click.Choice([role.value for role in Role])
SIGN_IN = "/staff/sign-in"


@click.group(cls=Group)
def staff() -> None:
    """People who decide for a site: owners, moderators, hosts, and who has a badge."""


@staff.command("invite")
@click.argument("name")
@_SITE
@click.option("--role", type=_ROLES, required=True, help="What NAME may do there.")
@click.option("--member", is_flag=True, help="NAME is a member of the site: a name, an e-mail address or an id.")
@setting_options(*DATABASE, "secret_key_file", "public_url")
@coroutine
async def staff_invite(name: str, site: str | None, role: str, member: bool, **flags: Any) -> None:
    """Give NAME a role and print a link to sign in by: it is good once, for 24 hours.

    A link for the same person from before is void. The link begins with --public-url, where that is set. A --member
    gets no link, and signs in as before.
    """
    if member:
        await _give_member(name, site, Role(role), flags)
        return
    name, (token, hashed) = clean_name(name, "name"), new_invitation()
    public_url = (settings.load(**flags).public_url or "").rstrip("/")
    async with store_of(flags) as store:
        await store.write(Invite(OPERATOR, name, site, Role(role), hashed, utc_now()))
    click.echo(f"{name} is {role} {_where(site)}. The link is good once, for 24 hours:", err=True)
    click.echo(f"{public_url}{SIGN_IN}?link={token}")


async def _give_member(given: str, site: str | None, role: Role, flags: dict[str, Any]) -> None:
    if site is None:
        raise click.UsageError("A member is one of a site: add --site.")
    secret = settings.secret_key(settings.load(**flags), make=False)
    mailboxes = Mailboxes(Sealing(secret), derived_key(secret, "mailboxes"))
    async with store_of(flags) as store:
        found = await member_named(store, mailboxes, derived_key(secret, "subjects"), site, given)
        name = await store.write(GiveMember(OPERATOR, found, site, role, utc_now()))
    click.echo(f"{name} is {role} {_where(site)}, and signs in at {SIGN_IN}?{urlencode({'site': site})}")


@staff.command("list")
@_SITE
@setting_options(*DATABASE)
@coroutine
async def staff_list(site: str | None, **flags: Any) -> None:
    """List who has which role where."""
    async with store_of(flags, read_only=True) as store:
        for held in await store.read(queries.staff_of, site):
            click.echo(f"{held.name}\t{held.role}\t{held.site or 'all sites'}")


@staff.command("remove")
@click.argument("name")
@_SITE
@click.option("--role", type=_ROLES, help="Which role; all that NAME has there without it.")
@setting_options(*DATABASE)
@coroutine
async def staff_remove(name: str, site: str | None, role: str | None, **flags: Any) -> None:
    """Take a role of NAME away, at all servers at once; whoever has none left is signed out.

    NAME is a person's name or id.
    """
    async with store_of(flags) as store:
        await store.write(TakeRole(OPERATOR, clean_name(name, "name"), site, Role(role) if role else None, utc_now()))
    click.echo(f"{name} is no longer {role or 'staff'} {_where(site)}.")


def _where(site: str | None) -> str:
    return f"of {site}" if site else "of all sites"
