"""What readers report and moderators see to: lists of what waits for them, and how a discussion is led."""

from __future__ import annotations

from collections.abc import Callable, Set

from tertulia import protocol
from tertulia.core import pages, text
from tertulia.core.comments import Discussion, DiscussionKey, Mode
from tertulia.core.scopes import TokenScope
from tertulia.discussions import request_ids, views
from tertulia.discussions.actors import actor_of, by, log_moderation, require_at, require_staff
from tertulia.discussions.keys import Keys
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import Identity, Tokens, utc_now
from tertulia.limits import PostingLimits, Write
from tertulia.protocol import DiscussionView
from tertulia.store import Store, commands, queries
from tertulia.store.actions import By


class Moderation:
    """``view`` makes what is shown of a discussion."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        limits: PostingLimits,
        tokens: Tokens,
        view: Callable[[Discussion], DiscussionView],
    ) -> None:
        self._store = store
        self._keys = keys
        self._limits = limits
        self._tokens = tokens
        self._view = view

    async def held(self, site: str, limit: int, cursor: str | None, moderator: Identity | None) -> protocol.HeldPage:
        """Comments that wait for approval. Raises unauthenticated, forbidden, unknown_site, bad_cursor."""
        require_at(moderator, site)
        held = await self._store.read(queries.held, site, limit, cursor)
        return views.held_page(held)

    async def reported(
        self, site: str, limit: int, cursor: str | None, moderator: Identity | None
    ) -> protocol.ReportPage:
        """What readers reported and can still be read. Raises unauthenticated, forbidden, unknown_site, bad_cursor."""
        require_at(moderator, site)
        reported = await self._store.read(queries.reported, site, limit, cursor)
        return views.report_page(reported)

    async def report(
        self, comment_id: str, report: protocol.Report, identity: Identity | None, address: str | None
    ) -> protocol.Reported:
        """Raises not_found, gone, malformed, too_long, rate_limited."""
        found, at = request_ids.comment_id(comment_id), utc_now()
        reporter = None if identity is None else actor_of(identity)
        also = reporter.also if reporter else ()
        await self._limits.count(reporter.id if reporter else None, address, also=also)
        note = text.clean_text(report.note, field="note") if report.note else ""
        network = self._tokens.hashed_network(address, at)
        command = commands.ReportComment(found, reporter, report.reason, note, at, network)
        return protocol.Reported(id=await self._store.write(by(identity, command)))

    async def change(
        self,
        key: DiscussionKey,
        change: protocol.DiscussionChange,
        identity: Identity | None,
        origins: Set[str] = frozenset(),
    ) -> protocol.DiscussionChanged:
        """Opens, holds or closes a discussion, gives it rules, or says what its page is called and where it is.

        A program of the site may do the last. ``origins`` are those of the site's pages, and the server's own.
        Raises unauthenticated, forbidden, rate_limited, unknown_site, invalid, too_long, malformed.
        """
        leads = change.mode is not None or change.rules is not None
        actor = require_at(identity, key.site) if leads else require_staff(identity, key.site)
        await self._limits.count(actor.id, None, Write.moderation)
        rules = None if change.rules is None else change.rules.given
        if not rules and change.mode is change.title is change.url is None:
            raise Problem(ErrorCode.invalid, "Give mode, rules, title or url.", field="mode")
        command = commands.ChangeDiscussion(
            self._keys.known(key),
            utc_now(),
            mode=None if change.mode is None else Mode(change.mode),
            title=None if change.title is None else _new_title(change.title),
            url=None if change.url is None else _new_url(change.url, origins),
            rules=rules,
            by=_decider(identity),
        )
        changed = await self._store.write(by(identity, command, commands.Deed(TokenScope.discussions, None)))
        log_moderation(identity, _act(change), site=key.site, discussion=changed.id)
        return protocol.DiscussionChanged(discussion=self._view(changed), seq=changed.seq)


def _decider(identity: Identity | None) -> By | None:
    """Who decides: a moderator, or a program, which is no author."""
    return None if identity is None else By(None if identity.program else identity.author_id, identity.name)


def _act(change: protocol.DiscussionChange) -> str:
    if change.mode is not None:
        return f"set to {change.mode}"
    return "describe the page" if change.rules is None else "change the rules"


def _new_title(given: str) -> str:
    """Raises too_long, malformed."""
    title = text.clean_title(given)
    if len(given.strip()) > text.TITLE_LENGTH and len(title) == text.TITLE_LENGTH:
        raise Problem(ErrorCode.too_long, f"A title has at most {text.TITLE_LENGTH} characters.", field="title")
    return title


def _new_url(given: str, origins: Set[str]) -> str:
    """Raises invalid, too_long, malformed."""
    url = text.clean_url(given)
    kept = pages.own_address(url, origins)
    if url and not kept:
        raise Problem(ErrorCode.invalid, "Send the address of a page of one of the site's origins.", field="url")
    return kept
