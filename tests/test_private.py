"""Data is for the user of the server alone, also where an earlier version made it for all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tertulia import private
from tertulia.app import running
from tertulia.cli import main
from tertulia.settings import Settings
from tests.support.databases import new_sqlite


def modes(folder: Path) -> dict[str, int]:
    found = {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir() if path.is_file()}
    return found | {".": folder.stat().st_mode & 0o777}


def chosen(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data")


async def test_a_new_installation_is_nobody_elses(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    async with running(settings):
        assert modes(settings.data_dir) == {
            ".": 0o700,
            "secret-key": 0o600,
            "tertulia.db": 0o600,
            "tertulia.db-wal": 0o600,
            "tertulia.db-shm": 0o600,
        }


async def test_an_older_installation_is_tightened(tmp_path: Path) -> None:
    settings = chosen(tmp_path)
    async with running(settings):
        pass
    settings.data_dir.chmod(0o755)
    for file in settings.data_dir.iterdir():
        file.chmod(0o644)
    async with running(settings):
        assert {mode & private.OTHERS for mode in modes(settings.data_dir).values()} == {0}


def test_what_is_somebody_elses_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    files = [tmp_path / name for name in ("a", "b", "none")]
    for file in files[:2]:
        file.touch(0o644)

    def refused(*_given: object) -> None:
        raise PermissionError

    monkeypatch.setattr(Path, "chmod", refused)
    private.tighten(files)
    [record] = caplog.records
    assert str(files[0]) in record.files  # type: ignore[attr-defined]
    assert str(files[2]) not in record.files  # type: ignore[attr-defined]


@pytest.mark.parametrize("shared", ["sticky", "another's file"])
def test_a_folder_that_others_use_is_left_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, shared: str
) -> None:
    """Somebody may take /tmp for the data folder, or keep the database's own data in it."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "entry").touch(0o600)
    folder.chmod(0o1777 if shared == "sticky" else 0o755)
    if shared != "sticky":
        monkeypatch.setattr("os.geteuid", lambda: folder.stat().st_uid + 1)
    before = folder.stat().st_mode
    private.tighten([folder])
    assert folder.stat().st_mode == before
    [record] = caplog.records
    assert record.files == str(folder)  # type: ignore[attr-defined]


def test_what_lies_in_no_folder_is_not_there(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    private.tighten([tmp_path / "file" / "data", tmp_path / "none"])
    assert caplog.records == []


def test_a_folder_that_is_there_already_is_left_to_its_owner(tmp_path: Path) -> None:
    """Only the data folder is the server's own; a database may lie beside other things."""
    tmp_path.chmod(0o755)
    private.make_folder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_an_export_is_nobody_elses(tmp_path: Path) -> None:
    output = tmp_path / "export.json"
    new_sqlite(tmp_path / "data" / "tertulia.db")
    done = CliRunner().invoke(main, ["export", "--data-dir", str(tmp_path / "data"), "--output", str(output)])
    assert done.exit_code == 0, done.output
    assert output.stat().st_mode & 0o777 == 0o600
    assert json.loads(output.read_text())["format"] == "tertulia/1"
