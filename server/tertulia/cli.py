"""The command line: serve, and what an operator does to a database."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial, wraps
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Literal, ParamSpec

import click
from sqlalchemy.exc import SQLAlchemyError

from tertulia import __version__, logs, samples, settings, transfer
from tertulia.app import checked_origins
from tertulia.articles import Articles
from tertulia.checks import Finding, search
from tertulia.core.comments import DiscussionKey
from tertulia.core.text import clean_name
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import Problem, StartupError
from tertulia.identity import new_moderator_token, utc_now
from tertulia.pages import snippet
from tertulia.reporting import Reporter
from tertulia.samples import playground
from tertulia.serving.server import listen
from tertulia.settings import Settings
from tertulia.store import Store, administration, queries
from tertulia.store.troubles import DRIVERS, line, trouble
from tertulia.workers import serve_one, supervise

P = ParamSpec("P")
SAMPLES = "Fill an empty database and an empty folder with sample articles."


def _clear(function: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Runs the coroutine; trouble becomes one line and exit code 1."""

    @wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            asyncio.run(function(*args, **kwargs))
        except (StartupError, Problem, OSError, SQLAlchemyError, *DRIVERS) as error:
            sentence = _sentence(error)
            if sentence is None:
                raise
            _complain(_form(kwargs), "error", sentence)
            raise SystemExit(1) from error

    return run


def _sentence(error: Exception) -> str | None:
    """What an operator can do something about; None for a mistake of ours."""
    if isinstance(error, Problem):
        return error.detail
    if isinstance(error, StartupError):
        return str(error)
    if isinstance(error, OSError):
        return None if error.filename is None else f"Cannot use {os.fsdecode(error.filename)}: {error.strerror}"
    met = trouble(error)
    return None if met.fate == "ours" else f"The database failed: {line(error)}; {met.advice}"


def _form(flags: Mapping[str, Any]) -> logs.Format:
    """The form of log lines that was asked for, also where settings could not be read."""
    asked = flags.get("log_format") or os.environ.get(f"{settings.PREFIX}LOG_FORMAT")
    return "json" if asked == "json" else "text"


def _complain(form: logs.Format, level: Literal["warning", "error"], message: str) -> None:
    if form == "json":
        logs.say(form, level, message, sys.stderr)
    else:
        click.echo(f"{'tertulia: ' if level == 'error' else ''}{logs.printable(message)}", err=True)


def _options(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """A flag for each of these settings, all of them when none is named."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        # the key itself is no flag: other users of the machine see the flags of every process
        for name in reversed(names or tuple(name for name in Settings.model_fields if name != "secret_key")):
            field = Settings.model_fields[name]
            default = settings.as_written(field.default)
            text = f"{field.description} [default: {default}]" if default else field.description
            command = click.option(f"--{name.replace('_', '-')}", name, default=None, help=text)(command)
        return command

    return decorate


DATABASE = ("database_url", "database_url_file", "data_dir")
RETRY_SECONDS = 0.5


@asynccontextmanager
async def _opened(chosen: Settings, patience: float = 0) -> AsyncIterator[Store]:
    store = await _answering(chosen.database, patience)
    store.start()
    try:
        yield store
    finally:
        await store.close()


def _store(flags: dict[str, Any], patience: float = 0) -> AbstractAsyncContextManager[Store]:
    return _opened(settings.load(**flags), patience)


async def _answering(url: str, patience: float) -> Store:
    """The store, which may take a while to answer: a database is often started in the same moment."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + patience
    while True:
        try:
            return await Store.open(url, timeouts=False)
        except StartupError:
            if loop.time() >= deadline:
                raise
        await asyncio.sleep(RETRY_SECONDS)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(__version__, prog_name="tertulia")
def main() -> None:
    """Live discussions under articles. Every setting is also a variable TERTULIA_NAME."""


@main.command()
@click.option("--with-samples", is_flag=True, help=SAMPLES)
@_options()
@_clear
async def serve(with_samples: bool, **flags: Any) -> None:
    """Serve articles and discussions until Ctrl+C or SIGTERM."""
    chosen = settings.load(**flags)
    if with_samples and "playground" not in chosen.model_fields_set:
        chosen = chosen.model_copy(update={"playground": True})
    logs.configure(chosen.log_format, chosen.log_level)
    for name in settings.unknown_variables():
        _complain(chosen.log_format, "warning", f"{name} is not a setting and has no effect; see docs/settings.md")
    if chosen.workers > 1:
        await supervise(chosen, partial(_prepare, chosen, with_samples), partial(_welcome, chosen))
        return
    with listen(chosen.host, chosen.port) as listener:
        if with_samples or chosen.playground:
            await _prepare(chosen, with_samples)
        await serve_one(chosen, listener, partial(_welcome, chosen, *listener.getsockname()[:2]))


async def _prepare(chosen: Settings, with_samples: bool) -> None:
    """What is done once, by one process, before any serves."""
    settings.secret_key(chosen)
    async with _opened(chosen) as store:
        if with_samples:
            await _install_samples(store, chosen.articles_dir)
        if chosen.playground:
            await _install_playground(store, chosen.articles_dir)


def _welcome(chosen: Settings, host: str, port: int) -> None:
    address = _address(chosen, host, port).rstrip("/")
    if chosen.log_format == "json":
        fields = {"url": address, "articles": str(chosen.articles_dir), "data": str(chosen.data_dir)}
        fields |= {"playground": f"{address}/playground"} if chosen.playground else {}
        logs.say("json", "info", "Tertulia is ready", sys.stdout, **fields, workers=chosen.workers)
        return
    click.echo(
        f"\n  Tertulia is ready:  {address}\n"
        f"  Articles:           {logs.printable(str(chosen.articles_dir))} (Markdown; a new file is a new page)\n"
        f"  Data:               {logs.printable(str(chosen.data_dir))}\n"
        f"{f'  Playground:         {address}/playground' + chr(10) if chosen.playground else ''}"
        f"{f'  Workers:            {chosen.workers}' + chr(10) if chosen.workers > 1 else ''}"
        f"  Stop with Ctrl+C.\n"
    )


def _address(chosen: Settings, host: str, port: int) -> str:
    """Where readers find the server, as far as it knows."""
    return chosen.public_url or f"http://{f'[{host}]' if ':' in host else host}:{port}"


async def _install_samples(store: Store, folder: Path) -> None:
    if await store.read(queries.any_discussion) or Articles(folder).all():
        return
    samples.install(folder)
    for discussion in samples.discussions():
        await transfer.import_file(store, folder, json.dumps(discussion).encode())


async def _install_playground(store: Store, folder: Path) -> None:
    """Those of its discussions that are not there yet."""
    found = {one["key"]: one for one in playground.discussions(utc_now())}
    there = await store.read(queries.latest_seqs, [DiscussionKey(DEFAULT_SITE, key) for key in found])
    missing = [one for key, one in found.items() if DiscussionKey(DEFAULT_SITE, key) not in there]
    document = {"format": "tertulia/1", "articles": missing}
    await transfer.import_file(store, folder, json.dumps(document).encode())


@main.command()
@click.option("--with-samples", is_flag=True, help=SAMPLES)
@click.option("--patience", default=0.0, help="Seconds to wait for a database that does not answer yet. [default: 0]")
@_options(*DATABASE, "articles")
@_clear
async def migrate(with_samples: bool, patience: float, **flags: Any) -> None:
    """Bring the database to the newest schema; serve does so too."""
    chosen = settings.load(**flags)
    async with _opened(chosen, patience) as store:
        click.echo("The database has the newest schema.")
        if with_samples:
            await _install_samples(store, chosen.articles_dir)


@main.group()
def site() -> None:
    """Sites that share this server, each with the origins that may use it."""


@site.command("add")
@click.argument("key")
@click.option("--origin", "origins", multiple=True, help="An origin such as https://news.example; may be repeated.")
@_options(*DATABASE)
@_clear
async def site_add(key: str, origins: tuple[str, ...], **flags: Any) -> None:
    """Add the site KEY, or give it other origins; a running server knows it within seconds."""
    checked = checked_origins(origins)
    async with _store(flags) as store:
        await store.write(administration.AddSite(key, checked, utc_now()))
    click.echo(f"Site {key}: {', '.join(checked) or 'no origin besides the server itself'}")


@site.command("list")
@_options(*DATABASE)
@_clear
async def site_list(**flags: Any) -> None:
    """List the sites and their origins."""
    async with _store(flags) as store:
        for key, origins in sorted((await store.read(queries.sites)).items()):
            click.echo(f"{key}\t{' '.join(origins)}")


@main.group()
def moderator() -> None:
    """Moderators and their tokens."""


@moderator.command("add")
@click.argument("name")
@_options(*DATABASE)
@_clear
async def moderator_add(name: str, **flags: Any) -> None:
    """Add the moderator NAME and print the bearer token, once."""
    name = clean_name(name, "name")
    token, hashed = new_moderator_token()
    async with _store(flags) as store:
        await store.write(administration.AddModerator(name, hashed, utc_now()))
    _show_token(name, token)


@moderator.command("renew")
@click.argument("name")
@_options(*DATABASE)
@_clear
async def moderator_renew(name: str, **flags: Any) -> None:
    """Give the moderator NAME another token and print it, once; the old one is refused from then on, by all servers."""
    name = clean_name(name, "name")
    token, hashed = new_moderator_token()
    async with _store(flags) as store:
        await store.write(administration.RenewModerator(name, hashed))
    _show_token(name, token)


@moderator.command("remove")
@click.argument("name")
@_options(*DATABASE)
@_clear
async def moderator_remove(name: str, **flags: Any) -> None:
    """Take the rights of the moderator NAME back; the token is refused from then on, by all servers.

    What the moderator wrote and decided stays as it is. The name can be given to somebody else with add; that is
    another moderator, to whom earlier comments do not belong.
    """
    name = clean_name(name, "name")
    async with _store(flags) as store:
        await store.write(administration.RemoveModerator(name))
    click.echo(f"{name} is no moderator any more.")


def _show_token(name: str, token: str) -> None:
    click.echo(f"The token of {name}; it is not kept and not shown again:", err=True)
    click.echo(token)


@moderator.command("list")
@_options(*DATABASE)
@_clear
async def moderator_list(**flags: Any) -> None:
    """List the moderators."""
    async with _store(flags) as store:
        for name in await store.read(queries.moderators):
            click.echo(name)


@main.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_options(*DATABASE, "articles")
@_clear
async def import_(file: Path, **flags: Any) -> None:
    """Import articles and their comments from FILE; what is there already stays as it is.

    A file that needs more memory than there is is refused before it is read.
    """
    folder = settings.load(**flags).articles_dir
    flags.pop("articles")
    with Reporter(sys.stderr) as reporter:
        reporter(f"Reading {file}")
        async with _store(flags) as store:
            imported = await transfer.import_file(store, folder, transfer.read_file(file), reporter)
    for kept in imported.kept:
        click.echo(kept, err=True)
    click.echo(
        f"Imported {imported.comments} comments of {imported.articles} articles; {imported.known} were there already."
    )


@main.command()
@click.option("--site", default=None, help="One site only.")
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="A file instead of the terminal.")
@_options(*DATABASE, "articles")
@_clear
async def export(site: str | None, output: Path | None, **flags: Any) -> None:
    """Export articles and discussions in the format that import reads."""
    chosen = settings.load(**flags)
    flags.pop("articles")
    articles = Articles(chosen.articles_dir, chosen.language, chosen.time_zone)
    with Reporter(sys.stderr) as reporter:
        async with _store(flags) as store:
            with transfer.written(output) if output else nullcontext(_out()) as stream:
                await transfer.export(store, articles, site, stream.write, reporter)
                stream.flush()


def _out() -> IO[str]:
    """Standard output in UTF-8, as the format is, whatever the terminal takes."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8")
    return sys.stdout


@main.command()
@_options(*DATABASE)
@_clear
async def check(**flags: Any) -> None:
    """Verify the database and print what is wrong; exit code 1 if anything is.

    Seqs without holes, counts and votes recounted, replies and their parents, visibility, events against tables.
    """
    found = 0

    def tell(finding: Finding) -> None:
        nonlocal found
        found += 1
        click.echo(f"{finding.code}: {finding.where}: {finding.detail}")

    with Reporter(sys.stderr) as reporter:
        async with _store(flags) as store:
            await search(store, tell, reporter)
    if found:
        sys.exit(1)
    click.echo("Nothing is wrong.")


@main.command("snippet")
@click.option("--key", default=None, help="What the discussion is about. [default: the page's canonical address]")
@click.option("--site", default=DEFAULT_SITE, show_default=True, help="The site.")
@click.option("--sri", is_flag=True, help="Say which bytes the script has to have (subresource integrity).")
@_options("public_url", "host", "port", "language")
@_clear
async def print_snippet(key: str | None, site: str, sri: bool, **flags: Any) -> None:
    """Print the HTML that puts a discussion into your page."""
    chosen = settings.load(**flags)
    base_url = _address(chosen, chosen.host, chosen.port).rstrip("/")
    html = snippet(base_url, site=site, key=key, language=chosen.language, pinned=sri)
    if chosen.public_url is None:
        click.echo("TERTULIA_PUBLIC_URL is not set; the address is one of this machine.", err=True)
    click.echo(html, nl=False)


@main.group()
def epoch() -> None:
    """The epoch: what a reader's cursor belongs to."""


@epoch.command("renew")
@_options(*DATABASE)
@_clear
async def epoch_renew(**flags: Any) -> None:
    """Give a restored database a new epoch; run it after a restore, before any server starts.

    Seqs given since the backup are given again, to other events. With a new epoch no cursor from before is
    continued: every reader is told to read anew.
    """
    async with _store(flags) as store:
        await store.write(administration.RenewEpoch())
    click.echo("The database has a new epoch; every reader will read its discussion anew.")


@main.group()
def demo() -> None:
    """Demonstrations on this machine, with real servers."""


@demo.command("cluster")
@click.option("--instances", type=click.IntRange(2, 6), default=3, show_default=True, help="How many instances.")
@click.option(
    "--port", type=click.IntRange(1, 65_500), default=8080, show_default=True, help="Port of the page; fronts follow."
)
@click.option("--rate", type=click.FloatRange(0.1, 20), default=1.0, show_default=True, help="Comments a second.")
@click.option("--data-dir", type=click.Path(file_okay=False, path_type=Path), help="A folder that stays afterwards.")
@_clear
async def demo_cluster(**options: Any) -> None:
    """Instances on one PostgreSQL and one Redis, a page to watch them, and buttons that kill them; until Ctrl+C."""
    from tertulia.demo import Options, demonstrate

    await demonstrate(Options(**options), click.echo)
