"""People who are signed in: ways in, sessions, and what is one's own.

sessions  opening one, seeing and ending one's own, one's name
"""

from tertulia.people.sessions import (
    SESSION_DAYS,
    SITE_SESSION_HOURS,
    Claim,
    People,
    SignInMethod,
    SignInMethods,
)

__all__ = ["SESSION_DAYS", "SITE_SESSION_HOURS", "Claim", "People", "SignInMethod", "SignInMethods"]
