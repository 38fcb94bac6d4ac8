"""What waits for moderators and why, who may not write, and the log of what was decided."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from tertulia.store.schema.base import Id, metadata, partial

# one of each comment that waits, or has waited, for a moderator
review = Table(
    "review",
    metadata,
    Column("comment_id", ForeignKey("comment.id"), primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("queue", String(16), nullable=False),
    # 0 goes before 1 in the queue
    Column("rank", Integer, nullable=False),
    Column("since", BigInteger, nullable=False),
    # of the open reports
    Column("weight", Integer, nullable=False),
    Column("causes", JSON, nullable=False),
    # when it was kept although it was reported, and when it was approved by hand
    Column("kept_at", BigInteger),
    Column("approved_at", BigInteger),
    Column("closed_at", BigInteger),
    Column("closed_by", Text),
    Column("decision", String(16)),
    partial("ix_review_open", "site_id", "queue", "rank", "since", "comment_id", where="closed_at IS NULL"),
    partial("ix_review_closed", "site_id", "closed_at", "comment_id", where="closed_at IS NOT NULL"),
)

word = Table(
    "word",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("entry", Text, nullable=False),
    # suspect or refuse
    Column("does", String(8), nullable=False),
    Column("note", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    UniqueConstraint("site_id", "entry"),
)

ban = Table(
    "ban",
    metadata,
    Column("id", String(36), primary_key=True),
    # 0 is all sites
    Column("site_id", BigInteger, nullable=False),
    # author, near or wide: target is an author's id, or a network's digest as origin has it, of a wide one its half
    Column("kind", String(8), nullable=False),
    Column("target", String(64), nullable=False),
    # whose comment led to it
    Column("author_id", String(36)),
    Column("effect", String(8), nullable=False),
    Column("reason", String(16), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("until", BigInteger),
    Column("by", Text, nullable=False),
    Column("lifted_at", BigInteger),
    Column("lifted_by", Text),
    partial("ix_ban_target", "kind", "target", where="lifted_at IS NULL"),
    Index("ix_ban_site_id", "site_id", "at", "id"),
)

# for as long as a ban of a network may be needed
origin = Table(
    "origin",
    metadata,
    Column("comment_id", ForeignKey("comment.id"), primary_key=True),
    # half of a keyed hash of the /24 or /48, then half of one of the /32 or /64 within it: one index finds both
    Column("network", String(64), nullable=False),
    # of sites whose check wants to know address and browser
    Column("sealed", Text),
    Column("at", BigInteger, nullable=False),
    Index("ix_origin_network", "network", "at"),
    partial("ix_origin_sealed", "comment_id", where="sealed IS NOT NULL"),
)

# who is asked from outside
hook = Table(
    "hook",
    metadata,
    Column("id", Id, primary_key=True),
    Column("site_id", ForeignKey("site.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("config", JSON, nullable=False),
    Column("sealed_secret", Text),
    # in a row; since when; and from when on one that is down is asked once more
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("failing_since", BigInteger),
    Column("probe_at", BigInteger),
    UniqueConstraint("site_id", "name"),
)

verdict = Table(
    "verdict",
    metadata,
    Column("comment_id", ForeignKey("comment.id"), primary_key=True),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("hook_id", Id, primary_key=True, autoincrement=False),
    Column("verdict", String(8), nullable=False),
    Column("score", Float),
    Column("labels", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_verdict_at", "at"),
)

action = Table(
    "action",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("at", BigInteger, nullable=False),
    # None for what concerns all sites
    Column("site_id", BigInteger),
    # None for the operator and the server itself; actor says who acted
    Column("actor_id", String(36)),
    Column("actor", Text, nullable=False),
    Column("verb", String(32), nullable=False),
    Column("comment_id", String(36)),
    Column("author_id", String(36)),
    Column("discussion_id", BigInteger),
    Column("reason", String(32), nullable=False),
    Column("note", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("undoes", String(36)),
    Index("ix_action_site_id", "site_id", "id"),
    partial("ix_action_comment_id", "comment_id", where="comment_id IS NOT NULL"),
    partial("ix_action_author_id", "author_id", "id", where="author_id IS NOT NULL"),
)
"""No row refers to another: each stays, whatever becomes of what it tells of.

Triggers of both databases refuse to delete one, or to change more of it than to empty its note, as long as ``meta`` has
no row CUTTING; whoever cuts off what is old puts it there, and takes it away, in the same transaction.
"""
CUTTING = "cutting actions"
