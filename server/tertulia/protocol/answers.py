"""What a client receives for a request about discussions and comments, and where one is refused."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from tertulia.core.text import NAME_LENGTH, TEXT_LENGTH
from tertulia.protocol.models import Outbound, left_out_if_none
from tertulia.protocol.strings import Strings
from tertulia.protocol.views import CommentView, DiscussionView, Votes


class Viewer(Outbound):
    """Whom the request's token names; a guest who has only voted has no ``name`` yet.

    ``also`` are other ids that are the same person's.
    """

    id: str
    also: list[str] = Field(default=[], exclude_if=lambda value: not value)
    name: str
    kind: Literal["guest", "member", "staff"]
    moderator: bool


class Limits(Outbound):
    name_length: int = NAME_LENGTH
    text_length: int = TEXT_LENGTH
    edit_seconds: int
    depth: int = 3


class Page(Outbound):
    """Top-level comments in the order asked for, each followed by its replies (parents first, oldest first).

    ``next`` continues the list. ``replies`` names the top-level comments whose replies did not all fit, each
    with the cursor that continues them (``GET /comments?parent=ID&cursor=…``); ``thread_counts`` says of each how many
    replies, of all depths, can be read. ``votes`` are the viewer's own.
    ``changed`` says that the order ``top`` has changed since the page before: what came to stand above that page
    is at the beginning of this one, also where an earlier page had it.
    """

    comments: list[CommentView]
    next: str | None
    replies: dict[str, str]
    thread_counts: dict[str, int] = Field(default_factory=dict, exclude_if=lambda value: not value)
    votes: dict[str, Literal[1, -1]]
    changed: bool = Field(default=False, exclude_if=lambda value: not value)


class Snapshot(Page):
    discussion: DiscussionView
    viewer: Viewer | None
    limits: Limits
    server_time: str
    strings: Strings | None
    badges: dict[str, str] = Field(default={}, exclude_if=lambda value: not value)


class Posted(Outbound):
    """The answer to a post; ``seq`` is absent while the comment is held, ``token`` unless it was just made."""

    comment: CommentView
    seq: int | None = left_out_if_none()
    token: str | None = left_out_if_none()


class Preview(Outbound):
    """The document tree that a comment of this text would have."""

    body: list[dict[str, Any]]


class NudgeView(Outbound):
    """What to look at again: a ``word`` as it was typed, or the whole text, which a check has something against."""

    code: Literal["word", "check"]
    word: str | None = left_out_if_none()


class Nudges(Outbound):
    """``POST /nudge``."""

    nudges: list[NudgeView]


class Changed(Outbound):
    """The answer to an edit, a removal, a restoration or an approval; ``seq`` is null where a held comment changed."""

    comment: CommentView
    seq: int | None


class Voted(Outbound):
    """The answer to a vote; ``token`` is there where it was just made, as with a comment (see Posted)."""

    votes: Votes
    value: Literal[1, 0, -1]
    seq: int
    token: str | None = left_out_if_none()


class Reported(Outbound):
    id: str


class DiscussionChanged(Outbound):
    discussion: DiscussionView
    seq: int


class Permalink(Outbound):
    """``GET /comments/{id}``: the comment, its ancestors from the top, and the cursor of the page that holds it."""

    site: str
    key: str
    comment: CommentView
    ancestors: list[CommentView]
    cursor: str | None


class HeldComment(Outbound):
    site: str
    key: str
    comment: CommentView


class HeldPage(Outbound):
    comments: list[HeldComment]
    next: str | None


class ReportedComment(Outbound):
    """One report of a comment that can still be read; ``reporter_id`` is null for strangers."""

    id: str
    reason: str
    note: str
    at: str
    reporter_id: str | None
    site: str
    key: str
    comment: CommentView


class ReportPage(Outbound):
    reports: list[ReportedComment]
    next: str | None


class SnippetPart(Outbound):
    """Some of a text; ``match`` where it is what was looked for."""

    text: str
    match: bool


class SearchResult(Outbound):
    """A comment that matches, where it is, and its text around the first match."""

    comment: CommentView
    site: str
    key: str
    title: str
    url: str
    snippet: list[SnippetPart]


class SearchPage(Outbound):
    """What was found; ``next`` continues the list.

    ``ancestors`` are, where one discussion was searched, the comments that results stand below, parents first: whoever
    shows results in their threads needs no other request. What is a result itself is not among them.
    """

    results: list[SearchResult]
    ancestors: list[CommentView]
    next: str | None


class Count(Outbound):
    key: str
    count: int


class Counts(Outbound):
    counts: list[Count]


class ProblemDocument(Outbound):
    """RFC 9457 (application/problem+json)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = left_out_if_none()
    retry_after: int | None = left_out_if_none()
    left: int | None = left_out_if_none()
