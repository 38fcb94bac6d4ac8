"""Asking a writer to look once more, before something is sent: never a refusal, and never a reason to wait.

What is asked is answered in less than a second; what fails or is slow has nothing to say.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from tertulia import protocol
from tertulia.core import text
from tertulia.core.comments import DiscussionKey
from tertulia.core.hooks import Verdict
from tertulia.core.ids import uuid7
from tertulia.core.rules import Nudge
from tertulia.hooks.asking import NO_CONTENT, HookError, Secrets, judgement, message, parsed, post
from tertulia.hooks.signing import signed
from tertulia.identity import utc_now
from tertulia.limits import PostingLimits
from tertulia.outgoing import Outgoing
from tertulia.store import Store, queries
from tertulia.store.hooks import Hook

SECONDS = 0.8
"""That a hook may take, while somebody waits for the button that they pressed."""
MOST_WORDS = 5
"""Told of one text: who is asked to look again needs no list."""


class Nudging:
    """``suspect_words`` gives the words of a text that are in the list of a site."""

    def __init__(
        self,
        store: Store,
        limits: PostingLimits,
        outgoing: Outgoing,
        secrets: Secrets,
        suspect_words: Callable[[str, str], Awaitable[Sequence[str]]],
    ) -> None:
        self._store = store
        self._limits = limits
        self._outgoing = outgoing
        self._secrets = secrets
        self._suspect_words = suspect_words

    async def ask(self, new: protocol.NewNudge, address: str | None) -> protocol.Nudges:
        """What the writer may want to look at again; nothing where the rule is off.

        Raises unknown_site, malformed, empty, too_long, rate_limited.
        """
        text.check_size(new.body)
        key, body = DiscussionKey(text.clean_site(new.site), text.clean_key(new.key)), text.clean_text(new.body)
        await self._limits.count_preview(address)
        discussion = await self._store.read(queries.discussion, key)
        if discussion.rules.nudge is not Nudge.on:
            return protocol.Nudges(nudges=[])
        words, is_against = await asyncio.gather(self._suspect_words(key.site, body), self._is_against(key, body))
        nudges = [protocol.NudgeView(code="word", word=word) for word in words[:MOST_WORDS]]
        return protocol.Nudges(nudges=[*nudges, *[protocol.NudgeView(code="check")] * is_against])

    async def _is_against(self, key: DiscussionKey, body: str) -> bool:
        hook = await self._store.read(queries.nudge_hook, key.site)
        if hook is None:
            return False
        try:
            return await self._ask(hook, key, body)
        except HookError:  # nobody is kept waiting, nor told, because of it
            return False

    async def _ask(self, hook: Hook, key: DiscussionKey, body: str) -> bool:
        """Raises HookError."""
        sent = message("comment.nudge", {"site": key.site, "key": key.key, "text": body})
        headers = signed(self._secrets.of(hook) or "", f"n_{uuid7()}", int(utc_now().timestamp()), sent)
        reply = await post(self._outgoing, hook.config.url, sent, headers, SECONDS)
        return reply.status != NO_CONTENT and judgement(parsed(reply)).verdict is not Verdict.show
