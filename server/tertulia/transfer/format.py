"""The file: what may stand in it, and how a mistake in it is told: one line that begins with the location.

{"title", "key", "lang", "timezone", "paragraphs": [...], "comments": [{"author", "at", "text"}, ...]}
{"format": "tertulia/1", "site", "sites": [...], "articles": [article as above, ...]}
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Literal, NamedTuple

from pydantic import AfterValidator, BeforeValidator, Discriminator, FailFast, Field, Tag, ValidationError
from pydantic_core import from_json

from tertulia.articles import SLUG
from tertulia.core.badges import PATTERN as BADGE
from tertulia.core.ids import is_uuid
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import Inbound, RulesChange
from tertulia.transfer import memory

FORMAT: Final = "tertulia/1"
FILE_BYTES = 512 * 1024 * 1024
VOTES = 10_000
_MARKDOWN_LENGTH = 1_000_000
_YEARS = range(1970, 2101)
_SPLIT = "Split it into files of some articles each"
_SENTENCES = {
    "extra_forbidden": "this field is not known",
    "missing": "this field is needed",
    "model_type": "this has to be an object",
}


def wrong(location: str, why: str) -> Problem:
    """The refusal of a file because of what stands at ``location``; the file as a whole has no location."""
    return Problem(ErrorCode.invalid, f"{location}: {why}" if location else f"The file: {why}", field=location or None)


def _time(value: object) -> datetime:
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        at = None
    if at is None or at.tzinfo is None or at.year not in _YEARS:
        raise ValueError("write a time with its zone, such as 2026-09-14T07:30:00+07:00, of the years 1970-2100")
    at = at.astimezone(UTC)
    if at.year not in _YEARS:
        raise ValueError("write a time of the years 1970-2100")
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def uuid_or_label(text: str) -> str:
    """A UUID in the form that is stored; any other text as it is."""
    lower = text.lower()
    return lower if is_uuid(lower) else text


def _uuid(text: str) -> str:
    found = uuid_or_label(text)
    if not is_uuid(found):
        raise ValueError("write a UUID")
    return found


def _vote_style(value: object) -> str:
    return "<each>" if isinstance(value, list) else "<counts>"


Time = Annotated[datetime, BeforeValidator(_time)]
Uuid = Annotated[str, AfterValidator(_uuid)]
Reference = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(uuid_or_label)]
SiteKey = Annotated[str, Field(pattern=r"^[a-z0-9-]{1,64}$")]
Origin = Annotated[str, Field(pattern=r"^https?://[a-z0-9._\[\]:-]{1,255}$")]
Line = Annotated[str, Field(max_length=2000)]


class VoteCounts(Inbound):
    """How often a comment was voted for and against, by nobody in particular."""

    up: int = Field(default=0, ge=0, le=VOTES)
    down: int = Field(default=0, ge=0, le=VOTES)


class CastVote(Inbound):
    voter: Uuid
    value: Literal[1, -1]


Votes = Annotated[
    Annotated[VoteCounts, Tag("<counts>")] | Annotated[list[CastVote], Tag("<each>")],
    Discriminator(_vote_style),
]


class FileComment(Inbound):
    """``id`` is kept when it is a UUID; any other text is a label that ``parent`` may name.

    The last two stand in exports of earlier versions. They are read and not kept: a key is nobody's but its author's.
    """

    id: Reference | None = None
    parent: Reference | None = None
    author: str | None = None
    author_id: Uuid | None = None
    badge: Annotated[str, Field(pattern=BADGE)] | None = None
    at: Time
    text: str | None = None
    edited_at: Time | None = None
    state: Literal["visible", "held", "removed", "deleted"] = "visible"
    votes: Votes = VoteCounts()
    pinned: bool = False
    published: bool | None = None
    idempotency_key: str | None = Field(default=None, pattern=r"^[\x21-\x7e]{16,64}$")
    request_digest: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")


class FileArticle(Inbound):
    """An article (with ``paragraphs`` or ``markdown``) and its discussion, or a discussion alone.

    Each of ``comments`` is for ``read_comment``: all of them at once would be ten times as large as the file.
    """

    title: str = ""
    key: str
    lang: str = Field(default="en", pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")
    timezone: str = Field(default="UTC", min_length=1, max_length=100)
    paragraphs: list[Annotated[str, Field(max_length=_MARKDOWN_LENGTH)]] | None = None
    comments: list[Any] = Field(default=[])
    site: SiteKey | None = None
    url: str = ""
    mode: Literal["open", "held", "closed"] | None = None
    rules: RulesChange | None = None
    closes_at: str | None = None
    date: str | None = None
    author: Line = ""
    summary: Line = ""
    slug: str | None = Field(default=None, pattern=f"^(?:{SLUG.pattern})$")
    markdown: str | None = Field(default=None, max_length=_MARKDOWN_LENGTH)


class FileSite(Inbound):
    key: SiteKey
    origins: list[Origin] = Field(default=[])
    rules: RulesChange | None = None


class File(Inbound):
    """``site`` is that of the articles that name none; each of ``articles`` is for ``read_article``."""

    format: Literal["tertulia/1"]
    site: SiteKey = "default"
    sites: Annotated[list[FileSite], FailFast()] = Field(default=[])
    articles: list[Any]


class ReadFile(NamedTuple):
    """A file, and the location that each of its articles has in it: ``articles[0].``, or nothing."""

    file: File
    locations: list[str]


def fit(size: int, comments: int = 0, votes: int = 0, *, held: int = 0) -> None:
    """Raises invalid where a file of so many bytes with so many comments is too large for the memory that there is.

    ``held`` bytes of it are in memory already.
    """
    if size > FILE_BYTES:
        raise wrong("", f"it has {size:,} bytes; {FILE_BYTES:,} is the most. {_SPLIT}.")
    needed, available = memory.needed(size, comments, votes) - held, memory.available()
    if available is not None and needed > available:
        of = f" with {comments:,} comments" if comments else ""
        raise wrong(
            "",
            f"it has {size:,} bytes{of}, which take up to {needed >> 20:,} MiB of memory, and {available >> 20:,} MiB"
            f" are left. {_SPLIT}, or give the command more memory.",
        )


def read(data: bytes | bytearray) -> ReadFile:
    """Reads the file itself; ``read_article`` reads what is in it. Raises invalid."""
    # each comment has one time, each vote that is told by itself one voter
    fit(len(data), data.count(b'"at"'), data.count(b'"voter"'), held=len(data))
    try:
        found: Any = from_json(data.removeprefix(b"\xef\xbb\xbf"), allow_inf_nan=False)
    except ValueError as error:
        raise wrong("", f"it is not JSON in UTF-8 ({error})") from error
    if not isinstance(found, dict):
        raise wrong("", "it has to hold one JSON object")
    try:
        if "format" not in found:
            return ReadFile(File(format=FORMAT, articles=[found]), [""])
        file = File.model_validate(found)
    except ValidationError as error:
        raise _first_mistake("", error) from error
    return ReadFile(file, [f"articles[{number}]." for number in range(len(file.articles))])


def read_article(location: str, found: Any) -> FileArticle:
    """One of a file's articles, which stands at ``location``. Raises invalid."""
    try:
        return FileArticle.model_validate(found)
    except ValidationError as error:
        raise _first_mistake(location, error) from error


def read_comment(location: str, found: Any) -> FileComment:
    """One of an article's comments, which stands at ``location``. Raises invalid."""
    try:
        return FileComment.model_validate(found)
    except ValidationError as error:
        raise _first_mistake(f"{location}.", error) from error


def _first_mistake(location: str, error: ValidationError) -> Problem:
    """``location`` ends with the dot before a field."""
    first = error.errors(include_url=False)[0]
    why = _SENTENCES.get(first["type"]) or str(first.get("ctx", {}).get("error") or first["msg"])
    return wrong(f"{location}{_location(first['loc'])}".removesuffix("."), why)


def _location(steps: Iterable[int | str]) -> str:
    """``articles[0].comments[3].at``; steps in angle brackets are the ways to read a field, not parts of the file."""
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif not step.startswith("<"):
            text += f".{step if step.isidentifier() else ascii(step)[:80]}"
    return text.removeprefix(".")
