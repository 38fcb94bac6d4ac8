"""Other keys of a discussion: its canonical form leads to one whose stored key is another spelling of it.

The form is the running server's own, so it is taken from there: an alias of an older form would lead nobody anywhere.
Addresses of pages lose what tells of the reader who commented first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from tertulia.core.keys import canonical_key
from tertulia.core.pages import impersonal

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_PART = 500
_id = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_discussion = sa.table(
    "discussion",
    sa.column("id", sa.BigInteger),
    sa.column("site_id", sa.BigInteger),
    sa.column("key", sa.Text),
    sa.column("url", sa.Text),
    sa.column("comment_count", sa.BigInteger),
    sa.column("created_at", sa.BigInteger),
)
_alias = sa.table(
    "key_alias",
    sa.column("site_id", sa.BigInteger),
    sa.column("key", sa.Text),
    sa.column("discussion_id", sa.BigInteger),
)
_d, _a = _discussion.c, _alias.c
Name = tuple[int, str]


def upgrade() -> None:
    op.create_table(
        "key_alias",
        sa.Column("site_id", _id, autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("discussion_id", _id, nullable=False),
        sa.ForeignKeyConstraint(["discussion_id"], ["discussion.id"], name=op.f("fk_key_alias_discussion_id")),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=op.f("fk_key_alias_site_id")),
        sa.PrimaryKeyConstraint("site_id", "key", name=op.f("pk_key_alias")),
    )
    connection = op.get_bind()
    for part in _parts(connection):
        _name(connection, part)
        _clean(connection, part)


def downgrade() -> None:
    """What an address lost stays lost."""
    op.drop_table("key_alias")


def _parts(connection: sa.Connection) -> Iterator[Sequence[sa.Row[*tuple[Any, ...]]]]:
    """All discussions, those with more comments first, then the older ones: who comes first gets the name."""
    order = (_d.comment_count.desc(), _d.created_at, _d.id)
    ids = list(connection.scalars(sa.select(_d.id).order_by(*order)))
    for start in range(0, len(ids), _PART):
        part = ids[start : start + _PART]
        found = connection.execute(sa.select(_d.id, _d.site_id, _d.key, _d.url).where(_d.id.in_(part)))
        rows = {row.id: row for row in found}
        yield [rows[id_] for id_ in part]


def _name(connection: sa.Connection, part: Sequence[sa.Row[*tuple[Any, ...]]]) -> None:
    wanted: dict[Name, int] = {}
    for row in part:
        canonical = canonical_key(row.key)
        if canonical != row.key:
            wanted.setdefault((row.site_id, canonical), row.id)
    taken = _taken(connection, _discussion, wanted) | _taken(connection, _alias, wanted)
    new = [
        {"site_id": site, "key": key, "discussion_id": id_}
        for (site, key), id_ in wanted.items()
        if (site, key) not in taken
    ]
    if new:
        connection.execute(sa.insert(_alias), new)


def _taken(connection: sa.Connection, table: sa.TableClause, wanted: dict[Name, int]) -> set[Name]:
    if not wanted:
        return set()
    query = sa.select(table.c.site_id, table.c.key).where(table.c.key.in_({key for _, key in wanted}))
    sites = {site for site, _ in wanted}
    return {(row.site_id, row.key) for row in connection.execute(query.where(table.c.site_id.in_(sites)))}


def _clean(connection: sa.Connection, part: Sequence[sa.Row[*tuple[Any, ...]]]) -> None:
    for row in part:
        if "?" not in row.url:
            continue
        url = impersonal(row.url)
        # what it names is this page: canonical links of some sites have such parameters
        if url != row.url and canonical_key(row.url) != canonical_key(row.key):
            connection.execute(sa.update(_discussion).where(_d.id == row.id).values(url=url))
