"""Whether a server is set up rightly: what is tried, what was found, and what to do about it. Nothing is changed.

local    what the settings name: database, disk, origins, Redis
remote   the address that readers use: TLS, clock, proxies, compression, live connections
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from tertulia.doctor.finding import Finding, Verdict
from tertulia.doctor.local import examine_settings
from tertulia.doctor.remote import examine_url
from tertulia.settings import Settings

__all__ = ["Finding", "Verdict", "examine"]


async def examine(settings: Settings, url: str | None, *, quick: bool = False) -> AsyncIterator[Finding]:
    """Everything, as it is found; ``quick`` watches no idle connection; without ``url`` no network is used."""
    async for finding in examine_settings(settings):
        yield finding
    if url is not None:
        async for finding in examine_url(settings, url, quick=quick):
            yield finding
