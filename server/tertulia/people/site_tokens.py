"""Signing in by a token of the site's own server: ``{"grant": "jwt", "token": …}``."""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta

from tertulia import protocol
from tertulia.core.badges import badge_of
from tertulia.errors import unauthenticated
from tertulia.identity import token_hash
from tertulia.identity.compact import TokenError
from tertulia.identity.issuers import Issuers
from tertulia.logs import Sparing
from tertulia.people.clock import Now, own_now
from tertulia.people.sessions import SITE_SESSION_HOURS, Claim, SignInMethod
from tertulia.store.commands import Spent

SITE_JWT = "jwt"
"""What a request calls it."""
MOST_LINES = 20
"""Of tokens refused, in the time for which one reason is written once: strangers send them, too."""

log = logging.getLogger(__name__)


def by_site_token(issuers: Issuers, now: Now = own_now) -> SignInMethod:
    """Vouches for whomever an issuer of the site names; one sentence for whatever is wrong with a token.

    The log says what it is, for whoever writes the site's server.
    """
    sparing = Sparing(log, most=MOST_LINES)

    async def vouch(new: protocol.NewSession, _origin: str | None) -> Claim:
        try:
            found = await issuers.verified(new.site, new.token or "", await now())
        except TokenError as error:
            sparing.warning("A token was refused", (new.site, str(error)), site=new.site, reason=str(error))
            raise unauthenticated() from error
        once = None
        if found.token_id is not None:
            digest = token_hash(f"{new.site}\0{found.issuer}\0{found.token_id}")
            once = Spent(digest, datetime.fromtimestamp(found.expires, UTC))
        life = timedelta(hours=SITE_SESSION_HOURS)
        badge = badge_of(found.badge, {found.role or ""}) or ""
        return Claim(found.issuer, found.subject, found.name, "site", life, once, found.trust, badge=badge)

    return vouch
