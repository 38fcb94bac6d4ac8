"""Whose comments are whose, the newest first; and which codes of a site were guessed."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("ix_comment_author", "comment", ["author_id", "created_at", "id"], unique=False)
    wrong = sa.text("tries > 0")
    columns = ["site_id", "expires_at"]
    op.create_index(
        "ix_challenge_wrong", "challenge", columns, unique=False, sqlite_where=wrong, postgresql_where=wrong
    )


def downgrade() -> None:
    op.drop_index("ix_challenge_wrong", table_name="challenge")
    op.drop_index("ix_comment_author", table_name="comment")
