"""Signing in, going on, signing out; and commands of whoever is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    and_,
    bindparam,
    case,
    delete,
    literal_column,
    or_,
    select,
    update,
)

from tertulia.core.ids import uuid7
from tertulia.core.names import skeletons
from tertulia.errors import ErrorCode, Problem, no_such_site, unauthenticated
from tertulia.store import names, schema
from tertulia.store.clock import SHARED_NOW, instant
from tertulia.store.commands.base import Command, CommandResult, Wrapping
from tertulia.store.commands.merging import Merging, become, ensure_guest
from tertulia.store.guests import UNMADE, GuestToken, admit
from tertulia.store.locks import LockTarget
from tertulia.store.mapping import milliseconds, to_datetime
from tertulia.store.prepared import Insert, Prepared
from tertulia.store.records import insert_into
from tertulia.store.sessions import READER, Session, SignedIn, held, is_open, open_now

KEPT_ENDED = timedelta(days=30)
"""How long the row of a session that has ended stays: until its author signs in the next time, or, however it ended,
until so long after it would have ended by itself.
"""
SWEPT = 10_000
"""Sessions that are deleted at once: there may be years of them when this is first done."""
SPENT_KEPT = timedelta(days=1)
"""How long what was good once is known after its end: whoever judges a token may have a clock that is behind."""
T = TypeVar("T")
_n, _a, _i, _t = schema.session.c, schema.author.c, schema.identity.c, schema.spent_token.c
_k, _s, _m = schema.contact.c, schema.site.c, schema.moderator.c
_BY_ISSUER = Prepared(
    select(
        _s.id.label("site_id"),
        _a.id.label("author_id"),
        _a.name,
        _a.trust,
        _a.badge,
        _m.name.label("staff_name"),
        SHARED_NOW.label("now"),
    )
    .select_from(schema.site)
    .outerjoin(
        schema.identity,
        and_(_i.site_id == _s.id, _i.issuer == bindparam("issuer"), _i.subject == bindparam("subject")),
    )
    .outerjoin(schema.author, _a.id == _i.author_id)
    .outerjoin(schema.moderator, _m.author_id == _i.author_id)
    .where(_s.key == bindparam("site"))
)
_NEW_AUTHOR = Insert(schema.author, "id", "name", "badge", "created_at", "site_id", "kind", "trust")
_NEW_SESSION = Insert(schema.session)
_VOUCHED = Insert(schema.identity, is_shared=True)
_SPENT = Insert(schema.spent_token, is_shared=True)


def _ago(span: timedelta) -> ColumnElement[int]:
    return SHARED_NOW - literal_column(str(span // timedelta(milliseconds=1)), BigInteger)


# a few each time, and what another instance deletes just now is not waited for
_OVER = select(_t.digest).where(_t.expires_at < _ago(SPENT_KEPT)).order_by(_t.expires_at)
_OVER = _OVER.limit(literal_column("20")).offset(literal_column("0")).with_for_update(skip_locked=True)
_SWEEP_SPENT = Prepared(delete(schema.spent_token).where(_t.digest.in_(_OVER)))
_SWEEP_ENDED = Prepared(
    delete(schema.session).where(
        _n.author_id == bindparam("author"),
        or_(_n.expires_at < _ago(KEPT_ENDED), _n.revoked_at < _ago(KEPT_ENDED)),
    )
)


@dataclass(frozen=True, slots=True)
class AsGuest(Wrapping[T]):
    """A command of whoever has a guest's token; raises unauthenticated where that is void, and what it raises."""

    token: GuestToken
    command: Command[T]

    def apply(self, connection: Connection) -> CommandResult[T]:
        admit(connection, self.token)
        return self.command.apply(connection)


@dataclass(frozen=True, slots=True)
class InSession(Wrapping[T]):
    """A command of somebody who is signed in; raises unauthenticated where that has ended, and what it raises."""

    session_id: str
    command: Command[T]
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[T]:
        if not is_open(connection, self.session_id, self.at):
            raise unauthenticated()
        return self.command.apply(connection)


class Spent(NamedTuple):
    """What a token that is good once is told by, and until when it would be good."""

    digest: str
    until: datetime


class Mailbox(NamedTuple):
    """An e-mail address whose owner the person is: a keyed hash of it, and the address, sealed."""

    address: str
    sealed: str


class Known(NamedTuple):
    """The author that a person is, and their name; who has a role keeps it."""

    author_id: str
    name: str
    has_role: bool


@dataclass(frozen=True, slots=True)
class Who:
    """A person as an issuer of a site knows them; ``subject`` is keyed, ``name`` as it is kept.

    Without a ``trust`` or a ``badge`` the one that is known stays; a ``badge`` of '' takes it away. Whoever is new to
    the issuer is the member of the site who has the ``mailbox``, if there is one, and who has no role: nobody comes to
    one by an address. ``has_chosen`` of somebody whose name nobody vouches for: it may be no other member's.
    """

    site: str
    issuer: str
    subject: str
    name: str
    trust: int | None = None
    mailbox: Mailbox | None = None
    badge: str | None = None
    has_chosen: bool = False


@dataclass(frozen=True, slots=True)
class SignIn(Command[SignedIn]):
    """Opens a session for a person, who is made with the first one and renamed where the name is another now.

    Who has a role keeps the name that it was given to: the log of actions has it, and nobody else may use it.

    ``once`` is remembered, and refused the next time; ``merging`` is the guest that the person was so far. Raises
    unknown_site, spent, name_taken.
    """

    who: Who
    token_hash: str
    via: str
    life: timedelta
    at: datetime
    once: Spent | None = None
    merging: Merging | None = None

    @property
    def locks(self) -> LockTarget:
        return None if self.merging is None else self.merging.touched

    @property
    def holds(self) -> frozenset[str]:
        who, once, merging = self.who, self.once, self.merging
        names = {f"{who.site}\0{who.issuer}\0{who.subject}"}
        names |= set() if who.mailbox is None else {who.mailbox.address}
        names |= set() if once is None else {once.digest}
        names |= {f"{who.site}\0{skeleton}" for skeleton in skeletons(who.name)} if who.has_chosen else set()
        return frozenset(names if merging is None else names | {merging.guest.author_id})

    def apply(self, connection: Connection) -> CommandResult[SignedIn]:
        if self.once is not None:
            spend(connection, self.once, self.at)
        person = self._person(connection)
        session = self._open(connection, person)
        merged = () if self.merging is None else become(connection, self.merging, person.author_id, self.at)
        nothing: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
        is_bare = person.is_new and self.merging is None
        roles, also = nothing if is_bare else held(connection, person.author_id, person.site_id)
        return CommandResult(SignedIn(session, person.name, "member", person.badge, roles, also), merged)

    def _person(self, connection: Connection) -> _Person:
        """Whom the session is of, as they are from now on."""
        who = self.who
        found = _find(connection, who, self.at)
        if found is None:
            raise no_such_site()
        if found.author_id is None:
            person = self._new(connection, found.site_id, found.now)
        else:
            person = self._known(connection, found, found.author_id)
        if not person.has_role:
            chosen_at = who.site if who.has_chosen else None
            names.require_free(connection, person.author_id, who.name, chosen_at=chosen_at)
            names.take(connection, person.author_id, person.site_id, who.name)
        if who.mailbox is not None:
            _keep(connection, person.author_id, who.mailbox, self.at)
        return person

    def _new(self, connection: Connection, site_id: int, at: int) -> _Person:
        who = self.who
        author = {"id": uuid7(), "name": who.name, "badge": who.badge or None, "created_at": at, "site_id": site_id}
        _NEW_AUTHOR.run(connection, {**author, "kind": "member", "trust": who.trust or 0})
        if self._vouch(connection, site_id, str(author["id"])):
            return _Person(site_id, str(author["id"]), who.name, who.badge or None, at, is_new=True)
        # another instance made the same person at this moment
        connection.execute(delete(schema.author).where(_a.id == author["id"]))
        found = _find(connection, who, self.at)
        assert found is not None and found.author_id is not None  # noqa: S101 PT018 - it was inserted there
        return self._known(connection, found, found.author_id)

    def _known(self, connection: Connection, found: _Found, author_id: str) -> _Person:
        who = self.who
        if not found.is_vouched:
            self._vouch(connection, found.site_id, author_id)
        name = who.name if found.staff_name is None else found.staff_name
        said: dict[str, str | int | None] = {"name": name}
        said |= {} if who.trust is None else {"trust": who.trust}
        said |= {} if who.badge is None else {"badge": who.badge or None}
        if any(getattr(found, column) != value for column, value in said.items()):
            connection.execute(update(schema.author).where(_a.id == author_id).values(**said))
        sweep(connection, author_id, self.at)
        badge = found.badge if who.badge is None else who.badge or None
        return _Person(found.site_id, author_id, name, badge, found.now, has_role=found.staff_name is not None)

    def _vouch(self, connection: Connection, site_id: int, author_id: str) -> bool:
        """Notes that this issuer means this author; whether it had not before."""
        of = {"site_id": site_id, "issuer": self.who.issuer, "subject": self.who.subject, "author_id": author_id}
        return bool(_VOUCHED.run(connection, {**of, "at": milliseconds(self.at)}))

    def _open(self, connection: Connection, person: _Person) -> Session:
        at = to_datetime(person.now)
        session = Session(uuid7(), person.author_id, self.who.site, READER, self.via, "", at, at, at + self.life)
        values = {
            "id": session.id,
            "token_hash": self.token_hash,
            "author_id": session.author_id,
            "site_id": person.site_id,
            "scope": session.scope,
            "roles": [],
            "via": session.via,
            "label": session.label,
            "at": milliseconds(session.at),
            "used_at": milliseconds(session.used_at),
            "expires_at": milliseconds(session.expires_at),
            "revoked_at": None,
        }
        _NEW_SESSION.run(connection, values)
        return session


class _Person(NamedTuple):
    """Whom a session is of; ``is_new`` where there was nobody before it."""

    site_id: int
    author_id: str
    name: str
    badge: str | None
    now: int
    is_new: bool = False
    has_role: bool = False


class _Found(NamedTuple):
    """A site, and who a person is there, None of somebody new; ``is_vouched`` where this issuer said so before.

    ``staff_name`` is that of somebody who has a role.
    """

    site_id: int
    author_id: str | None
    name: str | None
    trust: int | None
    badge: str | None
    staff_name: str | None
    now: int
    is_vouched: bool


def known_as(connection: Connection, who: Who) -> Known | None:
    """The author that this person is, None before the first session."""
    found = _find(connection, who, UNMADE)
    if found is None or found.author_id is None:
        return None
    return Known(found.author_id, found.name or "", found.staff_name is not None)


def _find(connection: Connection, who: Who, at: datetime) -> _Found | None:
    """None where there is no such site."""
    row = _BY_ISSUER.row(
        connection, {"site": who.site, "issuer": who.issuer, "subject": who.subject, "now": milliseconds(at)}
    )
    if row is None:
        return None
    if row["author_id"] is None and who.mailbox is not None:
        its = (_k.address == who.mailbox.address, _k.verified_at.is_not(None), _a.site_id == row["site_id"])
        by_mailbox = select(_a.id, _a.name, _a.trust, _a.badge, _m.name.label("staff_name")).join(schema.contact)
        by_mailbox = by_mailbox.outerjoin(schema.moderator, _m.author_id == _a.id)
        by_mailbox = by_mailbox.where(*its, _a.kind == "member", _m.author_id.is_(None))
        first = connection.execute(by_mailbox.order_by(_a.created_at, _a.id).limit(1)).one_or_none()
        if first is not None:
            return _Found(row["site_id"], *first, row["now"], is_vouched=False)
    return _Found(**row, is_vouched=row["author_id"] is not None)


def spend(connection: Connection, once: Spent, at: datetime) -> None:
    """Remembers what is good once. Raises spent where it was used before."""
    _SWEEP_SPENT.run(connection, {"now": milliseconds(at)})
    # where another instance spends it at this moment, this waits for that
    if not _SPENT.run(connection, {"digest": once.digest, "expires_at": milliseconds(once.until)}):
        raise Problem(ErrorCode.spent, "This was used already; ask for a new one.")


def _keep(connection: Connection, author_id: str, mailbox: Mailbox, at: datetime) -> None:
    """Keeps the address as the one at which the author is reached."""
    values = {"address": mailbox.address, "sealed": mailbox.sealed, "verified_at": milliseconds(at)}
    row = insert_into(connection, schema.contact).values(author_id=author_id, language="", state="ok", **values)
    is_other = _k.address != mailbox.address  # what is sealed looks different each time
    connection.execute(row.on_conflict_do_update(index_elements=["author_id"], set_=values, where=is_other))


def sweep(connection: Connection, author_id: str, at: datetime) -> None:
    """Deletes an author's sessions that ended KEPT_ENDED ago."""
    _SWEEP_ENDED.run(connection, {"author": author_id, "now": milliseconds(at)})


def sweep_all(connection: Connection, at: datetime) -> None:
    """Deletes sessions of anybody that would have ended KEPT_ENDED ago, those that did so first."""
    over = select(_n.id).where(_n.expires_at < instant(connection, at, -KEPT_ENDED))
    some = over.order_by(_n.expires_at).limit(SWEPT).with_for_update(skip_locked=True)
    connection.execute(delete(schema.session).where(_n.id.in_(some)))


@dataclass(frozen=True, slots=True)
class ProlongSession(Command[None]):
    """Notes that a session is used, so that it ends ``life`` later; one that has ended stays so.

    It ends no later than ``most`` after it began.
    """

    session_id: str
    author_id: str
    at: datetime
    life: timedelta
    most: timedelta | None = None

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({self.author_id})

    def apply(self, connection: Connection) -> CommandResult[None]:
        used, until = (instant(connection, self.at, later) for later in (timedelta(), self.life))
        if self.most is not None:
            last = _n.at + self.most // timedelta(milliseconds=1)
            until = case((last < until, last), else_=until)
        times = {"used_at": used, "expires_at": until}
        open_ = (_n.id == self.session_id, *open_now(connection, self.at))
        connection.execute(update(schema.session).where(*open_).values(**times))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class EndSessions(Command[list[str]]):
    """Ends an author's sessions, or one of them; the value are the ids of those that were open.

    From the commit on no instance takes their tokens.
    """

    author_id: str
    at: datetime
    session_id: str | None = None

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({self.author_id})

    def apply(self, connection: Connection) -> CommandResult[list[str]]:
        which = [_n.author_id == self.author_id, *open_now(connection, self.at)]
        if self.session_id is not None:
            which.append(_n.id == self.session_id)
        ended = update(schema.session).where(*which).values(revoked_at=instant(connection, self.at)).returning(_n.id)
        return CommandResult(list(connection.scalars(ended)))


@dataclass(frozen=True, slots=True)
class VoidTokens(Command[None]):
    """Makes a guest's tokens void, in all browsers; there are no others to be had.

    Instances tell when they made one, each by its own clock: ``ahead`` is how far beyond now that may be.
    """

    guest_id: str
    at: datetime
    ahead: timedelta

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({self.guest_id})

    def apply(self, connection: Connection) -> CommandResult[None]:
        ensure_guest(connection, self.guest_id, self.at)
        until = instant(connection, self.at, self.ahead)
        connection.execute(update(schema.author).where(_a.id == self.guest_id).values(tokens_after=until))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class RenameAuthor(Command[None]):
    """Gives a member of the site another name for what they will say; what was said keeps the one it was said under.

    Raises name_taken, also where it is another member's; forbidden for who has a role.
    """

    author_id: str
    site: str | None
    name: str

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({self.author_id, *(f"{self.site}\0{skeleton}" for skeleton in skeletons(self.name))})

    def apply(self, connection: Connection) -> CommandResult[None]:
        if connection.scalar(select(_a.name).where(_a.id == self.author_id)) == self.name:
            return CommandResult(None)  # who shares a name and says it once more chooses nothing
        if connection.scalar(select(_m.author_id).where(_m.author_id == self.author_id)) is not None:
            detail = "Whoever has a role keeps the name that it was given to."
            raise Problem(ErrorCode.forbidden, detail, field="name")
        names.require_free(connection, self.author_id, self.name, chosen_at=self.site)
        renamed = update(schema.author).where(_a.id == self.author_id).values(name=self.name)
        site_id = connection.scalar(renamed.returning(_a.site_id))
        if site_id is not None:
            names.take(connection, self.author_id, site_id, self.name)
        return CommandResult(None)
