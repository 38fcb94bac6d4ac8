"""Trees that were stored before they had a limit: every way out shows them within it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tertulia.checks import check
from tertulia.core import documents, markdown
from tertulia.core.documents import TREE_BYTES
from tertulia.protocol import API
from tests.api.app import App, bearer

LINES = "a\n" * 4999 + "a"
SHOWN = [{"type": "paragraph", "children": [{"type": "text", "text": " ".join(["a"] * 5000)}]}]


def bytes_of(tree: Any) -> int:
    return len(json.dumps(tree, separators=(",", ":")))


async def test_what_is_stored_is_shown_within_the_limits(app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as before:
        before.setattr(documents, "TREE_BYTES", 2**30)
        before.setattr(markdown, "MAX_STEPS", 10**9)
        posted = await app.posted(LINES, name="Lan")
    assert bytes_of(posted["comment"]["body"]) > 2 * TREE_BYTES
    assert len(SHOWN[0]["children"][0]["text"]) == 9_999  # type: ignore[index]
    comment_id = posted["comment"]["id"]

    [comment] = (await app.snapshot())["comments"]
    [own] = (await app.snapshot(token=posted["token"]))["comments"]
    [event] = (await app.events())["events"]
    permalink = (await app.client.get(f"{API}/comments/{comment_id}")).json()
    assert [one["body"] for one in (comment, own, event["comment"], permalink["comment"])] == [SHOWN] * 4
    feed = await app.client.get(f"{API}/feed.atom?key=talk")
    assert len(feed.text) < TREE_BYTES
    assert await check(app.server.store) == [], "the log and the tables are cut alike"

    await app.moderate("DELETE", f"/comments/{comment_id}")
    restored = (await app.moderate("POST", f"/comments/{comment_id}/restore")).json()
    assert restored["comment"]["body"] == SHOWN
    changed = await app.client.patch(
        f"{API}/comments/{comment_id}", json={"body": "Short."}, headers=bearer(posted["token"])
    )
    assert changed.status_code == 200
    assert await check(app.server.store) == []
