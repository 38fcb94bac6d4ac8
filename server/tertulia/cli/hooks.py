"""``tertulia hooks``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from tertulia import settings
from tertulia.cli.options import DATABASE, Group, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.core.hooks import ALL_LABELS, MOST_SECONDS, OWN_PROGRAMS, HookConfig, HookKind, WhenDown
from tertulia.core.text import is_site
from tertulia.errors import ErrorCode, Problem, StartupError
from tertulia.hooks import HookError, new_secret, trying
from tertulia.hooks.akismet import ADDRESS
from tertulia.identity import utc_now
from tertulia.identity.sealing import Sealing
from tertulia.outgoing import Outgoing
from tertulia.outgoing.destinations import DestinationError, Destinations
from tertulia.store import hooks as rows
from tertulia.store import queries
from tertulia.store.commands import AddHook, NewHook, RemoveHook
from tertulia.store.hooks import Hook

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_FROM = "From this score on, of a label or of each, a comment"


@click.group(cls=Group)
def hooks() -> None:
    """Hooks: who is asked from outside about the comments of a site."""


@hooks.command("add")
@click.argument("site")
@click.argument("name")
@click.option("--kind", type=click.Choice([*HookKind]), default=HookKind.check, show_default=True, help="What it is.")
@click.option("--url", metavar="URL", help=f"Its address, https unless its host is listed; Akismet's is {ADDRESS}.")
@click.option(
    "--when-down",
    type=click.Choice([*WhenDown]),
    default=WhenDown.show,
    show_default=True,
    help="What becomes of a comment that it says nothing of.",
)
@click.option(
    "--seconds",
    type=click.IntRange(1, MOST_SECONDS),
    default=MOST_SECONDS,
    show_default=True,
    help="How long it may take for one comment.",
)
@click.option("--token-file", type=_FILE, help="File with a classifier's bearer token, or Akismet's key.")
@click.option("--hold", "hold", multiple=True, metavar="[LABEL=]SCORE", help=f"{_FROM} waits; may be repeated.")
@click.option("--remove", "remove", multiple=True, metavar="[LABEL=]SCORE", help=f"{_FROM} is removed; likewise.")
@click.option("--blog", metavar="URL", help="Of Akismet: the front page of the site.")
@click.option("--with-address", is_flag=True, help="Of Akismet: keep address and browser for it, sealed, for 14 days.")
@setting_options(*DATABASE, "secret_key_file", "private_hosts")
@coroutine
async def hooks_add(
    site: str,
    name: str,
    kind: str,
    url: str | None,
    when_down: str,
    seconds: int,
    token_file: Path | None,
    hold: tuple[str, ...],
    remove: tuple[str, ...],
    blog: str | None,
    with_address: bool,
    **flags: Any,
) -> None:
    """Have comments of SITE looked at from outside; running servers ask the hook NAME from the next comment on.

    The secret of a program of your own is shown once. Secrets are kept sealed with the secret key of the server, so
    this is run where that key is.
    """
    if not is_site(name):
        raise Problem(ErrorCode.invalid, "A hook's name has 1 to 64 of a-z, 0-9 and '-'.", field="name")
    loaded = settings.load(**flags)
    if kind == HookKind.akismet:
        url = url or ADDRESS
    if url is None:
        raise StartupError("--url is needed: where the comments are looked at")
    _check_address(url, loaded.private_hosts)
    more = _classifying(HookKind(kind), hold, remove) | _akismet(HookKind(kind), blog, traced=with_address)
    secret = _secret(HookKind(kind), token_file)
    config = HookConfig(url, WhenDown(when_down), seconds, more)
    async with store_of(flags) as store:
        sealing = Sealing(settings.secret_key(loaded, make=False))
        sealed = None if secret is None else sealing.seal(secret.encode())
        await store.write(AddHook(NewHook(site, name, HookKind(kind), config, sealed), utc_now()))
    when = "before it is sent" if kind == HookKind.nudge else "about each comment"
    click.echo(f"{site} asks {name} at {url} {when}.")
    if HookKind(kind) in OWN_PROGRAMS:
        click.echo(f"The secret, shown only now:\n{secret}")


@hooks.command("list")
@setting_options(*DATABASE)
@coroutine
async def hooks_list(**flags: Any) -> None:
    """List the hooks: site, name, kind, address, what becomes of comments without a verdict, whether it answers."""
    async with store_of(flags, read_only=True) as store:
        for hook in await store.read(rows.hooks):
            click.echo("\t".join(_columns(hook)))


@hooks.command("remove")
@click.argument("site")
@click.argument("name")
@setting_options(*DATABASE)
@coroutine
async def hooks_remove(site: str, name: str, **flags: Any) -> None:
    """Ask the hook NAME of SITE no more; what it said of comments stays as it is."""
    async with store_of(flags) as store:
        await store.write(RemoveHook(site, name, utc_now()))
    click.echo(f"{site} asks {name} no more.")


@hooks.command("test")
@click.argument("site")
@click.argument("name")
@setting_options(*DATABASE, "secret_key_file", "private_hosts")
@coroutine
async def hooks_test(site: str, name: str, **flags: Any) -> None:
    """Ask the hook NAME of SITE about a made-up comment, and print what it says; exit code 1 if it says nothing."""
    loaded = settings.load(**flags)
    async with store_of(flags, read_only=True) as store:
        hook = await store.read(queries.hook_named, site, name)
        if hook is None:
            raise StartupError(f"The site {site} has no hook {name}; see: tertulia hooks list")
        sealing = Sealing(settings.secret_key(loaded, make=False))
    async with Outgoing(loaded.private_hosts) as outgoing:
        try:
            said = await trying(outgoing, sealing, hook)
        except HookError as error:
            raise StartupError(f"{name} gave no verdict: {error}") from error
    score = [] if said.score is None else [f"score {said.score:g}"]
    click.echo("\t".join([said.verdict, *score, *said.labels, *filter(None, [said.note])]))


def _classifying(kind: HookKind, hold: Sequence[str], remove: Sequence[str]) -> dict[str, Any]:
    """What a classifier has besides. Raises StartupError."""
    if kind is not HookKind.classifier:
        if hold or remove:
            raise StartupError("--hold and --remove are for scores; give them with --kind classifier")
        return {}
    if not hold and not remove:
        raise StartupError("a classifier needs --hold or --remove: --hold 0.8, or --hold insult=0.9")
    return {"hold": _limits("--hold", hold), "remove": _limits("--remove", remove)}


def _akismet(kind: HookKind, blog: str | None, *, traced: bool) -> dict[str, Any]:
    """What Akismet has besides. Raises StartupError."""
    if kind is not HookKind.akismet:
        if blog is not None or traced:
            raise StartupError("--blog and --with-address are for Akismet; give them with --kind akismet")
        return {}
    if blog is None:
        raise StartupError("Akismet needs --blog: the front page of the site, https://news.example/")
    return {"blog": blog, "traced": traced}


def _limits(flag: str, given: Iterable[str]) -> dict[str, float]:
    """Raises StartupError."""
    found: dict[str, float] = {}
    for one in given:
        label, _, score = one.rpartition("=")
        try:
            found[label or ALL_LABELS] = float(score)
        except ValueError as error:
            raise StartupError(f"{flag} {one}: {score!r} is not a number") from error
    return found


def _secret(kind: HookKind, token_file: Path | None) -> str | None:
    """Raises StartupError."""
    if kind in OWN_PROGRAMS:
        if token_file is not None:
            raise StartupError("a program of your own gets no token; its requests are signed")
        return new_secret()
    if kind is HookKind.akismet and token_file is None:
        raise StartupError("Akismet needs its key; give it with --token-file")
    return None if token_file is None else token_file.read_text("utf-8").strip()


def _check_address(url: str, private_hosts: Iterable[str]) -> None:
    """Raises StartupError."""
    try:
        Destinations(private_hosts).checked(url)
    except DestinationError as error:
        raise StartupError(f"--url is not asked: {error}") from error


def _columns(hook: Hook) -> list[str]:
    health = "down" if hook.is_down else "failing" if hook.failures else "answers"
    when_down = f"{hook.config.when_down} without a verdict in {hook.config.seconds} s"
    return [hook.site, hook.name, hook.kind, hook.config.url, when_down, health]
