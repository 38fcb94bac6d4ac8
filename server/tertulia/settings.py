"""Every setting: its name, type, default and one line of help. Flags, variables and docs/settings.md derive from it."""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from tertulia import languages, private
from tertulia.errors import StartupError

PREFIX = "TERTULIA_"
SECRET_BYTES = 32
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
KEY_FILE = "secret-key"
"""In the data folder."""

_PATHS = ("data_dir", "database_url_file", "redis_url_file", "smtp_url_file", "articles", "secret_key_file")
"""Settings that name a file or a folder."""
WRITE_LIMITS = (
    "post_limit_guest",
    "post_limit_address",
    "edit_limit_guest",
    "edit_limit_address",
    "vote_limit_guest",
    "vote_limit_address",
)
"""Settings in the notation of ``limits``, or ``off``."""


class Settings(BaseModel):
    """The settings of one server process; each is also the environment variable TERTULIA_<NAME>."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 lets the system choose.")
    data_dir: Path = Field(
        Path("tertulia-data"), description="Folder for the database, the secret key and the articles."
    )
    database_url: str | None = Field(
        None,
        description="Database: `sqlite+aiosqlite:///path/to.db` or `postgresql+asyncpg://user:password@host/name`; "
        "by default a file in the data folder.",
    )
    database_url_file: Path | None = Field(None, description="File that holds the database's URL, if that is a secret.")
    redis_url: str | None = Field(
        None,
        description="Redis or Valkey server that connects several instances: `redis://localhost:6379`, "
        "`redis+sentinel://host1:26379,host2:26379/service` or `redis+cluster://host1:7000,host2:7001`; "
        "without it, the server is the only instance.",
    )
    redis_url_file: Path | None = Field(None, description="File that holds the URL of Redis, if that is a secret.")
    articles: Path | None = Field(
        None, description="Folder with the articles as Markdown files; by default `articles` in the data folder."
    )
    secret_key: str | None = Field(
        None,
        description="Key that signs tokens and messages between instances, at least 32 bytes; by default generated "
        "once and kept in the data folder.",
    )
    secret_key_file: Path | None = Field(None, description="File that holds the secret key.")
    public_url: str | None = Field(
        None,
        description="URL under which readers reach the server, such as `https://news.example`; by default taken from "
        "each request.",
    )
    allowed_origins: tuple[str, ...] = Field(
        (),
        description="Origins that may use the site `default`, besides the server's own; separated by commas.",
    )
    site_name: str = Field("Tertulia", description="Site name at the top of every page.")
    language: str = Field(
        languages.DEFAULT,
        description="Default language of pages: " + ", ".join(f"`{tag}`" for tag in languages.TAGS) + ".",
    )
    time_zone: str = Field("UTC", description="Default time zone of pages.")
    edit_minutes: int = Field(15, ge=0, description="Minutes in which authors may edit a comment.")
    origin_days: int = Field(
        14,
        ge=0,
        le=90,
        description="Days for which a keyed digest of the network is kept that a guest's comment came from, for bans "
        "of networks; `0` keeps none, and there are no such bans.",
    )
    post_limit_guest: str = Field(
        "10/minute;200/day",
        description="Comments per guest, in the notation of `limits`; `off` removes the limit.",
    )
    post_limit_address: str = Field(
        "30/minute;1000/day",
        description="Comments per address, and as many first votes of new guests; `off` removes the limits.",
    )
    edit_limit_guest: str = Field(
        "10/minute;100/day", description="Edits and deletions per guest, counted together; `off` removes the limit."
    )
    edit_limit_address: str = Field(
        "30/minute;500/day", description="Edits and deletions per address, counted together; `off` removes the limit."
    )
    vote_limit_guest: str = Field("60/minute;500/day", description="Votes per guest; `off` removes the limit.")
    vote_limit_address: str = Field("120/minute;2000/day", description="Votes per address; `off` removes the limit.")
    private_hosts: tuple[str, ...] = Field(
        (),
        description="Hosts, as `host` or `host:port`, that this server may ask although they are private or without "
        "TLS, such as a sign-in provider in your own network; separated by commas.",
    )
    smtp_url: str | None = Field(
        None,
        description="Mail server: `smtps://user:password@host`, or `smtp://host:587` with STARTTLS; without it, nobody "
        "can sign in by e-mail. Without TLS only to this machine and to hosts of `TERTULIA_PRIVATE_HOSTS`.",
    )
    smtp_url_file: Path | None = Field(None, description="File that holds the mail server's URL, if that is a secret.")
    mail_from: str | None = Field(
        None, description="Sender of mail, such as `News <comments@news.example>`; needed with a mail server."
    )
    trusted_proxies: tuple[str, ...] = Field(
        (),
        description="Networks (CIDR) of proxies whose X-Forwarded and Forwarded headers are believed, separated by "
        "commas.",
    )
    workers: int = Field(
        1,
        ge=1,
        le=256,
        description="Processes that share this port, ideally one per core; more than one requires Redis.",
    )
    tick_rate: float = Field(
        100, gt=0, description="Events per second in one discussion above which several are sent in one message."
    )
    summary_rate: float = Field(
        200,
        gt=0,
        description="Events per second above which readers get only the newest few, and how many more there were.",
    )
    connections: int = Field(15_000, ge=1, description="Maximum connections per process; further ones get 503.")
    connections_per_address: int = Field(
        200, ge=1, description="Maximum connections per address, except from trusted proxies."
    )
    unread_mib: int = Field(
        32,
        ge=1,
        description="Memory per process for output that clients have not read yet, in MiB; allow at least 2 KiB per "
        "reader. Beyond it the slowest clients are cut off, and readers resume.",
    )
    drain_seconds: float = Field(20, ge=0, description="Seconds to drain connections on shutdown.")
    metrics_allow: tuple[str, ...] = Field(
        ("127.0.0.0/8", "::1"), description="Networks (CIDR) that may read /metrics, separated by commas."
    )
    search: bool = Field(
        False,
        description="Whether the server keeps an index of all comments and answers `/search`; once it is switched on, "
        "what was written before is found after a while.",
    )
    work: str = Field(
        "all",
        description="Background work that this server does: `all`, `none`, or names of queues separated by commas. "
        "With several servers, each task is done by one of them.",
    )
    playground: bool = Field(
        False,
        description="Whether `/playground` shows front-end developers every state of the element, with discussions "
        "made for it; `--with-samples` turns it on.",
    )
    log_format: Literal["text", "json"] = Field("text", description="Format of log lines.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Minimum log level.")

    @field_validator("allowed_origins", "private_hosts", "trusted_proxies", "metrics_allow", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("trusted_proxies", "metrics_allow")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for network in value:
            try:
                ip_network(network, strict=False)
            except ValueError as error:
                raise ValueError(f"{network!r} is not a network such as 10.0.0.0/8, nor an address") from error
        return value

    @field_validator("private_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            if not _HOST.fullmatch(host):
                raise ValueError(f"{host!r} is neither a host nor host:port")
        return value

    @field_validator("public_url")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value and not re.fullmatch(r"https?://[^\s/?#@]+/?", value):
            raise ValueError("write it as https://news.example")
        return value

    @field_validator("language")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in languages.TAGS:
            raise ValueError(f"choose one of: {', '.join(languages.TAGS)}")
        return value

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as error:
            raise ValueError("is not a time zone such as Asia/Ho_Chi_Minh") from error
        return value

    @field_validator(*_PATHS, mode="before")
    @classmethod
    def _path(cls, value: object) -> object:
        if isinstance(value, str) and not value.strip():
            # the folder in which one happens to be would get a database
            raise ValueError("is empty; name a file or a folder, or leave it out")
        return value

    @field_validator(*WRITE_LIMITS)
    @classmethod
    def _limit(cls, value: str) -> str:
        import limits  # it takes 90 ms, and no command needs it that is given no limit

        if value != "off":
            try:
                limits.parse_many(value)
            except ValueError as error:
                raise ValueError("is not a limit such as 10/minute;200/day, nor off") from error
        return value

    @property
    def database(self) -> str:
        """The database's URL. Raises StartupError if its file cannot be read."""
        given = self.database_url or _url_from_file("database_url_file", self.database_url_file)
        return given or f"sqlite+aiosqlite:///{self.data_dir / 'tertulia.db'}"

    @property
    def redis(self) -> str | None:
        """The URL of Redis, None without one. Raises StartupError if its file cannot be read."""
        return self.redis_url or _url_from_file("redis_url_file", self.redis_url_file)

    @property
    def smtp(self) -> str | None:
        """The mail server's URL, None without one. Raises StartupError if its file cannot be read."""
        return self.smtp_url or _url_from_file("smtp_url_file", self.smtp_url_file)

    @property
    def articles_dir(self) -> Path:
        return self.articles or self.data_dir / "articles"


def load(**overrides: object) -> Settings:
    """Settings from the environment, with the flags that were given; raises StartupError with one line."""
    flags = {name: value for name, value in overrides.items() if value is not None}
    try:
        return Settings.model_validate(_from_environment() | flags)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        where = (
            f"--{name.replace('_', '-')}" if name in flags and name in Settings.model_fields else PREFIX + name.upper()
        )
        raise StartupError(f"{where}: {_reason(name, first)}") from error


def _from_environment() -> dict[str, object]:
    """The settings that variables give, whatever case their names are written in."""
    variables = {name.upper(): value for name, value in os.environ.items()}
    names = {name: PREFIX + name.upper() for name in Settings.model_fields}
    given = {name: variables[variable] for name, variable in names.items() if variable in variables}
    # a compose file gives variables that are not set as empty ones
    return {name: value for name, value in given.items() if value or name not in _PATHS}


def _reason(name: str, error: ErrorDetails) -> str:
    """What is wrong with a setting, with what was given where that can be no secret."""
    kind, context = error["type"], error.get("ctx", {})
    is_open = name in Settings.model_fields and not name.startswith(("database", "redis", "secret", "smtp"))
    given = f"{str(error['input'])!r} " if is_open and isinstance(error["input"], str | int | float) else ""
    if kind == "value_error":
        reason = str(context.get("error", ""))
        return f"{given}{reason}" if given and reason.startswith("is ") else reason
    bound = _BOUNDS.get(kind)
    if bound is not None:
        said, key = bound
        return f"{given}is {said} {context[key]:g}; it has to be {_WANTED[key]} {context[key]:g}"
    if kind == "literal_error":
        return (
            f"{given}is not known; choose one of: {str(context['expected']).replace(chr(39), '').replace(' or ', ', ')}"
        )
    return f"{given}{_KINDS[kind]}" if kind in _KINDS else str(error["msg"])


_KINDS = {
    "int_parsing": "is not a whole number",
    "int_from_float": "is not a whole number",
    "float_parsing": "is not a number",
    "bool_parsing": "is neither true nor false",
}
_BOUNDS = {
    "greater_than_equal": ("less than", "ge"),
    "less_than_equal": ("more than", "le"),
    "greater_than": ("not more than", "gt"),
}
_WANTED = {"ge": "at least", "le": "at most", "gt": "more than"}


def _url_from_file(name: str, path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        found = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise StartupError(f"{PREFIX}{name.upper()}: cannot read {path}: {reason}") from error
    if not found:
        raise StartupError(f"{PREFIX}{name.upper()}: {path} is empty")
    return found


def as_written(value: object) -> str:
    """A setting's value as it is written in a variable or a flag; empty for None."""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else str(value)


def unknown_variables(environment: Mapping[str, str] = os.environ) -> list[str]:
    """The TERTULIA_ variables that no setting reads: most often typos."""
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    return sorted(name for name in environment if name.startswith(PREFIX) and name not in known)


def secret_key(settings: Settings, *, make: bool = True) -> bytes:
    """The key that signs tokens; with ``make`` made and kept (mode 0600) on the first start when none is given.

    Raises StartupError when it is shorter than 32 bytes or cannot be read.
    """
    key = _key_from_file(settings, make) if settings.secret_key is None else settings.secret_key.encode()
    if len(key) < SECRET_BYTES:
        raise StartupError(
            f"The secret key has {len(key)} bytes and needs at least {SECRET_BYTES}; "
            "make one with: python3 -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    return key


def _key_from_file(settings: Settings, make: bool) -> bytes:
    path = settings.secret_key_file or settings.data_dir / KEY_FILE
    if settings.secret_key_file is None and make:
        _make_sure_of_key(path)
    try:
        return path.read_bytes().strip()
    except OSError as error:
        raise StartupError(
            f"Cannot read the secret key file {path}: {error.strerror}; let this user read it, or name another with "
            f"{PREFIX}SECRET_KEY_FILE"
        ) from error


def _make_sure_of_key(path: Path) -> None:
    folder = path.parent
    try:
        if path.exists():
            return
        private.make_folder(folder)
    except OSError as error:
        raise StartupError(_folder("make", folder, error)) from error
    try:
        _make_key(path)
    except OSError as error:
        raise StartupError(_folder("write into", folder, error)) from error


def _folder(act: str, folder: Path, error: OSError) -> str:
    return (
        f"Cannot {act} the data folder {folder}: {error.strerror}; let this user write there, or choose another with "
        "--data-dir"
    )


def _make_key(path: Path) -> None:
    """Makes the file as a whole; of several processes that do so at once all get the key of one."""
    descriptor, name = tempfile.mkstemp(prefix=".secret-key-", dir=path.parent)  # mode 0600
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
        with suppress(FileExistsError):
            os.link(name, path)
    finally:
        os.unlink(name)
