"""Saying something: who and where as far as the request says, then how often, which name, and only then the text."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Set
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import NamedTuple

from tertulia import protocol
from tertulia.core import pages, text
from tertulia.core.addresses import both_networks
from tertulia.core.causes import Cause
from tertulia.core.comments import Author, DiscussionKey
from tertulia.core.ids import uuid7
from tertulia.core.links import count_foreign
from tertulia.core.names import unadorned
from tertulia.core.pages import PageFacts
from tertulia.discussions import request_ids
from tertulia.discussions.actors import by_person, is_long_ago, is_staff, token_at
from tertulia.discussions.content import SLOW_TEXT, Texts
from tertulia.discussions.keys import Keys
from tertulia.discussions.names import Names
from tertulia.discussions.words import TextField, Words, skips_words
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import Identity, Tokens, utc_now
from tertulia.identity.sealing import Sealing
from tertulia.limits import PostingLimits
from tertulia.protocol import comment_view
from tertulia.store import Store, commands
from tertulia.store.commands import Draft, DraftHead, PostResult, Traces, unknown_origin

BROWSER_LENGTH = 300
"""Characters of what a browser calls itself that are kept where a check wants to know it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a post came to; ``repeated`` when it had been answered before and nothing new was stored."""

    posted: protocol.Posted
    repeated: bool


class Asking(NamedTuple):
    """Where a request comes from, and what the browser calls itself."""

    address: str | None
    browser: str


class Posting:
    """Posts for whoever a token names, and for newcomers."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        texts: Texts,
        tokens: Tokens,
        limits: PostingLimits,
        names: Names,
        words: Words,
        sealing: Sealing | None = None,
        *,
        keeps_origins: bool,
    ) -> None:
        self._store = store
        self._keys = keys
        self._texts = texts
        self._tokens = tokens
        self._limits = limits
        self._names = names
        self._words = words
        self._sealing = sealing
        self._keeps_origins = keeps_origins

    async def post_comment(
        self,
        new: protocol.NewComment,
        idempotency_key: str | None,
        *,
        identity: Identity | None = None,
        address: str | None = None,
        browser: str = "",
        origins: Set[str] = frozenset(),
    ) -> Answer:
        """Says something, once for one idempotency key.

        browser: as it calls itself
        origins: of the site's pages, and the server's own

        Raises idempotency_key_required, empty, too_long, invalid, malformed, unauthenticated, rate_limited,
        name_taken, words, unknown_site, closed, members_only, slow_mode, bad_parent, links, idempotency_conflict.
        """
        key = request_ids.idempotency_key(idempotency_key)
        head = self._head(new, key, identity, Asking(address, browser[:BROWSER_LENGTH]))
        text.check_size(new.body)
        also = identity.also if identity else ()
        await self._limits.count(identity.author_id if identity else None, address, also=also)
        if not (identity and _is_named_for_a_role(identity)):
            await self._names.check(head.author.name, head.key.site)
        if len(new.body) > SLOW_TEXT:
            await self._store.read(commands.check_post, head)
        draft = await self._draft(head, new, _page(new, origins, identity), origins)
        if skips_words(identity):
            draft = replace(draft, is_checked=False)
        else:
            draft = replace(draft, causes=await self._causes(draft))
        result = await self._store.write(by_person(identity, commands.PostComment(draft)))
        posted = protocol.Posted(
            comment=_own_view(result, key), seq=result.seq, token=self._new_token(draft, identity, result)
        )
        return Answer(posted, result.repeated)

    async def preview(self, body: str, address: str | None) -> protocol.Preview:
        """What a comment of this text would show; nothing is stored.

        Raises rate_limited, empty, too_long, malformed.
        """
        text.check_size(body)
        await self._limits.count_preview(address)
        return protocol.Preview(body=(await self._texts.read(body)).body)

    def _head(self, new: protocol.NewComment, key: str, identity: Identity | None, asking: Asking) -> DraftHead:
        """Who says something and where; what is said is not looked at yet."""
        return DraftHead(
            id=uuid7(),
            key=DiscussionKey(text.clean_site(new.site), text.clean_key(new.key)),
            parent_id=None if new.parent_id is None else request_ids.parent_id(new.parent_id),
            author=self._author(new, key, identity),
            at=utc_now(),
            idempotency_key=self._tokens.hashed_key(key),
            unhashed_key=key,
            signed_in=identity is not None and identity.member,
            token_at=token_at(identity),
            also=identity.also if identity else (),
            origin=partial(self._origin, asking.address) if identity is None or identity.is_guest else unknown_origin,
            keeps_origin=self._keeps_origins,
            traces=partial(self._traces, asking),
        )

    def _traces(self, asking: Asking) -> Traces | None:
        origin = self._origin(asking.address)
        if origin is None or self._sealing is None:
            return None
        return Traces(origin, self._sealing.seal(json.dumps([asking.address, asking.browser]).encode()))

    def _origin(self, address: str | None) -> str | None:
        networks = both_networks(address)
        return None if networks is None else self._tokens.hashed_origin(*networks)

    def _author(self, new: protocol.NewComment, key: str, identity: Identity | None) -> Author:
        if identity is not None and identity.moderator:
            return Author(identity.author_id, identity.name, "moderator")
        if identity is not None and identity.member:
            return Author(identity.author_id, unadorned(identity.name), identity.badge)
        known = "" if identity is None else identity.name  # a guest who has only voted has none yet
        if new.author is None and not known:
            raise Problem(ErrorCode.empty, "Give a name.", field="author.name")
        name = unadorned(known if new.author is None else text.clean_name(new.author.name))
        author_id = self._tokens.guest_id(new.site, key) if identity is None else identity.author_id
        return Author(author_id, name)

    async def _draft(self, head: DraftHead, new: protocol.NewComment, page: PageFacts, origins: Set[str]) -> Draft:
        """Raises empty, too_long, malformed."""
        content = await self._texts.read(new.body)
        # of the key as it was sent: a repeat is the same whatever was learned of the key meanwhile
        digest = _digest(head.key.site, head.key.key, head.parent_id or "", head.author.name, content.text)
        known = {one.name: getattr(head, one.name) for one in fields(head)}
        return Draft(
            **known | {"key": self._keys.known(head.key)},
            title=page.title,
            url=page.url,
            corrects=page.correct,
            text=content.text,
            body=content.body,
            digest=self._tokens.hashed_digest(digest),
            unhashed_digest=digest,
            links=count_foreign(content.body, origins),
        )

    async def _causes(self, draft: Draft) -> tuple[Cause, ...]:
        """Why the comment has to wait, as far as its words say; a repeated request is answered as it was.

        Raises words.
        """
        try:
            said = (TextField("author.name", draft.author.name), TextField("body", draft.text))
            return await self._words.check(draft.key.site, said)
        except Problem:
            if await self._store.read(commands.said_at, draft.request) is None:
                raise
            return ()

    def _new_token(self, draft: Draft, identity: Identity | None, result: PostResult) -> str | None:
        """A token for a guest who has none, or whose own is old or of another name."""
        author = draft.author
        if identity is not None:
            is_same = identity.name == author.name and not identity.is_old(draft.at)
            if is_same or not identity.is_guest:
                return None
        elif result.repeated and is_long_ago(result.comment.created_at, draft.at):
            return None
        return self._tokens.issue(author.id, author.name, draft.key.site, draft.at)


def _is_named_for_a_role(identity: Identity) -> bool:
    """Whether the name is that of somebody of the staff, with their own token: nobody else's."""
    return identity.moderator or (identity.session_id is None and bool(identity.roles))


def _page(new: protocol.NewComment, origins: Set[str], identity: Identity | None) -> PageFacts:
    """Raises malformed."""
    return pages.said(new.title or "", new.url or "", key=new.key, origins=origins, trusted=is_staff(identity))


def _own_view(result: PostResult, idempotency_key: str) -> protocol.CommentView:
    """The comment as its author sees it: that of the event, where there is one."""
    if result.view is None:
        return comment_view(result.comment, own=True, idempotency_key=idempotency_key)
    return result.view.model_copy(update={"idempotency_key": idempotency_key})


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
