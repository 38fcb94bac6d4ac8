"""Changing a comment that is there: its author does, or a moderator."""

from __future__ import annotations

from collections.abc import Set
from dataclasses import replace
from datetime import timedelta

from tertulia import protocol
from tertulia.core import text
from tertulia.core.causes import Cause
from tertulia.core.links import count_foreign
from tertulia.core.scopes import TokenScope
from tertulia.discussions import request_ids
from tertulia.discussions.actors import Actors, acting, actor_of, by, log_moderation
from tertulia.discussions.content import Texts
from tertulia.discussions.words import TextField, Words, skips_words
from tertulia.identity import Identity, utc_now
from tertulia.limits import Write
from tertulia.protocol import comment_view
from tertulia.store import Store, commands, queries
from tertulia.store.actions import Verb
from tertulia.store.commands import Actor, Command, Decided, Deed, PostResult

_VERBS = {
    "edit": Verb.edit_comment,
    "remove": Verb.remove_comment,
    "restore": Verb.restore_comment,
    "approve": Verb.approve_comment,
}
"""What the log of actions calls each act."""


class Changing:
    """``edit_window``: how long guests may change what they wrote."""

    def __init__(self, store: Store, actors: Actors, texts: Texts, words: Words, edit_window: timedelta) -> None:
        self._store = store
        self._actors = actors
        self._texts = texts
        self._words = words
        self._edit_window = edit_window

    async def source(self, comment_id: str, identity: Identity | None, *, is_edited: bool = True) -> str:
        """The text of one's own comment as it was written; with ``is_edited`` only where it may be changed.

        Raises unauthenticated, not_found, forbidden, gone, edit_window_over.
        """
        actor, found = replace(actor_of(identity), moderator=False), request_ids.comment_id(comment_id)
        window = self._edit_window if is_edited else None
        return (await self._store.read(commands.check_edit, found, actor, utc_now(), window)).text

    async def edit(
        self,
        comment_id: str,
        body: str,
        identity: Identity | None,
        address: str | None = None,
        origins: Set[str] = frozenset(),
    ) -> protocol.Changed:
        """Changes what one said, or as a moderator what anybody said. ``origins`` are those of the site's pages.

        What has a suspect word from then on is taken from view until a moderator has seen it.
        Raises unauthenticated, rate_limited, empty, too_long, malformed, words, not_found, forbidden, gone,
        edit_window_over, links.
        """
        text.check_size(body)
        actor, found = await self._actors.counted(Write.change, identity, address), request_ids.comment_id(comment_id)
        if identity is not None and identity.token_id is not None:
            await self._store.read(commands.check_program, identity.token_id, found)
        at, window = utc_now(), self._edit_window
        await self._store.read(commands.check_edit, found, actor, at, window)
        content = await self._texts.read(body)
        causes, links = await self._causes(found, content.text, identity), count_foreign(content.body, origins)
        edit = commands.EditComment(
            found,
            actor,
            content.text,
            content.body,
            at,
            window,
            causes,
            links,
            acting(identity),
            not skips_words(identity),
        )
        return await self._change(edit, actor, "edit", identity)

    async def _causes(self, comment_id: str, said: str, identity: Identity | None) -> tuple[Cause, ...]:
        """Why the comment has to wait with this text. Raises words, not_found."""
        if identity is None or skips_words(identity):
            return ()
        site = identity.site or await self._store.read(queries.site_of, comment_id)
        return () if site is None else await self._words.check(site, [TextField("body", said)])

    async def delete_comment(
        self, comment_id: str, identity: Identity | None, address: str | None = None
    ) -> protocol.Changed:
        """Deletes one's own comment, or removes another's as a moderator.

        Raises unauthenticated, rate_limited, not_found, forbidden, gone.
        """
        actor, found = await self._actors.counted(Write.change, identity, address), request_ids.comment_id(comment_id)
        removal = commands.DeleteComment(found, actor, utc_now(), acting(identity))
        return await self._change(removal, actor, "remove", identity)

    async def restore(self, comment_id: str, identity: Identity | None) -> protocol.Changed:
        """Raises unauthenticated, forbidden, rate_limited, not_found, bad_state."""
        actor, found = await self._actors.moderating(identity), request_ids.comment_id(comment_id)
        decision = commands.DecideComment(found, commands.Act.restore, acting(identity), utc_now())
        return await self._change(decision, actor, "restore", identity)

    async def approve(self, comment_id: str, identity: Identity | None) -> protocol.Changed:
        """Raises unauthenticated, forbidden, rate_limited, not_found, bad_state."""
        actor, found = await self._actors.moderating(identity), request_ids.comment_id(comment_id)
        decision = commands.DecideComment(found, commands.Act.approve, acting(identity), utc_now())
        return await self._change(decision, actor, "approve", identity)

    async def _change(
        self, command: Command[PostResult] | Command[Decided], actor: Actor, act: str, identity: Identity | None
    ) -> protocol.Changed:
        """The comment after the change, as whoever made it sees it; acts of moderation are told in the log."""
        changed = await self._store.write(by(identity, command, Deed(TokenScope.moderate, _VERBS[act])))
        own = actor.owns(changed.comment)
        if actor.moderator and not own:
            log_moderation(identity, act, comment=changed.comment.id)
        return protocol.Changed(comment=comment_view(changed.comment, own=own, reveal=actor.moderator), seq=changed.seq)
