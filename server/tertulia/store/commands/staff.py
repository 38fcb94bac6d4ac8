"""Who decides for sites: roles given and taken, one-time links, sessions of staff; and commands that need a role.

Authority is read in the transaction that writes: a role that was taken at one instance holds for no write at another.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, TypeVar

from sqlalchemy import Connection, delete, insert, or_, select, update

from tertulia.core.ids import uuid7
from tertulia.core.names import skeletons
from tertulia.core.roles import DECIDING, Role
from tertulia.errors import ErrorCode, Problem, unauthenticated
from tertulia.store import names, schema
from tertulia.store.actions import Action, By, Verb, record
from tertulia.store.clock import instant
from tertulia.store.commands.base import Command, CommandResult, Wrapping
from tertulia.store.commands.sessions import Spent, spend, sweep
from tertulia.store.mapping import milliseconds
from tertulia.store.records import insert_into
from tertulia.store.roles import ALL_SITES, holds, roles_at, site_id_of
from tertulia.store.sessions import INVITATION, READER, STAFF, is_open, open_now

INVITATION_HOURS = 24
IDLE_HOURS = 12
"""Of a session of staff: it ends so long after it was last used."""
STAFF_DAYS = 7
"""It ends so long after it was opened, however much it is used."""
MEMBER = "member"
"""The kind of an author whom a way in vouches for; those who were invited are of the kind ``staff``."""
T = TypeVar("T")
_n, _a, _g, _m, _s = schema.session.c, schema.author.c, schema.grant.c, schema.moderator.c, schema.site.c
_i = schema.identity.c


@dataclass(frozen=True, slots=True)
class InRole(Wrapping[T]):
    """A command of somebody who needs one of these roles at the site, or with ``site`` None at all sites.

    ``session_id`` is that of the staff's pages; whoever has a moderator's token has none. Raises unauthenticated where
    the session has ended, forbidden where the role was taken, and what the command raises.
    """

    author_id: str
    site: str | None
    roles: frozenset[Role]
    command: Command[T]
    at: datetime
    session_id: str | None = None

    def apply(self, connection: Connection) -> CommandResult[T]:
        if self.session_id is not None and not is_open(connection, self.session_id, self.at, STAFF):
            raise unauthenticated()
        if not holds(connection, self.author_id, self.site, self.roles):
            raise Problem(ErrorCode.forbidden, "This needs a role that you do not have.")
        return self.command.apply(connection)


# ---- roles ----------------------------------------------------------------------------------------------


class Invited(NamedTuple):
    """``has_link`` says whether the link is good: nobody gets one for a person who acts where they may not."""

    author_id: str
    has_link: bool


@dataclass(frozen=True, slots=True)
class Invite(Command[Invited]):
    """Gives a role to the person of this name, who is made where there is none, and a link to sign in by, once.

    A link from before is void. Raises unknown_site, name_taken for a name that looks like another's.
    """

    by: By
    name: str
    site: str | None
    role: Role
    link_hash: str
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[Invited]:
        site_id = site_id_of(connection, self.site)
        author_id = locked_staff(connection, staff_named(connection, self.name)) or self._new(connection)
        add_grant(connection, self.by, author_id, site_id, self.role, self.at)
        has_link = self._may_link(connection, author_id, site_id)
        if has_link:
            self._link(connection, author_id, site_id)
        return CommandResult(Invited(author_id, has_link))

    def _new(self, connection: Connection) -> str:
        """Raises name_taken."""
        require_name(connection, self.name)
        return add_staff(connection, self.name, secrets.token_hex(32), self.at)

    def _may_link(self, connection: Connection, author_id: str, site_id: int) -> bool:
        """Who has a link acts as that person wherever they may: an owner of one site only within it.

        Nobody but the operator acts as a member, who has ways in of their own.
        """
        if self.by.id is None:
            return True
        if connection.scalar(select(_a.kind).where(_a.id == author_id)) == MEMBER:
            return False
        if Role.owner in roles_at(connection, self.by.id):
            return True
        elsewhere = select(_g.role).where(_g.author_id == author_id, _g.site_id != site_id)
        return connection.scalar(elsewhere.limit(1)) is None

    def _link(self, connection: Connection, author_id: str, site_id: int) -> None:
        end_staff_sessions(connection, author_id, self.at, (INVITATION,))
        life = timedelta(hours=INVITATION_HOURS)
        _open(connection, author_id, self.link_hash, INVITATION, self.at, life)
        record(connection, Action(self.by, Verb.invite, site_id, author_id=author_id), self.at)


@dataclass(frozen=True, slots=True)
class GiveMember(Command[str]):
    """Gives a role at a site to a member of it, who signs in as they do; the value is the name, which they keep.

    Raises unknown_site, not_found; name_taken where the name looks like that of somebody else of the staff.
    """

    by: By
    author_id: str
    site: str
    role: Role
    at: datetime

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({self.author_id})

    def apply(self, connection: Connection) -> CommandResult[str]:
        site_id = site_id_of(connection, self.site)
        its = (_a.id == self.author_id, _a.site_id == site_id, _a.kind == MEMBER)
        name = connection.scalar(select(_a.name).where(*its).with_for_update())
        if name is None:
            raise Problem(ErrorCode.not_found, "There is no such member at this site.", field="member")
        if locked_staff(connection, self.author_id) is None:
            require_name(connection, name)
            _name(connection, self.author_id, name, secrets.token_hex(32), milliseconds(self.at))
        add_grant(connection, self.by, self.author_id, site_id, self.role, self.at)
        return CommandResult(name)


@dataclass(frozen=True, slots=True)
class TakeRole(Command[str]):
    """Takes a role at a site, or without ``role`` all that a person has there; the value is the person's id.

    Who has none left is staff no more: sessions and links end, a token is nobody's, the name is free.
    Raises unknown_site, not_found; invalid where nobody but the operator would own the site then.
    """

    by: By
    person: str
    site: str | None
    role: Role | None
    at: datetime

    def apply(self, connection: Connection) -> CommandResult[str]:
        site_id = site_id_of(connection, self.site)
        # of two who take each other's, the second waits here and then sees what the first did
        connection.execute(select(_s.id).where(_s.id == site_id).with_for_update())
        author_id = staff_named(connection, self.person) or self.person
        locked_staff(connection, author_id)
        wanted = [_g.author_id == author_id, _g.site_id == site_id]
        if self.role is not None:
            wanted.append(_g.role == self.role.value)
        taken = sorted(connection.scalars(delete(schema.grant).where(*wanted).returning(_g.role)))
        if not taken:
            raise Problem(ErrorCode.not_found, "Nobody has this role there.", field="name")
        if self.by.id is not None and Role.owner in taken:
            self._keep_one(connection, site_id)
        for role in taken:
            taking = Action(self.by, Verb.take, site_id, author_id=author_id, data={"role": role})
            record(connection, taking, self.at)
        if connection.scalar(select(_g.role).where(_g.author_id == author_id).limit(1)) is None:
            end_staff(connection, author_id, self.at)
        return CommandResult(author_id)

    def _keep_one(self, connection: Connection, site_id: int) -> None:
        left = select(_g.role).where(_g.role == Role.owner.value, or_(_g.site_id == site_id, _g.site_id == ALL_SITES))
        if connection.scalar(left.limit(1)) is None:
            detail = "A site keeps its last owner; name another one first."
            raise Problem(ErrorCode.invalid, detail, field="role")


def staff_named(connection: Connection, name: str) -> str | None:
    """The id of the person of the staff with this name."""
    return connection.scalar(select(_m.author_id).where(_m.name == name))


def locked_staff(connection: Connection, author_id: str | None) -> str | None:
    """The person, who stays of the staff until this transaction ends; None where they are not of it.

    Who gives a role and who takes the last one wait for each other here: nothing else of the person need be written by
    both, and a role would be left whose holder is not there.
    """
    row = select(_m.author_id).where(_m.author_id == author_id)
    return None if author_id is None else connection.scalar(row.with_for_update())


def add_staff(
    connection: Connection, name: str, token_hash: str, at: datetime, *, author_id: str = "", badge: str | None = None
) -> str:
    """Makes a person of the staff without a role; the name is nobody else's from then on. The person's id."""
    made = {"id": author_id or uuid7(), "name": name, "badge": badge, "created_at": milliseconds(at)}
    connection.execute(insert(schema.author).values(**made, kind="staff"))
    _name(connection, str(made["id"]), name, token_hash, milliseconds(at))
    return str(made["id"])


def _name(connection: Connection, author_id: str, name: str, token_hash: str, at: int) -> None:
    """The name is one of the staff's, and nobody else's anywhere."""
    values = {"author_id": author_id, "name": name, "token_hash": token_hash, "created_at": at}
    connection.execute(insert(schema.moderator).values(values))
    names.take(connection, author_id, ALL_SITES, name)


def require_name(connection: Connection, name: str) -> None:
    """Raises name_taken where somebody of the staff has a name that looks like it."""
    own = skeletons(name)
    if any(own & skeletons(other) for other in connection.scalars(select(_m.name))):
        detail = "This name looks like that of somebody else of the staff; choose another."
        raise Problem(ErrorCode.name_taken, detail, field="name")


def end_staff(connection: Connection, author_id: str, at: datetime) -> None:
    """Somebody without a role is staff no more: sessions and links end, a token is nobody's, the name is free.

    What somebody who was invited had attached leads to nobody then. A member stays one, under their name.
    """
    connection.execute(delete(schema.moderator).where(_m.author_id == author_id))
    names.free(connection, author_id)
    kind, name, site_id = connection.execute(select(_a.kind, _a.name, _a.site_id).where(_a.id == author_id)).one()
    if kind == MEMBER and site_id is not None:
        names.take(connection, author_id, site_id, name)
        end_staff_sessions(connection, author_id, at)
        return
    for table in (schema.identity, schema.contact):
        connection.execute(delete(table).where(table.c.author_id == author_id))
    end_staff_sessions(connection, author_id, at, (STAFF, INVITATION, READER))


def add_grant(connection: Connection, by: By, author_id: str, site_id: int, role: Role, at: datetime) -> None:
    """Gives a role, and tells the log; who has it already keeps it."""
    values = {"author_id": author_id, "site_id": site_id, "role": role.value}
    added = connection.execute(insert_into(connection, schema.grant).values(values).on_conflict_do_nothing())
    if added.rowcount:
        record(connection, Action(by, Verb.grant, site_id, author_id=author_id, data={"role": role.value}), at)


# ---- sessions -------------------------------------------------------------------------------------------


class Vouched(NamedTuple):
    """Whom an issuer of a site vouches for; ``subject`` is keyed, ``once`` is what is used up."""

    site: str
    issuer: str
    subject: str
    via: str
    once: Spent


@dataclass(frozen=True, slots=True)
class SignInStaff(Command[str]):
    """Opens a session on the staff's pages for who has a link, which it uses up, or a moderator's token, or for whom
    an issuer vouches.

    The value is the session's id. Raises spent for a link or a code that was used, is old or never was; unauthenticated
    for a token that is nobody's, and where no role is left that decides; forbidden where it is an issuer who vouches.
    """

    token_hash: str
    at: datetime
    link_hash: str | None = None
    moderator_hash: str | None = None
    vouched: Vouched | None = None

    @property
    def holds(self) -> frozenset[str]:
        return frozenset() if self.vouched is None else frozenset({self.vouched.once.digest})

    def apply(self, connection: Connection) -> CommandResult[str]:
        author_id = self._author(connection)
        # a role that is taken at this moment is waited for, or its taking waits and then ends this session
        deciding = select(_g.site_id).where(_g.author_id == author_id, _g.role.in_(sorted(DECIDING))).limit(2)
        sites = list(connection.scalars(deciding.with_for_update()))
        if not sites:
            raise unauthenticated() if self.vouched is None else _no_role()
        sweep(connection, author_id, self.at)
        life = timedelta(hours=IDLE_HOURS)
        session_id = _open(connection, author_id, self.token_hash, STAFF, self.at, life, self._via)
        name = connection.execute(select(_a.name).where(_a.id == author_id)).scalar_one()
        by = By(author_id, name)
        where = sites[0] if len(sites) == 1 else ALL_SITES
        record(connection, Action(by, Verb.sign_in, where, author_id=author_id, data={"via": self._via}), self.at)
        return CommandResult(session_id)

    @property
    def _via(self) -> str:
        if self.vouched is not None:
            return self.vouched.via
        return "link" if self.link_hash is not None else "token"

    def _author(self, connection: Connection) -> str:
        if self.vouched is not None:
            return self._known(connection, self.vouched)
        return self._linked(connection) if self.link_hash is not None else self._tokened(connection)

    def _known(self, connection: Connection, vouched: Vouched) -> str:
        """Raises spent, forbidden."""
        spend(connection, vouched.once, self.at)
        query = select(_i.author_id).join(schema.site, _s.id == _i.site_id).where(_s.key == vouched.site)
        author_id = connection.scalar(query.where(_i.issuer == vouched.issuer, _i.subject == vouched.subject))
        if author_id is None:
            raise _no_role()
        return str(author_id)

    def _linked(self, connection: Connection) -> str:
        """Raises spent."""
        which = (_n.token_hash == self.link_hash, _n.scope == INVITATION, _n.revoked_at.is_(None))
        fresh = _n.expires_at > instant(connection, self.at)
        used = update(schema.session).where(*which, fresh).values(revoked_at=instant(connection, self.at))
        author_id = connection.scalar(used.returning(_n.author_id))
        if author_id is None:
            raise Problem(ErrorCode.spent, "This link was used, or is too old; ask for a new one.", field="link")
        return str(author_id)

    def _tokened(self, connection: Connection) -> str:
        """Raises unauthenticated."""
        author_id = connection.scalar(select(_m.author_id).where(_m.token_hash == self.moderator_hash))
        if author_id is None:
            raise unauthenticated()
        return str(author_id)


@dataclass(frozen=True, slots=True)
class EndPersonsSessions(Command[int]):
    """Ends all sessions of a member of the site; the value says how many were open. Raises unknown_site, not_found."""

    by: By
    author_id: str
    site: str
    at: datetime

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({self.author_id})

    def apply(self, connection: Connection) -> CommandResult[int]:
        site_id = site_id_of(connection, self.site)
        own = select(_a.id).where(_a.id == self.author_id, _a.site_id == site_id)
        if connection.scalar(own) is None:
            raise Problem(ErrorCode.not_found, "There is no such person at this site.", field="person")
        ended = len(end_sessions(connection, self.author_id, self.at))
        action = Action(self.by, Verb.end_sessions, site_id, author_id=self.author_id, data={"ended": ended})
        record(connection, action, self.at)
        return CommandResult(ended)


def end_staff_sessions(
    connection: Connection, author_id: str, at: datetime, scopes: Iterable[str] = (STAFF, INVITATION)
) -> None:
    """Ends what leads a person to the staff's pages, or only what has these scopes."""
    which = (_n.author_id == author_id, _n.scope.in_(sorted(scopes)), _n.revoked_at.is_(None))
    connection.execute(update(schema.session).where(*which).values(revoked_at=instant(connection, at)))


def _no_role() -> Problem:
    return Problem(ErrorCode.forbidden, "Nobody has given you a role that decides here.", field="role")


def end_sessions(connection: Connection, author_id: str, at: datetime) -> list[str]:
    """Ends all of an author's sessions that are open; their ids."""
    which = (_n.author_id == author_id, *open_now(connection, at))
    ended = update(schema.session).where(*which).values(revoked_at=instant(connection, at))
    return list(connection.scalars(ended.returning(_n.id)))


def _open(
    connection: Connection,
    author_id: str,
    token_hash: str,
    scope: str,
    at: datetime,
    life: timedelta,
    via: str = "link",
) -> str:
    values: dict[str, object] = {
        "id": uuid7(),
        "token_hash": token_hash,
        "author_id": author_id,
        # a member's is of the member's site, as all of theirs are
        "site_id": connection.scalar(select(_a.site_id).where(_a.id == author_id)),
        "scope": scope,
        "roles": [],
        "via": via,
        "label": "",
        "at": instant(connection, at),
        "used_at": instant(connection, at),
        "expires_at": instant(connection, at, life),
    }
    connection.execute(insert(schema.session).values(values))
    return str(values["id"])
