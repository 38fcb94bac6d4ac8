"""What moderators know of somebody who writes at their site."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, ScalarSelect, func, select

from tertulia.store import persons, schema
from tertulia.store.actions import Recorded, actions_about
from tertulia.store.queries.desk import COUNTED, AuthorFacts, author_facts
from tertulia.store.queries.discussions import known_site

DECISIONS = 50
"""The newest that are shown."""
STATES = ("open", "upheld", "dismissed")
"""Of a report."""
_c, _p = schema.comment.c, schema.report.c


class Person(NamedTuple):
    """``reports`` counts those of their newest comments, by what became of each; ``decisions`` are about them."""

    facts: AuthorFacts
    reports: Mapping[str, int]
    decisions: list[Recorded]


def person(connection: Connection, site: str, author_id: str) -> Person:
    """Raises unknown_site, not_found."""
    persons.at_site(connection, known_site(connection, site), author_id)
    newest = select(_c.id).where(_c.author_id == author_id).order_by(_c.created_at.desc(), _c.id.desc())
    theirs = newest.limit(COUNTED).subquery()
    # looked up by row: for a join both databases may read all reports
    of = [_number(theirs.c.id, state).label(state) for state in STATES]
    looked = select(*of).select_from(theirs).subquery()
    sums = select(*(func.coalesce(func.sum(looked.c[state]), 0).label(state) for state in STATES))
    reports = connection.execute(sums).one()
    return Person(
        author_facts(connection, author_id),
        {state: int(count) for state, count in reports._mapping.items() if count},
        actions_about(connection, site, author_id, DECISIONS),
    )


def _number(comment_id: ColumnElement[str], state: str) -> ScalarSelect[int]:
    """How many reports of a comment are in this state."""
    return select(func.count()).where(_p.comment_id == comment_id, _p.state == state).scalar_subquery()
