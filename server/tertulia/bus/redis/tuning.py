"""The numbers of the bus: how long it waits, and how much it keeps."""

from __future__ import annotations

from dataclasses import dataclass

from tertulia.bus.redis.connections import REPLY_TIMEOUT

MAX_PENDING_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class BusTuning:
    """Times are in seconds. Tests change them; nobody else has had a reason to."""

    heartbeat: float = 5.0
    peer_timeout: float = 15.0
    """An instance that was silent for so long, three heartbeats, is taken for dead: its readers are not counted."""
    max_peers: int = 1_000
    unverified_shown: float = 60.0
    """How long a message that is not believed counts as lately; of many there is a log line as often."""
    max_pending_messages: int = 10_000
    max_pending_bytes: int = MAX_PENDING_BYTES
    reply_timeout: float = REPLY_TIMEOUT
    """For what is published and subscribed to; a batch that is not answered in time is lost."""
    sentinel_watch: float = 5.0
    """How often sentinels are asked, while connected, whether the master is still the same."""
    cluster_refresh: float = 5.0
    """How often a cluster is asked who owns what; at once when a link fails."""


DEFAULT = BusTuning()
