"""Signing in by a token of the site's own server: ``{"grant": "jwt", "token": …}``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tertulia import protocol
from tertulia.errors import unauthenticated
from tertulia.identity import token_hash, utc_now
from tertulia.identity.compact import TokenError
from tertulia.identity.issuers import Issuers
from tertulia.people.sessions import SITE_SESSION_HOURS, Claim, SignInMethod
from tertulia.store.commands import Spent

SITE_JWT = "jwt"
"""What a request calls it."""


def by_site_token(issuers: Issuers) -> SignInMethod:
    """Vouches for whomever an issuer of the site names; one sentence for whatever is wrong with a token."""

    async def vouch(new: protocol.NewSession) -> Claim:
        try:
            found = await issuers.verified(new.site, new.token or "", utc_now())
        except TokenError as error:
            raise unauthenticated() from error
        once = None
        if found.token_id is not None:
            digest = token_hash(f"{new.site}\0{found.issuer}\0{found.token_id}")
            once = Spent(digest, datetime.fromtimestamp(found.expires, UTC))
        life = timedelta(hours=SITE_SESSION_HOURS)
        return Claim(found.issuer, found.subject, found.name, "site", life, once, found.trust)

    return vouch
