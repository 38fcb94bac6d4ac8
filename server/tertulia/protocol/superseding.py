"""What is kept of an event once a later one replaces its content."""

from __future__ import annotations

import json
from dataclasses import replace

from tertulia.protocol.encoded import EncodedEvent

_SAID = ("author", "body", "edited_at", "state")
_WITHOUT_TOTALS = ("comment.voted", "comment.edited", "comment.pinned")


def superseded(earlier: EncodedEvent, later: EncodedEvent) -> EncodedEvent:
    """What is kept of an event about a comment once ``later``, which supersedes, tells of the same comment.

    Votes and edits keep their number and time: ``later`` says all that they said. What carries totals stays, with
    author and text as ``later`` has them; a tombstone stays one. The event itself where nothing is superseded.
    """
    if later.kind == "comment.voted" and earlier.kind != "comment.voted":
        return earlier
    event = json.loads(earlier.payload)  # not as an Event: one of a newer version may carry more
    if earlier.kind in _WITHOUT_TOTALS:
        event = {"seq": earlier.seq, "kind": "comment.superseded", "at": event["at"]}
        return EncodedEvent(earlier.seq, "comment.superseded", None, _compact(event))
    said, now = event.get("comment"), json.loads(later.payload).get("comment")
    if said is None or (said["body"] is None and now["body"] is not None):
        return earlier
    event["comment"] = said | {name: now[name] for name in _SAID}
    return replace(earlier, payload=_compact(event))


def _compact(value: object) -> str:
    """JSON as the models write it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
