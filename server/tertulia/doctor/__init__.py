"""Whether a server is set up rightly: what is tried, what was found, and what to do about it. Nothing is changed.

local    what the settings name: database, disk, origins, Redis
remote   the address that readers use: TLS, clock, proxies, compression, live connections
page     a page that embeds discussions: its attributes, and whether it may read
"""

from __future__ import annotations

from collections.abc import AsyncIterator

from tertulia.doctor.finding import Finding, Verdict
from tertulia.doctor.local import examine_settings
from tertulia.doctor.page import examine_page
from tertulia.doctor.remote import examine_url
from tertulia.settings import Settings

__all__ = ["Finding", "Verdict", "examine"]


async def examine(
    settings: Settings, url: str | None, *, page: str | None = None, quick: bool = False
) -> AsyncIterator[Finding]:
    """Everything, as it is found; ``quick`` watches no idle connection; no network without ``url`` and ``page``.

    ``page`` is the address of one that embeds discussions.
    """
    async for finding in examine_settings(settings):
        yield finding
    if url is not None:
        async for finding in examine_url(settings, url, quick=quick):
            yield finding
    if page is not None:
        async for finding in examine_page(page, url):
            yield finding
