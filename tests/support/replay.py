"""What a client makes of a snapshot and the events after it, from JSON alone.

seen(snapshot JSON) ── fold(…, events) ──▶ what the client shows      == seen(a fresh snapshot)
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

Json = dict[str, Any]


class Gap(AssertionError):
    """An event is missing: a client would have to connect again."""


def seen(snapshot: Mapping[str, Any]) -> Json:
    """The part of a whole snapshot that events keep up to date: everything but who reads, and when it was asked for."""
    assert snapshot["next"] is None, "only a whole snapshot can be compared"
    assert snapshot["replies"] == {}, "only a whole snapshot can be compared"
    discussion = snapshot["discussion"]
    return {
        "epoch": discussion["epoch"],
        "seq": discussion["seq"],
        "mode": discussion["mode"],
        "comment_count": discussion["comment_count"],
        "comments": [dict(comment) for comment in snapshot["comments"]],
    }


def fold(state: Json, events: Iterable[Mapping[str, Any]]) -> Json:
    """``state`` (see seen) after the events, which may begin before it; ``state`` itself stays as it is."""
    comments = {comment["id"]: comment for comment in state["comments"]}
    after = dict(state)
    for event in events:
        if event["seq"] <= after["seq"]:
            continue
        if event["seq"] > after["seq"] + 1:
            raise Gap(f"after {after['seq']} came {event['seq']}")
        _apply(after, comments, event)
    after["comments"] = in_order(comments)
    return after


def _apply(state: Json, comments: dict[str, Json], event: Mapping[str, Any]) -> None:
    state["seq"] = event["seq"]
    if "comment" in event:
        comments[event["comment"]["id"]] = dict(event["comment"])
    if "votes" in event:
        comments[event["comment_id"]] = comments[event["comment_id"]] | {"votes": event["votes"]}
    if "parent" in event:
        parent = event["parent"]
        comments[parent["id"]] = comments[parent["id"]] | {"reply_count": parent["reply_count"]}
    if "comment_count" in event:
        state["comment_count"] = event["comment_count"]
    if "discussion" in event:
        state["mode"] = event["discussion"]["mode"]


def in_order(comments: Mapping[str, Json]) -> list[Json]:
    """Top-level comments oldest first, each followed by its replies of all depths, oldest first."""

    def root(comment: Json) -> Json:
        while comment["parent_id"] is not None:
            comment = comments[comment["parent_id"]]
        return comment

    def place(comment: Json) -> tuple[str, str, bool, str, str]:
        top = root(comment)
        return top["created_at"], top["id"], comment is not top, comment["created_at"], comment["id"]

    return sorted(comments.values(), key=place)


def canonical(state: Json) -> str:
    return json.dumps(state, sort_keys=True, ensure_ascii=False)
