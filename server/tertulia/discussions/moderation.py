"""What readers report and moderators see to: lists of what waits for them, and how a discussion is led."""

from __future__ import annotations

from collections.abc import Callable, Set
from datetime import datetime

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
from tertulia.store.mapping import milliseconds, to_datetime

LAST_YEAR = 2999
"""In which a discussion may close: later ones are not written in four digits everywhere."""


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
        """Raises not_found, gone, banned, malformed, too_long, rate_limited."""
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
        """Opens, holds or closes a discussion, now or at a time, gives it rules, or says what and where its page is.

        A program of the site may do the last. ``origins`` are those of the site's pages, and the server's own.
        Raises unauthenticated, forbidden, rate_limited, unknown_site, invalid, too_long, malformed.
        """
        closes = "closes_at" in change.model_fields_set
        leads = closes or change.mode is not None or change.rules is not None
        actor = require_at(identity, key.site) if leads else require_staff(identity, key.site)
        await self._limits.count(actor.id, None, Write.moderation)
        rules = None if change.rules is None else change.rules.given
        if not (rules or closes) and change.mode is change.title is change.url is None:
            raise Problem(ErrorCode.invalid, "Give mode, rules, closes_at, title or url.", field="mode")
        command = commands.ChangeDiscussion(
            self._keys.known(key),
            utc_now(),
            mode=None if change.mode is None else Mode(change.mode),
            title=None if change.title is None else _new_title(change.title),
            url=None if change.url is None else _new_url(change.url, origins),
            rules=rules,
            closing=commands.Closing(_time(change.closes_at)) if closes else None,
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
    if change.rules is not None:
        return "change the rules"
    return "set when it closes" if "closes_at" in change.model_fields_set else "describe the page"


def _time(given: str | None) -> datetime | None:
    """Raises invalid."""
    if given is None:
        return None
    detail = "Send a time with its offset: 2026-11-24T18:00:00Z, or null."
    try:
        at = datetime.fromisoformat(given)
        if at.tzinfo is None or at.year > LAST_YEAR:
            raise Problem(ErrorCode.invalid, detail, field="closes_at")
        return to_datetime(milliseconds(at))
    except (ValueError, OverflowError, OSError) as error:
        raise Problem(ErrorCode.invalid, detail, field="closes_at") from error


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
