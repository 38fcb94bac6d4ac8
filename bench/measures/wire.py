"""Bytes of a busy room's frame (ten comments) and of a quiet one's (a comment) against the same uncompressed."""

from __future__ import annotations

import json
import uuid

from bench.measures import Plan
from bench.report import Findings, Row
from tertulia.core.documents import parse
from tertulia.core.ids import uuid7
from tertulia.live.frames import Frame
from tertulia.protocol import events_message


def measure(plan: Plan, findings: Findings) -> None:
    plan.say("bytes on the wire")
    findings.rows += [_row("bytes of ten comments", 10, wanted=0.35), _row("bytes of a comment", 1)]


def _row(what: str, comments: int, wanted: float | None = None) -> Row:
    frame = Frame(events_message([_comment(number) for number in range(comments)]))
    sent, plain = len(frame.deflated), len(frame.plain)
    if wanted is None:
        return Row(what, f"{sent:,}", f"plain {plain:,}", f"{sent / plain:.0%}")
    return Row(
        what, f"{sent:,}", f"plain {plain:,}", f"{sent / plain:.0%}", f"≤ {wanted * 100:.0f} %", sent <= wanted * plain
    )


def _comment(number: int) -> str:
    said = f"Comment number {number}: the market by the river opens at five, bring an umbrella and small change."
    author = {"id": str(uuid.uuid4()), "name": f"Nguyễn Văn {number}", "badge": None}
    comment = {"id": uuid7(), "parent_id": None, "author": author, "body": parse(said), "state": "visible"}
    more = {
        "created_at": "2026-11-24T00:00:00.000Z",
        "edited_at": None,
        "votes": {"up": 0, "down": 0},
        "reply_count": 0,
    }
    return json.dumps({"seq": number, "kind": "comment.created", "comment": comment | more}, ensure_ascii=False)
