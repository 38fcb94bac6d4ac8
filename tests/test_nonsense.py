"""A tour through every command with nonsense: whatever is typed, it ends with a sentence, and nothing is made."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from tertulia.cli import main
from tertulia.cli.options import GROUPS, GroupedCommand
from tertulia.settings import Settings

VALUES = (
    "",
    " ",
    "nonsense",
    "-1",
    "9" * 30,
    "1e999",
    "\u202e\u2066",
    "a" * 5000,
    "/",
    "..",
    "{{ key }}",
    "sqlite://",
    "http://",
)
SECRET = "a key of the tests, not a secret of anybody"


def _leaves(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    if not isinstance(command, click.Group):
        yield path, command
        return
    for name, one in command.commands.items():
        yield from _leaves(one, (*path, name))


COMMANDS = dict(_leaves(main))
"""As click has them: a command that is new is on the tour."""
STARTS = {("demo", "cluster"), ("doctor",)}
"""What starts servers, or asks one that may be there: they are only asked for options that they do not have."""
MEANT = {
    *((one, name) for one in ("serve", "migrate", "import") for name in ("data_dir", "database_url")),
    ("migrate", "patience"),
}
"""Options of which nearly anything can be meant: another database, which is made, and a long time to wait for it."""
NAMES = [" ".join(path) for path in COMMANDS]


def _run(folder: Path, *arguments: str) -> Result:
    environment = {name: "" for name in os.environ if name.startswith("TERTULIA_")}
    environment |= {"TERTULIA_DATA_DIR": str(folder), "TERTULIA_SECRET_KEY": SECRET}
    # where a file that is named by nonsense would be made
    with contextlib.chdir(next(one for one in folder.parents if one.is_dir())):
        return CliRunner().invoke(main, arguments, env=environment)


def _is_a_sentence(result: Result) -> bool:
    """Whether it ended as a command does that was told nonsense, and not with a trace."""
    return (
        (result.exception is None or isinstance(result.exception, SystemExit))
        and result.exit_code in (1, 2)
        and bool(result.stderr.strip())
        and "Traceback" not in result.output
    )


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A data folder that cannot be: its parent is a file. So nothing that is understood after all begins to serve."""
    (tmp_path / "file").write_text("This is no folder.")
    return tmp_path / "file" / "data"


@pytest.mark.parametrize("name", NAMES)
def test_an_option_that_no_command_has(tmp_path: Path, name: str) -> None:
    result = _run(tmp_path / "data", *name.split(), "--nonsense")
    assert result.exit_code == 2
    assert "No such option" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", [name for name in NAMES if tuple(name.split()) not in STARTS])
def test_values_that_no_command_can_use(nowhere: Path, name: str) -> None:
    """Of every option, and of every argument: each ends with a sentence, or does what needs no database."""
    path = tuple(name.split())
    command = COMMANDS[path]
    required = [argument for argument in command.params if isinstance(argument, click.Argument) and argument.required]
    good = ["x"] * len(required)
    tried = [[*good[:place], value, *good[place + 1 :]] for place in range(len(required)) for value in VALUES]
    tried += [
        [*good, f"{option.opts[-1]}={value}"]
        for option in command.params
        if isinstance(option, click.Option) and not option.is_flag and not option.hidden
        for value in VALUES
        if (path[-1], option.name) not in MEANT or not value.strip()
    ]
    folder = nowhere.parent.parent
    for arguments in tried:
        is_option = len(arguments) > len(required)
        result = _run(nowhere, *path, *([] if is_option else ["--"]), *arguments)
        assert result.exit_code == 0 or _is_a_sentence(result), (arguments, result.output, result.exc_info)
        assert "Traceback" not in result.output
        assert [one.name for one in folder.iterdir()] == ["file"], arguments


@pytest.mark.parametrize("name", [name for name in NAMES if tuple(name.split()) not in STARTS])
def test_too_little_and_too_much(nowhere: Path, name: str) -> None:
    path = tuple(name.split())
    required = [one for one in COMMANDS[path].params if isinstance(one, click.Argument) and one.required]
    if required:
        assert _run(nowhere, *path).exit_code == 2
    result = _run(nowhere, *path, *["x"] * (len(required) + 5))
    assert result.exit_code == 0 or _is_a_sentence(result), result.output


@pytest.mark.parametrize("arguments", [["nonsense"], ["moderator", "nonsense"], ["serve", "nonsense"], ["--nonsense"]])
def test_a_command_that_is_none(tmp_path: Path, arguments: list[str]) -> None:
    result = _run(tmp_path / "data", *arguments)
    assert result.exit_code == 2
    assert "--help" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_help_of_commands_with_all_settings_has_parts() -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert sorted(grouped) == sorted({*Settings.model_fields, "with_samples"} - {"secret_key"}), "each in one part"
    assert {name for name, command in COMMANDS.items() if isinstance(command, GroupedCommand)} == {
        ("serve",),
        ("doctor",),
    }
    help_ = CliRunner().invoke(main, ["serve", "--help"]).output
    places = [help_.index(f"\n{heading}:\n") for heading in (*GROUPS, "Options")]
    assert places == sorted(places)
    ends = [*places[1:], len(help_)]
    for (heading, names), begin, end in zip(GROUPS.items(), places, ends, strict=False):
        flags = re.findall(r"^  --([a-z-]+)", help_[begin:end], re.MULTILINE)
        assert sorted(flags) == sorted(name.replace("_", "-") for name in names), heading
    assert "--help " in help_[places[-1] :]
