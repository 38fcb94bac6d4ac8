"""Which names are somebody's: those of staff everywhere, those of members at their site for guests.

A name is stored by its skeletons, up to three rows, so that one that looks like it is found by an index. Whether a name
is free is asked in the transaction that writes, and of an author who is known by it never again.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, bindparam, delete, func, literal_column, or_, select

from tertulia.core.names import skeletons
from tertulia.errors import name_taken
from tertulia.store import schema
from tertulia.store.prepared import Insert, Prepared
from tertulia.store.roles import ALL_SITES

QUEUE = "names"
"""Of the task that the migration makes where there are members from before."""
MOST = 3
"""Skeletons of a name: as it is written, in lower and in upper case."""
_t, _s = schema.taken_name.c, schema.site.c
_EVERYWHERE = literal_column(str(ALL_SITES), BigInteger)
_SKELETONS = [f"skeleton_{number}" for number in range(MOST)]


def _holder(*sites: object) -> Prepared:
    alike = _t.skeleton.in_([bindparam(name) for name in _SKELETONS])
    of_these = or_(*(_t.site_id == site for site in sites))
    return Prepared(
        select(func.min(_t.author_id).label("author_id")).where(of_these, alike, _t.author_id != bindparam("author"))
    )


_OF_STAFF = _holder(_EVERYWHERE)
_OF_ANYBODY = _holder(_EVERYWHERE, select(_s.id).where(_s.key == bindparam("site")).scalar_subquery())

_OF_AUTHOR = Prepared(select(_t.site_id, _t.skeleton).where(_t.author_id == bindparam("author")))
_TAKEN = Insert(schema.taken_name, is_shared=True)


def require_free(connection: Connection, author_id: str, name: str, *, chosen_at: str | None = None) -> None:
    """Whether an author may be called so; whoever chooses the name themselves at the site ``chosen_at``.

    Raises name_taken.
    """
    its = sorted(skeletons(name))
    values = dict(zip(_SKELETONS, its + its[:1] * (MOST - len(its)), strict=True))
    asked = _OF_STAFF if chosen_at is None else _OF_ANYBODY
    row = asked.row(connection, {**values, "author": author_id, "site": chosen_at})
    if row is not None and row["author_id"] is not None:
        raise name_taken()


def take(connection: Connection, author_id: str, site_id: int, name: str) -> None:
    """The name is this author's from now on, and what they were called before is free."""
    its = skeletons(name)
    had = set(_OF_AUTHOR.rows(connection, {"author": author_id}))
    if any(skeleton not in its for _, skeleton in had):
        connection.execute(delete(schema.taken_name).where(_t.author_id == author_id, _t.skeleton.not_in(sorted(its))))
    for skeleton in sorted(its):
        if (site_id, skeleton) not in had:
            _TAKEN.run(connection, {"site_id": site_id, "skeleton": skeleton, "author_id": author_id})


def free(connection: Connection, author_id: str) -> None:
    connection.execute(delete(schema.taken_name).where(_t.author_id == author_id))
