"""``tertulia provider``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from tertulia import settings
from tertulia.cli.issuer_rows import echo_issuers
from tertulia.cli.options import DATABASE, Group, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.core.text import is_site
from tertulia.errors import ErrorCode, Problem, StartupError
from tertulia.identity import utc_now
from tertulia.identity.providers import PRESETS, UNSUPPORTED, Preset, ProviderConfig, StoredProvider
from tertulia.identity.sealing import Sealing
from tertulia.people.providers import PROVIDER
from tertulia.people.providers.known import understood
from tertulia.store.issuers import AddIssuer, IssuerRow, RemoveIssuer, issuers

LARGEST_SECRET = 4_096
"""Bytes of a file with a client's secret; providers give 20 to 80."""


@click.group(cls=Group)
def provider() -> None:
    """Providers at which readers of a site sign in, such as Google, or your own by OpenID Connect."""


@provider.command("add")
@click.argument("site")
@click.argument("name")
@click.option(
    "--preset",
    type=click.Choice([*PRESETS, *UNSUPPORTED]),
    help="What is known of a provider; by default that of its NAME.",
)
@click.option("--issuer", metavar="URL", help="Its issuer, to the letter, as its metadata says it.")
@click.option("--client-id", required=True, metavar="TEXT", help="What the provider calls this server.")
@click.option(
    "--client-secret-file",
    required=True,
    type=click.Path(path_type=Path),
    help="File with the secret that the provider gave for it.",
)
@click.option("--scopes", metavar="TEXT", help="What to ask for, separated by blanks. [default: openid profile email]")
@click.option("--label", metavar="TEXT", help="What readers see on the button. [default: the preset's, or NAME]")
@click.option(
    "--join-by-email",
    is_flag=True,
    help="Keep, sealed, the e-mail address that this provider verified, so that accounts can be joined by it; none "
    "are joined yet. Say so only of a provider that you trust with every account of the site.",
)
@setting_options(*DATABASE, "secret_key_file")
@coroutine
async def provider_add(
    site: str,
    name: str,
    preset: str | None,
    issuer: str | None,
    client_id: str,
    client_secret_file: Path,
    scopes: str | None,
    label: str | None,
    join_by_email: bool,
    **flags: Any,
) -> None:
    """Let readers of SITE sign in at one more provider; a running server knows it within seconds.

    There, name https://THIS-SERVER/signin/NAME/callback as the address to come back to. The secret is kept sealed with
    the secret key of the server, so this is run where that key is.
    """
    if not is_site(name):
        raise Problem(ErrorCode.invalid, "A provider's name has 1 to 64 of a-z, 0-9 and '-'.", field="name")
    known = _preset(preset or name)
    given: dict[str, Any] = {"client_id": client_id, "join_by_email": join_by_email}
    given |= _of_preset(known, name, issuer) | ({} if scopes is None else {"scopes": tuple(scopes.split())})
    config = _checked(given | ({} if label is None else {"label": label}))
    async with store_of(flags) as store:
        _check_elsewhere(name, config.issuer, await store.read(issuers, PROVIDER))
        secret = _secret(client_secret_file)
        sealed = Sealing(settings.secret_key(settings.load(**flags), make=False)).seal(secret)
        kept = config.model_dump(mode="json", exclude_defaults=True)
        await store.write(AddIssuer(IssuerRow(site, name, PROVIDER, kept, sealed), utc_now()))
    click.echo(f"Readers of {site} sign in with {config.label}. The address to come back to is /signin/{name}/callback")


@provider.command("list")
@setting_options(*DATABASE)
@coroutine
async def provider_list(**flags: Any) -> None:
    """List the providers: site, name, label, issuer, our name there, and what is asked for."""
    await echo_issuers(flags, PROVIDER, understood, _columns)


@provider.command("remove")
@click.argument("site")
@click.argument("name")
@setting_options(*DATABASE)
@coroutine
async def provider_remove(site: str, name: str, **flags: Any) -> None:
    """Let nobody sign in to SITE at the provider NAME any more; who is signed in stays so."""
    async with store_of(flags) as store:
        await store.write(RemoveIssuer(site, name, PROVIDER, utc_now()))
    click.echo(f"Readers of {site} sign in with {name} no more.")


def _preset(name: str) -> Preset | None:
    """Raises StartupError for one that cannot be had."""
    if name in UNSUPPORTED:
        raise StartupError(UNSUPPORTED[name])
    return PRESETS.get(name)


def _of_preset(known: Preset | None, name: str, issuer: str | None) -> dict[str, Any]:
    """Raises StartupError where nothing says which provider it is."""
    found = issuer or (None if known is None else known.issuer)
    if found is None:
        raise StartupError(f"{name} needs --issuer https://…; presets that do not: {', '.join(_complete())}")
    if known is None:
        return {"issuer": found, "label": name.capitalize()}
    given: dict[str, Any] = {"label": known.label, "icon": known.icon, "scopes": known.scopes}
    if known.kind != "oidc":
        found = found.rstrip("/")
    return given | {"issuer": found, "endpoints": known.endpoints(found)}


def _complete() -> list[str]:
    return [name for name, preset in PRESETS.items() if preset.issuer is not None]


def _checked(given: dict[str, Any]) -> ProviderConfig:
    """Raises StartupError."""
    try:
        return ProviderConfig.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        field = str(first["loc"][0]) if first["loc"] else "scopes"
        wanted = {"issuer": "is an address that begins with https://", "label": "has 1 to 40 characters"}
        wanted |= {"client_id": "has 1 to 255 characters and no blanks"}
        reason = wanted.get(field, str(first["msg"]).removeprefix("Value error, "))
        raise StartupError(f"--{field.replace('_', '-')}: {reason}" if first["loc"] else reason) from error


def _check_elsewhere(name: str, issuer: str, rows: Sequence[IssuerRow]) -> None:
    """One name is one provider, at whatever sites: the address to come back to says which. Raises StartupError."""
    for row in rows:
        if row.name == name and row.config.get("issuer") != issuer:
            raise StartupError(
                f"{name} is {row.config.get('issuer')} at the site {row.site}; choose another name, since each "
                "provider has an address of its own to come back to"
            )


def _secret(path: Path) -> bytes:
    """Raises StartupError, OSError."""
    with path.open("rb") as file:
        raw = file.read(LARGEST_SECRET + 1)
    secret = raw.strip()
    if not secret or len(raw) > LARGEST_SECRET or not all(33 <= byte <= 126 for byte in secret):
        raise StartupError(f"{path} holds no secret: it has to be one line without blanks")
    return secret


def _columns(stored: StoredProvider) -> list[str]:
    config = stored.config
    more = ["keeps e-mail addresses"] if config.join_by_email else []
    return [config.label, config.issuer, config.client_id, " ".join([*config.scopes, *more])]
