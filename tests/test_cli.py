"""The command line as an operator uses it, on real files."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import sqlite3
import stat
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import click
import httpx
import pytest
from click.testing import CliRunner, Result

from tertulia.app import running
from tertulia.cli import main
from tertulia.cli.options import store_of
from tertulia.identity import derived_key, utc_now
from tertulia.identity.issuers import MAILBOXES
from tertulia.pages import client
from tertulia.people.sessions import keyed_subject
from tertulia.reporting import Reporter
from tertulia.settings import Settings
from tertulia.store.commands import SignIn, Who
from tests.support.postgres import Postgres
from tests.support.rules import told

ROOT = Path(__file__).parent.parent
SECRET = "a key of the tests, not a secret of anybody"


def _run(*arguments: str, data: Path, input_: str | None = None) -> Result:
    environment = {"TERTULIA_DATA_DIR": str(data), "TERTULIA_SECRET_KEY": SECRET}
    return CliRunner().invoke(main, arguments, env=environment, input=input_)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with an empty database."""
    assert _run("migrate", data=tmp_path).exit_code == 0
    return tmp_path


def _article(folder: Path) -> Path:
    path = folder / "article.json"
    comments = [
        {"author": "Nguyễn Văn Quân", "at": "2026-10-13T12:25:00+07:00", "text": "The bridge should have stayed."},
        {"author": "Đặng Thị Hường", "at": "2026-10-13T12:26:00+07:00", "text": "It **leaned**, though."},
    ]
    article = {
        "title": "The old bridge",
        "key": "the-old-bridge",
        "lang": "en",
        "timezone": "Asia/Ho_Chi_Minh",
        "paragraphs": ["They took it down.", "Nobody sang."],
        "comments": comments,
    }
    path.write_text(json.dumps(article, ensure_ascii=False), "utf-8")
    return path


def test_migrate_makes_a_database(tmp_path: Path) -> None:
    result = _run("migrate", data=tmp_path / "data")
    assert result.exit_code == 0
    assert (tmp_path / "data" / "tertulia.db").exists()


def test_migrate_installs_the_samples_once(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert _run("migrate", "--with-samples", data=data).exit_code == 0
    first = _run("export", data=data).stdout
    assert len(json.loads(first)["articles"]) == len(list((data / "articles").glob("*.md"))) == 4
    (data / "articles" / "who-reads-the-river.md").unlink()
    assert _run("migrate", "--with-samples", data=data).exit_code == 0
    assert len(list((data / "articles").glob("*.md"))) == 3, "what an operator took away stays away"


def test_migrate_waits_for_a_database_that_comes_up_later(tmp_path: Path) -> None:
    data, blocked = tmp_path / "data", tmp_path / "blocked"
    blocked.write_text("a file where the folder will be")
    url = f"sqlite+aiosqlite:///{blocked / 'later.db'}"
    assert _run("migrate", "--database-url", url, data=data).exit_code == 1
    later = threading.Timer(0.2, blocked.unlink)
    later.start()
    assert _run("migrate", "--database-url", url, "--patience", "60", data=data).exit_code == 0
    later.join()
    assert (blocked / "later.db").exists()


def test_sites_are_added_listed_and_changed(data: Path) -> None:
    assert _run("site", "add", "times", "--origin", "HTTPS://Times.Example:443", data=data).exit_code == 0
    assert _run("site", "list", data=data).output.splitlines() == ["default\t", "times\thttps://times.example"]
    assert _run("site", "add", "times", data=data).exit_code == 0
    assert _run("site", "list", data=data).output.splitlines() == ["default\t", "times\t"]


def test_the_rules_of_a_site_are_shown_and_changed(data: Path) -> None:
    _run("migrate", data=data)
    words = ("--word", "en=Our host", "--word", "vi=Người dẫn")
    assert _run("site", "badge", "default", "host", *words, data=data).output == (
        "default\thost\ten=Our host vi=Người dẫn\n"
    )
    assert _run("site", "badge", "default", "host", "--remove", data=data).output == "default\thost\n"
    for wrong in (
        ("moderator", *words),
        ("reply", *words),
        ("host",),
        ("host", "--word", "xx=y"),
        ("host", "--word", "en"),
    ):
        assert _run("site", "badge", "default", *wrong, data=data).exit_code > 0
    assert _rules(data) == {name: "-" if value is None else str(value) for name, value in told().items()}
    changed = _rules(data, "--who", "members", "--slow", "30", "--first-n", "3", "--edit", "0")
    assert changed == _rules(data)
    assert [changed[name] for name in ("who", "slow", "first_n", "edit", "links")] == ["members", "30", "3", "0", "new"]
    for arguments in (
        ("nowhere",),
        ("nowhere", "--who", "all"),
        ("default", "--who", "friends"),
        ("default", "--slow", "4"),
        ("default", "--slow", "half"),
        ("default", "--reset", "sort"),
    ):
        assert _run("site", "rules", *arguments, data=data).exit_code > 0
    assert _rules(data) == changed
    assert _rules(data, "--reset", "slow", "--reset", "edit") == {**changed, "slow": "0", "edit": "-"}


def _rules(data: Path, *arguments: str) -> dict[str, str]:
    lines = _run("site", "rules", "default", *arguments, data=data).output.splitlines()
    return dict(line.split("\t") for line in lines)


@pytest.mark.parametrize("key", ["", "Times", "ti mes", "x" * 65, "tín"])
def test_a_bad_site_is_refused(data: Path, key: str) -> None:
    result = _run("site", "add", key, data=data)
    assert result.exit_code == 1
    assert "a-z, 0-9" in result.output


@pytest.mark.parametrize("origin", ["*", "null", "times.example", "https://a.example/path", "https://u@a.example"])
def test_a_bad_origin_is_refused(tmp_path: Path, origin: str) -> None:
    result = _run("site", "add", "times", "--origin", origin, data=tmp_path)
    assert result.exit_code == 1
    assert "is not an origin" in result.output


def test_a_moderators_token_is_shown_once_and_works(data: Path) -> None:
    result = _run("moderator", "add", "Mai", data=data)
    token = result.stdout.strip()
    assert token.startswith("tm_")
    assert token.encode() not in (data / "tertulia.db").read_bytes()
    assert _run("moderator", "list", data=data).output == "Mai\n"
    again = _run("moderator", "add", "Mai", data=data)
    assert again.exit_code == 1
    assert "already" in again.output

    async def held() -> int:
        async with running(Settings(data_dir=data, secret_key=SECRET)) as server:
            transport = httpx.ASGITransport(server.asgi)
            async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
                headers = {"Authorization": f"Bearer {token}"}
                return (await client.get("/api/v1/moderation/held", headers=headers)).status_code

    assert asyncio.run(held()) == 200


def test_a_sites_token_is_shown_once_listed_and_taken_back(data: Path) -> None:
    made = _run("site", "token", "default", "cms", "--scopes", "people, read", data=data)
    token = made.stdout.strip()
    assert token.startswith("tk_")
    assert token.encode() not in (data / "tertulia.db").read_bytes()
    assert re.fullmatch(r"cms\tread,people\t\d{4}-\d\d-\d\d\n", _run("site", "tokens", "default", data=data).stdout)
    for arguments, said in (
        (("default", "cms", "--scopes", "read"), "has a token of this name"),
        (("default", "other"), "Choose among the scopes"),
        (("default", "other", "--scopes", "everything"), "Choose among the scopes"),
        (("default", "other", "--remove"), "has no token other"),
        (("nowhere", "cms", "--scopes", "read"), "no such site"),
    ):
        refused = _run("site", "token", *arguments, data=data)
        assert (refused.exit_code, said in refused.output) == (1, True), arguments
    removed = _run("site", "token", "default", "cms", "--remove", data=data)
    assert removed.stdout == "default has no token cms any more.\n"
    assert _run("site", "tokens", "default", data=data).stdout == ""


def test_people_are_invited_listed_and_removed(data: Path) -> None:
    invited = _run("staff", "invite", "Mai", "--role", "owner", "--site", "default", data=data)
    assert re.fullmatch(r"/staff/sign-in\?link=tl_[\w-]{43}\n", invited.stdout)
    assert "Mai is owner of default. The link is good once, for 24 hours:" in invited.output
    there = _run("staff", "invite", "Mai", "--role", "host", "--public-url", "https://talk.example/", data=data)
    assert there.stdout.startswith("https://talk.example/staff/sign-in?link=tl_")
    assert _run("staff", "list", data=data).stdout == "Mai\thost\tall sites\nMai\towner\tdefault\n"
    removed = _run("staff", "remove", "Mai", "--site", "default", data=data)
    assert removed.stdout == "Mai is no longer staff of default.\n"
    assert _run("staff", "list", "--site", "default", data=data).stdout == "Mai\thost\tall sites\n"
    for arguments in (("remove", "Mai", "--site", "default"), ("invite", "Ba", "--role", "host", "--site", "nowhere")):
        again = _run("staff", *arguments, data=data)
        assert (again.exit_code, "there" in again.output.lower()) == (1, True)


def test_a_member_of_the_site_is_given_a_role(data: Path) -> None:
    asyncio.run(_sign_in(data, "lan@example.com"))
    arguments = ("staff", "invite", "--member", "--role", "moderator")
    for given in ("Lan", "Lan@Example.com"):
        told = _run(*arguments, given, "--site", "default", data=data)
        assert told.output == "Lan is moderator of default, and signs in at /staff/sign-in?site=default\n"
    assert _run("staff", "list", data=data).stdout == "Lan\tmoderator\tdefault\n"
    for wrong, status, said in (
        (("Lan",), 2, "add --site"),
        (("Lan", "--site", "nowhere"), 1, "no such site"),
        (("Ba", "--site", "default"), 1, "no such member"),
        (("ba@example.com", "--site", "default"), 1, "no such member"),
    ):
        refused = _run(*arguments, *wrong, data=data)
        assert (refused.exit_code, said in refused.output.lower()) == (status, True), refused.output
    assert _run("staff", "remove", "Lan", "--site", "default", data=data).exit_code == 0
    assert _run("check", data=data).exit_code == 0


async def _sign_in(data: Path, email: str) -> None:
    """A reader who signed in by a code."""
    subject = keyed_subject(derived_key(SECRET.encode(), "subjects"), "default", MAILBOXES, email)
    who = Who("default", MAILBOXES, subject, "Lan", has_chosen=True)
    async with store_of({"data_dir": data}) as store:
        await store.write(SignIn(who, "hash", "email", timedelta(days=1), utc_now()))


def test_a_moderators_token_is_renewed_and_taken_back(data: Path) -> None:
    tokens = [_run("moderator", "add", "Mai", data=data).stdout.strip()]
    tokens.append(_run("moderator", "renew", "Mai", data=data).stdout.strip())
    assert len({*tokens}) == 2
    assert tokens[1].startswith("tm_")
    assert _run("moderator", "list", data=data).output == "Mai\n"
    assert _run("moderator", "remove", "Mai", data=data).output == "Mai is no moderator any more.\n"
    assert _run("moderator", "list", data=data).output == ""
    for command in ("renew", "remove"):
        again = _run("moderator", command, "Mai", data=data)
        assert (again.exit_code, "There is no moderator Mai" in again.output) == (1, True)
    assert _run("moderator", "add", "Mai", data=data).exit_code == 0


def test_import_twice_changes_nothing_and_export_gives_it_back(tmp_path: Path) -> None:
    data = tmp_path / "data"
    first = _run("import", str(_article(tmp_path)), data=data)
    assert first.exit_code == 0, first.output
    assert "2 comments" in first.output
    exported = _run("export", data=data)
    assert exported.exit_code == 0
    second = _run("import", str(_article(tmp_path)), data=data)
    assert second.exit_code == 0
    assert _run("export", data=data).stdout == exported.stdout
    output = tmp_path / "export.json"
    assert _run("export", "--output", str(output), data=data).exit_code == 0
    assert output.read_text("utf-8") == exported.stdout
    moved = tmp_path / "moved"
    assert _run("import", str(output), data=moved).exit_code == 0
    assert _run("export", data=moved).stdout == exported.stdout


def test_a_file_that_is_no_export_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "broken.json"
    path.write_text('{"title": 5}')
    result = _run("import", str(path), data=tmp_path / "data")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    assert len(result.output.strip().splitlines()) == 1


def test_check_finds_nothing_and_then_what_was_broken(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert _run("import", str(_article(tmp_path)), data=data).exit_code == 0
    clean = _run("check", data=data)
    assert clean.exit_code == 0
    assert clean.output.endswith("1 discussion, 2 comments, 2 events: nothing is wrong.\n")
    with sqlite3.connect(data / "tertulia.db") as database:
        database.execute("update discussion set comment_count = 7")
    database.close()
    broken = _run("check", data=data)
    assert broken.exit_code == 1
    assert "the-old-bridge" in broken.output


def test_long_commands_report_their_progress(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reported: set[tuple[str, int, int]] = set()

    class Recorder(Reporter):
        def __call__(self, step: str, done: int = 0, total: int = 0) -> None:
            reported.add((step, done, total))

    monkeypatch.setattr("tertulia.cli.running.Reporter", Recorder)
    for command in (("import", str(_article(tmp_path))), ("export",), ("check",)):
        assert _run(*command, data=tmp_path / "data").exit_code == 0
    assert {
        ("Reading comments", 2, 2),
        ("Writing comments", 2, 2),
        ("Exporting comments", 2, 2),
        ("Checking the file", 0, 0),
        ("Checking events", 2, 2),
        ("Checking comments", 2, 2),
    } <= reported


def test_a_database_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "tertulia.db").write_text("this is a letter, not a database " * 100)
    result = _run("check", data=tmp_path)
    assert result.exit_code == 1
    assert result.output.startswith("tertulia: Cannot open or migrate the database")
    assert len(result.output.strip().splitlines()) == 1


def _line(result: Result) -> str:
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    [line] = result.stderr.splitlines()
    return str(line)


def test_a_file_that_cannot_be_written_is_one_line_that_names_it(data: Path, tmp_path: Path) -> None:
    output = tmp_path / "nowhere" / "export.json"
    assert _line(_run("export", "--output", str(output), data=tmp_path)) == (
        f"tertulia: Cannot write {output}: No such file or directory"
    )


@pytest.mark.parametrize("is_ours", [False, True])
def test_a_database_that_fails_in_the_middle_is_one_line_unless_it_is_our_mistake(
    data: Path, monkeypatch: pytest.MonkeyPatch, is_ours: bool
) -> None:
    async def fails(*_given: object) -> None:
        error = sqlite3.DatabaseError("database disk image is malformed")
        error.sqlite_errorcode = sqlite3.SQLITE_ERROR if is_ours else sqlite3.SQLITE_CORRUPT
        raise error

    monkeypatch.setattr("tertulia.cli.check.search", fails)
    result = _run("check", data=data)
    if is_ours:
        assert isinstance(result.exception, sqlite3.DatabaseError)
    else:
        assert "malformed; its disk fails or its file is damaged" in _line(result)


def test_a_bad_setting_is_one_line_that_names_it(tmp_path: Path) -> None:
    result = _run("serve", "--time-zone", "Mars/Olympus", data=tmp_path)
    assert result.exit_code == 1
    assert result.output == "tertulia: --time-zone: 'Mars/Olympus' is not a time zone such as Asia/Ho_Chi_Minh\n"


def test_the_secret_key_is_made_once_and_is_nobodys_business(tmp_path: Path) -> None:
    async def start() -> bytes:
        async with running(Settings(data_dir=tmp_path)):
            return (tmp_path / "secret-key").read_bytes()

    first = asyncio.run(start())
    assert len(first.strip()) >= 32
    assert stat.S_IMODE((tmp_path / "secret-key").stat().st_mode) == 0o600
    assert asyncio.run(start()) == first


def test_a_snippet_names_the_server_and_nothing_else(tmp_path: Path) -> None:
    result = _run("snippet", "--public-url", "https://talk.example/", data=tmp_path / "data")
    assert result.exit_code == 0
    assert result.output == (
        '<script src="https://talk.example/embed.js" defer></script>\n<tertulia-discussion></tertulia-discussion>\n'
    )
    assert not (tmp_path / "data").exists(), "it needs no database"


def test_a_snippet_for_a_key_has_a_link_for_readers_without_javascript(tmp_path: Path) -> None:
    flags = ("--public-url", "https://talk.example", "--site", "times", "--key", 'a "b" & <c>', "--language", "vi")
    result = _run("snippet", *flags, data=tmp_path)
    assert result.stdout == (
        '<script src="https://talk.example/embed.js" defer></script>\n'
        '<tertulia-discussion site="times" discussion="a &#34;b&#34; &amp; &lt;c&gt;">\n'
        '  <a href="https://talk.example/d?site=times&amp;key=a+%22b%22+%26+%3Cc%3E">Bình luận</a>\n'
        "</tertulia-discussion>\n"
    )


def test_a_snippet_of_a_server_without_a_name_says_so(tmp_path: Path) -> None:
    result = _run("snippet", "--port", "8123", data=tmp_path)
    assert 'src="http://127.0.0.1:8123/embed.js"' in result.stdout
    assert result.stderr == "TERTULIA_PUBLIC_URL is not set; the address is one of this machine.\n"


def test_a_snippet_can_say_which_bytes_the_script_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"// the client in one file"
    (tmp_path / "embed.full.js").write_bytes(content)
    monkeypatch.setattr(client, "STATIC", tmp_path)
    result = _run("snippet", "--sri", "--public-url", "https://talk.example", data=tmp_path)
    integrity = base64.b64encode(hashlib.sha384(content).digest()).decode()
    path = f"embed.{hashlib.sha256(content).hexdigest()[:16]}.js"
    attributes = f'src="https://talk.example/{path}" integrity="sha384-{integrity}" crossorigin="anonymous" defer'
    assert result.stdout.splitlines()[0] == f"<script {attributes}></script>"
    assert f"/{path}" in {asset.path for asset in client.client_assets()}


@pytest.mark.parametrize("flags", [("--sri",), ("--key", ""), ("--key", "a\nb")])
def test_a_snippet_that_cannot_be_is_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: tuple[str, ...]
) -> None:
    monkeypatch.setattr(client, "STATIC", tmp_path)
    result = _run("snippet", *flags, data=tmp_path)
    assert result.exit_code == 1
    assert result.output.startswith("tertulia: ")
    assert len(result.output.splitlines()) == 1


# ---- a database that is not there ------------------------------------------------------------------------------

USING = [
    ("check",),
    ("export",),
    ("epoch", "renew"),
    ("hooks", "add", "default", "spam", "--url", "https://checks.example/"),
    ("hooks", "list"),
    ("hooks", "remove", "default", "spam"),
    ("hooks", "test", "default", "spam"),
    ("issuer", "add", "default", "app", "--iss", "x", "--alg", "ES256", "--jwks-url", "https://news.example/keys"),
    ("issuer", "list"),
    ("issuer", "remove", "default", "app"),
    ("log", "export"),
    ("moderator", "add", "Mai"),
    ("moderator", "renew", "Mai"),
    ("moderator", "remove", "Mai"),
    ("moderator", "list"),
    ("provider", "add", "default", "google", "--client-id", "us", "--client-secret-file", "none"),
    ("provider", "list"),
    ("provider", "remove", "default", "google"),
    ("site", "add", "times"),
    ("site", "list"),
    ("site", "badge", "default", "host", "--word", "en=Host"),
    ("site", "rules", "default", "--who", "members"),
    ("site", "token", "default", "cms", "--scopes", "read"),
    ("site", "tokens", "default"),
    ("staff", "invite", "Mai", "--role", "owner"),
    ("staff", "list"),
    ("staff", "remove", "Mai"),
    ("search", "rebuild"),
    ("words", "default"),
    ("work", "list"),
    ("work", "retry", "1"),
]


GROUPS = {name for name, command in main.commands.items() if isinstance(command, click.Group)}


def _all_commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from _all_commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def _files(folder: Path) -> dict[str, bytes | None]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


def _other_programs_database(path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("create table recipe (id integer)")
    database.close()


def test_every_command_that_uses_a_database_is_in_the_list() -> None:
    """A new command with these flags either uses a database that is there, or is one of the three that make it."""
    using = {
        name
        for name, command in _all_commands(main)
        if any(option.name == "data_dir" for option in command.params) and name not in ("serve", "migrate", "import")
    }
    assert using - {"doctor", "demo cluster"} == {
        " ".join(arguments[:2] if arguments[0] in GROUPS else arguments[:1]) for arguments in USING
    }


@pytest.mark.parametrize("arguments", USING, ids=" ".join)
@pytest.mark.parametrize("is_there", ["nothing", "folder", "empty file", "another program's"])
def test_a_mistyped_folder_makes_no_database(tmp_path: Path, arguments: tuple[str, ...], is_there: str) -> None:
    data = tmp_path / "mistyped"
    if is_there != "nothing":
        data.mkdir()
    if is_there == "empty file":
        (data / "tertulia.db").touch()
    if is_there == "another program's":
        _other_programs_database(data / "tertulia.db")
    before = _files(tmp_path)
    result = _run(*arguments, data=data)
    assert _line(result).startswith(f"tertulia: There is no database in {data / 'tertulia.db'}")
    assert result.stdout == ""
    assert _files(tmp_path) == before


@pytest.mark.parametrize("arguments", USING, ids=" ".join)
def test_a_mistyped_address_makes_no_database(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """A path through a file and one through a folder that is not there."""
    (tmp_path / "letter.txt").write_text("Dear reader")
    before = _files(tmp_path)
    for place in ("letter.txt/tertulia.db", "a/b/c.db"):
        address = f"sqlite+aiosqlite:///{tmp_path / place}"
        assert "There is no database in" in _line(_run(*arguments, "--database-url", address, data=tmp_path / "none"))
    assert _files(tmp_path) == before


@pytest.mark.parametrize("arguments", USING, ids=" ".join)
def test_a_file_that_is_no_database_is_left_as_it_is(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    (tmp_path / "tertulia.db").write_text("this is a letter, not a database " * 100)
    before = _files(tmp_path)
    assert "file is not a database" in _line(_run(*arguments, data=tmp_path))
    assert _files(tmp_path) == before


@pytest.mark.parametrize("arguments", [*USING, ("migrate",), ("serve", "--port", "0")], ids=" ".join)
def test_a_database_of_a_newer_version_is_left_as_it_is(data: Path, arguments: tuple[str, ...]) -> None:
    with sqlite3.connect(data / "tertulia.db") as database:
        database.execute("update alembic_version set version_num = '9999'")
    database.close()
    line = _line(_run(*arguments, data=data))
    assert "schema 9999 is of another version of Tertulia, newer than this one" in line
    assert "run that version" in line


def test_a_check_changes_nothing_and_leaves_nothing(data: Path) -> None:
    before = _files(data)
    result = _run("check", data=data)
    assert (result.exit_code, result.stdout) == (0, "0 discussions, 0 comments, 0 events: nothing is wrong.\n")
    assert _files(data) == before


def test_a_check_beside_a_server_leaves_its_files_alone(data: Path) -> None:
    with sqlite3.connect(data / "tertulia.db") as server:
        server.execute("begin immediate")
        server.execute("insert into meta values ('x', 'y')")
        before = sorted(_files(data))
        assert "tertulia.db-wal" in before
        assert _run("check", data=data).exit_code == 0
        assert sorted(_files(data)) == before
        server.rollback()
    server.close()


def test_a_check_of_an_older_schema_says_what_to_do(data: Path) -> None:
    with sqlite3.connect(data / "tertulia.db") as database:
        database.execute("update alembic_version set version_num = '0001'")
    database.close()
    assert "of an earlier version; bring it up to date with: tertulia migrate" in _line(_run("check", data=data))


def test_a_database_of_postgresql_that_is_empty_or_missing_is_none(postgres: Postgres, tmp_path: Path) -> None:
    name = asyncio.run(postgres.create(migrated=False))
    empty = postgres.address(name)
    for address in (empty, postgres.address("nobody_made_this")):
        for arguments in USING:
            result = _run(*arguments, "--database-url", address, data=tmp_path / "none")
            assert "There is no database in postgresql" in _line(result), arguments
    assert not (tmp_path / "none").exists()
    assert _run("migrate", "--database-url", empty, data=tmp_path / "none").exit_code == 0
    checked = _run("check", "--database-url", empty, data=tmp_path / "none")
    assert checked.stdout.endswith("0 events: nothing is wrong.\n")
    asyncio.run(postgres.drop(name))


# ---- what a newcomer types -------------------------------------------------------------------------------------

NONSENSE = [
    ("--port", "abc", "'abc' is not a whole number"),
    ("--port", "80.5", "'80.5' is not a whole number"),
    ("--port", "-1", "'-1' is less than 0; it has to be at least 0"),
    ("--port", "70000", "'70000' is more than 65535; it has to be at most 65535"),
    ("--workers", "0", "'0' is less than 1; it has to be at least 1"),
    ("--tick-rate", "fast", "'fast' is not a number"),
    ("--tick-rate", "0", "'0' is not more than 0; it has to be more than 0"),
    ("--log-format", "xml", "'xml' is not known; choose one of: text, json"),
    ("--log-level", "loud", "'loud' is not known; choose one of: debug, info, warning, error"),
    ("--playground", "maybe", "'maybe' is neither true nor false"),
    ("--trusted-proxies", "10.0.0.0/8, nginx", "'nginx' is not a network such as 10.0.0.0/8, nor an address"),
    ("--post-limit-guest", "many", "'many' is not a limit such as 10/minute;200/day, nor off"),
]


@pytest.mark.parametrize(("flag", "value", "said"), NONSENSE, ids=lambda value: str(value)[:30])
def test_nonsense_is_one_line_that_names_the_flag_or_the_variable(
    tmp_path: Path, flag: str, value: str, said: str
) -> None:
    assert _line(_run("serve", f"{flag}={value}", data=tmp_path)) == f"tertulia: {flag}: {said}"
    variable = f"TERTULIA_{flag[2:].replace('-', '_').upper()}"
    result = CliRunner().invoke(main, ["serve"], env={variable: value, "TERTULIA_DATA_DIR": str(tmp_path)})
    assert f"{variable}: {said}" in result.output
    assert list(tmp_path.iterdir()) == []


def test_nonsense_that_may_be_a_secret_is_not_shown(tmp_path: Path) -> None:
    result = _run("check", "--database-url", "postgresql+asyncpg:/swordfish", data=tmp_path)
    assert result.exit_code == 1
    assert "swordfish" not in result.output


def test_help_has_whole_sentences_and_says_what_is_a_number_and_what_a_choice() -> None:
    for arguments in (["--help"], ["moderator", "--help"]):
        shown = CliRunner().invoke(main, arguments, terminal_width=60).output
        assert "..." not in shown.replace("[ARGS]...", "")
    assert "the token is refused from then on, by all servers." in " ".join(shown.split())
    shown = " ".join(CliRunner().invoke(main, ["serve", "--help"], terminal_width=100).output.split())
    for expected in ("--port INTEGER", "--tick-rate NUMBER", "--data-dir PATH", "--log-format text|json"):
        assert expected in shown
    assert "--allowed-origins LIST" in shown


def test_help_says_which_texts_are_addresses_limits_and_zones() -> None:
    shown = CliRunner().invoke(main, ["serve", "--help"], terminal_width=100).output
    for expected in ("--database-url URL", "--host ADDRESS", "--time-zone ZONE", "--post-limit-guest LIMITS"):
        assert expected in shown
    assert "--site-name TEXT" in shown, "what may be any text"


def test_numbers_have_plurals(tmp_path: Path) -> None:
    data, article = tmp_path / "data", _article(tmp_path)
    content = json.loads(article.read_text("utf-8"))
    del content["comments"][1]
    article.write_text(json.dumps(content), "utf-8")
    assert "Imported 1 comment of 1 article; 0 were there already." in _run("import", str(article), data=data).output
    assert "Imported 0 comments of 1 article; 1 was there already." in _run("import", str(article), data=data).output


def _completed(shell: str, *words: str) -> set[str]:
    """What a shell offers for the last of these words, which it tells as its own script does."""
    at = words[-1] if shell == "fish" else str(len(words))
    typed = {"COMP_WORDS": " ".join(("tertulia", *words)), "COMP_CWORD": at}
    wanted = {"_TERTULIA_COMPLETE": f"{shell}_complete"}
    lines = CliRunner().invoke(main, [], prog_name="tertulia", env=typed | wanted).output.splitlines()
    if shell == "zsh":  # of each its kind, itself and what it is
        return set(lines[1::3])
    return {line.partition(",")[2].partition("\t")[0] for line in lines}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_completes_commands_flags_and_choices(shell: str) -> None:
    assert _completed(shell, "mod") == {"moderator"}
    assert _completed(shell, "moderator", "re") == {"remove", "renew"}
    assert _completed(shell, "serve", "--log") == {"--log-format", "--log-level"}
    assert _completed(shell, "serve", "--log-format", "j") == {"json"}
    assert f"{shell}_source" in (ROOT / "docs" / "operating.md").read_text("utf-8")
    script = CliRunner().invoke(main, [], prog_name="tertulia", env={"_TERTULIA_COMPLETE": f"{shell}_source"}).output
    assert f"_TERTULIA_COMPLETE={shell}_complete" in script


def test_what_becomes_of_a_key_and_why(tmp_path: Path) -> None:
    data = tmp_path / "data"
    given = "http://News.example/%c4%91/index.html?b=2&fbclid=x&a=1#top"
    lines = _run("key", "canonical", given, data=data).stdout.splitlines()
    assert (lines[0], lines[-1]) == (given, "https://news.example/\u0111?a=1&b=2")
    assert "  query without tracking parameters, the others by name:" in lines
    assert len(lines) == 2 + 2 * 6
    assert _run("key", "canonical", "article-5", data=data).stdout.splitlines()[-1] == "article-5"
    refused = _run("key", "canonical", "a" * 600, data=data)
    assert (refused.exit_code, "512 is the most" in refused.output) == (1, True)
    assert not data.exists(), "no database is asked"


def test_a_key_that_a_template_left_behind_is_told(tmp_path: Path) -> None:
    told = _run("key", "canonical", "{{ page.id }}", data=tmp_path)
    assert (told.exit_code, "template" in told.stderr) == (0, True)
    assert told.stdout.splitlines()[-1] == "{{ page.id }}"
    assert _run("key", "canonical", "article-5", data=tmp_path).stderr == ""
