"""The issuers of tokens as the database has them."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence

from pydantic import ValidationError

from tertulia.identity.issuers import IssuerConfig, StoredIssuer
from tertulia.logs import Sparing
from tertulia.store import Store
from tertulia.store.issuers import IssuerRow, issuers

SITE_ISSUER = "jwt"
"""The kind of a row whose tokens a site's own server signs."""

log = logging.getLogger(__name__)
_sparing = Sparing(log)


def site_issuers(store: Store) -> Callable[[], Awaitable[Sequence[StoredIssuer]]]:
    """What reads those of all sites. One that a later version wrote, and this one does not understand, is left out."""

    async def read() -> Sequence[StoredIssuer]:
        rows = await store.read(issuers, SITE_ISSUER)
        return [stored for row in rows if (stored := understood(row)) is not None]

    return read


def understood(row: IssuerRow) -> StoredIssuer | None:
    try:
        return StoredIssuer(row.site, row.name, IssuerConfig.model_validate(row.config), row.sealed)
    except ValidationError as error:
        about = {"site": row.site, "issuer": row.name, "reason": str(error.errors()[0]["msg"])}
        _sparing.error("An issuer cannot be read; add it again: tertulia issuer add", (row.site, row.name), **about)
        return None
