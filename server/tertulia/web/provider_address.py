"""Where a page of this server sends somebody who signs in at a provider, and for what."""

from __future__ import annotations

from urllib.parse import quote, urlencode


def provider_address(provider: str, site: str, return_to: str, purpose: str) -> str:
    """``return_to`` is the page of this server to go on to, ``purpose`` names what the way ends in."""
    query = {"site": site, "as": purpose, "return": return_to}
    return f"/signin/{quote(provider, safe='')}?{urlencode(query)}"
