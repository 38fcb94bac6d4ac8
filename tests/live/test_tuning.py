"""The numbers that the product has; other tests pass others, or move the clock by these."""

from __future__ import annotations

from dataclasses import asdict

from tertulia.live.tuning import DEFAULT, Tuning

MIB = 1024 * 1024


def test_numbers() -> None:
    assert Tuning() == DEFAULT
    assert asdict(DEFAULT) == {
        "slice": 256,
        "page": 500,
        "tick_seconds": 0.15,
        "calm_seconds": 10.0,
        "stall_seconds": 15.0,
        "writing_seconds": 6.0,
        "events": 512,
        "events_bytes": 4 * MIB,
        "frames": 64,
        "frames_bytes": 16 * MIB,
        "total_bytes": 32 * MIB,
        "readers_seconds": 1.0,
        "peers_seconds": 2.0,
        "repeat_seconds": 60.0,
        "expiry_seconds": 180.0,
        "requests_per_second": 500,
        "housekeeping_seconds": 1.0,
        "reconcile_seconds": 5.0,
        "degraded_seconds": 1.0,
        "unverified_seconds": 0.5,
        "grace_seconds": 30.0,
        "empty_rooms": 500,
    }


def test_one_backlog_never_evicts_itself() -> None:
    """While a frame is made of its events; see MAX_FRAMES_BYTES."""
    assert DEFAULT.events_bytes + DEFAULT.frames_bytes < DEFAULT.total_bytes
