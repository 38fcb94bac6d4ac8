"""Signing in by a code that is sent to an e-mail address.

POST /codes ──▶ a challenge, and a task that sends the code ──▶ POST /sessions {"grant": "email", challenge, code}

Whether an address is known is never said: what answers has not looked.
"""

from __future__ import annotations

import json
import secrets
import unicodedata
from collections import Counter
from datetime import timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial

from tertulia import languages, protocol
from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import token_hash, utc_now
from tertulia.identity.issuers import MAILBOXES
from tertulia.identity.sealing import SealError, Sealing
from tertulia.limits import PostingLimits, Write
from tertulia.outgoing.mail import Mailer, MailError
from tertulia.people.mailboxes import Mailboxes, normal_email
from tertulia.people.sessions import Claim, SignInMethod
from tertulia.store import Store
from tertulia.store.challenges import (
    CODE_SECONDS,
    EMAIL_CODES,
    AskForCode,
    CodeTried,
    TryCode,
    code_to_send,
    sent_to,
)
from tertulia.store.commands import Spent
from tertulia.work import Job, Queue
from tertulia.work.queues import RefusedError

AS_READER = ""
"""What a code is for that a reader asks for: it opens a session of readers. Each other purpose has codes of its own."""
EMAIL = "email"
"""What a request for a session calls it."""
DIGITS = 6
MAILS_AT_ONCE = 4
_MINUTE = timedelta(minutes=1)


class EmailCodes:
    """``site_name`` is in the mail. ``counts`` has how many codes were asked for, sent, wrong and right."""

    def __init__(
        self,
        store: Store,
        mailer: Mailer,
        sealing: Sealing,
        mailboxes: Mailboxes,
        limits: PostingLimits,
        site_name: str,
    ) -> None:
        self._store = store
        self._mailer = mailer
        self._sealing = sealing
        self._mailboxes = mailboxes
        self._limits = limits
        self._site_name = site_name
        self.counts: Counter[str] = Counter()

    async def ask(self, new: protocol.NewCode, client: str | None, purpose: str = AS_READER) -> protocol.CodeSent:
        """Has a code sent that is good for ``purpose`` alone. Raises invalid, unknown_site, rate_limited."""
        email = normal_email(new.email)
        await self._limits.count(f"site:{new.site}", client, Write.email_code)
        id_, code = uuid7(), "".join(str(secrets.randbelow(10)) for _ in range(DIGITS))
        told = [email, code] if purpose == AS_READER else [email, code, "staff"]
        sealed = self._sealing.seal(json.dumps(told).encode())
        language = languages.language(new.lang or "").tag
        await self._store.write(
            AskForCode(
                id_,
                new.site,
                self._mailboxes.hash(email),
                sealed,
                self._code_hash(id_, code, purpose),
                language,
                utc_now(),
            )
        )
        self.counts["asked"] += 1
        return protocol.CodeSent(challenge=id_, expires_in=CODE_SECONDS)

    def by_code(self) -> SignInMethod:
        """The way in of ``{"grant": "email", "challenge": …, "code": …}``; ``name`` for whoever is new here."""

        async def vouch(new: protocol.NewSession, _origin: str | None) -> Claim:
            return await self.claim(new, AS_READER)

        return vouch

    async def claim(self, new: protocol.NewSession, purpose: str) -> Claim:
        """Whose mailbox a code that was sent for ``purpose`` proves. Raises invalid, bad_code, spent, rate_limited."""
        id_, code = new.challenge or "", _digits(new.code or "")
        email = self._address(tried := await self._tried(id_, new.site, code, purpose))
        # spent in the transaction that opens the session: until then a name that is taken can be tried again
        assert tried.expires_at is not None  # noqa: S101 - it was right
        return Claim(
            MAILBOXES,
            email,
            new.name,
            EMAIL,
            once=Spent(token_hash(f"{EMAIL}\0{id_}"), tried.expires_at),
            mailbox=self._mailboxes.of(email),
            has_chosen=new.name is not None,
            on_opened=lambda: self._count("right"),
        )

    def queue(self) -> Queue:
        """The work of sending codes. What is over is forgotten with the sign-ins at providers, mail or no mail."""
        return Queue(EMAIL_CODES, self._send, at_once=MAILS_AT_ONCE)

    async def _tried(self, id_: str, site: str, code: str, purpose: str) -> CodeTried:
        address = await self._store.read(sent_to, id_)
        if address is None:
            return CodeTried(None)
        return await self._store.write(TryCode(id_, site, address, self._code_hash(id_, code, purpose), utc_now()))

    def _code_hash(self, id_: str, code: str, purpose: str) -> str:
        """With the purpose in it, a code that was sent for another one is as wrong as any."""
        return self._mailboxes.hash(f"{id_}\0{code}" if purpose == AS_READER else f"{id_}\0{code}\0{purpose}")

    def _count(self, outcome: str) -> None:
        self.counts[outcome] += 1

    def _address(self, tried: CodeTried) -> str:
        """Raises bad_code, spent."""
        if tried.sealed is not None:
            try:
                address, *_ = json.loads(self._sealing.opened(tried.sealed))
            except SealError as error:
                raise _over() from error
            return str(address)
        self.counts["wrong"] += 1
        if tried.left is None:
            raise _over()
        detail = "That code does not match the one in the email; please check it."
        raise Problem(ErrorCode.bad_code, detail, field="code", left=tried.left)

    async def _send(self, job: Job) -> None:
        """At least once: with the same id, by which most mail programs show one."""
        id_ = str(job.payload["challenge"])
        found = await self._store.read(code_to_send, id_, utc_now())
        if found is None:
            return
        try:
            address, code, *kind = json.loads(self._sealing.opened(found.sealed))
        except SealError as error:
            raise RefusedError(str(error)) from error
        say = partial(languages.language(found.language).translate, site=self._site_name)
        message = EmailMessage()
        message["From"], message["To"] = self._mailer.sender, address
        message["Subject"] = say("mail.code.subject", code=code)
        message["Date"] = format_datetime(found.at)
        message["Message-ID"] = f"<{id_}@{self._mailer.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message["Content-Language"] = found.language
        lines = (
            say("mail.code.text_staff" if kind else "mail.code.text", code=code),
            say("mail.code.minutes", n=max(1, round(found.left / _MINUTE))),
            say("mail.code.not_you"),
        )
        message.set_content("\n\n".join(lines) + "\n")
        try:
            await self._mailer.send(message, address)
        except MailError as error:
            if error.is_final:
                raise RefusedError(str(error)) from error
            raise
        self.counts["sent"] += 1


def _digits(given: str) -> str:
    """Those of a code, however they are written and set apart; what cannot be one is no guess. Raises invalid."""
    digits = "".join(str(unicodedata.decimal(one)) for one in given if one.isdecimal())
    if len(digits) != DIGITS or any(one.isalpha() for one in given):
        raise Problem(ErrorCode.invalid, f"The code has {DIGITS} digits.", field="code")
    return digits


def _over() -> Problem:
    return Problem(ErrorCode.spent, "This code has expired; please request a new one.")
