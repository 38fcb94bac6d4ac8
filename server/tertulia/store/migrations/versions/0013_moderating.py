"""What waits for moderators and why: reviews, weighed reports, words, bans, checks from outside.

What waits already gets its row here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_LONG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ID = sa.String(36)
_DIGEST = sa.String(64)
_INDEXES = {
    "ix_review_closed": ("review", ["site_id", "closed_at", "comment_id"], "closed_at IS NOT NULL"),
    "ix_review_open": ("review", ["site_id", "queue", "rank", "since", "comment_id"], "closed_at IS NULL"),
    "ix_report_waiting": ("report", ["comment_id", "at", "id"], "state = 'open'"),
    "ix_report_reporter": ("report", ["reporter", "at"], "reporter IS NOT NULL"),
    "ix_ban_target": ("ban", ["kind", "target"], "lifted_at IS NULL"),
    "ix_ban_site_id": ("ban", ["site_id", "at", "id"], None),
    "ix_origin_network": ("origin", ["network", "at"], None),
    "ix_origin_sealed": ("origin", ["comment_id"], "sealed IS NOT NULL"),
    "ix_verdict_at": ("verdict", ["at"], None),
}
_TABLES = ("review", "word", "ban", "origin", "hook", "verdict")
_LOCK = """
DO $lock$
BEGIN
  FOR attempt IN 1..400 LOOP
    BEGIN
      LOCK TABLE site, discussion, author, comment, report IN ACCESS EXCLUSIVE MODE;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(0.02);
    END;
  END LOOP;
  RAISE EXCEPTION 'the tables are in use without end';
END $lock$
"""
_WITHOUT_DESKS = (
    "DELETE FROM event WHERE discussion_id IN (SELECT id FROM discussion WHERE key = '\x1fdesk')",
    "DELETE FROM cursor WHERE discussion_id IN (SELECT id FROM discussion WHERE key = '\x1fdesk')",
    "DELETE FROM discussion WHERE key = '\x1fdesk'",
)
_WAITING = """
    INSERT INTO review (comment_id, site_id, queue, rank, since, weight, causes)
    SELECT comment.id, discussion.site_id, 'waiting', 1, comment.created_at, 0, '[]'
    FROM comment JOIN discussion ON discussion.id = comment.discussion_id WHERE comment.state = 'held'
"""
_REPORTED = """
    INSERT INTO review (comment_id, site_id, queue, rank, since, weight, causes)
    SELECT comment.id, discussion.site_id, 'reported', 1, min(report.at), count(*), '[]'
    FROM report JOIN comment ON comment.id = report.comment_id
    JOIN discussion ON discussion.id = comment.discussion_id
    WHERE report.open AND comment.state = 'visible' GROUP BY comment.id, discussion.site_id
"""


def upgrade() -> None:
    if op.get_context().dialect.name != "sqlite":
        _lock()
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    _reviews()
    _rules()
    _checks()
    for name, (table, names, where) in _INDEXES.items():
        condition = None if where is None else sa.text(where)
        op.create_index(name, table, names, unique=False, sqlite_where=condition, postgresql_where=condition)
    condition = sa.text("reporter IS NOT NULL")
    names = ["comment_id", "reporter"]
    op.create_index("uq_report_once", "report", names, unique=True, sqlite_where=condition, postgresql_where=condition)
    op.execute(_WAITING)
    op.execute(_REPORTED)


def downgrade() -> None:
    for statement in _WITHOUT_DESKS:
        op.execute(statement)
    for table in reversed(_TABLES):
        op.drop_table(table)
    for name in ("uq_report_once", "ix_report_reporter", "ix_report_waiting"):
        op.drop_index(name, table_name="report")
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)


def _added() -> dict[str, Sequence[sa.Column[Any]]]:
    """Each with a default or without a value: instances of the version before write rows beside this one."""
    return {
        "site": (sa.Column("networks_banned_until", sa.BigInteger(), nullable=False, server_default="0"),),
        "author": (
            sa.Column("ban_effect", sa.String(8), nullable=True),
            sa.Column("ban_until", sa.BigInteger(), nullable=True),
        ),
        "discussion": (
            sa.Column("closes_at", sa.BigInteger(), nullable=True),
            sa.Column("floor", sa.BigInteger(), nullable=False, server_default="0"),
        ),
        "comment": (
            sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("hidden_by", sa.String(8), nullable=True),
            sa.Column("decision", sa.JSON(), nullable=True),
            sa.Column("mark", sa.String(8), nullable=True),
        ),
        "report": (
            sa.Column("state", sa.String(10), nullable=False, server_default="open"),
            sa.Column("reporter", _DIGEST, nullable=True),
            sa.Column("weight", sa.Integer(), nullable=False, server_default="1"),
            sa.Column("sealed_contact", sa.Text(), nullable=True),
            sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        ),
    }


def _lock() -> None:
    """All tables that get columns, or none for now: instances of the version before go on, and lock them in any order.

    Each attempt ends before PostgreSQL looks for a deadlock, which is after a second.
    """
    connection = op.get_bind()
    connection.exec_driver_sql("SET LOCAL lock_timeout = '300ms'")
    connection.exec_driver_sql(_LOCK)
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")


def _comment(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["comment_id"], ["comment.id"], name=f"fk_{name}_comment_id_comment")


def _site(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=f"fk_{name}_site_id_site")


def _reviews() -> None:
    op.create_table(
        "review",
        sa.Column("comment_id", _ID, nullable=False),
        sa.Column("site_id", _LONG_ID, nullable=False),
        sa.Column("queue", sa.String(16), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.Integer(), nullable=False),
        sa.Column("causes", sa.JSON(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=True),
        sa.Column("approved_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.Column("decision", sa.String(16), nullable=True),
        _comment("review"),
        _site("review"),
        sa.PrimaryKeyConstraint("comment_id", name="pk_review"),
    )


def _rules() -> None:
    op.create_table(
        "word",
        sa.Column("id", _LONG_ID, nullable=False),
        sa.Column("site_id", _LONG_ID, nullable=False),
        sa.Column("entry", sa.Text(), nullable=False),
        sa.Column("does", sa.String(8), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _site("word"),
        sa.PrimaryKeyConstraint("id", name="pk_word"),
        sa.UniqueConstraint("site_id", "entry", name="uq_word_site_id_entry"),
    )
    op.create_table(
        "ban",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("target", sa.String(64), nullable=False),
        sa.Column("author_id", _ID, nullable=True),
        sa.Column("effect", sa.String(8), nullable=False),
        sa.Column("reason", sa.String(16), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("lifted_at", sa.BigInteger(), nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_ban"),
    )
    op.create_table(
        "origin",
        sa.Column("comment_id", _ID, nullable=False),
        sa.Column("network", _DIGEST, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _comment("origin"),
        sa.PrimaryKeyConstraint("comment_id", name="pk_origin"),
    )


def _checks() -> None:
    op.create_table(
        "hook",
        sa.Column("id", _LONG_ID, nullable=False),
        sa.Column("site_id", _LONG_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=True),
        sa.Column("failures", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("failing_since", sa.BigInteger(), nullable=True),
        sa.Column("probe_at", sa.BigInteger(), nullable=True),
        _site("hook"),
        sa.PrimaryKeyConstraint("id", name="pk_hook"),
        sa.UniqueConstraint("site_id", "name", name="uq_hook_site_id_name"),
    )
    op.create_table(
        "verdict",
        sa.Column("comment_id", _ID, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("hook_id", _LONG_ID, autoincrement=False, nullable=False),
        sa.Column("verdict", sa.String(8), nullable=False),
        sa.Column("score", sa.Float(), nullable=True),
        sa.Column("labels", sa.JSON(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _comment("verdict"),
        sa.PrimaryKeyConstraint("comment_id", "version", "hook_id", name="pk_verdict"),
    )
