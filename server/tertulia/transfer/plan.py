"""The plan: a file after every check that needs no database, in the order in which it will be written.

What of the file is planned is let go of: a comment is held as it was read or as it is planned, not as both. Its tree is
held as compressed JSON, and votes of which only the number is known as that number.
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic_core import to_json

from tertulia.articles import Article
from tertulia.core import documents
from tertulia.core.comments import Author, Comment, DiscussionKey, Mode, State
from tertulia.core.ids import is_uuid, uuid7_of
from tertulia.core.rules import NONE_OWN, OwnRules
from tertulia.core.text import clean_key, clean_name, clean_text, clean_title, clean_url
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import Problem
from tertulia.reporting import Progress, silent
from tertulia.store import mapping
from tertulia.transfer import naming
from tertulia.transfer.format import (
    CastVote,
    File,
    FileArticle,
    FileComment,
    FileSite,
    VoteCounts,
    read_article,
    read_comment,
    wrong,
)

_MARKS = re.compile(r"([\\`*_\[\]<>~&])")
_LINE_START = re.compile(r"^(?=[#=+-]|\d{1,9}[.)])(\d*)")


NamedVotes = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class PlannedComment:
    """A comment, and where it stands in the file: the ``number`` of the comments of ``where``.

    ``comment.discussion_id`` is not known yet, and its tree stands in ``body`` as JSON, compressed: it may be
    ten times as long as the text.
    """

    where: str
    number: int
    comment: Comment
    body: bytes
    cast: NamedVotes | None
    published: bool

    @property
    def location(self) -> str:
        return f"{self.where}comments[{self.number}]"

    @property
    def vote_count(self) -> int:
        return self.comment.up + self.comment.down

    def votes(self) -> NamedVotes:
        """Who voted how; where the file tells only how many did, voters are made up, the same each time."""
        if self.cast is not None:
            return self.cast
        sides = (("up", 1, self.comment.up), ("down", -1, self.comment.down))
        return tuple(
            (naming.voter_id(self.comment.id, side, number), value)
            for side, value, many in sides
            for number in range(many)
        )


@dataclass(frozen=True, slots=True)
class PlannedDiscussion:
    """``comments`` are in the order of their events: by time, but none before what it answers."""

    location: str
    key: DiscussionKey
    title: str
    url: str
    mode: Mode
    rules: OwnRules
    closes_at: datetime | None
    created_at: datetime
    comments: list[PlannedComment]


@dataclass(slots=True)
class KnownAs:
    """An author under the name last used in the file; what was deleted tells no name."""

    author: Author
    named_at: datetime
    created_at: datetime

    def also(self, author: Author, at: datetime) -> None:
        """Takes in another comment of the same author."""
        self.created_at = min(self.created_at, at)
        if author.name and (at >= self.named_at or not self.author.name):
            self.author, self.named_at = author, at


@dataclass(frozen=True, slots=True)
class Plan:
    sites: list[FileSite]
    discussions: list[PlannedDiscussion]
    articles: list[Article]
    authors: dict[str, KnownAs]


def plan(file: File, locations: list[str], progress: Progress = silent) -> Plan:
    """Raises invalid for the first mistake, naming its location. Empties the file."""
    unique = _Unique()
    for number, site in enumerate(file.sites):
        unique.claim(f"sites[{number}].key", "a site", site.key)
    found = Plan(file.sites, [], [], {})
    for number, location in enumerate(locations):
        article = read_article(location, file.articles[number])
        file.articles[number] = None
        discussion = _discussion(location, article, article.site or file.site, progress)
        led = (article.mode, article.rules, article.closes_at)
        if discussion.comments or article.url or any(one is not None for one in led):
            unique.claim(f"{location}key", "a discussion", f"{discussion.key.site}\0{discussion.key.key}")
            unique.claim_comments(discussion.comments)
            found.discussions.append(discussion)
            _meet(found.authors, discussion.comments)
        if article.paragraphs is not None or article.markdown is not None:
            text = _article(location, article, discussion)
            unique.claim(f"{location}slug", "an article", text.slug)
            found.articles.append(text)
    return found


class _Unique:
    """What may stand in a file once only."""

    def __init__(self) -> None:
        self._claimed: dict[tuple[str, str], str] = {}
        self._comments: dict[str, PlannedComment] = {}

    def claim(self, location: str, kind: str, name: str) -> None:
        first = self._claimed.setdefault((kind, name), location)
        if first != location:
            raise _twice(location, kind, first)

    def claim_comments(self, comments: list[PlannedComment]) -> None:
        for one in comments:
            first = self._comments.setdefault(one.comment.id, one)
            if first is not one:
                raise _twice(f"{one.location}.id", "a comment", f"{first.location}.id")


def _twice(location: str, kind: str, first: str) -> Problem:
    return wrong(location, f"{kind} of this name stands at {first} already")


def _meet(authors: dict[str, KnownAs], comments: list[PlannedComment]) -> None:
    for one in comments:
        author, at = one.comment.author, one.comment.created_at
        if author.id in authors:
            authors[author.id].also(author, at)
        else:
            authors[author.id] = KnownAs(author, at, at)


def _cleaned(location: str, clean: Callable[[str], str], raw: str) -> str:
    try:
        return clean(raw)
    except Problem as problem:
        raise wrong(location, problem.detail) from problem


# ---- discussions ----------------------------------------------------------------------------------------


def _discussion(location: str, article: FileArticle, site: str, progress: Progress) -> PlannedDiscussion:
    key = DiscussionKey(site, _cleaned(f"{location}key", clean_key, article.key))
    comments = list(_Thread(location, key, article.comments, progress).planned())
    return PlannedDiscussion(
        location=location,
        key=key,
        title=_cleaned(f"{location}title", clean_title, article.title),
        url=_cleaned(f"{location}url", clean_url, article.url),
        mode=Mode(article.mode or "open"),
        rules=NONE_OWN if article.rules is None else article.rules.own,
        closes_at=_closes_at(f"{location}closes_at", article.closes_at),
        # a discussion without comments has no time of its own, and nobody sees this one
        created_at=min((one.comment.created_at for one in comments), default=datetime.fromtimestamp(0, UTC)),
        comments=comments,
    )


def _closes_at(location: str, given: str | None) -> datetime | None:
    try:
        at = None if given is None else datetime.fromisoformat(given)
    except ValueError:
        raise wrong(location, "write a time such as 2026-09-14T18:00:00+07:00") from None
    if at is not None and (at.tzinfo is None or at.year not in range(1000, 9000)):
        raise wrong(location, "write a time such as 2026-09-14T18:00:00+07:00")
    return at


class _Thread:
    """The comments of one discussion: who they are, what they answer, in which order they come.

    Takes them out of ``comments`` as it reads them.
    """

    def __init__(self, location: str, key: DiscussionKey, comments: list[Any], progress: Progress) -> None:
        self._location = location
        self._key = key
        self._same: Counter[tuple[str, ...]] = Counter()
        self._times: Counter[datetime] = Counter()
        self._by_name: dict[str, int] = {}
        self._authors: dict[Author, Author] = {}
        self._read: list[PlannedComment] = []
        answered: list[str | None] = []
        for number, found in enumerate(comments):
            given = read_comment(f"{location}comments[{number}]", found)
            comments[number] = None
            self._read.append(self._one(number, given))
            if given.id is not None and self._by_name.setdefault(given.id, number) != number:
                raise wrong(f"{self._read[number].location}.id", "another comment of this discussion has this id")
            answered.append(given.parent)
            progress(f"Reading {location}comments", number + 1, len(comments))
        self._parents = [self._parent(one, name) for one, name in zip(self._read, answered, strict=True)]

    def planned(self) -> Iterator[PlannedComment]:
        roots: dict[str, str] = {}
        for number in self._in_order():
            one, parent = self._read[number], self._parents[number]
            parent_id = None if parent is None else self._read[parent].comment.id
            root_id = roots[one.comment.id] = one.comment.id if parent_id is None else roots[parent_id]
            yield replace(one, comment=replace(one.comment, parent_id=parent_id, root_id=root_id))

    def _parent(self, one: PlannedComment, name: str | None) -> int | None:
        if name is None:
            return None
        parent = self._by_name.get(name)
        if parent is None:
            raise wrong(f"{one.location}.parent", f"this discussion has no comment with the id {name!r}")
        if not self._read[parent].published:
            raise wrong(f"{one.location}.parent", "the comment answered was never published, so nobody can answer it")
        return parent

    def _in_order(self) -> Iterator[int]:
        times = [(one.comment.created_at, number) for number, one in enumerate(self._read)]
        done: set[int] = set()
        for _, number in sorted(times):
            above: dict[int, None] = {}
            at: int | None = number
            while at is not None and at not in done:
                if at in above:
                    raise wrong(f"{self._read[at].location}.parent", "the comments answer each other in a circle")
                above[at] = None
                at = self._parents[at]
            done.update(above)
            yield from reversed(above)

    def _one(self, number: int, given: FileComment) -> PlannedComment:
        location = f"{self._location}comments[{number}]"
        author, text = self._said(location, given)
        published = _published(location, given)
        comment_id, created_at = self._named(given, author, text)
        cast = _votes(f"{location}.votes", given, author.id)
        up, down = _counts(given.votes)
        if up + down and not published:
            raise wrong(f"{location}.votes", "nobody votes on a comment that was never published")
        comment = Comment(
            id=comment_id,
            discussion_id=0,
            parent_id=None,
            root_id=comment_id,
            author=author,
            text=text,
            body=[],
            created_at=created_at,
            edited_at=_edited_at(location, given),
            state=State(given.state),
            up=up,
            down=down,
            reply_count=0,
            pinned=given.pinned,
        )
        body = zlib.compress(to_json(documents.parse_any(text)), 1)
        return PlannedComment(self._location, number, comment, body, cast, published)

    def _said(self, location: str, given: FileComment) -> tuple[Author, str]:
        """What was deleted keeps its author's id for their own retries, and neither the name nor the text."""
        deleted = given.state == "deleted"
        if not deleted and given.author is None:
            raise wrong(f"{location}.author", "this field is needed")
        if not deleted and given.text is None:
            raise wrong(f"{location}.text", "this field is needed")
        name = "" if given.author is None else _cleaned(f"{location}.author", clean_name, given.author)
        author_id = given.author_id or naming.author_id(self._key.site, name)
        author = Author(author_id, "" if deleted else name, given.badge)
        author = self._authors.setdefault(author, author)
        return author, "" if deleted else _cleaned(f"{location}.text", clean_text, given.text or "")

    def _named(self, given: FileComment, author: Author, text: str) -> tuple[str, datetime]:
        """The comment's id and its time: the file's, but for comments of one moment, which keep the file's order.

        Lists are sorted by time and then by id, and ids made of hashes have no order; so such a comment comes a
        millisecond later for each one before it.
        """
        earlier = self._times[given.at]
        self._times[given.at] += 1
        if given.id is not None and is_uuid(given.id):
            return given.id, given.at
        milliseconds = mapping.milliseconds(given.at)
        same = (str(milliseconds), author.id, given.id or text)
        self._same[same] += 1
        parts = (self._key.site, self._key.key, author.id, given.id or text, str(self._same[same]))
        return uuid7_of(milliseconds, *parts), given.at + timedelta(milliseconds=earlier)


def _published(location: str, given: FileComment) -> bool:
    published = given.state != "held" if given.published is None else given.published
    if published == (given.state == "held") and given.state in ("visible", "held"):
        raise wrong(f"{location}.published", f"a {given.state} comment cannot be published: {str(published).lower()}")
    return published


def _edited_at(location: str, given: FileComment) -> datetime | None:
    if given.edited_at is not None and given.edited_at < given.at:
        raise wrong(f"{location}.edited_at", "the comment was edited before it was written")
    return given.edited_at


def _counts(votes: VoteCounts | list[CastVote]) -> tuple[int, int]:
    if isinstance(votes, VoteCounts):
        return votes.up, votes.down
    up = sum(vote.value == 1 for vote in votes)
    return up, len(votes) - up


def _votes(location: str, given: FileComment, author_id: str) -> NamedVotes | None:
    """None where the file tells only how many there were."""
    if isinstance(given.votes, VoteCounts):
        return None
    votes: dict[str, int] = {}
    for number, vote in enumerate(given.votes):
        if vote.voter in votes:
            raise wrong(f"{location}[{number}].voter", "this voter has voted on the comment already")
        if vote.voter == author_id:
            raise wrong(f"{location}[{number}].voter", "nobody votes on what they said themselves")
        votes[vote.voter] = vote.value
    return tuple(votes.items())


# ---- articles -------------------------------------------------------------------------------------------


def _article(location: str, given: FileArticle, discussion: PlannedDiscussion) -> Article:
    if discussion.key.site != DEFAULT_SITE:
        raise wrong(f"{location}site", f"only articles of the site {DEFAULT_SITE} have a page here; leave out the text")
    if given.paragraphs is not None and given.markdown is not None:
        raise wrong(f"{location}markdown", "give paragraphs or markdown, not both")
    if not given.title.strip():
        raise wrong(f"{location}title", "an article needs a title")
    zone = _zone(f"{location}timezone", given.timezone)
    first = discussion.created_at if discussion.comments else None
    return Article(
        slug=given.slug or naming.slug(discussion.key.key),
        key=discussion.key.key,
        title=given.title,
        language=given.lang,
        date=_date(f"{location}date", given.date, zone, first),
        time_zone=given.timezone,
        author=given.author,
        summary=given.summary,
        markdown=_markdown(given).strip(),
    )


def _zone(location: str, name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError) as error:
        raise wrong(location, f"{name!r} is not a time zone such as Asia/Ho_Chi_Minh") from error


def _date(location: str, given: str | None, zone: ZoneInfo, first_comment: datetime | None) -> datetime:
    """The date given, or else the day of the first comment: an article is no younger than that."""
    if given is None:
        if first_comment is None:
            raise wrong(location, "an article without comments needs a date")
        return first_comment.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        date = datetime.fromisoformat(given)
    except ValueError:
        date = None
    # the ends of the calendar cannot be shown in another time zone
    if date is None or date.year not in range(1000, 9000):
        raise wrong(location, "write a date such as 2026-09-14 or 2026-09-14T07:30:00+07:00")
    return date if date.tzinfo else date.replace(tzinfo=zone)


def _markdown(given: FileArticle) -> str:
    if given.markdown is not None:
        return given.markdown.replace("\r\n", "\n").replace("\r", "\n")
    return "\n\n".join(_escaped(" ".join(text.splitlines()).strip()) for text in given.paragraphs or [])


def _escaped(paragraph: str) -> str:
    """Markdown that shows a paragraph as it is: its stars and brackets are what somebody wrote."""
    return _LINE_START.sub(r"\1\\", _MARKS.sub(r"\\\1", paragraph))
