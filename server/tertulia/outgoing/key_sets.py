"""The keys that issuers publish, fetched: https alone, whatever else the operator allows, and an answer of its own."""

from __future__ import annotations

from tertulia.identity.key_address import Fetch, FetchError
from tertulia.outgoing.client import Outgoing, OutgoingError

SECONDS = 5.0


def fetching(outgoing: Outgoing) -> Fetch:
    """What fetches key sets with this client."""

    async def fetch(url: str) -> bytes:
        if not url.startswith("https://"):
            raise FetchError("The address of keys has to begin with https://.")
        try:
            reply = await outgoing.request(
                "GET", url, headers={"Accept": "application/jwk-set+json, application/json"}, seconds=SECONDS
            )
        except OutgoingError as error:
            raise FetchError(str(error)) from error
        if reply.status != 200:
            raise FetchError(f"The answer has the status {reply.status}.")
        return reply.body

    return fetch
