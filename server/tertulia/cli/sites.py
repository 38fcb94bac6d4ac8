"""``tertulia site``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any

import click

from tertulia.cli.options import DATABASE, Group, setting_options, store_of
from tertulia.cli.running import coroutine
from tertulia.core.badges import is_badge
from tertulia.core.rules import DEFAULT, RULES, Rule, RuleValue
from tertulia.core.text import clean_name
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import new_site_token, utc_now
from tertulia.languages import every
from tertulia.store import administration, queries
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import SCOPES, AddSiteToken, RemoveSiteToken
from tertulia.web.origins import checked_origins

BADGE_LETTERS = 24
"""A badge stands in one line with name and time."""


@click.group(cls=Group)
def site() -> None:
    """Sites that share this server, each with the origins that may use it."""


@site.command("add")
@click.argument("key")
@click.option("--origin", "origins", multiple=True, help="An origin such as https://news.example; may be repeated.")
@setting_options(*DATABASE)
@coroutine
async def site_add(key: str, origins: tuple[str, ...], **flags: Any) -> None:
    """Add the site KEY, or give it other origins; a running server knows it within seconds."""
    checked = checked_origins(origins)
    async with store_of(flags) as store:
        await store.write(administration.AddSite(key, checked, utc_now()))
    click.echo(f"Site {key}: {', '.join(checked) or 'no origin besides the server itself'}")


def _rule_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """An option a rule, in their order."""
    for rule in reversed([*RULES.values()]):
        kind = int if rule.choices is None else click.Choice([*rule.choices])
        name = f"--{rule.name.replace('_', '-')}"
        command = click.option(name, rule.name, type=kind, callback=partial(_read, rule), help=rule.about)(command)
    return command


def _read(
    rule: Rule, _context: click.Context, _parameter: click.Parameter, given: RuleValue | None
) -> RuleValue | None:
    try:
        return None if given is None else rule.read(given)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@site.command("rules")
@click.argument("key")
@_rule_options
@click.option("--reset", multiple=True, type=click.Choice([*RULES]), help="Go by a rule's default again; repeated.")
@setting_options(*DATABASE)
@coroutine
async def site_rules(key: str, reset: tuple[str, ...], **options: Any) -> None:
    """Show the rules of the site KEY, or change those given; a discussion may have its own."""
    given = {name: value for name in RULES if (value := options.pop(name)) is not None} | dict.fromkeys(reset)
    async with store_of(options, read_only=not given) as store:
        if given:
            rules = await store.write(administration.ChangeSiteRules(key, lambda own: own.changed(given), utc_now()))
        else:
            rules = await store.read(queries.site_rules, key)
    for name, value in asdict(rules.over(DEFAULT)).items():
        click.echo(f"{name}\t{'-' if value is None else value}")


@site.command("badge")
@click.argument("key", metavar="SITE")
@click.argument("badge")
@click.option("--word", "words", multiple=True, metavar="LANG=WORD", help="What it says in a language; repeated.")
@click.option("--remove", is_flag=True, help="Take the badge away instead.")
@setting_options(*DATABASE)
@coroutine
async def site_badge(key: str, badge: str, words: tuple[str, ...], remove: bool, **flags: Any) -> None:
    """Say what the BADGE of some people at SITE is called; a running server knows it within seconds.

    host and staff are those of the roles; others are given by an issuer of tokens.
    """
    if not is_badge(badge) or badge in every()["en"].texts:
        detail = "A badge has 1 to 16 of a-z, 0-9 and '-', beginning with a letter, and some keys are in use."
        raise Problem(ErrorCode.invalid, detail, field="badge")
    if remove == bool(words):
        raise Problem(ErrorCode.invalid, "Give --word LANG=WORD, or --remove.", field="word")
    said = dict(_word(one) for one in words)
    async with store_of(flags) as store:
        await store.write(administration.ChangeSiteBadge(key, badge, said, utc_now()))
    click.echo(f"{key}\t{badge}\t{' '.join(f'{language}={word}' for language, word in sorted(said.items()))}".rstrip())


def _word(given: str) -> tuple[str, str]:
    """Raises invalid, and what clean_name raises."""
    language, _, word = given.partition("=")
    if language not in every() or len(word) > BADGE_LETTERS:
        known = ", ".join(sorted(every()))
        detail = f"Give a language of {known}, '=' and a word of at most {BADGE_LETTERS} letters."
        raise Problem(ErrorCode.invalid, detail, field="word")
    return language, clean_name(word, "word")


@site.command("list")
@setting_options(*DATABASE)
@coroutine
async def site_list(**flags: Any) -> None:
    """List the sites and their origins."""
    async with store_of(flags, read_only=True) as store:
        for key, origins in sorted((await store.read(queries.sites)).items()):
            click.echo(f"{key}\t{' '.join(origins)}")


@site.command("token")
@click.argument("key", metavar="SITE")
@click.argument("name")
@click.option("--scopes", default="", help=f"What it is good for: some of {', '.join(SCOPES)}, with commas.")
@click.option("--remove", is_flag=True, help="Take the token back instead; it is refused from then on.")
@setting_options(*DATABASE)
@coroutine
async def site_token(key: str, name: str, scopes: str, remove: bool, **flags: Any) -> None:
    """Make the token NAME for a program of SITE, and print it, once."""
    name, (token, hashed) = clean_name(name, "name"), new_site_token()
    wanted = tuple(scope.strip() for scope in scopes.split(",") if scope.strip())
    async with store_of(flags) as store:
        if remove:
            await store.write(RemoveSiteToken(OPERATOR, key, name, utc_now()))
        else:
            await store.write(AddSiteToken(OPERATOR, key, name, wanted, hashed, utc_now()))
    if remove:
        click.echo(f"{key} has no token {name} any more.")
        return
    click.echo(f"The token {name} of {key}; it is not kept and not shown again:", err=True)
    click.echo(token)


@site.command("tokens")
@click.argument("key", metavar="SITE")
@setting_options(*DATABASE)
@coroutine
async def site_tokens(key: str, **flags: Any) -> None:
    """List the tokens of SITE and what each is good for."""
    async with store_of(flags, read_only=True) as store:
        for token in await store.read(queries.site_tokens, key):
            click.echo(f"{token.name}\t{','.join(token.scopes)}\t{token.at:%Y-%m-%d}")
