"""Who there is and what each may do: identities, sessions, roles, ways in, and the log of what was decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LONG_ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
_ID = sa.String(36)
_DIGEST = sa.String(64)
_PARTIAL = {
    "ix_author_skeleton": ("author", ["site_id", "skeleton"], "skeleton IS NOT NULL"),
    "ix_author_merged": ("author", ["merged_into"], "merged_into IS NOT NULL"),
    "ix_action_comment_id": ("action", ["comment_id"], "comment_id IS NOT NULL"),
    "ix_action_author_id": ("action", ["author_id", "id"], "author_id IS NOT NULL"),
}
_INDEXES = {
    "ix_identity_author_id": ("identity", ["author_id"]),
    "ix_contact_address": ("contact", ["address"]),
    "ix_session_author_id": ("session", ["author_id"]),
    "ix_session_expires_at": ("session", ["expires_at"]),
    "ix_grant_site_id": ("grant", ["site_id"]),
    "ix_signin_expires_at": ("signin", ["expires_at"]),
    "ix_challenge_address": ("challenge", ["address", "at"]),
    "ix_challenge_expires_at": ("challenge", ["expires_at"]),
    "ix_spent_token_expires_at": ("spent_token", ["expires_at"]),
    "ix_action_site_id": ("action", ["site_id", "id"]),
}
_TABLES = (
    "identity",
    "contact",
    "session",
    "grant",
    "issuer",
    "signin",
    "challenge",
    "spent_token",
    "site_token",
    "action",
)
_CUTTING = "EXISTS (SELECT 1 FROM meta WHERE name = 'cutting actions')"
_KEPT = ("id", "at", "site_id", "actor_id", "actor", "verb", "comment_id", "author_id", "discussion_id", "reason")
"""Of an action, besides its data: what nobody changes."""
_LOCK = """
DO $lock$
BEGIN
  FOR attempt IN 1..400 LOOP
    BEGIN
      LOCK TABLE discussion, site, author IN ACCESS EXCLUSIVE MODE;
      RETURN;
    EXCEPTION WHEN lock_not_available THEN
      PERFORM pg_sleep(0.02);
    END;
  END LOOP;
  RAISE EXCEPTION 'the tables are in use without end';
END $lock$
"""


def upgrade() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    if not is_sqlite:
        _lock()
    for table, columns in _added().items():
        for column in columns:
            op.add_column(table, column)
    _identities()
    _sessions()
    _ways_in()
    _tokens()
    _actions()
    for name, (table, names) in _INDEXES.items():
        op.create_index(name, table, names, unique=False)
    for name, (table, names, where) in _PARTIAL.items():
        condition = sa.text(where)
        op.create_index(name, table, names, unique=False, sqlite_where=condition, postgresql_where=condition)
    for statement in _sqlite_triggers() if is_sqlite else _postgresql_triggers():
        op.get_bind().exec_driver_sql(statement)
    op.execute("INSERT INTO \"grant\" (author_id, site_id, role) SELECT author_id, 0, 'moderator' FROM moderator")
    op.execute("UPDATE author SET kind = 'staff' WHERE id IN (SELECT author_id FROM moderator)")


def downgrade() -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    for name in ("ix_author_skeleton", "ix_author_merged"):
        op.drop_index(name, table_name="author")
    for table in reversed(_TABLES):
        op.drop_table(table)
    if not is_sqlite:
        op.execute("DROP FUNCTION action_is_kept()")
    for table, columns in _added().items():
        for column in columns:
            op.drop_column(table, column.name)


def _added() -> dict[str, Sequence[sa.Column[Any]]]:
    """Each with a default or without a value: instances of the version before write rows beside this one."""
    return {
        "site": (
            sa.Column("settings", sa.JSON(), nullable=True),
            sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
        ),
        "author": (
            sa.Column("site_id", sa.BigInteger(), nullable=True),
            sa.Column("kind", sa.String(8), nullable=False, server_default="guest"),
            sa.Column("skeleton", sa.Text(), nullable=True),
            sa.Column("merged_into", sa.String(36), nullable=True),
            sa.Column("trust", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("tokens_after", sa.BigInteger(), nullable=True),
            sa.Column("erased_at", sa.BigInteger(), nullable=True),
        ),
        "discussion": (sa.Column("rules", sa.JSON(), nullable=True),),
    }


def _lock() -> None:
    """All tables that get columns, or none for now: instances of the version before go on, and lock them in any order.

    Each attempt ends before PostgreSQL looks for a deadlock, which is after a second.
    """
    connection = op.get_bind()
    connection.exec_driver_sql("SET LOCAL lock_timeout = '300ms'")
    connection.exec_driver_sql(_LOCK)
    connection.exec_driver_sql("SET LOCAL lock_timeout = 0")


def _author(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["author_id"], ["author.id"], name=f"fk_{name}_author_id_author")


def _site(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(["site_id"], ["site.id"], name=f"fk_{name}_site_id_site")


def _identities() -> None:
    op.create_table(
        "identity",
        sa.Column("site_id", _LONG_ID, autoincrement=False, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", _DIGEST, nullable=False),
        sa.Column("author_id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        _site("identity"),
        _author("identity"),
        sa.PrimaryKeyConstraint("site_id", "issuer", "subject", name="pk_identity"),
    )
    op.create_table(
        "contact",
        sa.Column("author_id", _ID, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("address", _DIGEST, nullable=False),
        sa.Column("verified_at", sa.BigInteger(), nullable=True),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        _author("contact"),
        sa.PrimaryKeyConstraint("author_id", name="pk_contact"),
    )


def _sessions() -> None:
    op.create_table(
        "session",
        sa.Column("id", _ID, nullable=False),
        sa.Column("token_hash", _DIGEST, nullable=False),
        sa.Column("author_id", _ID, nullable=False),
        sa.Column("site_id", _LONG_ID, nullable=True),
        sa.Column("scope", sa.String(8), nullable=False),
        sa.Column("roles", sa.JSON(), nullable=False),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        _author("session"),
        _site("session"),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.UniqueConstraint("token_hash", name="uq_session_token_hash"),
    )
    op.create_table(
        "grant",
        sa.Column("author_id", _ID, nullable=False),
        sa.Column("site_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        _author("grant"),
        sa.PrimaryKeyConstraint("author_id", "site_id", "role", name="pk_grant"),
    )


def _ways_in() -> None:
    op.create_table(
        "issuer",
        sa.Column("id", _LONG_ID, nullable=False),
        sa.Column("site_id", _LONG_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=True),
        _site("issuer"),
        sa.PrimaryKeyConstraint("id", name="pk_issuer"),
        sa.UniqueConstraint("site_id", "name", name="uq_issuer_site_id_name"),
    )
    op.create_table(
        "signin",
        sa.Column("id", _ID, nullable=False),
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
        sa.Column("author_id", _ID, nullable=True),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        _site("signin"),
        _author("signin"),
        sa.PrimaryKeyConstraint("id", name="pk_signin"),
        sa.UniqueConstraint("state", name="uq_signin_state"),
        sa.UniqueConstraint("code", name="uq_signin_code"),
    )
    op.create_table(
        "challenge",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site_id", _LONG_ID, nullable=False),
        sa.Column("address", _DIGEST, nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("code", _DIGEST, nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("language", sa.String(8), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        _site("challenge"),
        sa.PrimaryKeyConstraint("id", name="pk_challenge"),
    )


def _tokens() -> None:
    op.create_table(
        "spent_token",
        sa.Column("digest", _DIGEST, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_spent_token"),
    )
    op.create_table(
        "site_token",
        sa.Column("id", _ID, nullable=False),
        sa.Column("site_id", _LONG_ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("token_hash", _DIGEST, nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        _site("site_token"),
        sa.PrimaryKeyConstraint("id", name="pk_site_token"),
        sa.UniqueConstraint("token_hash", name="uq_site_token_token_hash"),
        sa.UniqueConstraint("site_id", "name", name="uq_site_token_site_id_name"),
    )


def _actions() -> None:
    op.create_table(
        "action",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("site_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_id", _ID, nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("verb", sa.String(32), nullable=False),
        sa.Column("comment_id", _ID, nullable=True),
        sa.Column("author_id", _ID, nullable=True),
        sa.Column("discussion_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("undoes", _ID, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_action"),
    )


def _sqlite_triggers() -> tuple[str, ...]:
    kept = " OR ".join(f"NEW.{name} IS NOT OLD.{name}" for name in (*_KEPT, "data", "undoes"))
    refused = "BEGIN SELECT RAISE(ABORT, 'actions are kept as they are'); END"
    return (
        f"CREATE TRIGGER action_update BEFORE UPDATE ON action "
        f"WHEN NOT {_CUTTING} AND (NEW.note <> '' OR {kept}) {refused}",
        f"CREATE TRIGGER action_delete BEFORE DELETE ON action WHEN NOT {_CUTTING} {refused}",
    )


def _postgresql_triggers() -> tuple[str, ...]:
    kept = " OR ".join(f"NEW.{name} IS DISTINCT FROM OLD.{name}" for name in (*_KEPT, "undoes"))
    allowed = f"NEW.note = '' AND NOT (NEW.data::text <> OLD.data::text OR {kept})"
    return (
        f"""
        CREATE FUNCTION action_is_kept() RETURNS trigger LANGUAGE plpgsql AS $kept$
        BEGIN
          IF {_CUTTING} THEN
            IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
            RETURN NEW;
          END IF;
          IF TG_OP = 'UPDATE' THEN
            IF {allowed} THEN RETURN NEW; END IF;
          END IF;
          RAISE EXCEPTION 'actions are kept as they are' USING ERRCODE = 'restrict_violation';
        END $kept$
        """,
        "CREATE TRIGGER action_change BEFORE UPDATE OR DELETE ON action FOR EACH ROW EXECUTE FUNCTION action_is_kept()",
        "CREATE TRIGGER action_truncate BEFORE TRUNCATE ON action EXECUTE FUNCTION action_is_kept()",
    )
