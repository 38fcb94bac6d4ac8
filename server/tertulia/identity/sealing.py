"""Secrets as the database keeps them: sealed with a key that is not in it, so that a copy of it signs for nobody."""

from __future__ import annotations

import base64

from tertulia.identity.tokens import derived_key


class SealError(ValueError):
    """What is stored was sealed with another secret key, or is damaged."""


class Sealing:
    """Seals with Fernet, under a key that the server's own secret gives for this alone.

    cryptography is loaded with the first secret.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = base64.urlsafe_b64encode(derived_key(secret, "sealing"))

    def seal(self, raw: bytes) -> str:
        from cryptography.fernet import Fernet

        return Fernet(self._key).encrypt(raw).decode("ascii")

    def opened(self, sealed: str) -> bytes:
        """Raises SealError."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            return Fernet(self._key).decrypt(sealed)
        except InvalidToken as error:
            raise SealError("it was sealed with another secret key of the server, or is damaged") from error
