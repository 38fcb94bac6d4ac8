"""How many replies each thread has, of all depths, so that a page can say how many there are beyond it.

A trigger counts, since instances of the version before change the counts of replies beside this one. Readers go on
meanwhile: a table is made, and no column, for which the comments would be locked while all of them are counted.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_COUNT = """
    INSERT INTO thread (root_id, reply_count) VALUES (NEW.root_id, NEW.reply_count - OLD.reply_count)
    ON CONFLICT (root_id) DO UPDATE SET reply_count = thread.reply_count + excluded.reply_count;
"""
_SQLITE = (
    f"CREATE TRIGGER comment_counted AFTER UPDATE OF reply_count ON comment "
    f"WHEN NEW.reply_count <> OLD.reply_count BEGIN {_COUNT} END",
)
_POSTGRESQL = (
    "CREATE FUNCTION count_thread() RETURNS trigger LANGUAGE plpgsql AS "
    f"$count$ BEGIN {_COUNT} RETURN NULL; END $count$",
    "CREATE TRIGGER comment_counted AFTER UPDATE OF reply_count ON comment FOR EACH ROW "
    "WHEN (NEW.reply_count <> OLD.reply_count) EXECUTE FUNCTION count_thread()",
)


def upgrade() -> None:
    op.create_table(
        "thread",
        sa.Column("root_id", sa.String(36), nullable=False),
        sa.Column("reply_count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["root_id"], ["comment.id"], name="fk_thread_root_id_comment"),
        sa.PrimaryKeyConstraint("root_id", name="pk_thread"),
    )
    # the trigger first: it waits for whoever is writing, and what is counted afterwards has all of that
    for statement in _SQLITE if op.get_context().dialect.name == "sqlite" else _POSTGRESQL:
        op.get_bind().exec_driver_sql(statement)
    op.execute(
        "INSERT INTO thread (root_id, reply_count) "
        "SELECT root_id, sum(reply_count) FROM comment WHERE root_id IN "
        "(SELECT root_id FROM comment WHERE parent_id IS NOT NULL AND published IS TRUE) GROUP BY root_id"
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER comment_counted" + ("" if op.get_context().dialect.name == "sqlite" else " ON comment"))
    op.drop_table("thread")
    if op.get_context().dialect.name != "sqlite":
        op.execute("DROP FUNCTION count_thread()")
