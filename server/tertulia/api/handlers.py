"""The API's operations: from a request to a use-case and back to an answer."""

from __future__ import annotations

import re
from dataclasses import replace

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from tertulia import protocol
from tertulia.core import text
from tertulia.core.comments import Sort
from tertulia.core.scopes import TokenScope
from tertulia.discussions import Discussions
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import Identity
from tertulia.languages import find
from tertulia.protocol import API, ATOM
from tertulia.web.client_address import ClientAddress
from tertulia.web.conditional import validated
from tertulia.web.operations import BODY_ERRORS, CURSOR, KEY, KEY_ERRORS, SITE, SITE_ERRORS, Parameter, limit, operation
from tertulia.web.origins import OriginPolicy
from tertulia.web.validation import Query, read_json

PAGE = 50
MAX_PAGE = 100
MAX_COUNTS = 100
COUNTS_SECONDS = 10
"""How old counts may be: the list of a front page is asked about by all who open it."""
FEED_ENTRIES = 50
NO_COMMENT = "00000000-0000-0000-0000-000000000000"
"""An id that no comment has: those of comments are UUIDv7."""

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
_LIMIT = limit(PAGE, MAX_PAGE)
_PARENT = Parameter("parent", "Replies to this comment, of all depths, instead of top-level comments.")
_KEYS = Parameter("key", f"A discussion; repeat it, at most {MAX_COUNTS} times.", required=True, repeated=True)
_ONCE = Parameter(
    "Idempotency-Key",
    "16-64 visible ASCII characters, random and new for each comment.",
    {"type": "string", "pattern": "^[!-~]{16,64}$"},
    required=True,
)


class Api:
    """The handlers over one set of use-cases."""

    def __init__(self, discussions: Discussions, origins: OriginPolicy, addresses: ClientAddress) -> None:
        self._discussions = discussions
        self._origins = origins
        self._addresses = addresses

    # ---- reading ----------------------------------------------------------------------------------------

    @operation(
        "GET",
        f"{API}/discussion",
        "The snapshot: a discussion and its first page of comments at one moment",
        {200: protocol.Snapshot},
        parameters=(SITE, KEY, _SORT, _LIMIT, _LANG),
        errors=(*KEY_ERRORS, ErrorCode.unauthenticated),
        bearer="optional",
        scope=TokenScope.read,
    )
    async def snapshot(self, request: Request, query: Query) -> Response:
        key = query.discussion()
        await self._origins.admit(request, key.site)
        viewer = await self._viewer(request, key.site, TokenScope.read)
        sort = query.choice("sort", Sort, Sort.oldest)
        count = _limit(query)
        tag = query.text_like("lang", _LANGUAGE_TAG, "a language tag such as vi or vi-VN")
        found = find(tag) if tag else None
        body = await self._discussions.first_page(key, sort=sort, limit=count, viewer=viewer, language=found)
        return Response(body, media_type="application/json")

    @operation(
        "GET",
        f"{API}/comments",
        "A further page of comments, or the replies to one",
        {200: protocol.Page},
        parameters=(SITE, KEY, _SORT, CURSOR, _LIMIT, _PARENT),
        errors=(*KEY_ERRORS, ErrorCode.unauthenticated, ErrorCode.bad_cursor, ErrorCode.not_found),
        bearer="optional",
        scope=TokenScope.read,
    )
    async def comments(self, request: Request, query: Query) -> Response:
        key = query.discussion()
        await self._origins.admit(request, key.site)
        viewer = await self._viewer(request, key.site, TokenScope.read)
        count = _limit(query)
        parent, cursor = query.text("parent"), query.text("cursor")
        if parent is not None:
            return _json(await self._discussions.thread(key, parent, limit=count, cursor=cursor, viewer=viewer))
        sort = query.choice("sort", Sort, Sort.oldest)
        return _json(await self._discussions.page(key, sort=sort, limit=count, cursor=cursor, viewer=viewer))

    @operation(
        "GET",
        f"{API}/comments/{{id}}",
        "One comment, its ancestors and the cursor of the page that holds it",
        {200: protocol.Permalink},
        errors=(ErrorCode.not_found,),
    )
    async def permalink(self, request: Request, _query: Query) -> Response:
        return _json(await self._discussions.permalink(await self._comment_id(request)))

    @operation(
        "GET",
        f"{API}/counts",
        "How many comments are visible in each of these discussions",
        {200: protocol.Counts, 304: "application/json"},
        parameters=(SITE, _KEYS),
        errors=KEY_ERRORS,
    )
    async def counts(self, request: Request, query: Query) -> Response:
        keys = query.texts("key")
        if not 1 <= len(keys) <= MAX_COUNTS:
            raise Problem(ErrorCode.invalid, f"Give 1 to {MAX_COUNTS} keys: key=…&key=…", field="key")
        await self._origins.admit(request, query.site())
        cleaned = [text.clean_key(key) for key in keys]
        found = await self._discussions.counts(query.site(), cleaned)
        counts = [protocol.Count(key=key, count=found[clean]) for key, clean in zip(keys, cleaned, strict=True)]
        answer = _json(protocol.Counts(counts=counts))
        answer.headers["Cache-Control"] = f"public, max-age={COUNTS_SECONDS}"
        return validated(request, answer)

    @operation(
        "GET",
        f"{API}/feed.atom",
        "The newest comments as an Atom feed",
        {200: ATOM, 304: ATOM},
        parameters=(SITE, KEY),
        errors=KEY_ERRORS,
    )
    async def feed(self, request: Request, query: Query) -> Response:
        from tertulia.api.feed import atom  # 1 MiB of ElementTree that nothing else needs

        key = query.discussion()
        await self._origins.admit(request, key.site)
        # first, so that the date is never younger than what it is the date of
        changed_at = await self._discussions.changed_at(key)
        discussion, comments = await self._discussions.newest(key, FEED_ENTRIES)
        xml = atom(discussion, comments, self._origins.base_url(request))
        # its links begin with the server's address: if only the request says it, shared caches must not keep it
        shared = "public" if self._origins.has_public_url else "private"
        headers = {"Cache-Control": f"{shared}, max-age={COUNTS_SECONDS}"}
        return validated(request, Response(xml, headers=headers, media_type=ATOM), changed_at)

    # ---- writing -----------------------------------------------------------------------------------------

    @operation(
        "POST",
        f"{API}/comments",
        "Posts a comment; 202 if it is held for approval, 200 if it was posted before with this key",
        {201: protocol.Posted, 202: protocol.Posted, 200: protocol.Posted},
        id="post_say",
        body=protocol.NewComment,
        headers=(_ONCE,),
        errors=(
            *BODY_ERRORS,
            ErrorCode.unavailable,
            ErrorCode.idempotency_key_required,
            ErrorCode.idempotency_conflict,
            ErrorCode.unauthenticated,
            ErrorCode.unknown_site,
            ErrorCode.empty,
            ErrorCode.too_long,
            ErrorCode.words,
            ErrorCode.name_taken,
            ErrorCode.closed,
            ErrorCode.members_only,
            ErrorCode.banned,
            ErrorCode.slow_mode,
            ErrorCode.links,
            ErrorCode.bad_parent,
            ErrorCode.rate_limited,
        ),
        bearer="optional",
    )
    async def post_comment(self, request: Request, _query: Query) -> Response:
        new = await read_json(request, protocol.NewComment)
        await self._origins.admit(request, new.site)
        answer = await self._discussions.post_comment(
            new,
            _header(request, "idempotency-key"),
            identity=await self._viewer(request, new.site),
            address=self._addresses.of(request),
            browser=_header(request, "user-agent") or "",
            origins=await self._origins.pages_of(request, new.site),
        )
        status = 200 if answer.repeated else 202 if answer.posted.seq is None else 201
        return _json(answer.posted, status)

    @operation(
        "POST",
        f"{API}/preview",
        "The document tree that a comment of this text would have; nothing is stored",
        {200: protocol.Preview},
        body=protocol.PreviewText,
        errors=(*BODY_ERRORS, ErrorCode.empty, ErrorCode.too_long, ErrorCode.rate_limited),
    )
    async def preview(self, request: Request, _query: Query) -> Response:
        wanted = await read_json(request, protocol.PreviewText)
        return _json(await self._discussions.preview(wanted.body, self._addresses.of(request)))

    @operation(
        "PATCH",
        f"{API}/comments/{{id}}",
        "Changes the text of one's own comment within the edit window, or of any as a moderator",
        {200: protocol.Changed},
        body=protocol.CommentEdit,
        errors=(
            *BODY_ERRORS,
            *_CHANGE,
            ErrorCode.empty,
            ErrorCode.too_long,
            ErrorCode.words,
            ErrorCode.gone,
            ErrorCode.banned,
            ErrorCode.edit_window_over,
            ErrorCode.links,
        ),
        bearer="author or moderator",
        scope=TokenScope.moderate,
    )
    async def edit(self, request: Request, _query: Query) -> Response:
        edit = await read_json(request, protocol.CommentEdit)
        comment_id = await self._comment_id(request)
        writer = await self._writer(request, TokenScope.moderate)
        origins = await self._pages_of(request, comment_id)
        return _json(await self._discussions.edit(comment_id, edit.body, *writer, origins))

    @operation(
        "DELETE",
        f"{API}/comments/{{id}}",
        "Deletes one's own comment, or removes another's as a moderator",
        {200: protocol.Changed},
        id="delete_conceal",
        errors=(*_CHANGE, ErrorCode.gone),
        bearer="author or moderator",
        scope=TokenScope.moderate,
    )
    async def delete_comment(self, request: Request, _query: Query) -> Response:
        writer = await self._writer(request, TokenScope.moderate)
        return _json(await self._discussions.delete_comment(await self._comment_id(request), *writer))

    @operation(
        "PUT",
        f"{API}/comments/{{id}}/vote",
        "Votes; one vote a voter, 0 takes it back; without a token as the guest that the Idempotency-Key makes",
        {200: protocol.Voted},
        body=protocol.Vote,
        headers=(replace(_ONCE, required=False),),
        errors=(*BODY_ERRORS, *_CHANGE, ErrorCode.gone, ErrorCode.banned, ErrorCode.idempotency_key_required),
        bearer="optional",
    )
    async def vote(self, request: Request, _query: Query) -> Response:
        vote = await read_json(request, protocol.Vote)
        key = _header(request, "idempotency-key")
        comment_id = await self._comment_id(request)
        voted = await self._discussions.vote(comment_id, vote, *await self._writer(request), idempotency_key=key)
        return _json(voted)

    @operation(
        "POST",
        f"{API}/comments/{{id}}/reports",
        "Tells the moderators about a comment",
        {201: protocol.Reported},
        body=protocol.Report,
        errors=(
            *BODY_ERRORS,
            ErrorCode.unavailable,
            ErrorCode.not_found,
            ErrorCode.gone,
            ErrorCode.banned,
            ErrorCode.unauthenticated,
            ErrorCode.empty,
            ErrorCode.rate_limited,
        ),
        bearer="optional",
    )
    async def report(self, request: Request, _query: Query) -> Response:
        report = await read_json(request, protocol.Report)
        comment_id = await self._comment_id(request)
        return _json(await self._discussions.report(comment_id, report, *await self._writer(request)), 201)

    # ---- moderating -------------------------------------------------------------------------------------

    @operation(
        "POST",
        f"{API}/comments/{{id}}/restore",
        "Shows a removed comment again",
        {200: protocol.Changed},
        errors=(*_CHANGE, ErrorCode.bad_state),
        bearer="moderator",
        scope=TokenScope.moderate,
    )
    async def restore(self, request: Request, _query: Query) -> Response:
        viewer = await self._viewer(request, scope=TokenScope.moderate)
        return _json(await self._discussions.restore(await self._comment_id(request), viewer))

    @operation(
        "POST",
        f"{API}/comments/{{id}}/approve",
        "Shows a comment that waits for approval",
        {200: protocol.Changed},
        errors=(*_CHANGE, ErrorCode.bad_state),
        bearer="moderator",
        scope=TokenScope.moderate,
    )
    async def approve(self, request: Request, _query: Query) -> Response:
        viewer = await self._viewer(request, scope=TokenScope.moderate)
        return _json(await self._discussions.approve(await self._comment_id(request), viewer))

    @operation(
        "GET",
        f"{API}/moderation/held",
        "The comments that wait for approval, oldest first",
        {200: protocol.HeldPage},
        parameters=(SITE, CURSOR, _LIMIT),
        errors=(*SITE_ERRORS, ErrorCode.unauthenticated, ErrorCode.forbidden, ErrorCode.bad_cursor),
        bearer="moderator",
        scope=TokenScope.read,
    )
    async def held(self, request: Request, query: Query) -> Response:
        listed, viewer = await self._listed(request, query), await self._viewer(request, scope=TokenScope.read)
        return _json(await self._discussions.held(*listed, viewer))

    @operation(
        "GET",
        f"{API}/moderation/reports",
        "What readers reported and can still be read, oldest report first",
        {200: protocol.ReportPage},
        parameters=(SITE, CURSOR, _LIMIT),
        errors=(*SITE_ERRORS, ErrorCode.unauthenticated, ErrorCode.forbidden, ErrorCode.bad_cursor),
        bearer="moderator",
        scope=TokenScope.read,
    )
    async def reported(self, request: Request, query: Query) -> Response:
        listed, viewer = await self._listed(request, query), await self._viewer(request, scope=TokenScope.read)
        return _json(await self._discussions.reported(*listed, viewer))

    async def _listed(self, request: Request, query: Query) -> tuple[str, int, str | None]:
        """The site of a list for moderators, how many entries, and the cursor where it continues."""
        await self._origins.admit(request, query.site())
        return query.site(), _limit(query), query.text("cursor")

    @operation(
        "PATCH",
        f"{API}/discussion",
        "Opens, holds or closes a discussion, or corrects the title and the address of its page",
        {200: protocol.DiscussionChanged},
        body=protocol.DiscussionChange,
        parameters=(SITE, KEY),
        errors=(
            *BODY_ERRORS,
            *KEY_ERRORS,
            ErrorCode.unauthenticated,
            ErrorCode.forbidden,
            ErrorCode.rate_limited,
            ErrorCode.unavailable,
        ),
        bearer="moderator",
        scope=TokenScope.discussions,
    )
    async def change(self, request: Request, query: Query) -> Response:
        key = query.discussion()
        await self._origins.admit(request, key.site)
        change = await read_json(request, protocol.DiscussionChange)
        viewer = await self._viewer(request, scope=TokenScope.discussions)
        pages = await self._origins.pages_of(request, key.site)
        return _json(await self._discussions.change(key, change, viewer, pages))

    async def _comment_id(self, request: Request) -> str:
        """The comment that the path names: for a page of another site, one that is not there.

        So such a page gets the same answers, whether or not there is a comment of this id. Every operation on a comment
        asks here, since a path does not say of which site the comment is.
        """
        comment_id: str = request.path_params["id"]
        if self._origins.is_foreign(request):
            site = await self._discussions.site_of(comment_id)
            if site is not None and not await self._origins.admits(request, site):
                return NO_COMMENT
        return comment_id

    async def _pages_of(self, request: Request, comment_id: str) -> frozenset[str]:
        """The origins of the pages of a comment's site."""
        site = await self._discussions.site_of(comment_id)
        return frozenset() if site is None else await self._origins.pages_of(request, site)

    async def _writer(self, request: Request, scope: TokenScope | None = None) -> tuple[Identity | None, str | None]:
        """Who writes, and from which address."""
        return await self._viewer(request, scope=scope), self._addresses.of(request)

    async def _viewer(
        self, request: Request, site: str | None = None, scope: TokenScope | None = None
    ) -> Identity | None:
        """Who asks; a program may with a token that has the ``scope``."""
        return await self._discussions.identify(_header(request, "authorization"), site, scope)


def _limit(query: Query) -> int:
    return query.number("limit", least=1, most=MAX_PAGE) or PAGE


def _header(request: Request, name: str) -> str | None:
    """The header's value, None without one; several are one list, as RFC 9110 has it, which nothing here can be."""
    given = request.headers.getlist(name)
    return ", ".join(given) if given else None


def _json(model: BaseModel, status: int = 200) -> Response:
    return Response(model.model_dump_json(), status, media_type="application/json")
