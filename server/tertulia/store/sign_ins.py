"""Browsers on their way to a provider and back, and the codes that their pages then get.

signin       a browser has gone; good for one answer of the provider, whatever comes of it
signin_code  the provider has named somebody; good for one session
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select

from tertulia.errors import no_such_site
from tertulia.store import schema
from tertulia.store.challenges import SweepChallenges
from tertulia.store.clock import instant
from tertulia.store.commands import Command, CommandResult
from tertulia.store.commands.sessions import sweep_all
from tertulia.store.mapping import to_datetime

_w, _c, _s = schema.signin.c, schema.signin_code.c, schema.site.c


@dataclass(frozen=True, slots=True)
class SignInBegun:
    """A browser that has gone to ``provider``. ``state``, ``browser`` and ``nonce`` are hashes of what it was given.

    ``page_state`` and ``challenge`` are the page's own, which is at ``return_to``.
    """

    state: str
    site: str
    provider: str
    page_state: str
    challenge: str
    return_to: str
    language: str
    browser: str
    nonce: str
    sealed_verifier: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class SignInCode:
    """What a page of ``origin`` turns into a session: ``code`` is a hash, ``sealed_person`` whom the provider named."""

    code: str
    site: str
    challenge: str
    origin: str
    sealed_person: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class BeginSignIn(Command[None]):
    """Notes that a browser goes to a provider, until it is over by the clock of ``at``. Raises unknown_site."""

    begun: SignInBegun
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        begun = self.begun
        values = {column.name: getattr(begun, column.name) for column in _w if column.name not in _OWN}
        until = instant(connection, self.at, begun.expires_at - self.at)
        times = {"expires_at": until, "site_id": _site_id(connection, begun.site)}
        connection.execute(insert(schema.signin).values(values | times))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class TakeSignIn(Command[SignInBegun | None]):
    """The way that this browser went, once: from the commit on nobody gets it again.

    None where there is no such way, it is over, or another browser or another provider comes with it; that leaves it
    as it is.
    """

    state: str
    browser: str
    provider: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[SignInBegun | None]:
        its = (_w.state == self.state, _w.browser == self.browser, _w.provider == self.provider)
        going = delete(schema.signin).where(*its, _w.expires_at > instant(connection, self.at)).returning(*_w)
        row = connection.execute(going).one_or_none()
        if row is None:
            return CommandResult(None)
        site = connection.execute(select(_s.key).where(_s.id == row.site_id)).scalar_one()
        fields = {column.name: getattr(row, column.name) for column in _w if column.name not in _OWN}
        return CommandResult(SignInBegun(**fields, site=site, expires_at=to_datetime(row.expires_at)))


@dataclass(frozen=True, slots=True)
class GiveSignInCode(Command[None]):
    """Notes a code and whom it stands for. Raises unknown_site."""

    given: SignInCode
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        given = self.given
        values = {
            "code": given.code,
            "site_id": _site_id(connection, given.site),
            "challenge": given.challenge,
            "origin": given.origin,
            "sealed_person": given.sealed_person,
            "expires_at": instant(connection, self.at, given.expires_at - self.at),
        }
        connection.execute(insert(schema.signin_code).values(values))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class SweepSignIns(Command[int]):
    """Deletes what is over, and empties codes by e-mail; how many ways and codes to a page that were."""

    at: datetime

    def apply(self, connection: Connection) -> CommandResult[int]:
        before = instant(connection, self.at)
        ways = connection.execute(delete(schema.signin).where(_w.expires_at <= before)).rowcount
        codes = connection.execute(delete(schema.signin_code).where(_c.expires_at <= before)).rowcount
        SweepChallenges(self.at).apply(connection)
        sweep_all(connection, self.at)
        return CommandResult(ways + codes)


def sign_in_code(connection: Connection, code: str, now: datetime) -> SignInCode | None:
    """What stands under this hash, if it is not over."""
    query = select(schema.signin_code, _s.key.label("site")).join(schema.site)
    row = connection.execute(query.where(_c.code == code, _c.expires_at > instant(connection, now))).one_or_none()
    if row is None:
        return None
    until = to_datetime(row.expires_at)
    return SignInCode(row.code, row.site, row.challenge, row.origin, row.sealed_person, until)


_OWN = frozenset({"site_id", "expires_at"})
"""Columns that are not as the value has them."""


def _site_id(connection: Connection, key: str) -> int:
    found = connection.scalar(select(_s.id).where(_s.key == key))
    if found is None:
        raise no_such_site()
    return int(found)
