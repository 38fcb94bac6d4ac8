"""``tertulia serve``."""

from __future__ import annotations

import sys
from functools import partial
from typing import Any

import click

from tertulia import logs, settings
from tertulia.cli import importing
from tertulia.cli.options import SAMPLES, GroupedCommand, address_of, opened, setting_options
from tertulia.cli.running import coroutine, print_line
from tertulia.serving.listening import listen
from tertulia.settings import Settings


@click.command(cls=GroupedCommand)
@click.option("--with-samples", is_flag=True, help=SAMPLES)
@setting_options()
@coroutine
async def serve(with_samples: bool, **flags: Any) -> None:
    """Serve articles and discussions until Ctrl+C or SIGTERM."""
    chosen = settings.load(**flags)
    if with_samples and "playground" not in chosen.model_fields_set:
        chosen = chosen.model_copy(update={"playground": True})
    logs.configure(chosen.log_format, chosen.log_level)
    for name in settings.unknown_variables():
        print_line(chosen.log_format, "warning", f"{name} is not a setting and has no effect; see docs/settings.md")
    if chosen.workers > 1:
        from tertulia.workers.supervisor import supervise

        await supervise(chosen, partial(_prepare, chosen, with_samples), partial(_print_ready, chosen))
        return
    with importing():  # here, since a supervisor does without the application
        from tertulia.workers.worker import serve_one
    with listen(chosen.host, chosen.port) as listener:
        if with_samples or chosen.playground:
            await _prepare(chosen, with_samples)
        await serve_one(chosen, listener, partial(_print_ready, chosen, *listener.getsockname()[:2]))


async def _prepare(chosen: Settings, with_samples: bool) -> None:
    """What one process does once, before any serves; only who asks for samples or the playground loads them."""
    settings.secret_key(chosen)
    async with opened(chosen) as store:
        if with_samples:
            from tertulia.showcase import samples

            await samples.install(store, chosen.articles_dir)
        if chosen.playground:
            from tertulia.showcase.playground import discussions

            await discussions.install(store, chosen.articles_dir)


def _print_ready(chosen: Settings, host: str, port: int) -> None:
    address = address_of(chosen, host, port)
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
