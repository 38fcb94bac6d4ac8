"""Every setting by variable and by flag, what is refused, and the key that signs tokens."""

from __future__ import annotations

import errno
import stat
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tertulia.errors import StartupError
from tertulia.settings import PREFIX, Settings, load, secret_key, unknown_variables

GIVEN: dict[str, tuple[str, object]] = {
    "host": ("0.0.0.0", "0.0.0.0"),
    "port": ("80", 80),
    "data_dir": ("/data", Path("/data")),
    "database_url": ("sqlite+aiosqlite:///x.db", "sqlite+aiosqlite:///x.db"),
    "database_url_file": ("/run/database-url", Path("/run/database-url")),
    "redis_url": ("rediss://:secret@redis.example:6380", "rediss://:secret@redis.example:6380"),
    "redis_url_file": ("/run/redis-url", Path("/run/redis-url")),
    "articles": ("/articles", Path("/articles")),
    "secret_key": ("k" * 32, "k" * 32),
    "secret_key_file": ("/run/key", Path("/run/key")),
    "public_url": ("https://talk.example", "https://talk.example"),
    "allowed_origins": (" https://a.example, https://b.example,", ("https://a.example", "https://b.example")),
    "site_name": ("Quán Cóc", "Quán Cóc"),
    "language": ("vi", "vi"),
    "time_zone": ("Asia/Ho_Chi_Minh", "Asia/Ho_Chi_Minh"),
    "edit_minutes": ("0", 0),
    "origin_days": ("0", 0),
    "post_limit_guest": ("1/minute", "1/minute"),
    "post_limit_address": ("off", "off"),
    "edit_limit_guest": ("5/minute", "5/minute"),
    "edit_limit_address": ("5/minute", "5/minute"),
    "vote_limit_guest": ("5/minute", "5/minute"),
    "vote_limit_address": ("5/minute", "5/minute"),
    "private_hosts": ("10.0.0.5,sso.internal:8443", ("10.0.0.5", "sso.internal:8443")),
    "smtp_url": ("smtps://u:p@mail.example", "smtps://u:p@mail.example"),
    "smtp_url_file": ("/run/smtp-url", Path("/run/smtp-url")),
    "mail_from": ("The News <comments@news.example>", "The News <comments@news.example>"),
    "trusted_proxies": ("10.0.0.0/8,::1", ("10.0.0.0/8", "::1")),
    "workers": ("4", 4),
    "tick_rate": ("50", 50.0),
    "summary_rate": ("150.5", 150.5),
    "connections": ("10", 10),
    "connections_per_address": ("3", 3),
    "unread_mib": ("64", 64),
    "drain_seconds": ("1.5", 1.5),
    "metrics_allow": ("10.0.0.0/8, ::1", ("10.0.0.0/8", "::1")),
    "search": ("true", True),
    "work": ("follow,mail", "follow,mail"),
    "playground": ("true", True),
    "log_format": ("json", "json"),
    "log_level": ("debug", "debug"),
}
REFUSED = [
    ("port", "many"),
    ("port", "-1"),
    ("port", "65536"),
    ("port", ""),
    ("port", "1.5"),
    ("language", "tlh"),
    ("language", "vi-VN"),
    ("language", "EN"),
    ("time_zone", "Mars/Olympus"),
    ("time_zone", "../../etc/passwd"),
    ("time_zone", "/etc/localtime"),
    ("time_zone", ""),
    ("time_zone", "a\0b"),
    ("edit_minutes", "-1"),
    ("origin_days", "91"),
    ("edit_minutes", "soon"),
    ("playground", "perhaps"),
    ("post_limit_guest", "many"),
    ("post_limit_guest", ""),
    ("post_limit_address", "10/fortnight"),
    ("edit_limit_guest", "many"),
    ("edit_limit_address", "0x10/day"),
    ("vote_limit_guest", "a few"),
    ("vote_limit_address", ""),
    ("trusted_proxies", "*"),
    ("trusted_proxies", "10.0.0.0/33"),
    ("trusted_proxies", "proxy.example"),
    ("trusted_proxies", "10.0.0.1,*"),
    ("metrics_allow", "*"),
    ("metrics_allow", "127.0.0.1, localhost"),
    ("workers", "0"),
    ("workers", "1.5"),
    ("tick_rate", "0"),
    ("summary_rate", "often"),
    ("connections", "0"),
    ("connections_per_address", "1.5"),
    ("unread_mib", "0"),
    ("drain_seconds", "-1"),
    ("log_format", "xml"),
    ("log_level", "loud"),
    ("public_url", "talk.example"),
    ("public_url", "javascript:alert(1)"),
    ("public_url", "https://"),
]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No settings but those of the test, and a folder of its own."""
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)


def test_every_setting_is_tried() -> None:
    assert GIVEN.keys() == Settings.model_fields.keys()


@pytest.mark.parametrize("name", GIVEN)
def test_a_setting_comes_from_a_variable_or_a_flag(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    text, expected = GIVEN[name]
    assert getattr(load(**{name: text}), name) == expected
    monkeypatch.setenv(PREFIX + name.upper(), text)
    assert getattr(load(), name) == expected
    assert getattr(load(**{name: None}), name) == expected, "a flag that was not given changes nothing"


def test_the_case_of_a_variable_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("Tertulia_port", "1000")
    assert load().port == 1000


def test_a_flag_is_above_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERTULIA_PORT", "1000")
    assert load(port="2000").port == 2000


def test_defaults() -> None:
    chosen = load()
    assert chosen.allowed_origins == chosen.trusted_proxies == ()
    assert chosen.host == "127.0.0.1"
    assert chosen.database == "sqlite+aiosqlite:///tertulia-data/tertulia.db"
    assert chosen.articles_dir == Path("tertulia-data/articles")
    other = load(database_url="sqlite+aiosqlite:///x.db", articles="y")
    assert (other.database, other.articles_dir) == ("sqlite+aiosqlite:///x.db", Path("y"))


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_a_bad_value_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    variable = PREFIX + name.upper()
    with pytest.raises(StartupError) as by_flag:
        load(**{name: value})
    flag = f"--{name.replace('_', '-')}"
    lines = [(flag, str(by_flag.value))]
    if "\0" not in value:
        monkeypatch.setenv(variable, value)
        with pytest.raises(StartupError) as by_variable:
            load()
        lines.append((variable, str(by_variable.value)))
    for named, line in lines:
        assert line.startswith(f"{named}: ")
        assert len(line.splitlines()) == 1
        assert "pydantic" not in line


def test_a_flag_that_is_no_setting_is_refused() -> None:
    with pytest.raises(StartupError, match="TERTULIA_COLOUR"):
        load(colour="blue")


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load().port = 1  # type: ignore[misc]


def test_variables_that_nobody_reads_are_found() -> None:
    environment = {"TERTULIA_PROT": "1", "TERTULIA_PORT": "1", "PATH": "/", "TERTULIA_": "", "TERTULIA_A": ""}
    assert unknown_variables(environment) == ["TERTULIA_", "TERTULIA_A", "TERTULIA_PROT"]
    assert unknown_variables({}) == []


# ---- URLs that are secrets --------------------------------------------------------------------------------


def test_urls_are_read_from_files(tmp_path: Path) -> None:
    database, redis = tmp_path / "database", tmp_path / "redis"
    database.write_text("postgresql+asyncpg://u:p@db/x\n")
    redis.write_text(" redis://u:p@redis \n")
    chosen = load(database_url_file=str(database), redis_url_file=str(redis))
    assert (chosen.database, chosen.redis) == ("postgresql+asyncpg://u:p@db/x", "redis://u:p@redis")
    given = load(database_url="sqlite+aiosqlite:///x.db", database_url_file=str(database), redis_url="redis://r")
    assert (given.database, given.redis) == ("sqlite+aiosqlite:///x.db", "redis://r"), "one that is given wins"
    assert load().redis is None


@pytest.mark.parametrize(("name", "read"), [("database_url_file", "database"), ("redis_url_file", "redis")])
@pytest.mark.parametrize(
    ("content", "said"), [(None, "No such file"), (b" \n", "is empty"), (b"redis://:\xff@r", "no UTF-8")]
)
def test_a_file_without_a_url_is_one_line_that_names_it(
    tmp_path: Path, name: str, read: str, content: bytes | None, said: str
) -> None:
    path = tmp_path / "url"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(StartupError, match=said) as caught:
        getattr(load(**{name: str(path)}), read)
    assert str(caught.value).startswith(f"{PREFIX}{name.upper()}: ")
    assert str(path) in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


# ---- the key --------------------------------------------------------------------------------------------


def test_a_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    chosen = load(data_dir=str(tmp_path / "new" / "folder"))
    key = secret_key(chosen)
    path = tmp_path / "new" / "folder" / "secret-key"
    assert len(key) >= 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().strip() == key
    assert secret_key(chosen) == key
    assert secret_key(load(data_dir=str(tmp_path / "other"))) != key


def test_servers_that_start_at_once_on_one_folder_have_one_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of them find no key, and each makes one."""
    monkeypatch.setattr(Path, "exists", lambda _path: False)
    chosen = load(data_dir=str(tmp_path))
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _number: secret_key(chosen), range(40)))
    assert len(keys) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret-key"]
    assert (tmp_path / "secret-key").stat().st_mode & 0o777 == 0o600


def test_a_key_that_is_given_makes_no_file(tmp_path: Path) -> None:
    assert secret_key(load(data_dir=str(tmp_path / "data"), secret_key="ê" * 16)) == "ê".encode() * 16
    assert not (tmp_path / "data").exists()


def test_a_key_is_read_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"  " + b"k" * 32 + b"\n")
    assert secret_key(load(data_dir=str(tmp_path / "data"), secret_key_file=str(path))) == b"k" * 32
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("key", ["", "k", "k" * 31, "ộ" * 10])
def test_a_short_key_is_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "key"
    path.write_text(key + "\n", "utf-8")
    for chosen in (load(secret_key=key), load(secret_key_file=str(path))):
        with pytest.raises(StartupError, match=r"at least 32; make one with") as caught:
            secret_key(chosen)
        assert len(str(caught.value).splitlines()) == 1
        assert not key or len(key) == 1 or key not in str(caught.value)


@pytest.mark.parametrize("place", ["missing", "."])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, place: str) -> None:
    with pytest.raises(StartupError, match="Cannot read the secret key file") as caught:
        secret_key(load(secret_key_file=str(tmp_path / place)))
    assert str(tmp_path) in str(caught.value)


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not the key, which is not there yet."""

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refused)
    with pytest.raises(StartupError) as caught:
        secret_key(load(data_dir=str(tmp_path)))
    assert str(caught.value).startswith(
        f"Cannot write into the data folder {tmp_path}: Permission denied; let this user"
    )
    assert "secret key" not in str(caught.value)


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StartupError, match=r"Cannot make the data folder .*file/data: Not a directory"):
        secret_key(load(data_dir=str(tmp_path / "file" / "data")))


@pytest.mark.parametrize("name", ["data_dir", "articles", "secret_key_file", "database_url_file", "redis_url_file"])
def test_an_empty_path_is_none(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """As a flag it is a variable of a shell that is not set; in the environment compose gives what is not set."""
    for given in ("", "  "):
        with pytest.raises(StartupError, match=f"--{name.replace('_', '-')}: .*is empty; name a file or a folder"):
            load(**{name: given})
    monkeypatch.setenv(f"TERTULIA_{name.upper()}", "")
    assert getattr(load(), name) == Settings.model_fields[name].default
