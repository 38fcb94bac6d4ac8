"""The wire, version 1: every object that a client sends or receives, and how an event becomes bytes.

    snapshot (GET /discussion) ── epoch, seq ──▶ stream (WS, SSE or GET /events) ── events after seq ──▶ …

Inbound models refuse unknown fields; outbound ones are the single source of docs/protocol.md's tables and of
the OpenAPI description.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, field_validator

from tertulia.core import documents
from tertulia.core.comments import Badge, Comment, Discussion, Mode, State
from tertulia.core.text import KEY_LENGTH, NAME_LENGTH, TEXT_LENGTH
from tertulia.languages import DEFAULT, Language
from tertulia.languages.plurals import Category

API = "/api/v1"
ATOM = "application/atom+xml"
"""The media type of feeds (RFC 4287)."""
HEARTBEAT_SECONDS = 25
EVENTS_PAGE = 500
WRITING_SECONDS = 3
BODY_LIMIT = 64 * 1024
PAGE_BYTES = 1024 * 1024
"""Of JSON in a page of comments, replies or events: it ends there, short of what was asked for, and says where it goes
on. An ordinary page of 50 comments has 30 KB; a megabyte takes a phone on a slow line some seconds."""
FORM_LIMIT = 128 * 1024
"""A form writes a character with up to 12 bytes, and the longest comment has 10,000 characters."""

EventKind = Literal[
    "comment.created",
    "comment.edited",
    "comment.removed",
    "comment.restored",
    "comment.voted",
    "comment.pinned",
    "comment.superseded",
    "discussion.changed",
]


def timestamp(at: datetime) -> str:
    """RFC 3339 in UTC with milliseconds: ``2026-11-24T05:20:09.123Z``."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Inbound(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Outbound(BaseModel):
    model_config = ConfigDict(extra="forbid")


# ---- what a client sends --------------------------------------------------------------------------------


def _described(**limits: str | int) -> Any:
    """What the API's description says of a text, whose type in ``core`` refuses it with codes of its own."""
    return Field(json_schema_extra={**limits})


CommentText = Annotated[str, _described(minLength=1, maxLength=TEXT_LENGTH)]


class GuestName(Inbound):
    name: Annotated[str, _described(minLength=1, maxLength=NAME_LENGTH)]


class NewComment(Inbound):
    """``POST /comments``."""

    site: str = "default"
    key: Annotated[str, _described(minLength=1, maxLength=KEY_LENGTH)]
    title: str | None = None
    url: str | None = None
    parent_id: Annotated[str, _described(format="uuid")] | None = None
    body: CommentText
    author: GuestName | None = None


class CommentEdit(Inbound):
    """``PATCH /comments/{id}``."""

    body: CommentText


class PreviewText(Inbound):
    """``POST /preview``."""

    body: CommentText


class Vote(Inbound):
    """``PUT /comments/{id}/vote``; 0 takes the vote back."""

    value: Literal[1, 0, -1]

    @field_validator("value", mode="before")
    @classmethod
    def _is_a_number(cls, value: object) -> object:
        if isinstance(value, bool):  # equal to 1 and 0, so a literal takes it
            raise ValueError("true and false are no votes")
        return value


class Report(Inbound):
    """``POST /comments/{id}/reports``."""

    reason: Literal["spam", "abuse", "off_topic", "illegal", "other"]
    note: str | None = Field(default=None, max_length=1000)


class DiscussionChange(Inbound):
    """``PATCH /discussion``: what is absent stays; ``url`` is of the site's pages, and empty where there is none."""

    mode: Literal["open", "held", "closed"] | None = None
    title: str | None = None
    url: str | None = None


class NewSession(Inbound):
    """``POST /sessions``: by which way (``grant``), and what that way asks for."""

    grant: str = Field(max_length=32)
    site: str = "default"
    token: str | None = Field(default=None, max_length=4096)


class PersonChange(Inbound):
    """``PATCH /me``."""

    name: str


# ---- what a client receives -----------------------------------------------------------------------------


class AuthorView(Outbound):
    id: str
    name: str
    badge: Badge | None


class Votes(Outbound):
    up: int
    down: int


class CommentView(Outbound):
    """A comment; a tombstone (``removed``, ``deleted``) has neither ``author`` nor ``body``."""

    id: str
    parent_id: str | None
    author: AuthorView | None
    body: list[dict[str, Any]] | None
    created_at: str
    edited_at: str | None
    state: State
    votes: Votes
    reply_count: int
    pinned: bool
    idempotency_key: str | None = Field(default=None, exclude_if=lambda value: value is None)


class DiscussionView(Outbound):
    site: str
    key: str
    title: str
    url: str
    mode: Mode
    comment_count: int
    epoch: str
    seq: int
    readers: int


class Viewer(Outbound):
    """Whom the request's token names; a guest who has only voted has no ``name`` yet."""

    id: str
    name: str
    moderator: bool


class Limits(Outbound):
    name_length: int = NAME_LENGTH
    text_length: int = TEXT_LENGTH
    edit_seconds: int
    depth: int = 3


class Strings(Outbound):
    """What the client says in one language; a text that depends on a number has a form for each plural category."""

    language: str
    direction: Literal["ltr", "rtl"]
    texts: dict[str, str | dict[Category, str]]


class Page(Outbound):
    """Top-level comments in the order asked for, each followed by its replies (parents first, oldest first).

    ``next`` continues the list. ``replies`` names the top-level comments whose replies did not all fit, each
    with the cursor that continues them (``GET /comments?parent=ID&cursor=…``). ``votes`` are the viewer's own.
    ``changed`` says that the order ``top`` has changed since the page before: what came to stand above that page
    is at the beginning of this one, also where an earlier page had it.
    """

    comments: list[CommentView]
    next: str | None
    replies: dict[str, str]
    votes: dict[str, Literal[1, -1]]
    changed: bool = Field(default=False, exclude_if=lambda value: not value)


class Snapshot(Page):
    discussion: DiscussionView
    viewer: Viewer | None
    limits: Limits
    server_time: str
    strings: Strings | None


class Posted(Outbound):
    """The answer to a post; ``seq`` is absent while the comment is held, ``token`` unless it was just made."""

    comment: CommentView
    seq: int | None = Field(default=None, exclude_if=lambda value: value is None)
    token: str | None = Field(default=None, exclude_if=lambda value: value is None)


class Preview(Outbound):
    """The document tree that a comment of this text would have."""

    body: list[dict[str, Any]]


class Changed(Outbound):
    """The answer to an edit, a removal, a restoration or an approval; ``seq`` is null where a held comment changed."""

    comment: CommentView
    seq: int | None


class Voted(Outbound):
    """The answer to a vote; ``token`` is there where it was just made, as with a comment (see Posted)."""

    votes: Votes
    value: Literal[1, 0, -1]
    seq: int
    token: str | None = Field(default=None, exclude_if=lambda value: value is None)


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


class ParentCount(Outbound):
    id: str
    reply_count: int


class DiscussionState(Outbound):
    """``title`` and ``url`` where they changed."""

    mode: Mode
    title: str | None = Field(default=None, exclude_if=lambda value: value is None)
    url: str | None = Field(default=None, exclude_if=lambda value: value is None)


class Event(Outbound):
    """One change. It carries whole values, never a difference, so applying it twice changes nothing more.

    ``comment`` for created, edited, removed, restored and pinned; ``comment_id`` and ``votes`` for voted; nothing for
    superseded; ``discussion`` for changed. ``comment_count`` and ``parent`` are the totals after the event.
    """

    seq: int
    kind: EventKind
    at: str
    comment: CommentView | None = Field(default=None, exclude_if=lambda value: value is None)
    comment_id: str | None = Field(default=None, exclude_if=lambda value: value is None)
    votes: Votes | None = Field(default=None, exclude_if=lambda value: value is None)
    discussion: DiscussionState | None = Field(default=None, exclude_if=lambda value: value is None)
    comment_count: int | None = Field(default=None, exclude_if=lambda value: value is None)
    parent: ParentCount | None = Field(default=None, exclude_if=lambda value: value is None)


class Events(Outbound):
    """``GET /events``: what came after ``after``, at most EVENTS_PAGE; ``more`` says to ask again."""

    epoch: str
    seq: int
    events: list[Event]
    more: bool


class Person(Outbound):
    """Whom a token names: ``also`` are other ids that are the same person's, ``roles`` those held at the site."""

    id: str
    also: list[str]
    name: str
    kind: Literal["guest", "member", "staff"]
    roles: list[str]
    badge: str | None


class SessionOpened(Outbound):
    """The answer to a sign-in; the token is told once."""

    token: str
    viewer: Person


class SessionView(Outbound):
    """``via`` is the way in; ``used_at`` is noted once a day; ``current`` is the one that asks."""

    id: str
    via: str
    label: str
    at: str
    used_at: str
    expires_at: str
    current: bool


class Sessions(Outbound):
    sessions: list[SessionView]


class SessionsEnded(Outbound):
    """How many sessions are over now."""

    ended: int


class ProblemDocument(Outbound):
    """RFC 9457 (application/problem+json)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    field: str | None = Field(default=None, exclude_if=lambda value: value is None)
    retry_after: int | None = Field(default=None, exclude_if=lambda value: value is None)


# ---- stream messages ------------------------------------------------------------------------------------


class Hello(Outbound):
    type: Literal["hello"] = "hello"
    epoch: str
    seq: int
    heartbeat: int = HEARTBEAT_SECONDS
    readers: int


class EventsMessage(Outbound):
    type: Literal["events"] = "events"
    events: list[Event]


class Summary(Outbound):
    """Instead of ``events`` ``from`` to ``to`` while a discussion is busier than anyone can read.

    ``count`` comments were made in the range; ``events`` are the few to show and all that take something back. The
    rest is read with ``GET /events?after=`` from ``from`` - 1 when somebody asks for it.
    """

    type: Literal["summary"] = "summary"
    from_: int = Field(alias="from", serialization_alias="from")
    to: int
    count: int
    events: list[Event]


class Heartbeat(Outbound):
    type: Literal["heartbeat"] = "heartbeat"
    seq: int
    readers: int


class Presence(Outbound):
    type: Literal["presence"] = "presence"
    readers: int
    writing: int


class Reset(Outbound):
    type: Literal["reset"] = "reset"
    epoch: str
    seq: int


StreamMessage = Annotated[Hello | EventsMessage | Summary | Heartbeat | Presence | Reset, Field(discriminator="type")]


class Writing(Inbound):
    type: Literal["writing"]


@cache
def strings_json(language: Language | None) -> str:
    """The client's sentences as JSON (see Strings), encoded once a language; null for English, which it has itself."""
    if language is None or language.tag == DEFAULT:
        return "null"
    texts = {**language.groups["reading"], **language.groups["writing"]}
    return Strings.model_validate(
        {"language": language.tag, "direction": language.direction, "texts": texts}
    ).model_dump_json()


def events_message(encoded: list[str]) -> str:
    """The ``events`` message around events that are encoded already: an event is encoded once in its life."""
    return '{"type":"events","events":[' + ",".join(encoded) + "]}"


def summary_message(first: int, last: int, count: int, encoded: list[str]) -> str:
    """The ``summary`` message (see Summary) around events that are encoded already."""
    head = f'{{"type":"summary","from":{first},"to":{last},"count":{count},"events":['
    return head + ",".join(encoded) + "]}"


def events_page(epoch: str, seq: int, encoded: list[str], *, more: bool) -> str:
    """The answer of ``GET /events`` (see Events) around events that are encoded already."""
    head = f'{{"epoch":{json.dumps(epoch)},"seq":{seq},"more":{json.dumps(more)},"events":['
    return head + ",".join(encoded) + "]}"


# ---- from the domain to the wire ------------------------------------------------------------------------


def comment_view(
    comment: Comment, *, own: bool = False, reveal: bool = False, idempotency_key: str | None = None
) -> CommentView:
    """``own`` shows a held comment to its author; ``reveal`` shows a removed one, too, to a moderator.

    ``idempotency_key`` is the one of the request that this answers.
    """
    shown = reveal or own or comment.state is State.visible
    if comment.state.is_tombstone:
        shown = reveal and comment.state is State.removed
    author = AuthorView(id=comment.author.id, name=comment.author.name, badge=comment.author.badge)
    return CommentView(
        id=comment.id,
        parent_id=comment.parent_id,
        author=author if shown else None,
        body=list(comment.body) if shown else None,
        created_at=timestamp(comment.created_at),
        edited_at=timestamp(comment.edited_at) if comment.edited_at else None,
        state=comment.state,
        votes=Votes(up=comment.up, down=comment.down),
        reply_count=comment.reply_count,
        pinned=comment.pinned,
        idempotency_key=idempotency_key,
    )


def discussion_view(discussion: Discussion, *, epoch: str, readers: int) -> DiscussionView:
    return DiscussionView(
        site=discussion.key.site,
        key=discussion.key.key,
        title=discussion.title,
        url=discussion.url,
        mode=discussion.mode,
        comment_count=discussion.comment_count,
        epoch=epoch,
        seq=discussion.seq,
        readers=readers,
    )


# ---- an event as bytes ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EncodedEvent:
    """An event whose JSON is ready: everything between the store and the reader passes it on unread."""

    seq: int
    kind: EventKind
    comment_id: str | None
    payload: str

    @property
    def size(self) -> int:
        """Its bytes on the wire."""
        return len(self.payload.encode())

    @property
    def conceals(self) -> bool:
        """Whether from here on nothing may be shown of what earlier events said about ``comment_id``."""
        return self.kind in ("comment.edited", "comment.removed")

    @property
    def supersedes(self) -> bool:
        """Whether less is kept from here on of earlier events about ``comment_id``; see ``superseded``."""
        return self.conceals or self.kind == "comment.voted"


class EventPage(NamedTuple):
    """Part of a discussion's log: its newest seq, and events in their order."""

    head: int
    events: list[EncodedEvent]


def page_of(events: list[EncodedEvent]) -> list[EncodedEvent]:
    """As many of these events as make a page of PAGE_BYTES; at least one where there is one."""
    size = 0
    for count, event in enumerate(events):
        size += event.size
        if count and size > PAGE_BYTES:
            return events[:count]
    return events


def encode(event: Event) -> EncodedEvent:
    comment_id = event.comment.id if event.comment else event.comment_id
    return EncodedEvent(event.seq, event.kind, comment_id, event.model_dump_json())


def within(event: Event) -> Event:
    """The event as it is shown: with a document tree within the limits, which one from before them may exceed."""
    if event.comment is None or event.comment.body is None:
        return event
    comment = event.comment.model_copy(update={"body": documents.within(event.comment.body)})
    return event.model_copy(update={"comment": comment})


def payload_within(payload: str) -> str:
    """The same of an event's JSON, which nearly always is too short to be looked into."""
    return payload if documents.fits(payload) else within(Event.model_validate_json(payload)).model_dump_json()


_SAID = ("author", "body", "edited_at", "state")
_WITHOUT_TOTALS = ("comment.voted", "comment.edited", "comment.pinned")


def superseded(earlier: EncodedEvent, later: EncodedEvent) -> EncodedEvent:
    """What is kept of an event about a comment once ``later``, which supersedes, tells of the same comment.

    Votes and edits keep their number and time: ``later`` says all that they said. What carries totals stays, with
    author and text as ``later`` has them; a tombstone stays one. The event itself where nothing is superseded.
    """
    if later.kind == "comment.voted" and earlier.kind != "comment.voted":
        return earlier
    event = json.loads(earlier.payload)  # not as an Event: one of a newer version may carry more
    if earlier.kind in _WITHOUT_TOTALS:
        event = {"seq": earlier.seq, "kind": "comment.superseded", "at": event["at"]}
        return EncodedEvent(earlier.seq, "comment.superseded", None, _compact(event))
    said, now = event.get("comment"), json.loads(later.payload).get("comment")
    if said is None or (said["body"] is None and now["body"] is not None):
        return earlier
    event["comment"] = said | {name: now[name] for name in _SAID}
    return replace(earlier, payload=_compact(event))


def _compact(value: object) -> str:
    """JSON as the models write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
