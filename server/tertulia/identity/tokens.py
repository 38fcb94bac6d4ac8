"""What this server signs or makes up itself: guests' tokens, moderators' tokens, and keys for one purpose each."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple

from tertulia.core.addresses import client_network
from tertulia.core.ids import is_uuid, uuid8
from tertulia.core.strict_json import Json
from tertulia.core.text import clean_name
from tertulia.errors import Problem, unauthenticated
from tertulia.identity.compact import HMAC, Compact, TokenError, encoded, json_object

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
SESSION_PREFIX = "ts_"
INVITATION_PREFIX = "tl_"
SITE_TOKEN_PREFIX = "tk_"  # noqa: S105 - what such a token begins with
TOKEN_LENGTH = 2048
_LEEWAY_SECONDS = 60
_ISSUER = "tertulia"
_HEADER = encoded(json.dumps({"alg": HMAC, "typ": "JWT"}, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the token names: an author, who may be a moderator; ``site`` is where a guest's token is good.

    A ``member`` was signed in by the site, which issued the token: the name is used as it is, the token never renewed.
    A ``program`` is the site's own, which knows what its pages are called. Who is signed in here has a ``session_id``,
    and ``roles`` at this site; whether the session goes on is asked again in the transaction of whatever is written.
    So is whether a moderator still is one ``acting_at`` the site that the request names, or at all of them.
    ``also`` are the guests that this person was. Whoever decides has no ``badge`` but that of a moderator.
    A program with a token that the database knows has a ``token_id``; it does what a moderator of its ``site`` may, of
    what its token was asked to be good for.
    """

    author_id: str
    name: str
    moderator: bool
    site: str | None
    issued_at: datetime | None = None
    member: bool = False
    program: bool = False
    session_id: str | None = None
    roles: tuple[str, ...] = ()
    acting_at: str | None = None
    also: tuple[str, ...] = ()
    badge: str | None = None
    token_id: str | None = None

    def owns(self, author_id: str) -> bool:
        """Whether what this author said is one's own."""
        return author_id == self.author_id or author_id in self.also

    @property
    def kind(self) -> Literal["guest", "member", "staff"]:
        if self.moderator:
            return "staff"
        return "member" if self.member else "guest"

    @property
    def is_guest(self) -> bool:
        """Whether the answer to a write may bring a guest's token: to nobody else, who would go on as a guest of any
        name when their own token is over.
        """
        return not (self.moderator or self.member or self.program or self.session_id)

    def is_old(self, now: datetime) -> bool:
        """Whether a guest who is still here should get a new token before this one ends."""
        return self.is_guest and self.issued_at is not None and now - self.issued_at > timedelta(days=RENEW_DAYS)


def derived_key(secret: bytes, purpose: str) -> bytes:
    """A key of 32 bytes for one ``purpose``; it reveals neither the secret nor the keys for other purposes."""
    return hmac.digest(secret, f"key\0{purpose}".encode(), "sha256")


class Tokens:
    """Makes and reads guests' tokens; ``key`` is at least 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._request_key = derived_key(key, "request")
        self._origins = hashlib.sha256(derived_key(key, "origins"))

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

    def hashed_origin(self, near: str, wide: str) -> str:
        """What is noted of where a guest wrote from: two keyed hashes, from which nobody can guess a network.

        Those of two networks in the same wide one begin with the same 32 characters.
        """
        return self._half_hash(wide) + self._half_hash(near)

    def _half_hash(self, text: str) -> str:
        """SHA-256 of the key and the text; half of it tells nothing from which another hash could be gone on with.

        A quarter of what HMAC takes, of which each post would need two.
        """
        hashed = self._origins.copy()
        hashed.update(text.encode())
        return hashed.hexdigest()[:32]

    def hashed_network(self, address: str | None, at: datetime) -> str | None:
        """What stands for all guests of a network on one day, so that they are one; None without an address."""
        network = client_network(address)
        if network is None:
            return None
        named = f"network\0{network}\0{at.date().isoformat()}"
        return hmac.digest(self._request_key, named.encode(), "sha256").hex()

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
        text = f"{_HEADER}.{encoded(json.dumps(claims, separators=(',', ':')).encode())}"
        return f"{text}.{encoded(hmac.digest(self._key, text.encode(), 'sha256'))}"

    def read(self, token: str, site: str | None) -> Identity:
        """The guest, member or program of a token; with ``site`` it has to be of that one. Raises unauthenticated."""
        try:
            claims = self._claims(token)
        except TokenError as error:
            raise unauthenticated() from error
        subject, name, audience = claims.get("sub"), claims.get("name"), claims.get("aud")
        member, program = claims.get("member", False), claims.get("program", False)
        if not isinstance(name, str) or not isinstance(audience, str) or not isinstance(subject, str):
            raise unauthenticated()
        if not is_uuid(subject) or claims.get("iss") != _ISSUER or site not in (None, audience):
            raise unauthenticated()
        if not isinstance(member, bool) or not isinstance(program, bool) or (member and not _is_name(name)):
            raise unauthenticated()
        issued = _issued(claims)
        return Identity(subject, name, False, audience, issued, member, program)

    def _claims(self, token: str) -> dict[str, Json]:
        """Raises TokenError where this server's key did not sign it."""
        found = Compact.parsed(token, TOKEN_LENGTH)
        if not found.has_hmac(self._key):
            raise TokenError("it was not signed with the key of this server")
        return json_object(found.payload, "payload")


def _is_name(name: str) -> bool:
    """Whether comments can be said under it: a member has no other."""
    try:
        return clean_name(name) == name
    except Problem:
        return False


def _issued(claims: dict[str, Json]) -> datetime:
    """When it was made. Raises unauthenticated where its times are no whole seconds, over, or further ahead or apart
    than tokens are made.
    """
    issued, expires, begins = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    if type(issued) is not int or type(expires) is not int or type(begins) is not int:
        raise unauthenticated()
    now = utc_now().timestamp()
    if not 0 < issued < now + AHEAD_SECONDS or expires - issued > GUEST_DAYS * 86_400:
        raise unauthenticated()
    if expires <= now - _LEEWAY_SECONDS or begins > now + _LEEWAY_SECONDS:
        raise unauthenticated()
    return datetime.fromtimestamp(issued, UTC)


class NewToken(NamedTuple):
    """A random token, and the hash that is stored of it."""

    token: str
    hash: str


def new_moderator_token() -> NewToken:
    return _new_token(MODERATOR_PREFIX)


def new_session_token() -> NewToken:
    return _new_token(SESSION_PREFIX)


def new_invitation() -> NewToken:
    """What a link to sign in by has in it."""
    return _new_token(INVITATION_PREFIX)


def new_site_token() -> NewToken:
    """For a program of a site."""
    return _new_token(SITE_TOKEN_PREFIX)


def _new_token(prefix: str) -> NewToken:
    token = prefix + secrets.token_urlsafe(32)
    return NewToken(token, token_hash(token))


def token_hash(token: str) -> str:
    # the token has 256 random bits, so a fast hash cannot be searched
    return hashlib.sha256(token.encode()).hexdigest()


def utc_now() -> datetime:
    """Now, to the millisecond that is stored."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
