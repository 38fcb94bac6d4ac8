"""A real SMTP server on a port of this machine, which keeps what it is sent or refuses as it is told."""

from __future__ import annotations

import asyncio
import re
import ssl
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope


@dataclass
class MailServer:
    """``answers`` are what it says to the next messages, one each; to those after them ``250 OK``."""

    port: int = 0
    mail: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    signed_in: list[tuple[str, str]] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    is_tls: list[bool] = field(default_factory=list)
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"

    async def handle_DATA(self, server: SMTP, _session: Any, envelope: Envelope) -> str:
        answer = self.answers.pop(0) if self.answers else "250 OK"
        async with self.arrived:
            if answer.startswith("250"):
                assert isinstance(envelope.original_content, bytes)
                message = message_from_bytes(envelope.original_content, policy=policy.default)
                assert isinstance(message, EmailMessage)
                self.mail.append(message)
                self.recipients.append(list(envelope.rcpt_tos))
                assert server.transport is not None
                self.is_tls.append(server.transport.get_extra_info("ssl_object") is not None)
            self.arrived.notify_all()
        return answer

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        self.signed_in.append((given.login.decode(), given.password.decode()))
        return AuthResult(success=True)

    async def received(self, count: int) -> list[EmailMessage]:
        """All that has arrived, once it is so many."""
        async with self.arrived:
            await self.arrived.wait_for(lambda: len(self.mail) >= count)
        return self.mail

    async def code(self, since: int) -> str:
        """The one in the subject of the mail after so many."""
        mail = await self.received(since + 1)
        found = re.search(r"\d{6}", mail[since]["Subject"])
        assert found is not None
        return found[0]


@asynccontextmanager
async def mail_server(
    tls: ssl.SSLContext | None = None, *, is_tls_at_once: bool = False, asks_who: bool = False
) -> AsyncIterator[MailServer]:
    """``tls``: it offers STARTTLS, or speaks TLS from the first byte."""
    made = MailServer()

    def protocol() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # it takes TLS from the first byte for none
            return SMTP(
                made,
                hostname="mail.test",
                tls_context=None if is_tls_at_once else tls,
                authenticator=made.authenticate if asks_who else None,
                auth_require_tls=not is_tls_at_once,
                auth_required=asks_who,
            )

    loop = asyncio.get_running_loop()
    server = await loop.create_server(protocol, "127.0.0.1", 0, ssl=tls if is_tls_at_once else None)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await server.wait_closed()
