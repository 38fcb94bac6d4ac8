"""Every list is read in the order of an index: a page costs its own rows, however many there are besides."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROOT, _REPLY = "parent_id IS NULL AND {published}", "parent_id IS NOT NULL AND {published}"
_HELD = "state = 'held'"
_OF_COMMENTS: dict[str, tuple[list[Any], str]] = {
    "ix_comment_root": (["discussion_id", "created_at", "id"], _ROOT),
    "ix_comment_top": (["discussion_id", sa.text("(down - up)"), "created_at", "id"], _ROOT),
    "ix_comment_reply": (["root_id", "created_at", "id"], _REPLY),
    "ix_comment_answer": (["parent_id", "created_at", "id"], "parent_id IS NOT NULL"),
    "ix_comment_visible": (["discussion_id", "created_at", "id"], "state = 'visible'"),
    "ix_comment_waiting": (["created_at", "id"], _HELD),
    "ix_comment_own_waiting": (["discussion_id", "author_id", "created_at", "id"], _HELD),
    "ix_comment_kept": (["author_id", "created_at"], "state <> 'deleted'"),
}
_EARLIER = {
    "ix_comment_held": ["state", "created_at", "id"],
    "ix_comment_parent_id": ["parent_id"],
    "ix_comment_roots": ["discussion_id", "parent_id", "created_at", "id"],
    "ix_comment_thread": ["root_id", "created_at", "id"],
}
_CLOSE = """
UPDATE report SET open = {false}
WHERE EXISTS (SELECT 1 FROM comment WHERE comment.id = report.comment_id AND comment.state <> 'visible')
"""


def upgrade() -> None:
    for name, (columns, where) in _OF_COMMENTS.items():
        _create(name, "comment", columns, where)
    op.create_index("ix_comment_discussion_id", "comment", ["discussion_id"], unique=False)
    # with a default, for instances of the version before that write reports beside this one
    op.add_column("report", sa.Column("open", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.execute(_CLOSE.format(false="0" if op.get_context().dialect.name == "sqlite" else "false"))
    _create("ix_report_open", "report", ["at", "id"], "{open}")
    # last: it keeps PostgreSQL's readers out until the end of the transaction
    for name in _EARLIER:
        op.drop_index(name, table_name="comment")


def downgrade() -> None:
    op.drop_index("ix_report_open", table_name="report")
    with op.batch_alter_table("report") as report:
        report.drop_column("open")
    for name, columns in _EARLIER.items():
        op.create_index(name, "comment", columns, unique=False)
    for name in ("ix_comment_discussion_id", *_OF_COMMENTS):
        op.drop_index(name, table_name="comment")


def _create(name: str, table: str, columns: list[Any], where: str) -> None:
    is_sqlite = op.get_context().dialect.name == "sqlite"
    published, open_ = ("published IS 1", "open = 1") if is_sqlite else ("published IS TRUE", "open")
    condition = sa.text(where.format(published=published, open=open_))
    op.create_index(name, table, columns, unique=False, sqlite_where=condition, postgresql_where=condition)
