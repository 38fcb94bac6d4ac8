"""E-mail addresses of people: compared under a keyed hash, kept sealed, and never shown."""

from __future__ import annotations

import hmac

from tertulia.errors import ErrorCode, Problem
from tertulia.identity.sealing import Sealing
from tertulia.store.commands import Mailbox


class Mailboxes:
    """``key`` is at least 32 bytes."""

    def __init__(self, sealing: Sealing, key: bytes) -> None:
        self._sealing = sealing
        self._key = key

    def of(self, email: str) -> Mailbox:
        """That of an address in its normal form."""
        return Mailbox(self.hash(email), self._sealing.seal(email.encode("ascii")))

    def vouched(self, email: str | None) -> Mailbox | None:
        """That of an address as a provider says it; None where it says none that mail can be sent to."""
        try:
            return None if email is None else self.of(normal_email(email))
        except Problem:
            return None

    def hash(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256").hex()


def normal_email(given: str) -> str:
    """An address in the form in which it is compared: lower case, its domain in ASCII. Raises invalid.

    Whether its domain takes mail is not asked: that would take the time of a stranger's server.
    """
    from email_validator import EmailNotValidError, validate_email  # 50 ms that a server without mail does not need

    try:
        if "=?" in given:  # a part of a header would be read as encoded there (RFC 2047), and be another address
            raise EmailNotValidError
        found = validate_email(given.strip(), check_deliverability=False, allow_smtputf8=False, strict=True)
    except EmailNotValidError as error:
        detail = "Mail cannot be sent to this address; write it as name@example.com."
        raise Problem(ErrorCode.invalid, detail, field="email") from error
    return f"{found.ascii_local_part}@{found.ascii_domain}".lower()
