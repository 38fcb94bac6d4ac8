"""Names that others may not use, by what they look like; those of before are noted by a task."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "taken_name",
        sa.Column("site_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("skeleton", sa.Text(), nullable=False),
        sa.Column("author_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["author_id"], ["author.id"], name="fk_taken_name_author_id_author"),
        sa.PrimaryKeyConstraint("site_id", "skeleton", "author_id", name="pk_taken_name"),
    )
    op.create_index("ix_taken_name_author_id", "taken_name", ["author_id"], unique=False)
    op.execute(
        "INSERT INTO task (queue, name, payload, run_at, attempts, version, error, at) "
        "SELECT 'names', 'names', '{}', 0, 0, 1, '', 0 "
        "WHERE EXISTS (SELECT 1 FROM author WHERE kind <> 'guest')"
    )


def downgrade() -> None:
    op.drop_table("taken_name")
