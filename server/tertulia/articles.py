"""Articles: Markdown files with YAML front matter in one folder, read when they change.

    ---
    title: The night market moves to the river
    date: 2026-09-14 07:30
    language: en
    time_zone: Asia/Ho_Chi_Minh
    author: Lan Chi
    summary: One sentence for the front page.
    ---
    The text, in Markdown.

``slug`` (the address) is the file's name unless given, ``key`` (the discussion) is the slug unless given.
"""

from __future__ import annotations

import logging
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tertulia.core.keys import canonical_key
from tertulia.core.text import clean_key
from tertulia.errors import Problem
from tertulia.logs import Sparing

log = logging.getLogger(__name__)

SLUG = re.compile(r"[a-z0-9-]{1,200}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_FRONT_MATTER = re.compile(r"---[ \t]*\n(.*?)^---[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_FIELDS = frozenset({"title", "date", "slug", "key", "language", "time_zone", "author", "summary"})


@dataclass(frozen=True, slots=True)
class Article:
    """One article; ``date`` knows its zone, ``markdown`` is the text without the front matter."""

    slug: str
    key: str
    title: str
    language: str
    date: datetime
    time_zone: str
    author: str
    summary: str
    markdown: str


@dataclass(frozen=True, slots=True)
class _File:
    """What a file held when it had this stamp (mtime in ns, size); ``article`` is None while it is broken."""

    stamp: tuple[int, int]
    article: Article | None


class _Unreadable(ValueError):
    """A file is no article; the message says what to mend."""


class Articles:
    """The articles of a folder. A file that is added, changed or taken away shows at the next question.

    Asking costs one ``stat`` a file; only files whose stamp changed are read.
    """

    def __init__(self, folder: Path, language: str = "en", time_zone: str = "UTC") -> None:
        self._folder = folder
        self._language = language
        self._time_zone = time_zone
        self._files: dict[str, _File] = {}
        self._by_slug: dict[str, Article] = {}
        self._by_key: dict[str, Article] = {}
        self._newest_first: list[Article] = []
        self._sparing = Sparing(log)

    def all(self) -> list[Article]:
        """Every article, the newest first."""
        self._refresh()
        return list(self._newest_first)

    def get(self, slug: str) -> Article | None:
        self._refresh()
        return self._by_slug.get(slug)

    def discussing(self, key: str) -> Article | None:
        """The article whose discussion has this key."""
        self._refresh()
        return self._by_key.get(key) or self._by_key.get(canonical_key(key))

    def _refresh(self) -> None:
        try:
            found = dict(_stamps(self._folder))
        except OSError as error:
            # what is known stays: an article is not gone because its disk, or the limit of open files, makes trouble
            self._sparing.error(
                "The folder of the articles cannot be read",
                cause=error.errno,
                folder=self._folder,
                reason=error.strerror,
            )
            return
        if found == {name: file.stamp for name, file in self._files.items()}:
            return
        known = self._files
        self._files = {
            name: known[name] if name in known and known[name].stamp == stamp else self._read(name, stamp)
            for name, stamp in found.items()
        }
        self._index()

    def _read(self, name: str, stamp: tuple[int, int]) -> _File:
        path = self._folder / name
        try:
            article = _parse(path.read_text("utf-8"), path.stem, self._language, self._time_zone)
        except (OSError, UnicodeDecodeError) as error:
            _report(name, f"it cannot be read as UTF-8 text ({error})")
        except _Unreadable as error:
            _report(name, str(error))
        else:
            return _File(stamp, article)
        return _File(stamp, None)

    def _index(self) -> None:
        self._by_slug = {}
        self._by_key = {}
        for name, file in self._files.items():
            if file.article is None:
                continue
            if file.article.slug in self._by_slug:
                _report(name, f"another file has the slug {file.article.slug!r} already; give this one its own")
                continue
            self._by_slug[file.article.slug] = file.article
            for key in (file.article.key, canonical_key(file.article.key)):
                self._by_key.setdefault(key, file.article)
        self._newest_first = sorted(self._by_slug.values(), key=lambda one: (one.date, one.slug), reverse=True)


def write(article: Article, folder: Path) -> Path:
    """Writes the article as ``<slug>.md``, whole or not at all; the same article again changes nothing.

    Raises FileExistsError where the folder has another article of this name, ValueError for a bad slug.
    """
    if not SLUG.fullmatch(article.slug):
        raise ValueError(f"A slug is 1-200 of a-z, 0-9 and '-', not {article.slug!r}.")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{article.slug}.md"
    present = Articles(folder).get(article.slug)
    if present == article:
        return path
    if present is not None or path.exists():
        raise FileExistsError(f"{folder} has another article with the slug {article.slug!r}; it was left as it is.")
    descriptor, draft = tempfile.mkstemp(dir=folder, prefix=".draft-")
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
            file.write(_front_matter(article) + article.markdown.strip() + "\n")
        Path(draft).chmod(0o644)
        # a link never replaces, so an article that appears meanwhile is safe too
        os.link(draft, path)
    finally:
        Path(draft).unlink()
    return path


def _front_matter(article: Article) -> str:
    fields: dict[str, object] = {
        "title": article.title,
        "date": article.date,
        "slug": article.slug,
        "key": article.key,
        "language": article.language,
        "time_zone": article.time_zone,
        "author": article.author,
        "summary": article.summary,
    }
    import yaml  # 1 MiB that a server without articles does not need

    # YAML takes these for line ends and reads them back as spaces unless they are escaped
    is_plain = not any(end in str(value) for value in fields.values() for end in "\x85\u2028\u2029")
    return f"---\n{yaml.safe_dump(fields, allow_unicode=is_plain, sort_keys=False)}---\n"


def _stamps(folder: Path) -> Iterator[tuple[str, tuple[int, int]]]:
    """The name and stamp of each Markdown file, by name; files that vanish while being listed are left out.

    Raises OSError where there is a folder that cannot be read.
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    for entry in entries:
        if not entry.name.endswith(".md") or entry.name.startswith("."):
            continue
        try:
            status = entry.stat()
        except OSError:
            continue
        yield entry.name, (status.st_mtime_ns, status.st_size)


def _report(name: str, reason: str) -> None:
    log.warning("An article is left out", extra={"file": name, "reason": reason})


def _parse(text: str, stem: str, language: str, time_zone: str) -> Article:
    match = _FRONT_MATTER.match(text.removeprefix("\ufeff"))
    if match is None:
        raise _Unreadable("it has to begin with front matter between two lines of ---")
    fields = _fields(match[1])
    zone = _text(fields, "time_zone", time_zone)
    slug = _text(fields, "slug", stem)
    if not SLUG.fullmatch(slug):
        raise _Unreadable(f"the slug {slug!r} is not 1-200 of a-z, 0-9 and '-'; write a slug: line")
    tongue = _text(fields, "language", language)
    if not _LANGUAGE.fullmatch(tongue):
        raise _Unreadable(f"language: is not a language code such as en or vi, but {tongue!r}")
    return Article(
        slug=slug,
        key=_key(_text(fields, "key", slug)),
        title=_text(fields, "title"),
        language=tongue,
        date=_date(fields.get("date"), zone),
        time_zone=zone,
        author=_text(fields, "author", ""),
        summary=_text(fields, "summary", ""),
        markdown=text.removeprefix("\ufeff")[match.end() :].strip(),
    )


def _fields(front_matter: str) -> dict[Any, Any]:
    import yaml  # likewise

    try:
        fields = yaml.safe_load(front_matter)
    except (yaml.YAMLError, ValueError) as error:
        raise _Unreadable(f"its front matter is not YAML ({' '.join(str(error).split())})") from error
    if not isinstance(fields, dict):
        raise _Unreadable("its front matter has to be lines of name: value")
    unknown = sorted(str(name) for name in fields if name not in _FIELDS)
    if unknown:
        raise _Unreadable(f"its front matter has an unknown field {unknown[0]!r}")
    return fields


def _text(fields: dict[Any, Any], name: str, default: str | None = None) -> str:
    value = fields.get(name, default)
    if value is None:
        raise _Unreadable(f"its front matter needs {name}:")
    if not isinstance(value, str):
        raise _Unreadable(f"{name}: has to be text; put it in quotes")
    if default is None and not value.strip():
        raise _Unreadable(f"{name}: is empty")
    return value


def _key(given: str) -> str:
    try:
        return clean_key(given)
    except Problem as problem:
        raise _Unreadable(f"key: cannot name a discussion. {problem.detail}") from problem


def _date(value: object, zone: str) -> datetime:
    try:
        tzinfo = ZoneInfo(zone)
    except (ValueError, OSError, KeyError) as error:
        raise _Unreadable(f"time_zone: is not a zone such as Asia/Ho_Chi_Minh, but {zone!r}") from error
    if isinstance(value, str):
        value = _written_date(value)
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=tzinfo)
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo)
    raise _Unreadable("its front matter needs date:, such as 2026-09-14 or 2026-09-14 07:30")


def _written_date(text: str) -> datetime | None:
    """YAML knows no time without seconds, people do."""
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError:
        return None
