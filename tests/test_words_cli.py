"""``tertulia words``: a list is imported, shown in the form that is imported, and changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tertulia.cli import main

SECRET = "a secret of these tests, long enough to be taken"
LISTED = "*part*\n=Exact\none refuse # said in May\ntwo words\nđịt mẹ refuse\n"


def _run(folder: Path, *arguments: str, piped: str | bytes | None = None) -> Result:
    environment = {"TERTULIA_DATA_DIR": str(folder), "TERTULIA_SECRET_KEY": SECRET}
    return CliRunner().invoke(main, arguments, env=environment, input=piped)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    assert _run(tmp_path, "migrate").exit_code == 0
    return tmp_path


def test_a_list_is_imported_and_shown_as_it_can_be_imported_again(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "words.txt"
    file.write_text(f"\ufeff# ours\n\n{LISTED}", "utf-8")
    assert _run(data, "words", "default").output == ""
    imported = _run(data, "words", "default", "--import", str(file))
    assert imported.output == "default: 5 words added or changed, 0 removed\n"
    assert _run(data, "words", "default").output == _run(data, "words", "default", "--list").output == LISTED
    again = _run(data, "words", "default", "--import", "-", "--replace", piped=LISTED)
    assert again.output == "default: 0 words added or changed, 0 removed\n"


def test_one_entry_is_added_and_removed_and_a_list_replaced(data: Path) -> None:
    assert _run(data, "words", "default", "--add", "Một Hai refuse").output.startswith("default: 1 word added")
    assert _run(data, "words", "default", "--import", "-", piped="three\n").output.startswith("default: 1 word added")
    assert _run(data, "words", "default").output == "một hai refuse\nthree\n"
    assert _run(data, "words", "default", "--remove", "MỘT hai").output.endswith(" 1 removed\n")
    replaced = _run(data, "words", "default", "--import", "-", "--replace", piped="four\n")
    assert replaced.output == "default: 1 word added or changed, 1 removed\n"
    assert _run(data, "words", "default").output == "four\n"


@pytest.mark.parametrize(
    ("arguments", "piped", "sentence"),
    [
        (("--add", "one", "--remove", "two"), None, "Give --import, --add or --remove"),
        (("--add", "one", "--replace"), None, "Give --import, --add or --remove"),
        (("--replace",), None, "Give --import, --add or --remove"),
        (("--remove", "one"), None, "The site's list has no one."),
        (("--add", "?"), None, "at least one letter"),
        (("--import", "-"), "one\n*a*\nhalf*\n", "line 2: A part has at least 3 letters."),
        (("--import", "-"), "one\n*a*\nhalf*\n", "line 3: A star stands at both ends"),
        (("--import", "-"), b"\xff\xfe", "The file is not in UTF-8."),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_changed(
    data: Path, arguments: tuple[str, ...], piped: str | bytes | None, sentence: str
) -> None:
    result = _run(data, "words", "default", *arguments, piped=piped)
    assert result.exit_code == 1
    assert sentence in result.output
    assert _run(data, "words", "default").output == ""


def test_a_site_that_is_not_there_has_no_list(data: Path) -> None:
    for arguments in ((), ("--add", "one")):
        assert _run(data, "words", "nowhere", *arguments).exit_code == 1
