"""Who asks: guests by a signed token, moderators by a random one. Tokens travel in the Authorization header only.

tokens       what this server makes: guests' tokens, moderators', keys for one purpose
compact      signed tokens taken apart, strictly
keys         an issuer's secret or public keys, for one algorithm
key_address  public keys where an issuer publishes them
assertions   what an issuer's token says of a reader
issuers      whose tokens are taken, and one held against them
sealing      secrets as the database keeps them
"""

from __future__ import annotations

from tertulia.errors import unauthenticated
from tertulia.identity.tokens import (
    AHEAD_SECONDS,
    GUEST_DAYS,
    HASH_PREFIX,
    INVITATION_PREFIX,
    MODERATOR_PREFIX,
    RENEW_DAYS,
    REPEAT_HOURS,
    SESSION_PREFIX,
    SITE_TOKEN_PREFIX,
    TOKEN_LENGTH,
    Identity,
    NewToken,
    Tokens,
    derived_key,
    new_invitation,
    new_moderator_token,
    new_session_token,
    new_site_token,
    token_hash,
    utc_now,
)

__all__ = [
    "AHEAD_SECONDS",
    "GUEST_DAYS",
    "HASH_PREFIX",
    "INVITATION_PREFIX",
    "MODERATOR_PREFIX",
    "RENEW_DAYS",
    "REPEAT_HOURS",
    "SESSION_PREFIX",
    "SITE_TOKEN_PREFIX",
    "TOKEN_LENGTH",
    "Identity",
    "NewToken",
    "Tokens",
    "derived_key",
    "new_invitation",
    "new_moderator_token",
    "new_session_token",
    "new_site_token",
    "token_hash",
    "unauthenticated",
    "utc_now",
]
