"""How owners and moderators sign in besides a link or a token: by a code that is sent by mail, or at a provider.

An account elsewhere gives no role: it leads to an author, and what that author may is in the grants. Each purpose has
codes of its own, so that what a reader was sent opens nothing here, and what was sent for this is no reader's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from tertulia import protocol
from tertulia.core.ids import is_uuid
from tertulia.core.roles import DECIDING
from tertulia.core.text import clean_name
from tertulia.errors import ErrorCode, Problem, unauthenticated
from tertulia.identity import new_session_token, utc_now
from tertulia.identity.issuers import MAILBOXES
from tertulia.limits import PostingLimits, Write
from tertulia.people.email_codes import EMAIL, EmailCodes
from tertulia.people.mailboxes import Mailboxes, normal_email
from tertulia.people.sessions import Claim, keyed_subject
from tertulia.people.signing_in import ProviderSignIns
from tertulia.people.staff import Staff, StaffMember, require
from tertulia.store import Store, queries
from tertulia.store.commands import AttachWay, DetachWay, InRole, SignInStaff, Vouched

SIGN_IN, ATTACH = "staff", "staff-way"
"""What somebody goes to a provider for, or is sent a code for."""


@dataclass(frozen=True, slots=True)
class OwnWay:
    """One way in; ``label`` is None of a code by e-mail, since an address is shown to nobody."""

    site: str
    issuer: str
    subject: str
    label: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Proven:
    """An account at a provider that somebody has come back from, before it is attached."""

    label: str
    name: str


class StaffWays:
    """``codes`` is None where this server can send none; ``key`` is the one that subjects are stored under."""

    def __init__(
        self,
        store: Store,
        limits: PostingLimits,
        staff: Staff,
        sign_ins: ProviderSignIns,
        codes: EmailCodes | None,
        key: bytes,
    ) -> None:
        self._store = store
        self._limits = limits
        self._staff = staff
        self._sign_ins = sign_ins
        self._codes = codes
        self._key = key

    @property
    def sends_codes(self) -> bool:
        return self._codes is not None

    async def providers(self, site: str) -> list[protocol.ProviderView]:
        return await self._sign_ins.options(site)

    async def has_sites(self) -> bool:
        """Whether there are several, so that one has to be named."""
        return len(await self._store.read(queries.sites)) > 1

    # ---- in ---------------------------------------------------------------------------------------------

    async def send_code(self, new: protocol.NewCode, address: str | None) -> protocol.CodeSent:
        """To whoever asks, so that nobody learns whose addresses are known.

        Raises not_found where this server can send none, invalid, unknown_site, rate_limited.
        """
        return await self._sender().ask(new, address, SIGN_IN)

    async def sign_in(self, new: protocol.NewSession, address: str | None, origin: str) -> str:
        """The token of a session, for a code by e-mail or of a provider.

        Raises rate_limited, invalid, bad_code, spent; forbidden where it leads to nobody who decides.
        """
        with self._staff.stats.signing_in():
            await self._limits.count(None, address, Write.staff_sign_in)
            claim = await self._claim(new, origin, SIGN_IN)
            token, hashed = new_session_token()
            await self._store.write(SignInStaff(hashed, utc_now(), vouched=self._vouched(new.site, claim)))
            _tell(claim)
        return token

    # ---- one's own --------------------------------------------------------------------------------------

    async def ways(self, member: StaffMember) -> list[OwnWay]:
        found = await self._store.read(queries.own_ways, member.author_id)
        labels = {site: await self._sign_ins.labels(site) for site in {one.site for one in found}}
        return [
            OwnWay(one.site, one.issuer, one.subject, _label(one.issuer, labels[one.site]), one.at) for one in found
        ]

    async def send_own_code(self, member: StaffMember, new: protocol.NewCode, address: str | None) -> protocol.CodeSent:
        """To an address that is to be attached. Raises as ``send_code`` does."""
        require(member, new.site)
        return await self._sender().ask(new, address, _of(member))

    async def proven(self, member: StaffMember, new: protocol.NewSession, origin: str) -> Proven:
        """Which account would be attached: nothing is changed yet. Raises unknown_site, spent."""
        require(member, new.site)
        claim = await self._sign_ins.claim(new, origin)
        labels = await self._sign_ins.labels(new.site)
        return Proven(labels.get(claim.issuer, claim.via), claim.name or "")

    async def attach(self, member: StaffMember, new: protocol.NewSession, origin: str) -> None:
        """From now on the account or the address leads to this person.

        Raises unknown_site, invalid, bad_code, spent, rate_limited, forbidden; name_taken where it is somebody else's.
        """
        require(member, new.site)
        await self._limits.count(member.author_id, None, Write.moderation)
        claim, now = await self._claim(new, origin, _of(member)), utc_now()
        attaching = AttachWay(member.by, self._vouched(new.site, claim), now)
        await self._store.write(
            InRole(member.author_id, new.site, DECIDING, attaching, now, session_id=member.session_id)
        )
        _tell(claim)

    async def detach(self, member: StaffMember, site: str, issuer: str, subject: str) -> None:
        """Raises unknown_site, not_found; invalid for the last way of a member."""
        if member.session_id is None:
            raise unauthenticated()
        await self._limits.count(member.author_id, None, Write.moderation)
        via = EMAIL if issuer == MAILBOXES else (await self._sign_ins.names(site)).get(issuer, issuer)
        await self._store.write(DetachWay(member.by, member.session_id, site, issuer, subject, via, utc_now()))

    # ---- shared -----------------------------------------------------------------------------------------

    def _sender(self) -> EmailCodes:
        """Raises not_found."""
        if self._codes is None:
            raise Problem(ErrorCode.not_found, "This server sends no codes.")
        return self._codes

    async def _claim(self, new: protocol.NewSession, origin: str, purpose: str) -> Claim:
        if new.grant == EMAIL:
            return await self._sender().claim(new, purpose)
        return await self._sign_ins.claim(new, origin)

    def _vouched(self, site: str, claim: Claim) -> Vouched:
        assert claim.once is not None  # noqa: S101 - codes are good once
        subject = keyed_subject(self._key, site, claim.issuer, claim.subject)
        return Vouched(site, claim.issuer, subject, claim.via, claim.once)


async def member_named(store: Store, mailboxes: Mailboxes, key: bytes, site: str, given: str) -> str:
    """The id of the member of a site whom a name, an address or an id means.

    Raises unknown_site, not_found, empty, too_long, malformed; invalid where several are called so.
    """
    if "@" in given:
        email = normal_email(given)
        subject = MAILBOXES, keyed_subject(key, site, MAILBOXES, email)
        found = await store.read(queries.members_at, site, subject, mailboxes.hash(email))
    elif is_uuid(given):
        return given
    else:
        found = await store.read(queries.members_called, site, clean_name(given, "name"))
    if not found:
        raise Problem(ErrorCode.not_found, "There is no such member at this site.", field="member")
    if len(found) > 1:
        raise Problem(ErrorCode.invalid, "Several members are meant by this; say the id of one.", field="member")
    return found[0]


def _of(member: StaffMember) -> str:
    """What is sent to attach an address is good for the person who asked for it alone."""
    return f"{ATTACH}\0{member.author_id}"


def _label(issuer: str, labels: dict[str, str]) -> str | None:
    return None if issuer == MAILBOXES else labels.get(issuer, issuer)


def _tell(claim: Claim) -> None:
    if claim.on_opened is not None:
        claim.on_opened()
