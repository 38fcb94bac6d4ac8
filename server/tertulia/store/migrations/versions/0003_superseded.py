"""What edits took out goes out of the log, and what they and removals superseded with it; no column changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_event = sa.table(
    "event",
    sa.column("discussion_id", sa.BigInteger),
    sa.column("seq", sa.BigInteger),
    sa.column("kind", sa.String),
    sa.column("comment_id", sa.String),
    sa.column("payload", sa.Text),
)
_e = _event.c
_discussion = sa.table("discussion", sa.column("id", sa.BigInteger))
_LAST = ("comment.edited", "comment.removed")
_WITHOUT_TOTALS = ("comment.voted", "comment.edited", "comment.pinned")
_SAID = ("author", "body", "edited_at", "state")


def upgrade() -> None:
    connection = op.get_bind()
    query = sa.select(_e.discussion_id, _e.comment_id).where(_e.kind.in_(_LAST)).distinct()
    changed = connection.execute(query.order_by(_e.discussion_id, _e.comment_id)).all()
    held = None
    for discussion_id, comment_id in changed:
        if discussion_id != held:
            # as instances do that run, and in their order: what one removes meanwhile must not be shown again
            connection.execute(sa.select(_discussion).where(_discussion.c.id == discussion_id).with_for_update())
            held = discussion_id
        query = sa.select(_event).where(_e.comment_id == comment_id).order_by(_e.seq)
        for values in _superseded(connection.execute(query).mappings().all()):
            where = (_e.discussion_id == values["discussion_id"]) & (_e.seq == values["seq"])
            connection.execute(sa.update(_event).where(where).values(**values))


def downgrade() -> None:
    """What is gone stays gone; a log without it is one that was read before, too."""


def _superseded(log: Any) -> Iterator[dict[str, Any]]:
    """The events of one comment that change, as they are from now on."""
    last = max(place for place, row in enumerate(log) if row["kind"] in _LAST)
    now = json.loads(log[last]["payload"])["comment"]
    for row in log[:last]:
        event = json.loads(row["payload"])
        said = event.get("comment")
        if row["kind"] in _WITHOUT_TOTALS:
            event = {"seq": row["seq"], "kind": "comment.superseded", "at": event["at"]}
            yield {**row, "kind": "comment.superseded", "comment_id": None, "payload": _compact(event)}
        elif said is not None and not (said["body"] is None and now["body"] is not None):
            event["comment"] = said | {name: now[name] for name in _SAID}
            yield {**row, "payload": _compact(event)}


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
