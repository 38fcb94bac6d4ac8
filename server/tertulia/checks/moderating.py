"""What waits for moderators: each review against its comment and its reports, and the rows of rules by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, case, func, or_, select

from tertulia.checks.findings import Finding
from tertulia.core.causes import Queue
from tertulia.reporting import Progress
from tertulia.store import schema
from tertulia.store.streaming import streamed

DIGEST = 64
"""Letters of what is kept in place of an address."""
c, d, r, p = schema.comment.c, schema.discussion.c, schema.review.c, schema.report.c
b, h, o, s, v, w = schema.ban.c, schema.hook.c, schema.origin.c, schema.site.c, schema.verdict.c, schema.word.c
WIDE = DIGEST // 2
"""Of a wide network."""
BAN_KINDS, BAN_EFFECTS = ("author", "near", "wide"), ("refuse", "hold")
DOES = ("refuse", "suspect")
VERDICTS = ("show", "hold", "remove", "spam", "down")


class _Wrong(NamedTuple):
    """What is wrong with the rows that ``rows`` finds; ``where`` and ``detail`` name their columns in braces."""

    code: str
    rows: Select[Any]
    where: str
    detail: str


def check(connection: Connection, progress: Progress) -> Iterator[Finding]:
    """Codes: held_review, review_site, review_queue, review_state, review_end, review_weight, report_state, ban_row,
    word_row, hook_row, verdict_row, origin_row, network_bans.
    """
    for done, wrong in enumerate(_WRONG):
        progress("Checking what waits for moderators", done, len(_WRONG))
        for row in streamed(connection, wrong.rows):
            named = row._mapping
            yield Finding(wrong.code, wrong.where.format(**named), wrong.detail.format(**named))


_REVIEW = "review of {comment_id}"
_OF_COMMENT = select(r.comment_id, r.queue, c.state).join(schema.comment, c.id == r.comment_id)
_OPEN = r.closed_at.is_(None)
_ENDED = or_(r.decision.is_(None), r.closed_by.is_(None))
_WEIGHT = (
    select(func.coalesce(func.sum(p.weight), 0))
    .where(p.comment_id == r.comment_id, p.state == "open")
    .scalar_subquery()
    .label("reported")
)
_HIDDEN = ("held", "removed")
_MEANT = case((r.queue == Queue.reported.value, c.state == "visible"), else_=c.state.in_(_HIDDEN))

_LAST_END = (
    select(func.coalesce(func.max(b.until), 0))
    .where(b.site_id == s.id, b.kind != "author", b.lifted_at.is_(None))
    .scalar_subquery()
)

_WRONG = (
    _Wrong(
        "held_review",
        select(c.id)
        .outerjoin(schema.review, and_(r.comment_id == c.id, _OPEN))
        .where(c.state == "held", r.comment_id.is_(None), c.hidden_by.is_distinct_from("check")),
        "comment {id}",
        "it is held, and no moderator is told",
    ),
    _Wrong(
        "review_site",
        select(r.comment_id, r.site_id, d.site_id.label("own"))
        .join(schema.comment, c.id == r.comment_id)
        .join(schema.discussion, d.id == c.discussion_id)
        .where(r.site_id != d.site_id),
        _REVIEW,
        "it is at the desk of site {site_id}, and its comment of site {own}",
    ),
    _Wrong(
        "review_queue",
        select(r.comment_id, r.queue, r.rank).where(or_(r.queue.not_in([*Queue]), r.rank.not_in((0, 1)))),
        _REVIEW,
        "there is no queue {queue} with a rank {rank}",
    ),
    _Wrong(
        "review_state", _OF_COMMENT.where(_OPEN, ~_MEANT), _REVIEW, "it waits as {queue}, and its comment is {state}"
    ),
    _Wrong(
        "review_end",
        select(r.comment_id).where(or_(and_(_OPEN, ~_ENDED), and_(~_OPEN, _ENDED))),
        _REVIEW,
        "it is over without a decision, or has one and waits",
    ),
    _Wrong(
        "review_weight",
        select(r.comment_id, r.weight, _WEIGHT).where(_OPEN, r.weight != _WEIGHT),
        _REVIEW,
        "its reports weigh {reported}, and it says {weight}",
    ),
    _Wrong(
        "report_state",
        select(p.id, p.state, p.weight).where(
            or_(
                p.state.not_in(("open", "upheld", "dismissed")),
                ~p.weight.between(0, 2),
                and_(p.state == "open", p.resolved_at.is_not(None)),
            )
        ),
        "report {id}",
        "it is {state} with a weight of {weight}, or open and resolved",
    ),
    _Wrong(
        "ban_row",
        select(b.id, b.kind, b.effect).where(
            or_(
                b.kind.not_in(BAN_KINDS),
                b.effect.not_in(BAN_EFFECTS),
                b.until < b.at,
                and_(b.kind == "near", func.length(b.target) != DIGEST),
                and_(b.kind == "wide", func.length(b.target) != WIDE),
            )
        ),
        "ban {id}",
        "it is of the kind {kind} with the effect {effect}, or ends before it begins, or names an address",
    ),
    _Wrong(
        "network_bans",
        select(s.key).where(s.networks_banned_until != _LAST_END),
        "site {key}",
        "it does not say when the last ban of a network ends",
    ),
    _Wrong(
        "word_row",
        select(w.entry, w.does).where(or_(w.entry == "", w.does.not_in(DOES))),
        "word {entry}",
        "there is no entry, or nothing that {does} does",
    ),
    _Wrong(
        "hook_row",
        select(h.id).where(or_(h.name == "", h.kind == "", (h.failures > 0) != h.failing_since.is_not(None))),
        "hook {id}",
        "it has no name or no kind, or fails since never",
    ),
    _Wrong(
        "verdict_row",
        select(v.comment_id, v.verdict).where(or_(v.verdict.not_in(VERDICTS), v.version < 1)),
        "verdict on {comment_id}",
        "there is no verdict {verdict}, or no such version",
    ),
    _Wrong(
        "origin_row",
        select(o.comment_id).where(func.length(o.network) != DIGEST),
        "origin of {comment_id}",
        "what is kept in place of its address is no digest",
    ),
)
