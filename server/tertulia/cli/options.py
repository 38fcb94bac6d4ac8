"""Flags for settings, and the store that they name."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import click
from click.shell_completion import CompletionItem

from tertulia import languages, settings
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
            kind = SettingType(name)
            # a switch may stand alone: --playground
            flag = f"--{name.replace('_', '-')}"
            option = partial(click.option, flag, name, type=kind, default=None, help=text)
            command = (option(is_flag=False, flag_value="true") if kind.choices == _SWITCH else option())(command)
        return command

    return decorate


_SWITCH = ("true", "false")
_METAVARS = {int: "INTEGER", float: "NUMBER", Path: "PATH"}
_TEXTS = {
    "host": "ADDRESS",
    "database_url": "URL",
    "redis_url": "URL",
    "public_url": "URL",
    "language": "LANGUAGE",
    "time_zone": "ZONE",
    "work": "QUEUES",
}
"""What a text is, where it cannot be any."""


class SettingType(click.ParamType[Any]):
    """What ``--help`` and a shell's completion know of a setting; the settings themselves say what is wrong with it."""

    def __init__(self, setting: str) -> None:
        annotation = Settings.model_fields[setting].annotation
        kinds = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type)]
        is_choice = get_origin(annotation) is Literal
        self.choices = tuple(map(str, get_args(annotation))) if is_choice else _SWITCH if bool in kinds else ()
        if setting == "language":
            self.choices = tuple(languages.TAGS)
        text = "LIMITS" if "_limit_" in setting else _TEXTS.get(setting, "TEXT")
        known = next((name for kind, name in _METAVARS.items() if kind in kinds), text)
        self.name = "|".join(self.choices) if is_choice or self.choices == _SWITCH else known
        if get_origin(annotation) is tuple:
            self.name = "LIST"

    def get_metavar(self, param: click.Parameter, ctx: click.Context) -> str:
        return self.name

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        if self.name == "PATH":
            return [CompletionItem(incomplete, type="file")]
        return [CompletionItem(choice) for choice in self.choices if choice.startswith(incomplete)]


GROUPS: Mapping[str, tuple[str, ...]] = {
    "Where it is": ("host", "port", "public_url", "workers", "trusted_proxies", "private_hosts"),
    "What it keeps": ("data_dir", "database_url", "database_url_file", "articles", "secret_key_file", "search", "work"),
    "Several instances": ("redis_url", "redis_url_file"),
    "Mail": ("smtp_url", "smtp_url_file", "mail_from"),
    "Pages and texts": ("allowed_origins", "site_name", "language", "time_zone", "edit_minutes", "origin_days"),
    "How often people may write": settings.WRITE_LIMITS,
    "Connections and busy discussions": (
        "connections",
        "connections_per_address",
        "unread_mib",
        "tick_rate",
        "summary_rate",
        "drain_seconds",
    ),
    "Watching it": ("log_format", "log_level", "metrics_allow"),
    "To try it": ("with_samples", "playground"),
}
"""The parts of the help, by the names of settings; what is in none stands at the end."""


class GroupedCommand(click.Command):
    """A command with a flag for each setting: its help shows them in parts, under headings."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        options = {option.name: option for option in self.get_params(ctx)}
        grouped = {name for names in GROUPS.values() for name in names}
        parts = {**GROUPS, "Options": tuple(name for name in options if name is not None and name not in grouped)}
        for heading, names in parts.items():
            records = (options[name].get_help_record(ctx) for name in names if name in options)
            rows = [record for record in records if record is not None]
            if rows:
                with formatter.section(heading):
                    formatter.write_dl(rows)


class Group(click.Group):
    """Lists its commands with whole sentences, over as many lines as they take."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        rows = [(name, first_sentence(command.help or "")) for name, command in sorted(self.commands.items())]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def first_sentence(help_: str) -> str:
    """The first paragraph of a command's help, as one line."""
    return " ".join(help_.split("\n\n")[0].split())


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
