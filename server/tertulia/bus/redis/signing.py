"""Signatures: a message is believed if its keyed hash is right, not because it came from Redis.

    32 hexadecimal digits of BLAKE2b over (channel, message), a line break, the message

Probes are not signed: each is a random number that only its sender knows, and that counts once.
"""

from __future__ import annotations

from hashlib import blake2b
from hmac import compare_digest

from tertulia.bus.redis.wire import MAX_MESSAGE_BYTES

DIGEST_BYTES = 16
"""128 bits: nobody guesses one, and a message grows by 33 bytes."""
OVERHEAD = 2 * DIGEST_BYTES + 1


class Unverified(Exception):
    """Nobody who has the key signed this."""


class Signer:
    """Signs and verifies with ``key``, 16 to 64 bytes that all instances of one database share."""

    def __init__(self, key: bytes) -> None:
        # copied for each message, which saves hashing the key's block again
        self._keyed = blake2b(key=key, digest_size=DIGEST_BYTES, person=b"tertulia bus")

    def sign(self, channel: str, data: bytes) -> bytes:
        return b"%b\n%b" % (self._signature(channel, data), data)

    def verify(self, channel: str, data: bytes) -> bytes:
        """The message without its signature. Raises Unverified."""
        if len(data) > MAX_MESSAGE_BYTES + OVERHEAD:
            raise Unverified
        signature, _, message = data.partition(b"\n")
        if not compare_digest(signature, self._signature(channel, message)):
            raise Unverified
        return message

    def _signature(self, channel: str, data: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(b"%b\n" % channel.encode())  # no channel has a line break, so nothing moves from one to the other
        keyed.update(data)
        return keyed.hexdigest().encode()
