"""``tertulia issuer``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from tertulia import settings
from tertulia.cli.issuer_rows import echo_issuers
from tertulia.cli.options import DATABASE, Group, counted, setting_options, store_of
from tertulia.cli.running import coroutine, print_line
from tertulia.core.text import is_site
from tertulia.errors import ErrorCode, Problem, StartupError
from tertulia.identity import keys, utc_now
from tertulia.identity.assertions import LIFE_SECONDS, LONGEST_LIFE_SECONDS, MOST_TRUST, ROLES
from tertulia.identity.issuers import IssuerConfig, StoredIssuer
from tertulia.identity.keys import Algorithm, KeySetError
from tertulia.identity.sealing import Sealing
from tertulia.people.issuers import SITE_ISSUER, understood
from tertulia.store.issuers import AddIssuer, EndSessionsBy, IssuerRow, RemoveIssuer

LARGEST_FILE = 64 * 1024
"""Bytes of a file with keys: as much as an address may answer."""
_FILE = click.Path(path_type=Path)


@click.group(cls=Group)
def issuer() -> None:
    """Issuers: whose tokens say who a reader of a site is."""


@issuer.command("add")
@click.argument("site")
@click.argument("name")
@click.option("--iss", required=True, metavar="TEXT", help="The claim iss of its tokens, to the letter.")
@click.option("--alg", required=True, type=click.Choice([*Algorithm]), help="How it signs; one algorithm an issuer.")
@click.option("--secret-file", type=_FILE, help="File with the secret of HS256, 32 bytes or more.")
@click.option("--jwks-file", type=_FILE, help="File with its public keys as a JWK Set.")
@click.option("--jwks-url", metavar="URL", help="The https address of its public keys; they may change there.")
@click.option(
    "--max-age",
    type=click.IntRange(1, LONGEST_LIFE_SECONDS),
    default=LIFE_SECONDS,
    show_default=True,
    help="Seconds from iat to exp of a token, at most.",
)
@click.option("--badge", "badges", multiple=True, help="A badge that it may give; may be repeated.")
@click.option("--role", "roles", type=click.Choice(sorted(ROLES)), multiple=True, help="A role that it may give.")
@click.option("--trust", type=click.IntRange(0, MOST_TRUST), default=0, show_default=True, help="The most it may give.")
@click.option("--picture-host", "picture_hosts", multiple=True, help="A host that pictures may be at.")
@setting_options(*DATABASE, "secret_key_file")
@coroutine
async def issuer_add(
    site: str,
    name: str,
    iss: str,
    alg: str,
    secret_file: Path | None,
    jwks_file: Path | None,
    jwks_url: str | None,
    max_age: int,
    badges: tuple[str, ...],
    roles: tuple[str, ...],
    trust: int,
    picture_hosts: tuple[str, ...],
    **flags: Any,
) -> None:
    """Take the word of one more issuer for who a reader of SITE is; a running server knows it within seconds.

    The secret is kept sealed with the secret key of the server, so this is run where that key is. Two issuers may have
    the same --iss: add the new secret under another NAME, let the site use it, and remove the old one.
    """
    if not is_site(name):
        raise Problem(ErrorCode.invalid, "An issuer's name has 1 to 64 of a-z, 0-9 and '-'.", field="name")
    algorithm = Algorithm(alg)
    _check_source(algorithm, secret_file, jwks_file, jwks_url)
    secret = None if secret_file is None else _secret(secret_file)
    given: dict[str, Any] = {"iss": iss, "alg": alg, "jwks_url": jwks_url, "life": max_age, "trust": trust}
    given |= {"jwks": None if jwks_file is None else _key_set(jwks_file, algorithm)}
    given |= {"badges": badges, "roles": roles, "picture_hosts": picture_hosts}
    config = _checked(given)
    async with store_of(flags) as store:
        sealed = None
        if secret is not None:
            key = settings.secret_key(settings.load(**flags), make=False)
            sealed = Sealing(key).seal(secret)
        row = IssuerRow(site, name, SITE_ISSUER, config.model_dump(mode="json", exclude_defaults=True), sealed)
        await store.write(AddIssuer(row, utc_now()))
    if jwks_url is not None:
        await _try(jwks_url, algorithm)
    click.echo(f"{site} takes tokens of {iss}, signed with {alg}.")


@issuer.command("list")
@setting_options(*DATABASE)
@coroutine
async def issuer_list(**flags: Any) -> None:
    """List the issuers: site, name, iss, algorithm, where the keys are, and what more than a name they may give."""
    await echo_issuers(flags, SITE_ISSUER, understood, _columns)


@issuer.command("remove")
@click.argument("site")
@click.argument("name")
@click.option("--sign-out", is_flag=True, help="End the sessions that tokens of the same iss opened, too.")
@setting_options(*DATABASE)
@coroutine
async def issuer_remove(site: str, name: str, sign_out: bool, **flags: Any) -> None:
    """Take tokens of the issuer NAME of SITE no more; all servers refuse them within seconds.

    Who is signed in stays so for 24 hours at most. Where a secret became known, say --sign-out: sessions end at once,
    and pages ask for a new token.
    """
    async with store_of(flags) as store:
        row = await store.write(RemoveIssuer(site, name, SITE_ISSUER, utc_now()))
        click.echo(f"{site} takes no tokens of {name} any more.")
        if sign_out:
            ended = await store.write(EndSessionsBy(site, str(row.config.get("iss")), utc_now()))
            click.echo(f"{counted(ended, 'session')} ended.")


def _check_source(algorithm: Algorithm, secret: Path | None, file: Path | None, url: str | None) -> None:
    """Raises StartupError where the keys are not given once, and as the algorithm has them."""
    if algorithm is Algorithm.HS256:
        if file is not None or url is not None:
            raise StartupError("HS256 has a secret and no public keys; give it with --secret-file alone")
        if secret is None:
            raise StartupError("HS256 needs --secret-file; make one with: openssl rand -base64 48 > FILE")
        return
    if secret is not None:
        raise StartupError(f"{algorithm} has public keys and no secret; give them with --jwks-file or --jwks-url")
    if (file is None) == (url is None):
        raise StartupError(f"{algorithm} has its keys in one place; give either --jwks-file or --jwks-url")


def _secret(path: Path) -> bytes:
    """The secret in a file; of a text without the end of its line, which editors add. Raises StartupError."""
    raw = _read(path)
    line = raw.removesuffix(b"\n").removesuffix(b"\r")
    secret = line if line.isascii() and line.decode("ascii").isprintable() else raw
    try:
        keys.of_secret(secret)
    except KeySetError as error:
        raise StartupError(f"{path}: {error} Make another with: openssl rand -base64 48 > FILE") from error
    return secret


def _key_set(path: Path, algorithm: Algorithm) -> str:
    """Raises StartupError."""
    raw = _read(path)
    if raw.lstrip().startswith(b"-----BEGIN"):
        raise StartupError(f'{path}: This is PEM; write the public key as a JWK Set, {{"keys": […]}} in JSON.')
    try:
        keys.of_json(raw, algorithm)
    except KeySetError as error:
        raise StartupError(f"{path}: {error} It has to be a JWK Set with a public key for {algorithm}.") from error
    return raw.decode("utf-8")


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(LARGEST_FILE + 1)
    if len(raw) > LARGEST_FILE:
        raise StartupError(f"{path} has more than {LARGEST_FILE:,} bytes and can be neither a secret nor a JWK Set")
    return raw


def _checked(given: dict[str, Any]) -> IssuerConfig:
    """Raises StartupError."""
    try:
        return IssuerConfig.model_validate(given)
    except ValidationError as error:
        field = str(error.errors()[0]["loc"][0])
        wanted = {"iss": "has 1 to 255 characters", "jwks_url": "begins with https:// and has no blanks"}
        raise StartupError(f"--{field.replace('_', '-')} {wanted.get(field, error.errors()[0]['msg'])}") from error


async def _try(url: str, algorithm: Algorithm) -> None:
    """Asks the address of keys once, so that a mistake in it is seen now and not by a reader."""
    from tertulia.identity.key_address import FetchError
    from tertulia.outgoing import Outgoing
    from tertulia.outgoing.key_sets import fetching

    try:
        async with Outgoing() as outgoing:
            keys.of_json(await fetching(outgoing)(url), algorithm)
    except (FetchError, KeySetError) as error:
        said = f"{url} gave no keys just now: {error} The server asks again when a token comes."
        print_line("text", "warning", said)


def _columns(stored: StoredIssuer) -> list[str]:
    config = stored.config
    kept = "secret" if config.jwks is None else "keys from a file"
    more = [f"badge {badge}" for badge in config.badges] + [f"role {role}" for role in config.roles]
    more += [f"trust {config.trust}"] * (config.trust > 0) + [f"pictures at {host}" for host in config.picture_hosts]
    return [config.iss, config.alg, config.jwks_url or kept, ", ".join(more)]
