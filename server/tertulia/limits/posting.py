"""How much one guest and one address may write, in the notation of the `limits` library.

Every write is counted at this instance, and if instances share their counts, in Redis, too: both have to agree, so that
forged counts in Redis let nobody post more than without it. While Redis is down each instance decides alone, at once.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Sequence
from enum import Enum

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute, parse_many
from limits.aio.strategies import MovingWindowRateLimiter

from tertulia.core.addresses import anonymised, client_network
from tertulia.core.waits import wait_of
from tertulia.errors import ErrorCode, Problem
from tertulia.limits.counting import SharedCounter, Unavailable, Window
from tertulia.limits.memory import BoundedStorage
from tertulia.logs import Sparing

PREVIEWS_A_MINUTE = 60
"""Of one address at one instance. A preview stores nothing, but the worst text takes 10 ms to read."""

SEARCHES_A_MINUTE = 60
"""Of one address at one instance. One of a common word takes 20 ms of a reader's thread."""

STAFF_SIGN_INS = 10
"""Of one network in ten minutes. What is guessed has 256 random bits; this keeps the log readable."""

EMAIL_CODES_AN_HOUR = 10
"""That one network may ask for: each is mail to somebody, whether they want it or not."""

EMAIL_CODES_OF_SITE = 1_000
"""An hour, of one site, whoever asks: what is beyond costs the sender's good name."""

MODERATIONS_A_MINUTE = 600
"""Of one moderator: ten a second is more than anybody clicks, and a program with a stolen token is slowed down."""

log = logging.getLogger(__name__)


class Write(Enum):
    """What is counted apart. The value is what a refusal calls it."""

    comment = "comments"
    """New comments, and reports, which are stored like them."""
    change = "changes"
    """Edits and deletions of one's own comments."""
    vote = "votes"
    newcomer = "votes by new readers"
    """First votes, each of which makes a guest."""
    sign_in = "sign-ins"
    """Ways to a provider that are begun, each of which is stored."""
    email_code = "codes by e-mail"
    """The site is counted in place of a guest."""
    moderation = "changes by a moderator"
    staff_sign_in = "attempts to sign in"
    """To the staff's pages."""


class PostingLimits:
    """Counts writes; one past a limit is refused with the seconds to wait.

    ``changes`` and ``votes`` are the limits of a guest and of an address, like ``guest`` and ``address`` of comments.
    """

    def __init__(
        self,
        guest: str,
        address: str,
        shared: SharedCounter | None = None,
        *,
        changes: tuple[str, str] = ("off", "off"),
        votes: tuple[str, str] = ("off", "off"),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._address = _parsed(address)
        self._limits: dict[Write, tuple[list[RateLimitItem], list[RateLimitItem]]] = {
            Write.comment: (_parsed(guest), self._address),
            Write.change: (_parsed(changes[0]), _parsed(changes[1])),
            Write.vote: (_parsed(votes[0]), _parsed(votes[1])),
            Write.newcomer: ([], self._address),
            Write.sign_in: ([], self._address),
            Write.email_code: (
                [RateLimitItemPerHour(EMAIL_CODES_OF_SITE)],
                [RateLimitItemPerHour(EMAIL_CODES_AN_HOUR)] if self._address else [],
            ),
            Write.moderation: ([RateLimitItemPerMinute(MODERATIONS_A_MINUTE)], []),
            Write.staff_sign_in: ([], [RateLimitItemPerMinute(STAFF_SIGN_INS, 10)] if self._address else []),
        }
        # an operator who does not count addresses, since all readers share one, does not count their previews either
        self._previews = [RateLimitItemPerMinute(PREVIEWS_A_MINUTE)] if self._address else []
        self._searches = [RateLimitItemPerMinute(SEARCHES_A_MINUTE)] if self._address else []
        self._times = BoundedStorage(clock)
        self._own = MovingWindowRateLimiter(self._times)
        self._clock = clock
        self._shared = shared
        self._sparing = Sparing(log)

    async def count(
        self, author_id: str | None, address: str | None, write: Write = Write.comment, *, also: Sequence[str] = ()
    ) -> None:
        """Counts one write, for each guest, too, that the author was (``also``): what these wrote goes on to count.

        Raises rate_limited; then nothing was counted.
        """
        key, (of_author, of_address) = client_network(address), self._limits[write]
        apart = "" if write is Write.comment else f"-{write.name}"
        authors = [author_id, *also] if author_id else []
        windows = [Window(item, f"guest{apart}", author) for author in authors for item in of_author]
        windows += [Window(item, f"address{apart}", key) for item in of_address] if key else []
        self._raise_if_limited(write.value, await self._wait(windows) if windows else 0, address)

    async def count_preview(self, address: str | None) -> None:
        """Counts one preview, at this instance alone. Raises rate_limited; then it was not counted."""
        key = client_network(address)
        windows = [Window(item, "preview", key) for item in self._previews] if key else []
        self._raise_if_limited("previews", await self._wait_here(windows), address)

    async def is_first_today(self, what: str, address: str | None) -> bool:
        """Counts something that an address may do once a day; whether it did not do so before.

        Nothing else is known of readers without a token. Always true for an unknown address.
        """
        key = client_network(address)
        return key is None or await self._wait([Window(RateLimitItemPerDay(1), "once", f"{what} {key}")]) == 0

    async def count_search(self, address: str | None) -> None:
        """Counts one search, at this instance alone. Raises rate_limited; then it was not counted."""
        key = client_network(address)
        windows = [Window(item, "search", key) for item in self._searches] if key else []
        self._raise_if_limited("searches", await self._wait_here(windows), address)

    async def _wait(self, windows: Sequence[Window]) -> float:
        """Counts here and in what is shared and returns 0, or nowhere and returns the seconds to wait."""
        wait = await self._wait_here(windows)
        if wait or self._shared is None:
            return wait
        try:
            wait = await self._shared.count(windows)
        except Unavailable:
            return 0
        if wait:
            for one in windows:
                self._times.take_back(one.item.key_for(one.kind, one.name))
        return wait

    async def _wait_here(self, windows: Sequence[Window]) -> float:
        for one in windows:
            if not await self._own.test(one.item, one.kind, one.name):
                stats = await self._own.get_window_stats(one.item, one.kind, one.name)
                return max(stats.reset_time - self._clock(), 0.001)
        for one in windows:
            await self._own.hit(one.item, one.kind, one.name)
        return 0

    def _raise_if_limited(self, what: str, wait: float, address: str | None) -> None:
        """Raises rate_limited if ``wait``, in seconds, is not 0; one line a minute tells the operator."""
        if wait > 0:
            seconds = max(1, math.ceil(wait))
            where = {} if address is None else {"network": anonymised(address)}
            self._sparing.warning("A limit is reached", what, of=what, wait_seconds=seconds, **where)
            detail = f"Too many {what}; try again in {wait_of(seconds)}."
            raise Problem(ErrorCode.rate_limited, detail, retry_after=seconds)


def _parsed(notation: str) -> list[RateLimitItem]:
    return [] if notation == "off" else parse_many(notation)
