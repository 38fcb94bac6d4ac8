"""Each discussion's log: dense, the same everywhere, its counts right; and every snapshot what the log makes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any

from tests.history.records import Heard, Json, Looked, Record, Summed
from tests.history.stored import InstanceView, Stored
from tests.history.violations import Name, Violation
from tests.support.replay import fold, in_order

WITHOUT_BODY = {"author": None, "body": None, "state": None}
SUPERSEDED = ("comment.voted", "comment.edited", "comment.pinned")
"""Kinds of which the log keeps number and time once a later event says the same of the comment."""


def is_shown(comment: Json) -> bool:
    """Whether anything of what was said, or of who said it, is there."""
    return comment.get("body") is not None or comment.get("author") is not None


def is_superseded(event: Json) -> bool:
    return bool(event["kind"] == "comment.superseded")


def same(one: Json, other: Json) -> bool:
    """Whether these say the same of a comment, where a removal may have taken text and author out of one of them."""
    if one == other:
        return True
    return is_shown(one) != is_shown(other) and one | WITHOUT_BODY == other | WITHOUT_BODY


def violations(history: list[Record], stored: Stored) -> Iterator[Violation]:
    for talk, log in stored.logs.items():
        yield from _dense(talk, log, stored.heads.get(talk, 0))
        yield from _counts(talk, log)
    told = _as_told(history, stored)
    yield from _contents(history, stored, told)
    looks: dict[str, list[Looked]] = defaultdict(list)
    for record in history:
        if isinstance(record, Looked):
            looks[record.talk].append(record)
    for talk, some in looks.items():
        yield from _snapshots(told.get(talk, []), some)
    for view in stored.views:
        yield from _view(stored.logs.get(view.talk, []), view)
    removed = {row.id for row in stored.rows if row.state == "removed"}
    for where, events in _shown_logs(stored):
        for event in events:
            comment = event.get("comment")
            if comment is not None and comment["id"] in removed and is_shown(comment):
                yield Violation(Name.leak, f"{where} {event['seq']} still shows {comment['id']}, which is removed")
    yield from _vote_counts(stored)


def _dense(talk: str, log: list[Json], head: int) -> Iterator[Violation]:
    seqs = [event["seq"] for event in log]
    if seqs != list(range(1, len(seqs) + 1)):
        wrong = next(place for place, seq in enumerate(seqs, 1) if place != seq)
        yield Violation(Name.hole, f"in {talk} stands {seqs[wrong - 1]} where {wrong} belongs")
    if head != len(seqs):
        yield Violation(Name.hole, f"{talk} is at {head} and has {len(seqs)} events")


def _counts(talk: str, log: list[Json]) -> Iterator[Violation]:
    """Comments and replies, counted again from the kinds of the events alone."""
    visible: set[str] = set()
    replies: dict[str, set[str]] = defaultdict(set)
    for event in log:
        comment = event.get("comment")
        if comment is not None and event["kind"] in ("comment.created", "comment.removed", "comment.restored"):
            for some in (visible, replies[comment["parent_id"] or ""]):
                (some.discard if event["kind"] == "comment.removed" else some.add)(comment["id"])
        if event.get("comment_count", len(visible)) != len(visible):
            detail = f"{talk} {event['seq']} says {event['comment_count']} comments, there are {len(visible)}"
            yield Violation(Name.wrong_count, detail)
        parent = event.get("parent")
        if parent is not None and parent["reply_count"] != len(replies[parent["id"]]):
            detail = f"{talk} {event['seq']} says {parent['reply_count']} replies to {parent['id']}"
            yield Violation(Name.wrong_count, f"{detail}, there are {len(replies[parent['id']])}")


def _told(history: list[Record]) -> Iterator[tuple[str, str, Json]]:
    for record in history:
        if isinstance(record, Heard):
            yield record.who, record.talk, record.event
        elif isinstance(record, Summed):
            for event in record.events:
                yield record.who, record.talk, event


def _as_told(history: list[Record], stored: Stored) -> dict[str, list[Json]]:
    """The logs, with those events that later ones superseded as somebody was told of them before."""
    found = {talk: list(log) for talk, log in stored.logs.items()}
    for _, talk, event in _told(history):
        log = found.get(talk, [])
        if event["kind"] in SUPERSEDED and 0 < event["seq"] <= len(log) and is_superseded(log[event["seq"] - 1]):
            log[event["seq"] - 1] = event
    return found


def _contents(history: list[Record], stored: Stored, told: dict[str, list[Json]]) -> Iterator[Violation]:
    for who, talk, event in _told(history):
        log = told.get(talk, [])
        if not 0 < event["seq"] <= len(log):
            yield Violation(Name.ghost, f"{who} was told {talk} {event['seq']}, which is not in the log")
        elif not _same_event(event, log[event["seq"] - 1]) and event != stored.logs[talk][event["seq"] - 1]:
            detail = f"{who} was told {talk} {event['seq']} as {event}, the log has {log[event['seq'] - 1]}"
            yield Violation(Name.two_contents, detail)


def _same_event(one: Json, other: Json) -> bool:
    if one == other:
        return True
    return one | {"comment": None} == other | {"comment": None} and same(
        one.get("comment", {}), other.get("comment", {})
    )


def _snapshots(log: list[Json], looks: Iterable[Looked]) -> Iterator[Violation]:
    """Goes along the log once and compares each snapshot where it was taken."""
    state: Json = {"seq": 0, "comment_count": 0}
    comments: dict[str, Json] = {}
    # past what nobody was told of before it was superseded, nobody can say how the votes stood
    blind = next((at for at, event in enumerate(log) if is_superseded(event)), len(log))
    for look in sorted(looks, key=_seq_of):
        seq = _seq_of(look)
        if seq > len(log):
            yield Violation(Name.ghost, f"{look.who} saw {look.talk} at {seq}, the log ends at {len(log)}")
            return
        for event in log[state["seq"] : seq]:
            _apply(state, comments, event)
        trouble = _unlike(look.snapshot, state, comments, votes=seq <= blind)
        if trouble:
            detail = f"{look.talk} at {seq}, as {look.who} saw it at {look.instance}: {trouble}"
            yield Violation(Name.snapshot_unlike_log, detail)


def _seq_of(look: Looked) -> int:
    seq: int = look.snapshot["discussion"]["seq"]
    return seq


def _apply(state: Json, comments: dict[str, Json], event: Json) -> None:
    state["seq"] = event["seq"]
    state["comment_count"] = event.get("comment_count", state["comment_count"])
    if "comment" in event:
        comments[event["comment"]["id"]] = event["comment"]
    if event.get("comment_id") in comments and "votes" in event:
        comments[event["comment_id"]] = comments[event["comment_id"]] | {"votes": event["votes"]}
    parent: dict[str, Any] = event.get("parent") or {}
    if parent.get("id") in comments:
        comments[parent["id"]] = comments[parent["id"]] | {"reply_count": parent["reply_count"]}


def _unlike(snapshot: Json, state: Json, comments: dict[str, Json], *, votes: bool) -> str:
    if snapshot["discussion"]["comment_count"] != state["comment_count"]:
        return f"it counts {snapshot['discussion']['comment_count']} comments, the log {state['comment_count']}"
    for shown in snapshot["comments"]:
        if shown["id"] not in comments:
            return f"it has {shown['id']}, the log does not yet"
        unseen = {} if votes else {"votes": None}
        if not same(shown | unseen, comments[shown["id"]] | unseen):
            return f"it has {shown}, the log makes {comments[shown['id']]}"
    if snapshot["next"] is None and not snapshot["replies"] and len(snapshot["comments"]) != len(comments):
        return f"it has {len(snapshot['comments'])} comments, the log {len(comments)}"
    return ""


def _shown_logs(stored: Stored) -> Iterator[tuple[str, list[Json]]]:
    for talk, log in stored.logs.items():
        yield f"the log of {talk}", log
    for view in stored.views:
        yield f"what {view.instance} shows of {view.talk}", view.events


def _view(log: list[Json], view: InstanceView) -> Iterator[Violation]:
    """What an instance shows in the end is the log and what the log makes, to the letter."""
    if view.events != log:
        seqs = [event["seq"] for event in view.events]
        name = Name.two_contents if seqs == list(range(1, len(log) + 1)) else Name.hole
        yield Violation(name, f"{view.instance} shows another log of {view.talk} than is stored")
    if [event["seq"] for event in log] != list(range(1, len(log) + 1)):
        return  # told already, and nothing can be made of it
    empty: Json = {"seq": 0, "comment_count": 0, "comments": []}
    made = fold(empty, log)
    shown = view.snapshot
    if shown["discussion"]["comment_count"] != made["comment_count"] or shown["discussion"]["seq"] != made["seq"]:
        yield Violation(Name.wrong_count, f"{view.instance} shows {shown['discussion']}, the log makes {made['seq']}")
    if in_order({comment["id"]: comment for comment in shown["comments"]}) != made["comments"]:
        yield Violation(Name.snapshot_unlike_log, f"{view.instance} shows another {view.talk} than the log makes")


def _vote_counts(stored: Stored) -> Iterator[Violation]:
    for log in stored.logs.values():
        last = {event["comment_id"]: event["votes"] for event in log if event["kind"] == "comment.voted"}
        for comment, votes in last.items():
            if votes["up"] != len(stored.voters.get(comment, ())):
                detail = f"{comment} has {votes}, and the votes of {len(stored.voters.get(comment, ()))}"
                yield Violation(Name.wrong_count, detail)
