"""The command line: serve, and what an operator does to a database.

A command's module is imported when the command is run or asked for its help, so that ``tertulia --version``,
``--help`` and a mistyped command need nothing but click.

running   from a coroutine to a command: failures in one line
options   flags for settings, and the store they name
the rest  a command or a group of commands each
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from importlib import import_module
from typing import cast

import click

from tertulia import __version__

COMMANDS = {
    "check": ("check:check", "Verify the database and print what is wrong; exit code 1 if anything is."),
    "demo": ("demo:demo", "Demonstrations on this machine, with real servers."),
    "doctor": (
        "doctor:doctor",
        "Look whether the server is set up rightly, through the proxy at URL; exit code 1 if something fails.",
    ),
    "epoch": ("epoch:epoch", "The epoch: what a reader's cursor belongs to."),
    "export": ("transfers:export", "Export articles and discussions in the format that import reads."),
    "hooks": ("hooks:hooks", "Hooks: who is asked from outside about the comments of a site."),
    "import": (
        "transfers:import_",
        "Import articles and their comments from FILE; what is there already stays as it is.",
    ),
    "issuer": ("issuers:issuer", "Issuers: whose tokens say who a reader of a site is."),
    "key": ("keys:key", "Keys: what names a discussion."),
    "log": ("log:log", "The log of actions: who decided what, and when."),
    "migrate": ("migrate:migrate", "Bring the database to the newest schema; serve does so too."),
    "moderator": ("moderators:moderator", "Moderators and their tokens."),
    "provider": (
        "providers:provider",
        "Providers at which readers of a site sign in, such as Google, or your own by OpenID Connect.",
    ),
    "search": ("search:search", "The index of comments that the search reads."),
    "serve": ("serve:serve", "Serve articles and discussions until Ctrl+C or SIGTERM."),
    "site": ("sites:site", "Sites that share this server, each with the origins that may use it."),
    "snippet": ("snippet:print_snippet", "Print the HTML that puts a discussion into your page."),
    "staff": ("staff:staff", "People who decide for a site: owners, moderators, hosts, and who has a badge."),
    "words": ("words:words", "Words that are not said at SITE; a running server looks for others a second later."),
    "work": ("work:work", "Background work: tasks that wait, and those that failed too often."),
}
"""Where each command is, and the first sentence of its help."""


class _Commands(Mapping[str, click.Command]):
    """The commands by name; a lookup imports the command's module."""

    def __getitem__(self, name: str) -> click.Command:
        module, _, attribute = COMMANDS[name][0].partition(":")
        with importing():
            found: click.Command = getattr(import_module(f"tertulia.cli.{module}"), attribute)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


@contextmanager
def importing() -> Iterator[None]:
    """Keeps the garbage collector from modules that are imported.

    What they define stays to the end: 100,000 objects and no garbage, which collections during the import, and the one
    before a server serves, would walk for 0.2 of 0.7 s.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class _Main(click.Group):
    """Lists its commands without importing them, each with its whole sentence."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, sentence) for name, (_, sentence) in COMMANDS.items()])


@click.group(
    cls=_Main,
    commands=cast("MutableMapping[str, click.Command]", _Commands()),
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, prog_name="tertulia")
def main() -> None:
    """Live discussions under articles. Every setting is also a variable TERTULIA_NAME."""
