"""Mail, by the SMTP server that the operator names.

smtp://   STARTTLS before anything is said (RFC 3207); plain to this machine and to hosts that are listed as private
smtps://  TLS from the first byte (RFC 8314)
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Iterable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import parseaddr
from urllib.parse import unquote, urlsplit

from tertulia.core.addresses import parse
from tertulia.errors import StartupError

SECONDS = 20.0
"""For one message: connection, TLS, sign-in and delivery."""
_PORTS = {"smtp": 587, "smtps": 465}
_EXAMPLES = "smtps://USER:PASSWORD@HOST or smtp://HOST:587"


class MailError(Exception):
    """The message was not taken. ``is_final`` where it never will be; the reason names no address."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        super().__init__(reason)
        self.is_final = is_final


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail goes out. ``is_plain``: it does not leave a network that is trusted."""

    host: str
    port: int
    is_tls: bool
    is_plain: bool
    username: str | None
    password: str | None


class Mailer:
    """Sends one message a connection, as ``sender``: ``Name <address>`` or an address alone.

    ``private_hosts`` are listed as ``host`` or ``host:port``; ``tls`` is for tests, whose servers have certificates of
    their own. Raises StartupError where the URL or the sender is none.
    """

    def __init__(
        self,
        url: str,
        sender: str,
        private_hosts: Iterable[str] = (),
        *,
        tls: ssl.SSLContext | None = None,
        seconds: float = SECONDS,
    ) -> None:
        self._tls = tls
        self._seconds = seconds
        self._server = _read(url, frozenset(private_hosts))
        name, self._address = parseaddr(sender)
        local, at, self.domain = self._address.rpartition("@")
        if not (local and at and self.domain) or not self._address.isascii():
            raise StartupError("TERTULIA_MAIL_FROM: write it as 'News <comments@news.example>'")
        self.sender = sender if name else self._address

    async def send(self, message: EmailMessage, recipient: str) -> None:
        """Hands a message over to one address, whatever its headers say. Raises MailError."""
        from aiosmtplib import SMTPException, send  # 40 ms that a server without mail does not need

        server = self._server
        try:
            async with asyncio.timeout(self._seconds):
                await send(
                    message,
                    sender=self._address,
                    recipients=[recipient],
                    hostname=server.host,
                    port=server.port,
                    use_tls=server.is_tls,
                    start_tls=None if server.is_tls else not server.is_plain,
                    username=server.username,
                    password=server.password,
                    tls_context=self._tls,
                    local_hostname=self.domain,
                    timeout=self._seconds,
                )
        except TimeoutError as error:
            raise MailError(f"the mail server did not take it in {self._seconds:g} s") from error
        except (SMTPException, OSError, ValueError) as error:
            raise _failure(error) from error


def _failure(error: Exception) -> MailError:
    """What a server says may repeat the address: only its number and the kind of failure are kept."""
    code = _reply_code(error)
    if code is None:
        return MailError(f"the mail server could not be asked: {type(error).__name__}")
    # only what it says of the message or the address is final: what it says of us, an operator may mend
    is_final = 500 <= code < 600 and type(error).__name__ in _FINAL
    return MailError(f"the mail server refused it with {code}: {type(error).__name__}", is_final=is_final)


_FINAL = ("SMTPRecipientsRefused", "SMTPRecipientRefused", "SMTPDataError")


def _reply_code(error: Exception) -> int | None:
    each = getattr(error, "recipients", None)
    if isinstance(each, list) and each:
        return _reply_code(each[0])
    code = getattr(error, "code", None)
    return code if isinstance(code, int) and code > 0 else None


def _read(url: str, private_hosts: frozenset[str]) -> MailServer:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError) as error:
        raise StartupError(f"TERTULIA_SMTP_URL cannot be read; it looks like {_EXAMPLES}") from error
    host = (parts.hostname or "").lower()
    if not host or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise StartupError(f"TERTULIA_SMTP_URL cannot be read; it looks like {_EXAMPLES}")
    is_private = bool({host, f"{host}:{port}"} & private_hosts) or _is_this_machine(host)
    secrets = (None if given is None else unquote(given) for given in (parts.username, parts.password))
    return MailServer(host, port, parts.scheme == "smtps", is_private and parts.scheme == "smtp", *secrets)


def _is_this_machine(host: str) -> bool:
    address = parse(host)
    return host == "localhost" or (address is not None and address.is_loopback)
