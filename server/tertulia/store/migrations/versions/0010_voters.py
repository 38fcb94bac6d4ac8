"""Whose votes are whose: a guest who becomes a member takes them along."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_vote_voter_id", "vote", ["voter_id", "comment_id"], unique=False)


def downgrade() -> None:
    op.drop_index("ix_vote_voter_id", table_name="vote")
