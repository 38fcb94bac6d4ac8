"""People who are signed in: ways in, sessions, and what is one's own.

sessions     opening one, seeing and ending one's own, one's name
site_tokens  signing in by a token of the site's own server
"""

from tertulia.people.sessions import (
    SESSION_DAYS,
    SITE_SESSION_HOURS,
    Claim,
    People,
    SignInMethod,
    SignInMethods,
)
from tertulia.people.site_tokens import SITE_JWT, by_site_token

__all__ = [
    "SESSION_DAYS",
    "SITE_JWT",
    "SITE_SESSION_HOURS",
    "Claim",
    "People",
    "SignInMethod",
    "SignInMethods",
    "by_site_token",
]
