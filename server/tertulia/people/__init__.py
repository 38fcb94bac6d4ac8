"""People who are signed in: ways in, sessions, and what is one's own.

sessions     opening one, seeing and ending one's own, one's name
site_tokens  signing in by a token of the site's own server
names        whose they were before names were noted
issuers      whose tokens those are, as the database has it
staff        what owners and moderators do on their own pages
staff_ways   how these sign in, but for links and tokens
action_log   what was decided, as lines of JSON
signing_in   signing in at a provider: there, and back with a code
email_codes  signing in by a code that is sent by mail
mailboxes    addresses, as they are kept and compared
clock        the time by which tokens of others are judged
providers    what is asked of providers, and what they say
"""

from tertulia.people.clock import SharedClock
from tertulia.people.email_codes import EMAIL, EmailCodes
from tertulia.people.issuers import SITE_ISSUER, site_issuers
from tertulia.people.mailboxes import Mailboxes
from tertulia.people.names import taking_names
from tertulia.people.providers import PROVIDER, Failure, Providers
from tertulia.people.providers.provider import Response as ProviderResponse
from tertulia.people.sessions import (
    SESSION_DAYS,
    SITE_SESSION_HOURS,
    Claim,
    People,
    SignInMethod,
    SignInMethods,
)
from tertulia.people.signing_in import PROVIDER_CODE, HandOver, ProviderSignIns, SignInError, SignInWish
from tertulia.people.site_tokens import SITE_JWT, by_site_token
from tertulia.people.staff import Staff, StaffMember
from tertulia.people.staff_ways import StaffWays, member_named

__all__ = [
    "EMAIL",
    "PROVIDER",
    "PROVIDER_CODE",
    "SESSION_DAYS",
    "SITE_ISSUER",
    "SITE_JWT",
    "SITE_SESSION_HOURS",
    "Claim",
    "EmailCodes",
    "Failure",
    "HandOver",
    "Mailboxes",
    "People",
    "ProviderResponse",
    "ProviderSignIns",
    "Providers",
    "SharedClock",
    "SignInError",
    "SignInMethod",
    "SignInMethods",
    "SignInWish",
    "Staff",
    "StaffMember",
    "StaffWays",
    "by_site_token",
    "member_named",
    "site_issuers",
    "taking_names",
]
