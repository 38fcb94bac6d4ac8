"""Codes that were sent to e-mail addresses: each is good for one session, for some minutes and a few tries.

challenge  a code is asked for ──▶ a task sends it ──▶ tried ──▶ spent with the session that it opens

The rows of a day say how often an address was written to, and how often its codes were guessed.
"""

from __future__ import annotations

import hmac
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NoReturn

from sqlalchemy import Connection, delete, func, insert, literal_column, select, update

from tertulia.core.waits import wait_of
from tertulia.errors import ErrorCode, Problem, no_such_site
from tertulia.store import schema, tasks
from tertulia.store.clock import instant, shared
from tertulia.store.commands.base import Command, CommandResult
from tertulia.store.mapping import milliseconds, to_datetime

EMAIL_CODES = "email-codes"
"""The queue of the codes that are to be sent."""
CODE_SECONDS = 600
"""How long a code is good."""
TRIES = 5
"""Of one code. Six digits: with TRIES_A_DAY a guesser finds one in 50,000 days."""
TRIES_A_DAY = 20
"""Of all codes that one address was sent, wrong ones alone."""
WRONG_CODES_OF_SITE = 200
"""An hour, of all codes that a site had sent: of many who guess at codes of their own, one finds one in 200 days."""
CODES_AN_HOUR = 3
CODES_A_DAY = 10
"""To one address, whoever asks: strangers can have mail sent to it."""

_ROW, _c, _s = schema.challenge, schema.challenge.c, schema.site.c
_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_TOO_MANY = "Too many codes for this address"


@dataclass(frozen=True, slots=True)
class AskForCode(Command[None]):
    """Notes a code and that it is to be sent. ``address`` and ``code`` are keyed hashes, ``sealed`` has both.

    Raises unknown_site, rate_limited.
    """

    id: str
    site: str
    address: str
    sealed: str
    code: str
    language: str
    at: datetime

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({self.address})

    def apply(self, connection: Connection) -> CommandResult[None]:
        site_id = connection.scalar(select(_s.id).where(_s.key == self.site))
        if site_id is None:
            raise no_such_site()
        at = shared(connection, self.at)
        self._require_few(connection, at)
        values = {column.name: getattr(self, column.name) for column in _c if hasattr(self, column.name)}
        until = milliseconds(at + timedelta(seconds=CODE_SECONDS))
        times = {"at": milliseconds(at), "expires_at": until, "site_id": site_id, "tries": 0}
        connection.execute(insert(_ROW).values(values | times))
        tasks.enqueue(connection, EMAIL_CODES, {"challenge": self.id})
        return CommandResult(None, makes_tasks=True)

    def _require_few(self, connection: Connection, at: datetime) -> None:
        """Raises rate_limited."""
        since = milliseconds(at - _DAY)
        query = select(_c.at, _c.tries).where(_c.address == self.address, _c.at > since).order_by(_c.at.desc())
        rows = connection.execute(query.limit(CODES_A_DAY)).all()
        times = [to_datetime(row.at) for row in rows]
        if sum(row.tries for row in rows) >= TRIES_A_DAY:  # no code would be taken
            _refuse(_TOO_MANY, times[-1] + _DAY - at)
        for most, period in ((CODES_A_DAY, _DAY), (CODES_AN_HOUR, _HOUR)):
            if len(times) >= most and times[most - 1] > at - period:
                _refuse(_TOO_MANY, times[most - 1] + period - at)


def _refuse(what: str, wait: timedelta) -> NoReturn:
    """Raises rate_limited."""
    seconds = max(1, math.ceil(wait.total_seconds()))
    raise Problem(ErrorCode.rate_limited, f"{what}; try again in {wait_of(seconds)}.", retry_after=seconds)


@dataclass(frozen=True, slots=True)
class CodeTried:
    """What came of a try: ``sealed`` where the code is right. None is ``left`` where it can be tried no more."""

    sealed: str | None
    expires_at: datetime | None = None
    left: int | None = None


@dataclass(frozen=True, slots=True)
class TryCode(Command[CodeTried]):
    """Compares a code, a keyed hash, and counts a wrong one. A value and no Problem: that would take the count back.

    ``address`` is what it was sent to: see ``sent_to``. Raises rate_limited where too many were wrong at the site.
    """

    id: str
    site: str
    address: str
    code: str
    at: datetime

    @property
    def holds(self) -> frozenset[str]:
        return frozenset({self.address})

    def apply(self, connection: Connection) -> CommandResult[CodeTried]:
        over = (_c.expires_at <= instant(connection, self.at)).label("is_over")
        query = select(_c.code, _c.sealed, _c.expires_at, over).join(schema.site)
        its = (_c.id == self.id, _s.key == self.site, _c.address == self.address)
        row = connection.execute(query.where(*its)).one_or_none()
        if row is None or row.is_over:
            return CommandResult(CodeTried(None))
        self._require_few(connection)
        left = self._left(connection)
        if left <= 0:
            return CommandResult(CodeTried(None))
        if hmac.compare_digest(row.code, self.code):
            return CommandResult(CodeTried(row.sealed, to_datetime(row.expires_at), left))
        connection.execute(update(_ROW).where(_c.id == self.id).values(tries=_c.tries + 1))
        return CommandResult(CodeTried(None, left=left - 1))

    def _require_few(self, connection: Connection) -> None:
        """Raises rate_limited."""
        since = instant(connection, self.at, timedelta(seconds=CODE_SECONDS) - _HOUR)
        site_id = select(_s.id).where(_s.key == self.site).scalar_subquery()
        # by the index of those that were guessed, which a parameter would not be seen to fit; all live equally long
        of_hour = (_c.expires_at > since, _c.site_id == site_id, _c.tries > literal_column("0"))
        wrong, first = connection.execute(select(func.sum(_c.tries), func.min(_c.at)).where(*of_hour)).one()
        if wrong is not None and wrong >= WRONG_CODES_OF_SITE:
            _refuse("Too many wrong codes at this site", to_datetime(first) + _HOUR - shared(connection, self.at))

    def _left(self, connection: Connection) -> int:
        """How many tries there are of this code, and today of all codes of its address."""
        of_day = (_c.address == self.address, _c.at > instant(connection, self.at, -_DAY))
        today = connection.scalar(select(func.sum(_c.tries)).where(*of_day)) or 0
        tries = connection.scalar(select(_c.tries).where(_c.id == self.id)) or 0
        return int(min(TRIES - tries, TRIES_A_DAY - today))


@dataclass(frozen=True, slots=True)
class SweepChallenges(Command[None]):
    """Empties what is over of addresses and codes, and deletes the rows a day after they were made."""

    at: datetime

    def apply(self, connection: Connection) -> CommandResult[None]:
        over = _c.expires_at <= instant(connection, self.at)
        connection.execute(update(_ROW).where(over, _c.sealed != "").values(sealed="", code=""))
        counted = timedelta(seconds=CODE_SECONDS) - _DAY
        connection.execute(delete(_ROW).where(_c.expires_at <= instant(connection, self.at, counted)))
        return CommandResult(None)


@dataclass(frozen=True, slots=True)
class CodeToSend:
    """``sealed`` has the address and the code; ``language`` is a tag, ``left`` how long the code is still good."""

    sealed: str
    language: str
    at: datetime
    left: timedelta


def sent_to(connection: Connection, id_: str) -> str | None:
    """The address that a code of this id was sent to, a keyed hash; None where there is none."""
    return connection.scalar(select(_c.address).where(_c.id == id_))


def code_to_send(connection: Connection, id_: str, now: datetime) -> CodeToSend | None:
    """None where it is over."""
    left = (_c.expires_at - instant(connection, now)).label("left")
    query = select(_c.sealed, _c.language, _c.at, left).where(_c.id == id_, _c.expires_at > instant(connection, now))
    row = connection.execute(query).one_or_none()
    return (
        None
        if row is None
        else CodeToSend(row.sealed, row.language, to_datetime(row.at), timedelta(milliseconds=row.left))
    )
