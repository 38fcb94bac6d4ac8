"""Programs of sites: requests that would be granted to one, and all that spoils them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from tertulia.core.scopes import TokenScope
from tertulia.errors import ErrorCode
from tertulia.identity import new_site_token
from tests.api.spoiling import Case, Good

END_ACCOUNT = Good("DELETE", "/people/{issuer}/{subject:path}/sessions", token="program")
_REFUSED = ErrorCode.forbidden


def cases(taken: Iterable[tuple[Good, TokenScope]], untaken: Iterable[Good]) -> Iterator[Case]:
    """``taken`` are requests that a program may make, each with the scope for it; the others take no such token."""
    for good, scope in taken:
        asking = replace(good, token="program")
        for other in (one for one in TokenScope if one is not scope):
            yield asking.spoilt(f"a program good for {other}", _REFUSED, token=f"{other} program")
        yield from _nobodys(asking)
        yield asking.spoilt("a program of another site", *_elsewhere(asking), token="second program")
    for good in untaken:
        yield good.spoilt("a program", ErrorCode.unauthenticated, token="program")
    yield from _accounts()


def _elsewhere(good: Good) -> tuple[ErrorCode]:
    # at its own site there is no such issuer
    return (ErrorCode.not_found if good.path == END_ACCOUNT.path else _REFUSED,)


def _nobodys(good: Good) -> Iterator[Case]:
    for name, token in {
        "never made": new_site_token().token,
        "with NUL": "tk_" + "a" * 20 + "%00",
        "empty": "tk_",
        "long": "tk_" + "a" * 3000,
    }.items():
        header = (("Authorization", f"Bearer {token}"),)
        yield good.spoilt(f"a site's token {name}", ErrorCode.unauthenticated, token=None, more_headers=header)


def _accounts() -> Iterator[Case]:
    yield END_ACCOUNT.spoilt("nobody", ErrorCode.unauthenticated, token=None)
    for who in ("lan", "member", "moderator"):
        yield END_ACCOUNT.spoilt(who, _REFUSED, token=who)
    for issuer in ("nowhere", "WEBSITE", "%00", "%FF", "website%00", "https:%2F%2Fnews.example", "a" * 3000):
        yield END_ACCOUNT.spoilt(f"issuer {issuer[:20]}", ErrorCode.not_found, issuer=issuer)
    for name, subject, code in (
        ("no subject", "", ErrorCode.empty),
        ("a subject of 256", "a" * 256, ErrorCode.too_long),
        ("a subject of 3,000", "%E1%BB%99" * 3_000, ErrorCode.too_long),
        ("NUL in the subject", "a%00b", ErrorCode.malformed),
        ("a line end in the subject", "a%0Ab", ErrorCode.not_found),
        ("no UTF-8 in the subject", "%FF%FE", ErrorCode.malformed),
        ("half a pair in the subject", "%ED%A0%80", ErrorCode.malformed),
    ):
        yield END_ACCOUNT.spoilt(name, code, subject=subject)
    yield END_ACCOUNT.spoilt("a site for a parameter", ErrorCode.unknown_field, params=(("site", "default"),))
