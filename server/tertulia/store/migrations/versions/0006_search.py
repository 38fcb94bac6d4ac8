"""The search index: one row a visible comment, numbered in the order of time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "search_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), nullable=False),
        sa.Column("comment_id", sa.String(36), nullable=False),
        sa.ForeignKeyConstraint(["comment_id"], ["comment.id"], name="fk_search_entry_comment_id_comment"),
        sa.PrimaryKeyConstraint("id", name="pk_search_entry"),
        sa.UniqueConstraint("comment_id", name="uq_search_entry_comment_id"),
    )
    if op.get_context().dialect.name == "postgresql":
        op.execute("CREATE TABLE search_text (id bigint PRIMARY KEY, terms tsvector NOT NULL)")
        op.execute("CREATE INDEX ix_search_text_terms ON search_text USING gin (terms)")
    else:
        # the words come ready: what SQLite does to letters and marks would be done on this database alone
        op.execute(
            "CREATE VIRTUAL TABLE search_text USING fts5"
            "(words, scope, tokenize = \"unicode61 remove_diacritics 0 categories 'L* N* Co M*'\")"
        )


def downgrade() -> None:
    op.execute("DROP TABLE search_text")
    op.drop_table("search_entry")
