"""Casting a vote: known guests and moderators, newcomers, and pages without a script."""

from __future__ import annotations

from typing import Literal

from tertulia import protocol
from tertulia.discussions import request_ids
from tertulia.discussions.actors import Actors, actor_of, is_long_ago
from tertulia.discussions.reading import Reading
from tertulia.discussions.voting import Voting
from tertulia.errors import no_such_comment
from tertulia.identity import Identity, Tokens, unauthenticated, utc_now
from tertulia.limits import PostingLimits, Write
from tertulia.store import Store, commands
from tertulia.store.commands import Ballot
from tertulia.store.records import RequestId


class Votes:
    """``seconds`` is the time between two events of one comment (see voting.py)."""

    def __init__(
        self, store: Store, reading: Reading, actors: Actors, tokens: Tokens, limits: PostingLimits, seconds: float
    ) -> None:
        self._store = store
        self._reading = reading
        self._actors = actors
        self._tokens = tokens
        self._limits = limits
        self._voting = Voting(store.write, seconds)

    async def close(self) -> None:
        """Commits the votes that wait."""
        await self._voting.close()

    async def vote(
        self,
        comment_id: str,
        vote: protocol.Vote,
        identity: Identity | None,
        address: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> protocol.Voted:
        """Votes; who has no token becomes the guest that the idempotency key makes, as with a first comment.

        Raises unauthenticated, idempotency_key_required, rate_limited, not_found, forbidden, gone.
        """
        if identity is not None:
            await self._actors.counted(Write.vote, identity, address)
            return await self._cast(comment_id, vote, identity)
        if idempotency_key is None:
            raise unauthenticated()
        key = request_ids.idempotency_key(idempotency_key)
        await self._limits.count(None, address, Write.newcomer)
        return await self._cast(comment_id, vote, await self._newcomer(comment_id, key))

    async def vote_once(
        self, comment_id: str, value: Literal[1, -1], idempotency_key: str, address: str | None
    ) -> None:
        """The vote of a page without a script, which knows nobody: the first of each day, comment and address.

        Raises rate_limited, not_found, gone.
        """
        await self._limits.count(None, address, Write.newcomer)
        if await self._limits.is_first_today(f"vote {comment_id}", address):
            newcomer = await self._newcomer(comment_id, request_ids.idempotency_key(idempotency_key))
            await self._cast(comment_id, protocol.Vote(value=value), newcomer)

    async def _newcomer(self, comment_id: str, key: str) -> Identity:
        """The guest whom a first vote makes: for each retry of it, and for a comment with the same key, the same one.

        Raises not_found, and unauthenticated for the key of a comment that was said long ago (see REPEAT_HOURS).
        """
        site = await self._reading.site_of(comment_id)
        if site is None:
            raise no_such_comment()
        author_id = self._tokens.guest_id(site, key)
        request = RequestId(author_id, self._tokens.hashed_key(key), key)
        said_at = await self._store.read(commands.said_at, request)
        if said_at is not None and is_long_ago(said_at, utc_now()):
            raise unauthenticated()
        return Identity(author_id, "", moderator=False, site=site)

    async def _cast(self, comment_id: str, vote: protocol.Vote, voter: Identity) -> protocol.Voted:
        """The answer to a vote, with a token for a guest who has none or whose own is old."""
        counted = await self._voting.vote(request_ids.comment_id(comment_id), Ballot(actor_of(voter), vote.value))
        now, token = utc_now(), None
        is_new = voter.is_guest and voter.issued_at is None
        if voter.site is not None and (is_new or voter.is_old(now)):
            token = self._tokens.issue(voter.author_id, voter.name, voter.site, now)
        votes = protocol.Votes(up=counted.up, down=counted.down)
        return protocol.Voted(votes=votes, value=vote.value, seq=counted.seq, token=token)
