"""What a site's own server says of a reader, in a token that it signs: verified, and read claim by claim.

issuer     whose tokens are taken, for which site, and how much they may say
Assertion  what one token says, all of it checked
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from tertulia.core.badges import MODERATOR
from tertulia.core.strict_json import Json
from tertulia.core.text import clean_name, is_web_address
from tertulia.errors import ErrorCode, Problem
from tertulia.identity.compact import Compact, TokenError
from tertulia.identity.keys import Key

LIFE_SECONDS = 3_600
LONGEST_LIFE_SECONDS = 86_400
"""Of a token of the site, where nothing else is said of its issuer, and at most."""
AHEAD_SECONDS = 60
"""How far the clock of an issuer may be ahead of ours."""
SUBJECT_LENGTH = 255
ROLES = frozenset({"host", "staff"})
"""What a token may make of somebody: never a moderator or an owner."""
MOST_TRUST = 2
_EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")


@dataclass(frozen=True, slots=True)
class Issuer:
    """Whose tokens are taken: ``iss`` is exactly theirs, ``site`` the key of the site that they are for.

    ``life``: seconds from ``iat`` to ``exp`` at most. What a token may say of a reader besides the name, none of it
    by default: ``badges`` and ``roles`` by name, trust up to ``trust``, pictures at ``picture_hosts``.
    """

    iss: str
    site: str
    life: int = LIFE_SECONDS
    badges: frozenset[str] = field(default=frozenset())
    roles: frozenset[str] = field(default=frozenset())
    trust: int = 0
    picture_hosts: frozenset[str] = field(default=frozenset())


@dataclass(frozen=True, slots=True)
class Assertion:
    """Who somebody is, as the issuer says; ``name`` as it is kept, ``email`` only where the issuer verified it.

    ``token_id``: the token is good once, until ``expires``; without one until then.
    """

    issuer: str
    subject: str
    name: str
    issued: int
    expires: int
    token_id: str | None = None
    email: str | None = None
    badge: str | None = None
    role: str | None = None
    trust: int | None = None
    picture: str | None = None


def verified(token: Compact, claims: Mapping[str, Json], issuer: Issuer, key: Key, now: datetime) -> Assertion:
    """What a token says that ``key`` signed; ``claims`` are its payload.

    Raises TokenError where it did not, or one of them is not right.
    """
    key.verify(token)
    return read(claims, issuer, now)


def read(claims: Mapping[str, Json], issuer: Issuer, now: datetime) -> Assertion:
    """The claims of a token whose signature is good. Raises TokenError."""
    if claims.get("iss") != issuer.iss:
        raise TokenError("iss is not the issuer's")
    if claims.get("aud") != issuer.site:
        raise TokenError(f"aud is not {issuer.site!r}, the key of the site, as a text")
    issued, expires = _span(claims, issuer.life, now.timestamp())
    return Assertion(
        issuer=issuer.iss,
        subject=_line(claims, "sub", SUBJECT_LENGTH),
        name=_name(claims),
        issued=issued,
        expires=expires,
        token_id=_line(claims, "jti", SUBJECT_LENGTH) if "jti" in claims else None,
        email=_email(claims),
        badge=_one_of(claims, "badge", issuer.badges - {MODERATOR}),
        role=_one_of(claims, "role", issuer.roles & ROLES),
        trust=_trust(claims, issuer.trust),
        picture=_picture(claims, issuer.picture_hosts),
    )


def _span(claims: Mapping[str, Json], life: int, now: float) -> tuple[int, int]:
    issued, expires = _seconds(claims, "iat"), _seconds(claims, "exp")
    begins = _seconds(claims, "nbf") if "nbf" in claims else issued
    if max(issued, begins) > now + AHEAD_SECONDS:
        raise TokenError(f"iat or nbf is more than {AHEAD_SECONDS} s ahead of the clock here")
    if expires <= now:
        raise TokenError("it is over: exp has passed")
    if not issued < expires <= issued + min(life, LONGEST_LIFE_SECONDS):
        raise TokenError(f"exp is not within {life:,} s after iat")
    return issued, expires


def _seconds(claims: Mapping[str, Json], name: str) -> int:
    found = claims.get(name)
    if type(found) is not int or found < 0:
        raise TokenError(f"{name} is missing or no whole number of seconds")
    return found


def check_subject(given: str) -> None:
    """Whether a token could have it for its subject. Raises empty, too_long, malformed."""
    if not given:
        raise Problem(ErrorCode.empty, "Please say whom the issuer means.", field="subject")
    if len(given) > SUBJECT_LENGTH:
        raise Problem(ErrorCode.too_long, f"A subject has at most {SUBJECT_LENGTH} characters.", field="subject")
    # what is no UTF-8 in an address has become U+FFFD
    if any(character == "\ufffd" or unicodedata.category(character) in ("Cc", "Cs") for character in given):
        raise Problem(ErrorCode.malformed, "A subject is UTF-8 without control characters.", field="subject")


def _line(claims: Mapping[str, Json], name: str, longest: int) -> str:
    """A text of one to ``longest`` characters, none of them a control character."""
    found = claims.get(name)
    if not isinstance(found, str) or not 0 < len(found) <= longest:
        raise TokenError(f"{name} is missing or no text of 1 to {longest} characters")
    if any(unicodedata.category(character) == "Cc" for character in found):
        raise TokenError(f"{name} has control characters")
    return found


def _name(claims: Mapping[str, Json]) -> str:
    found = claims.get("name")
    if not isinstance(found, str):
        raise TokenError("name is missing or no text")
    try:
        return clean_name(found, "name")
    except Problem as problem:
        raise TokenError(f"name cannot be shown: {problem.detail}") from problem


def _email(claims: Mapping[str, Json]) -> str | None:
    """The address, where ``email_verified`` is ``true``; a text that says so is none."""
    found = claims.get("email")
    if found is None or claims.get("email_verified") is not True:
        return None
    if not isinstance(found, str) or not _EMAIL.fullmatch(found):
        raise TokenError("email is no address")
    return found


def _one_of(claims: Mapping[str, Json], name: str, allowed: frozenset[str]) -> str | None:
    found = claims.get(name)
    if found is None:
        return None
    if not isinstance(found, str) or found not in allowed:
        raise TokenError(f"{name} is none that this issuer may give")
    return found


def _trust(claims: Mapping[str, Json], most: int) -> int | None:
    found = claims.get("trust")
    if found is None:
        return None
    if type(found) is not int or not 0 <= found <= min(most, MOST_TRUST):
        raise TokenError("trust is no number that this issuer may give")
    return found


def _picture(claims: Mapping[str, Json], hosts: frozenset[str]) -> str | None:
    found = claims.get("picture")
    if found is None:
        return None
    if not isinstance(found, str) or not found.startswith("https://") or not is_web_address(found):
        raise TokenError("picture is no https address")
    if urlsplit(found).hostname not in hosts:
        raise TokenError("picture is at no host that this issuer may name")
    return found
