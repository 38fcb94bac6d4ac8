"""Work that waits to be done, and how far each follower of the log has come."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_PARTIAL = {
    "ix_task_waiting": (["queue", "run_at", "id"], "dead_at IS NULL"),
    "ix_task_dead": (["queue", "dead_at", "id"], "dead_at IS NOT NULL"),
}


def upgrade() -> None:
    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("queue", sa.String(32), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("run_at", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("lease", sa.String(32), nullable=True),
        sa.Column("leased_until", sa.BigInteger(), nullable=True),
        sa.Column("dead_at", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_task"),
        sa.UniqueConstraint("name", name="uq_task_name"),
    )
    for name, (columns, where) in _PARTIAL.items():
        condition = sa.text(where)
        op.create_index(name, "task", columns, unique=False, sqlite_where=condition, postgresql_where=condition)
    op.create_table(
        "cursor",
        sa.Column("follower", sa.String(32), nullable=False),
        sa.Column("discussion_id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["discussion_id"], ["discussion.id"], name="fk_cursor_discussion_id_discussion"),
        sa.PrimaryKeyConstraint("follower", "discussion_id", name="pk_cursor"),
    )
    op.create_index("ix_cursor_discussion_id", "cursor", ["discussion_id"], unique=False)


def downgrade() -> None:
    op.drop_table("cursor")
    op.drop_table("task")
