"""Requests that this server makes: one guarded client, whoever named the address.

Whoever may name an address could otherwise have us ask our own network: a database, a cloud's metadata, a neighbour.

destinations  which hosts, ports and addresses may be asked
network       resolves, and connects to the very address that was checked
client        one deadline, one limit; no redirects, cookies, proxies
key_sets      the keys that issuers of tokens publish
"""

from __future__ import annotations

from tertulia.outgoing.client import Outgoing, OutgoingError, Reply

__all__ = ["Outgoing", "OutgoingError", "Reply"]
