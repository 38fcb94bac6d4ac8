"""What this server signs or makes up itself: guests' tokens, moderators' tokens, and keys for one purpose each."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import jwt

from tertulia.core.ids import is_uuid, uuid8
from tertulia.core.text import clean_name
from tertulia.errors import ErrorCode, Problem

GUEST_DAYS = 180
RENEW_DAYS = 30
REPEAT_HOURS = 24
"""How long the repeat of a guest's first comment is given the token: a retry comes within minutes, or with the next
visit of somebody whose connection broke, and a key that somebody finds later is worth nothing.
"""
HASH_PREFIX = "hmac "
"""What the stored hash of an idempotency key begins with: no key has a blank."""
AHEAD_SECONDS = 86_400
"""How far the clock of the instance that made a token may be ahead of this one's: a guest is no less known for it."""
MODERATOR_PREFIX = "tm_"
TOKEN_LENGTH = 2048
_ALGORITHM = "HS256"
_ISSUER = "tertulia"


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the token names: an author, who may be a moderator; ``site`` is where a guest's token is good.

    A ``member`` was signed in by the site, which issued the token: the name is used as it is, the token never renewed.
    A ``program`` is the site's own, which knows what its pages are called.
    """

    author_id: str
    name: str
    moderator: bool
    site: str | None
    issued_at: datetime | None = None
    member: bool = False
    program: bool = False

    def is_old(self, now: datetime) -> bool:
        """Whether a guest who is still here should get a new token before this one ends."""
        return self.issued_at is not None and not self.member and now - self.issued_at > timedelta(days=RENEW_DAYS)


def derived_key(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one ``purpose``; it reveals neither the secret nor the keys for other purposes."""
    return hmac.digest(secret, f"key\0{purpose}".encode(), "sha256")


class Tokens:
    """Makes and reads guests' tokens; ``key`` is at least 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._request_key = derived_key(key, "request")

    def guest_id(self, site: str, idempotency_key: str) -> str:
        """The author that a tokenless first comment makes: the same one for every retry of it (a UUIDv8)."""
        digest = hmac.digest(self._key, f"guest\0{site}\0{idempotency_key}".encode(), "sha256")
        return uuid8(digest)

    def hashed_key(self, idempotency_key: str) -> str:
        """What is stored of an idempotency key: a keyed hash."""
        hashed = hmac.digest(self._request_key, f"key\0{idempotency_key}".encode(), "sha256")
        return HASH_PREFIX + base64.urlsafe_b64encode(hashed).decode().rstrip("=")

    def hashed_digest(self, digest: str) -> str:
        """What is stored of the digest of a comment: a keyed hash, from which nobody can guess the text."""
        return hmac.digest(self._request_key, f"digest\0{digest}".encode(), "sha256").hex()

    def issue(self, author_id: str, name: str, site: str, now: datetime) -> str:
        """A guest's token, good for 180 days on this site."""
        claims = {
            "iss": _ISSUER,
            "aud": site,
            "sub": author_id,
            "name": name,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(days=GUEST_DAYS)).timestamp()),
        }
        return jwt.encode(claims, self._key, algorithm=_ALGORITHM)

    def read(self, token: str, site: str | None) -> Identity:
        """The guest, member or program of a token; with ``site`` it has to be of that one. Raises unauthenticated."""
        if len(token) > TOKEN_LENGTH or not _is_canonical(token):
            raise unauthenticated()
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[_ALGORITHM],
                issuer=_ISSUER,
                audience=site,
                leeway=60,
                options={
                    "require": ["exp", "iat", "iss", "sub", "aud"],
                    "strict_aud": site is not None,
                    "verify_aud": site is not None,
                    "verify_iat": False,  # in _is_span
                },
            )
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError) as error:
            raise unauthenticated() from error
        subject, name, audience = claims["sub"], claims.get("name"), claims["aud"]
        member, program = claims.get("member", False), claims.get("program", False)
        if not isinstance(name, str) or not isinstance(audience, str) or not is_uuid(subject):
            raise unauthenticated()
        if not isinstance(member, bool) or not isinstance(program, bool) or (member and not _is_name(name)):
            raise unauthenticated()
        if not _is_span(claims["iat"], claims["exp"]):
            raise unauthenticated()
        return Identity(subject, name, False, audience, datetime.fromtimestamp(claims["iat"], UTC), member, program)


def _is_canonical(token: str) -> bool:
    """Whether these are three parts of base64url as RFC 7515 writes it: PyJWT takes padding and loose bits, too."""
    parts = token.split(".")
    return len(parts) == 3 and all(map(_is_base64url, parts))


def _is_base64url(part: str) -> bool:
    try:
        raw = base64.urlsafe_b64decode(part.encode("ascii") + b"=" * (-len(part) % 4))
    except ValueError:
        return False
    return base64.urlsafe_b64encode(raw).decode().rstrip("=") == part


def _is_name(name: str) -> bool:
    """Whether comments can be said under it: a member has no other."""
    try:
        return clean_name(name) == name
    except Problem:
        return False


def _is_span(issued: object, expires: object) -> bool:
    """Whether these are whole seconds, not of the day after tomorrow, no further apart than tokens are made."""
    if type(issued) is not int or type(expires) is not int:
        return False
    latest = utc_now().timestamp() + AHEAD_SECONDS
    return 0 < issued < latest and expires - issued <= GUEST_DAYS * 86_400


def unauthenticated() -> Problem:
    """One answer for every bad token: it tells a forger nothing."""
    return Problem(ErrorCode.unauthenticated, "Send a valid token as: Authorization: Bearer TOKEN")


class ModeratorToken(NamedTuple):
    """A token, and the hash that is stored of it."""

    token: str
    hash: str


def new_moderator_token() -> ModeratorToken:
    """A random token."""
    token = MODERATOR_PREFIX + secrets.token_urlsafe(32)
    return ModeratorToken(token, token_hash(token))


def token_hash(token: str) -> str:
    # the token has 256 random bits, so a fast hash cannot be searched
    return hashlib.sha256(token.encode()).hexdigest()


def utc_now() -> datetime:
    """Now, to the millisecond that is stored."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
