"""A way to sign in that asks nobody."""

from __future__ import annotations

from datetime import timedelta

from tertulia.identity import token_hash, unauthenticated, utc_now
from tertulia.people import SITE_SESSION_HOURS, Claim
from tertulia.protocol import NewSession
from tertulia.store.commands import Spent


async def vouched(new: NewSession, _origin: str | None) -> Claim:
    """``SUBJECT/NAME``, as if an issuer had said so; of a subject ``once…`` one time only."""
    subject, _, name = (new.token or "").partition("/")
    if not name:
        raise unauthenticated()
    once = Spent(token_hash(subject), utc_now() + timedelta(hours=1)) if subject.startswith("once") else None
    life = timedelta(hours=SITE_SESSION_HOURS) if subject.startswith("short") else timedelta(days=90)
    return Claim("https://news.example", subject, name, via="test", life=life, once=once)
