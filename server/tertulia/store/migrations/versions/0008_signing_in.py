"""Signing in with a provider: the way there and the code that the page gets are rows of two tables.

No version before wrote rows of the table that is made anew, and none lives longer than ten minutes.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_LONG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_DIGEST = sa.String(64)


def upgrade() -> None:
    op.drop_table("signin")
    op.create_table(
        "signin",
        sa.Column("state", _DIGEST, nullable=False),
        sa.Column("site_id", _LONG_ID, nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("page_state", sa.String(64), nullable=False),
        sa.Column("challenge", sa.String(64), nullable=False),
        sa.Column("return_to", sa.Text(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("browser", _DIGEST, nullable=False),
        sa.Column("nonce", _DIGEST, nullable=False),
        sa.Column("sealed_verifier", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_signin_site_id_site"),
        sa.PrimaryKeyConstraint("state", name="pk_signin"),
    )
    op.create_table(
        "signin_code",
        sa.Column("code", _DIGEST, nullable=False),
        sa.Column("site_id", _LONG_ID, nullable=False),
        sa.Column("challenge", sa.String(64), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("sealed_person", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_signin_code_site_id_site"),
        sa.PrimaryKeyConstraint("code", name="pk_signin_code"),
    )
    for table in ("signin", "signin_code"):
        op.create_index(f"ix_{table}_expires_at", table, ["expires_at"], unique=False)


def downgrade() -> None:
    op.drop_table("signin_code")
    op.drop_table("signin")
    op.create_table(
        "signin",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("site_id", _LONG_ID, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("state", _DIGEST, nullable=False),
        sa.Column("page_state", sa.Text(), nullable=False),
        sa.Column("challenge", sa.String(64), nullable=False),
        sa.Column("return_to", sa.Text(), nullable=False),
        sa.Column("browser", _DIGEST, nullable=False),
        sa.Column("nonce", _DIGEST, nullable=False),
        sa.Column("sealed_verifier", sa.Text(), nullable=False),
        sa.Column("code", _DIGEST, nullable=True),
        sa.Column("code_until", sa.BigInteger(), nullable=True),
        sa.Column("author_id", sa.String(36), nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["site_id"], ["site.id"], name="fk_signin_site_id_site"),
        sa.ForeignKeyConstraint(["author_id"], ["author.id"], name="fk_signin_author_id_author"),
        sa.PrimaryKeyConstraint("id", name="pk_signin"),
        sa.UniqueConstraint("state", name="uq_signin_state"),
        sa.UniqueConstraint("code", name="uq_signin_code"),
    )
    op.create_index("ix_signin_expires_at", "signin", ["expires_at"], unique=False)
