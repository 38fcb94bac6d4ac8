"""What a process imports: what is not needed costs nobody a wait. Seconds are measured by scripts/startup.py."""

from __future__ import annotations

import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tertulia.cli import COMMANDS, main
from tests.support.waiting import PATIENCE

ENDING = "import sys; print('MODULES', *sys.modules)"
COMMAND = """
from tertulia.cli import main
try:
    main({arguments!r})
except SystemExit:
    pass
"""
SERVER = """
import asyncio
from pathlib import Path
import tertulia.cli.serve
import tertulia.workers.worker
from tertulia.app import running
from tertulia.settings import Settings

async def start():
    async with running(Settings(data_dir=Path({data!r}))):
        pass

asyncio.run(start())
"""


def _modules(program: str) -> set[str]:
    """The modules that are imported when the program has run."""
    command = [sys.executable, "-W", "error", "-c", f"{program}\n{ENDING}"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode == 0, ended.stderr
    return set(ended.stdout.rsplit("MODULES ", 1)[1].split())


@cache
def _own_modules() -> set[str]:
    """What an empty program imports here: the standard library's site, an editable install, coverage."""
    return _modules("")


def _packages(program: str) -> set[str]:
    """The packages that the program imports, those of the standard library excepted."""
    names = {name.partition(".")[0] for name in _modules(program) - _own_modules()}
    return names - set(sys.stdlib_module_names) - {"__main__", "__mp_main__"}


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], [], ["sreve"]], ids=["version", "help", "none", "typo"]
)
def test_the_command_line_alone_imports_nothing_but_click(arguments: list[str]) -> None:
    assert _packages(COMMAND.format(arguments=arguments)) == {"click", "tertulia"}


def test_every_command_is_listed_with_the_first_sentence_of_its_help() -> None:
    assert list(main.commands) == sorted(COMMANDS)
    for name, (_, sentence) in COMMANDS.items():
        command = main.commands[name]
        assert command.name == name
        assert (command.help or "").split("\n\n")[0].replace("\n", " ") == sentence


def test_a_server_imports_only_what_its_settings_need(tmp_path: Path) -> None:
    """SQLite, no Redis, no playground, no article, and neither a page nor a feed was asked for yet.

    The first start creates the schema, for which it may import more.
    """
    program = SERVER.format(data=str(tmp_path))
    _modules(program)
    found = _modules(program)
    unneeded = {
        "alembic",
        "mako",
        "redis",
        "asyncpg",
        "yaml",
        "jinja2",
        "xml.etree.ElementTree",
        "tertulia.showcase",
        "tertulia.transfer",
        "jwt",  # with cryptography: 12 MiB, for sites that sign tokens of their own
        "cryptography",
    }
    unneeded |= {
        "sqlalchemy.ext.asyncio",
        "sqlalchemy.orm",
        "sqlalchemy.dialects.postgresql",
        "tertulia.store.postgresql",
    }
    assert found.isdisjoint(unneeded), sorted(found & unneeded)


def test_a_supervisor_does_not_load_what_its_workers_serve() -> None:
    found = _modules("import tertulia.cli.serve, tertulia.workers.supervisor")
    unneeded = {"starlette", "uvicorn", "prometheus_client", "jwt", "limits", "tertulia.app", "tertulia.live"}
    assert found.isdisjoint(unneeded), sorted(found & unneeded)
