"""Signing in at a provider, from a page of another site, which never sees a secret of ours nor a cookie.

the page ──▶ begin ──▶ the provider ──▶ finish ──▶ a code, by the browser ──▶ the page ──▶ POST /sessions

Whoever has the code needs the page's verifier, and whoever has the verifier the code: a link that a stranger made
brings the code to the page, and a code that a stranger got is of no page's making.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import logging
import re
import secrets
from collections import Counter
from collections.abc import Collection
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from tertulia import protocol
from tertulia.core.text import is_web_address
from tertulia.errors import ErrorCode, Problem
from tertulia.identity import token_hash, utc_now
from tertulia.identity.providers import StoredProvider
from tertulia.identity.sealing import SealError, Sealing
from tertulia.limits import PostingLimits, Write
from tertulia.logs import Sparing
from tertulia.people.mailboxes import Mailboxes
from tertulia.people.providers import Failure, ProviderError, Providers
from tertulia.people.providers.provider import Errand, NamedPerson, Response, Return, challenge_of
from tertulia.people.sessions import Claim, SignInMethod
from tertulia.store import Store
from tertulia.store.commands import Spent
from tertulia.store.sign_ins import (
    BeginSignIn,
    GiveSignInCode,
    SignInBegun,
    SignInCode,
    SweepSignIns,
    TakeSignIn,
    sign_in_code,
)
from tertulia.work import Job, Queue
from tertulia.work.queues import HOUR

PROVIDER_CODE = "code"
"""What a request for a session calls it."""
BROWSER_COOKIE = "tertulia-signin"
"""Under what name a browser keeps what ties its ways to it."""
WAY_SECONDS = 600
"""How long somebody may be at a provider."""
CODE_SECONDS = 60
"""How long the page has to turn a code into a session."""
ANSWER_SECONDS = 15.0
"""For all that is asked of a provider when somebody comes back."""
LINES_A_MINUTE = 30
"""Of the log about as many causes; strangers can make some up."""
RANDOM = re.compile(r"[A-Za-z0-9_-]{43}")
"""32 bytes: a state, a challenge, and what a browser keeps."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SignInWish:
    """What a page asks for, as it says it: nothing of it is checked yet."""

    site: str
    provider: str
    state: str
    challenge: str
    return_to: str
    language: str


@dataclass(frozen=True, slots=True)
class Sent:
    """Where the browser goes, and what it keeps meanwhile."""

    address: str
    browser: str


@dataclass(frozen=True, slots=True)
class HandOver:
    """What the page gets, and where it is; ``challenge`` is the one that it began with."""

    code: str
    challenge: str
    site: str
    state: str
    origin: str
    return_to: str
    language: str

    @property
    def back(self) -> str:
        """The page's address with what it gets: nobody but the page is sent a fragment."""
        return f"{self.return_to}#tertulia={self.code}.{self.state}"


class SignInError(Exception):
    """Nobody is signed in, and nothing is kept. ``return_to`` is the page, where it is known to be one of the site."""

    def __init__(self, failure: Failure, return_to: str | None = None, label: str = "", language: str = "") -> None:
        super().__init__(str(failure))
        self.failure = failure
        self.return_to = return_to
        self.label = label
        self.language = language


@dataclass(frozen=True, slots=True)
class _Person:
    """What is sealed until the page comes with its code; ``email`` where people are told by it, too."""

    issuer: str
    via: str
    subject: str
    name: str
    email: str | None


class ProviderSignIns:
    """The ways to the providers of all sites, and back. ``begun`` and ``ended``, by outcome, are counted."""

    def __init__(
        self, store: Store, providers: Providers, sealing: Sealing, mailboxes: Mailboxes, limits: PostingLimits
    ) -> None:
        self._store = store
        self._providers = providers
        self._sealing = sealing
        self._mailboxes = mailboxes
        self._limits = limits
        self._sparing = Sparing(log, most=LINES_A_MINUTE)
        self.begun = 0
        self.ended: Counter[str] = Counter()

    async def options(self, site: str) -> list[protocol.ProviderView]:
        """The providers of a site, by name."""
        return [
            protocol.ProviderView(name=one.name, label=one.config.label, icon=one.config.icon)
            for one in await self._providers.of(site)
        ]

    async def labels(self, site: str) -> dict[str, str]:
        """What the providers of a site are called, by their issuers."""
        return {one.config.issuer: one.config.label for one in await self._providers.of(site)}

    async def names(self, site: str) -> dict[str, str]:
        """What a site's providers are called in addresses and in the log of actions, by their issuers."""
        return {one.config.issuer: one.name for one in await self._providers.of(site)}

    async def begin(
        self, asked: SignInWish, pages: Collection[str], redirect: str, browser: str | None, address: str | None
    ) -> Sent:
        """Notes the way of a browser, which keeps what it had of an earlier one; ``pages`` are the site's origins.

        Raises SignInError.
        """
        if origin_of(asked.return_to) not in pages or not _is_random(asked.state, asked.challenge):
            raise self._failed(Failure.unknown, asked, "the page is none of the site, or asked for something else")
        found = await self._providers.find(asked.site, asked.provider)
        if found is None:
            raise self._failed(Failure.unknown, asked, "the site has no such provider", asked.return_to)
        stored, provider = found
        try:
            await self._limits.count(None, address, Write.sign_in)
            errand = Errand(redirect, *(secrets.token_urlsafe(32) for _ in range(3)))
            where = await provider.authorization(errand)
        except Problem as problem:
            raise self._failed(Failure.limited, asked, problem.detail, asked.return_to, stored) from problem
        except ProviderError as error:
            raise self._failed(error.failure, asked, error.reason, asked.return_to, stored) from error
        browser = browser_of(browser)
        now = utc_now()
        begun = SignInBegun(
            state=token_hash(errand.state),
            site=asked.site,
            provider=asked.provider,
            page_state=asked.state,
            challenge=asked.challenge,
            return_to=asked.return_to,
            language=asked.language,
            browser=token_hash(browser),
            nonce=token_hash(errand.nonce),
            sealed_verifier=self._sealing.seal(errand.verifier.encode("ascii")),
            expires_at=now + timedelta(seconds=WAY_SECONDS),
        )
        await self._store.write(BeginSignIn(begun, now))
        self.begun += 1
        return Sent(where, browser)

    async def finish(
        self,
        provider: str,
        state: str | None,
        response: Response,
        redirect: str,
        browser: str | None,
        own: Collection[str] = (),
    ) -> HandOver:
        """Takes somebody back from a provider, once; ``own`` are challenges of this server's pages. Raises SignInError.

        Whoever began here may still be asked for a name, which takes more than the seconds of a page's script.
        """
        begun = None
        if _is_random(state or "", browser or ""):  # whatever else somebody makes up costs no transaction
            given = (token_hash(state or ""), token_hash(browser or ""), provider)
            begun = await self._store.write(TakeSignIn(*given, utc_now()))
        if begun is None:
            self._note(Failure.over, provider, "", "no way of this browser to this provider is open")
            raise SignInError(Failure.over)
        found = await self._providers.find(begun.site, provider)
        if found is None:
            raise self._failed(Failure.unknown, begun, "the provider was removed meanwhile", begun.return_to)
        stored, asked = found
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                verifier = self._sealing.opened(begun.sealed_verifier).decode("ascii")
                person = await asked.person(Return(response, redirect, begun.nonce, verifier))
        except ProviderError as error:
            raise self._failed(error.failure, begun, error.reason, begun.return_to, stored) from error
        except TimeoutError as error:
            reason = f"it took longer than {ANSWER_SECONDS:g} s"
            raise self._failed(Failure.unreachable, begun, reason, begun.return_to, stored) from error
        except SealError as error:
            raise self._failed(Failure.over, begun, str(error), begun.return_to, stored) from error
        code = secrets.token_urlsafe(32)
        seconds, now = WAY_SECONDS if begun.challenge in own else CODE_SECONDS, utc_now()
        code_given = self._given(code, begun, stored, person, now + timedelta(seconds=seconds))
        await self._store.write(GiveSignInCode(code_given, now))
        self.ended["done"] += 1
        origin = origin_of(begun.return_to) or ""
        return HandOver(code, begun.challenge, begun.site, begun.page_state, origin, begun.return_to, begun.language)

    def by_code(self) -> SignInMethod:
        """The way in of ``{"grant": "code", "code": …, "verifier": …}``: one answer for whatever is wrong with it."""
        return self.claim

    async def claim(self, new: protocol.NewSession, origin: str | None) -> Claim:
        """Whom a code stands for. Raises spent."""
        found = await self._store.read(sign_in_code, token_hash(new.code or ""), utc_now())
        if found is None or not _is_of(found, new, origin):
            raise _spent()
        try:
            person = _Person(**json.loads(self._sealing.opened(found.sealed_person)))
        except SealError as error:
            raise _spent() from error
        return Claim(
            person.issuer,
            person.subject,
            # None where nobody says one: who was here before is called as they were
            (person.name or None) if new.name is None else new.name,
            person.via,
            # spent in the transaction that opens the session: until then a name that is taken can be tried again
            once=Spent(found.code, found.expires_at),
            mailbox=self._mailboxes.vouched(person.email),
            has_chosen=new.name is not None,
        )

    def queue(self) -> Queue:
        """The work of deleting what is over: nothing that was begun stays for longer than an hour."""

        async def sweep(job: Job) -> None:
            await job.complete(SweepSignIns(utc_now()))

        return Queue("sign-ins", sweep, period=HOUR)

    def _given(
        self, code: str, begun: SignInBegun, stored: StoredProvider, person: NamedPerson, until: datetime
    ) -> SignInCode:
        email = person.email if stored.config.join_by_email else None
        kept = _Person(stored.config.issuer, stored.name, person.subject, person.name, email)
        return SignInCode(
            code=token_hash(code),
            site=begun.site,
            challenge=begun.challenge,
            origin=origin_of(begun.return_to) or "",
            sealed_person=self._sealing.seal(json.dumps(asdict(kept)).encode()),
            expires_at=until,
        )

    def _failed(
        self,
        failure: Failure,
        asked: SignInWish | SignInBegun,
        reason: str,
        return_to: str | None = None,
        stored: StoredProvider | None = None,
    ) -> SignInError:
        self._note(failure, asked.provider, asked.site, reason)
        return SignInError(failure, return_to, "" if stored is None else stored.config.label, asked.language)

    def _note(self, failure: Failure, provider: str, site: str, reason: str) -> None:
        self.ended[failure] += 1
        about = {"site": site[:64], "provider": provider[:64], "failure": str(failure), "reason": reason}
        if failure is Failure.denied:
            log.info("A reader did not sign in", extra=about)
        else:
            self._sparing.warning("Signing in failed", (failure, site, provider, reason), **about)


def origin_of(address: str) -> str | None:
    """The origin of a page's address; None where it is none that a browser can be sent back to with a fragment."""
    if not address.isascii() or not is_web_address(address) or "#" in address:
        return None
    parts = urlsplit(address)
    port = None if (parts.scheme, parts.port) in (("https", 443), ("http", 80)) else parts.port
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{parts.scheme}://{host}" + ("" if port is None else f":{port}")


def browser_of(cookie: str | None) -> str:
    """What a browser keeps of its ways: what it has, where that can be one of ours."""
    return cookie if cookie is not None and RANDOM.fullmatch(cookie) else secrets.token_urlsafe(32)


def own_verifier(browser: str, purpose: str) -> str:
    """The verifier of a page of this server, which has no script to keep one: made of what its browser keeps."""
    digest = hashlib.sha256(f"{purpose}\0{browser}".encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _is_random(*given: str) -> bool:
    return all(RANDOM.fullmatch(one) for one in given)


def _is_of(found: SignInCode, new: protocol.NewSession, origin: str | None) -> bool:
    """Whether it is the page that began which comes: of its site, from its origin, with its verifier."""
    verifier = new.verifier or ""
    if not RANDOM.fullmatch(verifier) or origin is None:
        return False
    is_its = hmac.compare_digest(challenge_of(verifier), found.challenge)
    return is_its and (found.site, found.origin) == (new.site, origin)


def _spent() -> Problem:
    return Problem(ErrorCode.spent, "This sign-in is over; please begin again.")
