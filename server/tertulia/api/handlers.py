"""From a request to a use-case and back: what to read, whom to ask, how to answer."""

from __future__ import annotations

import re

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from tertulia import protocol
from tertulia.api import feed
from tertulia.core import text
from tertulia.core.comments import Mode, Sort
from tertulia.discussions import Discussions
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import Identity
from tertulia.languages import find
from tertulia.protocol import API
from tertulia.web.gate import Gate
from tertulia.web.operations import CURSOR, KEY, SITE, Operation, Parameter, limit
from tertulia.web.requests import Query, read_json

PAGE = 50
PAGE_MOST = 100
COUNTS_MOST = 100
COUNTS_SECONDS = 10
"""How old counts may be: the list of a front page is asked about by all who open it."""
FEED_ENTRIES = 50
NO_COMMENT = "00000000-0000-0000-0000-000000000000"
"""An id that no comment has: those of comments are UUIDv7."""

_READ = (ErrorCode.unknown_site, ErrorCode.invalid)
_NAMED = (ErrorCode.malformed, ErrorCode.empty, ErrorCode.too_long)
_BODY = (
    ErrorCode.malformed,
    ErrorCode.invalid,
    ErrorCode.unsupported_media_type,
    ErrorCode.unavailable,
)
_CHANGE = (
    ErrorCode.unauthenticated,
    ErrorCode.forbidden,
    ErrorCode.not_found,
    ErrorCode.rate_limited,
    ErrorCode.unavailable,
)

_SORT = Parameter("sort", "The order.", {"type": "string", "enum": [*Sort], "default": "oldest"})
_LANGUAGE_TAG = re.compile(r"[A-Za-z0-9-]{1,35}")
_LANG = Parameter(
    "lang",
    "The language, such as `vi` or `vi-VN`, of the sentences that the answer brings for the client.",
    {"type": "string", "pattern": f"^{_LANGUAGE_TAG.pattern}$"},
)
_PARENT = Parameter("parent", "Replies to this comment, of all depths, instead of top-level comments.")
_KEYS = Parameter("key", f"A discussion; repeat it, at most {COUNTS_MOST} times.", required=True)
_ONCE = Parameter("Idempotency-Key", "16-64 visible ASCII characters, random and new for each comment.", required=True)


class Api:
    """The handlers over one set of use-cases."""

    def __init__(self, discussions: Discussions, gate: Gate) -> None:
        self._discussions = discussions
        self._gate = gate

    def operations(self) -> list[Operation]:
        """Everything the API offers besides live delivery."""
        return [*self._reading(), *self._saying(), *self._moderating()]

    def _reading(self) -> list[Operation]:
        return [
            Operation(
                "GET",
                f"{API}/discussion",
                self.snapshot,
                "The snapshot: a discussion and its first page of comments at one moment",
                {200: protocol.Snapshot},
                parameters=(SITE, KEY, _SORT, limit(PAGE, PAGE_MOST), _LANG),
                errors=(*_READ, *_NAMED, ErrorCode.unauthenticated),
                bearer="optional",
            ),
            Operation(
                "GET",
                f"{API}/comments",
                self.comments,
                "A further page of comments, or the replies to one",
                {200: protocol.Page},
                parameters=(SITE, KEY, _SORT, CURSOR, limit(PAGE, PAGE_MOST), _PARENT),
                errors=(*_READ, *_NAMED, ErrorCode.unauthenticated, ErrorCode.bad_cursor, ErrorCode.not_found),
                bearer="optional",
            ),
            Operation(
                "GET",
                f"{API}/comments/{{id}}",
                self.permalink,
                "One comment, its ancestors and the cursor of the page that holds it",
                {200: protocol.Permalink},
                errors=(ErrorCode.not_found,),
            ),
            Operation(
                "GET",
                f"{API}/counts",
                self.counts,
                "How many comments are visible in each of these discussions",
                {200: protocol.Counts},
                parameters=(SITE, _KEYS),
                errors=(*_READ, *_NAMED),
            ),
            Operation(
                "GET",
                f"{API}/feed.atom",
                self.feed,
                "The newest comments as an Atom feed",
                {200: feed.MEDIA_TYPE},
                parameters=(SITE, KEY),
                errors=(*_READ, *_NAMED),
            ),
        ]

    def _saying(self) -> list[Operation]:
        return [
            Operation(
                "POST",
                f"{API}/comments",
                self.say,
                "Says something; 202 when it waits for approval, 200 when it was said before with this key",
                {201: protocol.Posted, 202: protocol.Posted, 200: protocol.Posted},
                body=protocol.NewComment,
                headers=(_ONCE,),
                errors=(
                    *_BODY,
                    ErrorCode.idempotency_key_required,
                    ErrorCode.idempotency_conflict,
                    ErrorCode.unauthenticated,
                    ErrorCode.unknown_site,
                    ErrorCode.empty,
                    ErrorCode.too_long,
                    ErrorCode.name_taken,
                    ErrorCode.closed,
                    ErrorCode.bad_parent,
                    ErrorCode.rate_limited,
                ),
                bearer="optional",
            ),
            Operation(
                "POST",
                f"{API}/preview",
                self.preview,
                "The document tree that a comment of this text would have; nothing is stored",
                {200: protocol.Preview},
                body=protocol.PreviewText,
                errors=(
                    ErrorCode.malformed,
                    ErrorCode.invalid,
                    ErrorCode.unsupported_media_type,
                    ErrorCode.empty,
                    ErrorCode.too_long,
                    ErrorCode.rate_limited,
                ),
            ),
            Operation(
                "PATCH",
                f"{API}/comments/{{id}}",
                self.edit,
                "Changes the text of one's own comment within the edit window, or of any as a moderator",
                {200: protocol.Changed},
                body=protocol.CommentEdit,
                errors=(
                    *_BODY,
                    *_CHANGE,
                    ErrorCode.empty,
                    ErrorCode.too_long,
                    ErrorCode.gone,
                    ErrorCode.edit_window_over,
                ),
                bearer="author or moderator",
            ),
            Operation(
                "DELETE",
                f"{API}/comments/{{id}}",
                self.conceal,
                "Deletes one's own comment, or removes another's as a moderator",
                {200: protocol.Changed},
                errors=(*_CHANGE, ErrorCode.gone),
                bearer="author or moderator",
            ),
            Operation(
                "PUT",
                f"{API}/comments/{{id}}/vote",
                self.vote,
                "Votes; one vote a voter, 0 takes it back",
                {200: protocol.Voted},
                body=protocol.Vote,
                errors=(*_BODY, *_CHANGE, ErrorCode.gone),
                bearer="required",
            ),
            Operation(
                "POST",
                f"{API}/comments/{{id}}/reports",
                self.report,
                "Tells the moderators about a comment",
                {201: protocol.Reported},
                body=protocol.Report,
                errors=(
                    *_BODY,
                    ErrorCode.not_found,
                    ErrorCode.gone,
                    ErrorCode.unauthenticated,
                    ErrorCode.empty,
                    ErrorCode.rate_limited,
                ),
                bearer="optional",
            ),
        ]

    def _moderating(self) -> list[Operation]:
        return [
            Operation(
                "POST",
                f"{API}/comments/{{id}}/restore",
                self.restore,
                "Shows a removed comment again",
                {200: protocol.Changed},
                errors=(*_CHANGE, ErrorCode.bad_state),
                bearer="moderator",
            ),
            Operation(
                "POST",
                f"{API}/comments/{{id}}/approve",
                self.approve,
                "Shows a comment that waits for approval",
                {200: protocol.Changed},
                errors=(*_CHANGE, ErrorCode.bad_state),
                bearer="moderator",
            ),
            Operation(
                "GET",
                f"{API}/moderation/held",
                self.held,
                "The comments that wait for approval, oldest first",
                {200: protocol.HeldPage},
                parameters=(SITE, CURSOR, limit(PAGE, PAGE_MOST)),
                errors=(*_READ, ErrorCode.unauthenticated, ErrorCode.forbidden, ErrorCode.bad_cursor),
                bearer="moderator",
            ),
            Operation(
                "GET",
                f"{API}/moderation/reports",
                self.reported,
                "What readers reported and can still be read, oldest report first",
                {200: protocol.ReportPage},
                parameters=(SITE, CURSOR, limit(PAGE, PAGE_MOST)),
                errors=(*_READ, ErrorCode.unauthenticated, ErrorCode.forbidden, ErrorCode.bad_cursor),
                bearer="moderator",
            ),
            Operation(
                "PATCH",
                f"{API}/discussion",
                self.change,
                "Opens, holds or closes a discussion",
                {200: protocol.DiscussionChanged},
                body=protocol.DiscussionChange,
                parameters=(SITE, KEY),
                errors=(
                    *_BODY,
                    *_NAMED,
                    ErrorCode.unauthenticated,
                    ErrorCode.forbidden,
                    ErrorCode.unknown_site,
                    ErrorCode.rate_limited,
                ),
                bearer="moderator",
            ),
        ]

    # ---- reading ----------------------------------------------------------------------------------------

    async def snapshot(self, request: Request) -> Response:
        query = Query(request.query_params, ("site", "key", "sort", "limit", "lang"))
        key = query.discussion()
        await self._gate.admit(request, key.site)
        viewer = await self._viewer(request, key.site)
        sort = query.choice("sort", Sort, Sort.oldest)
        count = query.number("limit", least=1, most=PAGE_MOST) or PAGE
        tag = query.text_like("lang", _LANGUAGE_TAG, "a language tag such as vi or vi-VN")
        spoken = find(tag) if tag else None
        body = await self._discussions.first_page(key, sort=sort, limit=count, viewer=viewer, language=spoken)
        return Response(body, media_type="application/json")

    async def comments(self, request: Request) -> Response:
        query = Query(request.query_params, ("site", "key", "sort", "cursor", "limit", "parent"))
        key = query.discussion()
        await self._gate.admit(request, key.site)
        viewer = await self._viewer(request, key.site)
        count = query.number("limit", least=1, most=PAGE_MOST) or PAGE
        parent, cursor = query.text("parent"), query.text("cursor")
        if parent is not None:
            return _json(await self._discussions.thread(key, parent, limit=count, cursor=cursor, viewer=viewer))
        sort = query.choice("sort", Sort, Sort.oldest)
        return _json(await self._discussions.page(key, sort=sort, limit=count, cursor=cursor, viewer=viewer))

    async def permalink(self, request: Request) -> Response:
        return _json(await self._discussions.permalink(await self._comment_id(request)))

    async def counts(self, request: Request) -> Response:
        query = Query(request.query_params, ("site",), repeated=("key",))
        keys = query.texts("key")
        if not 1 <= len(keys) <= COUNTS_MOST:
            raise Problem(ErrorCode.invalid, f"Give 1 to {COUNTS_MOST} keys: key=…&key=…", field="key")
        await self._gate.admit(request, query.site())
        cleaned = [text.clean_key(key) for key in keys]
        found = await self._discussions.counts(query.site(), cleaned)
        counts = [protocol.Count(key=key, count=found[clean]) for key, clean in zip(keys, cleaned, strict=True)]
        answer = _json(protocol.Counts(counts=counts))
        answer.headers["Cache-Control"] = f"public, max-age={COUNTS_SECONDS}"
        return answer

    async def feed(self, request: Request) -> Response:
        key = Query(request.query_params, ("site", "key")).discussion()
        await self._gate.admit(request, key.site)
        discussion, comments = await self._discussions.newest(key, FEED_ENTRIES)
        return Response(feed.atom(discussion, comments, self._gate.base_url(request)), media_type=feed.MEDIA_TYPE)

    # ---- saying -----------------------------------------------------------------------------------------

    async def say(self, request: Request) -> Response:
        Query(request.query_params, ())
        new = await read_json(request, protocol.NewComment)
        await self._gate.admit(request, new.site)
        answer = await self._discussions.post_comment(
            new,
            _header(request, "idempotency-key"),
            identity=await self._viewer(request, new.site),
            address=self._gate.address(request),
        )
        status = 200 if answer.repeated else 202 if answer.posted.seq is None else 201
        return _json(answer.posted, status)

    async def preview(self, request: Request) -> Response:
        Query(request.query_params, ())
        wanted = await read_json(request, protocol.PreviewText)
        return _json(await self._discussions.preview(wanted.body, self._gate.address(request)))

    async def edit(self, request: Request) -> Response:
        edit = await read_json(request, protocol.CommentEdit)
        comment_id = await self._comment_id(request)
        return _json(await self._discussions.edit(comment_id, edit.body, *await self._writer(request)))

    async def conceal(self, request: Request) -> Response:
        return _json(
            await self._discussions.delete_comment(await self._comment_id(request), *await self._writer(request))
        )

    async def vote(self, request: Request) -> Response:
        vote = await read_json(request, protocol.Vote)
        return _json(await self._discussions.vote(await self._comment_id(request), vote, *await self._writer(request)))

    async def report(self, request: Request) -> Response:
        report = await read_json(request, protocol.Report)
        comment_id = await self._comment_id(request)
        return _json(await self._discussions.report(comment_id, report, *await self._writer(request)), 201)

    # ---- moderating -------------------------------------------------------------------------------------

    async def restore(self, request: Request) -> Response:
        return _json(await self._discussions.restore(await self._comment_id(request), await self._viewer(request)))

    async def approve(self, request: Request) -> Response:
        return _json(await self._discussions.approve(await self._comment_id(request), await self._viewer(request)))

    async def held(self, request: Request) -> Response:
        return _json(await self._discussions.held(*await self._listed(request), await self._viewer(request)))

    async def reported(self, request: Request) -> Response:
        return _json(await self._discussions.reported(*await self._listed(request), await self._viewer(request)))

    async def _listed(self, request: Request) -> tuple[str, int, str | None]:
        """The site of a list of moderators, how much of it, and where it goes on."""
        query = Query(request.query_params, ("site", "cursor", "limit"))
        await self._gate.admit(request, query.site())
        return query.site(), query.number("limit", least=1, most=PAGE_MOST) or PAGE, query.text("cursor")

    async def change(self, request: Request) -> Response:
        key = Query(request.query_params, ("site", "key")).discussion()
        await self._gate.admit(request, key.site)
        change = await read_json(request, protocol.DiscussionChange)
        return _json(await self._discussions.set_mode(key, Mode(change.mode), await self._viewer(request)))

    async def _comment_id(self, request: Request) -> str:
        """The comment that the path names: for a page of another site, one that is not there.

        So such a page gets the same answers, whether or not there is a comment of this id. Every operation on a comment
        asks here, since a path does not say of which site the comment is.
        """
        Query(request.query_params, ())
        comment_id: str = request.path_params["id"]
        if self._gate.is_bound(request):
            site = await self._discussions.site_of(comment_id)
            if site is not None and not await self._gate.admits(request, site):
                return NO_COMMENT
        return comment_id

    async def _writer(self, request: Request) -> tuple[Identity | None, str | None]:
        """Who writes, and from which address."""
        return await self._viewer(request), self._gate.address(request)

    async def _viewer(self, request: Request, site: str | None = None) -> Identity | None:
        return await self._discussions.identify(_header(request, "authorization"), site)


def _header(request: Request, name: str) -> str | None:
    """The header's value, None without one; several are one list, as RFC 9110 has it, which nothing here can be."""
    given = request.headers.getlist(name)
    return ", ".join(given) if given else None


def _json(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status, media_type="application/json")
