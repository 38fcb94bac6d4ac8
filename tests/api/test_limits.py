"""Every operation that writes is counted: where the count says no, it is refused and nothing has changed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest

from tertulia.api.handlers import NO_COMMENT
from tertulia.errors import ErrorCode
from tertulia.limits import PostingLimits
from tertulia.limits.counting import Window
from tertulia.protocol import API
from tertulia.settings import Settings
from tertulia.web.operations import PROGRAM, Operation
from tests.api.app import OPERATIONS, App, bearer, furnish, named, new_key, opened

BODIES: dict[str, object] = {
    "NewComment": {"key": "talk", "body": "Again.", "author": {"name": "Lan"}},
    "CommentEdit": {"body": "Other words."},
    "PreviewText": {"body": "Some words."},
    "NewNudge": {"key": "talk", "body": "Some words."},
    "Vote": {"value": 1},
    "Report": {"reason": "spam"},
    "DiscussionChange": {"mode": "closed"},
    "NewSession": {"grant": "test", "token": "9/Ba"},
    "PersonChange": {"name": "Hoa"},
    "NewCode": {"email": "lan@example.com"},
    "Decisions": {"decisions": [{"comment_id": NO_COMMENT, "version": 1, "do": "approve"}]},
    "NewBan": {"author_id": NO_COMMENT},
    "Undoing": {"actions": [{"comment_id": NO_COMMENT, "action": NO_COMMENT}]},
}
WRITES = [operation for operation in OPERATIONS if operation.method != "GET"]
COUNTED = [operation for operation in WRITES if ErrorCode.rate_limited in operation.errors]
WHO = {"moderator": ("moderator",), "session": ("member",), "required": ("lan",), PROGRAM: ("program",)}
"""Whose tokens are taken, where not everybody's are."""


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[App]:
    limits = ("post_limit", "edit_limit", "vote_limit")
    wide = {f"{limit}_{of}": "1000/day" for limit in limits for of in ("guest", "address")}
    async with opened(settings.model_copy(update=wide)) as found:
        await furnish(found)
        yield found


def test_whoever_signs_out_is_let_go_and_all_else_is_counted() -> None:
    assert [named(operation) for operation in WRITES if operation not in COUNTED] == ["DELETE /sessions/current"]


@pytest.mark.parametrize("operation", COUNTED, ids=named)
async def test_no_write_is_without_a_limit(app: App, monkeypatch: pytest.MonkeyPatch, operation: Operation) -> None:
    before = app.rows()

    async def wait(_limits: PostingLimits, windows: Sequence[Window]) -> float:
        return 7.0 if windows else 0.0

    for name in ("_wait", "_wait_here"):
        monkeypatch.setattr(PostingLimits, name, wait)
    path = (
        operation.path.replace("{id}", app.ids["lans"])
        .replace("{ban}", NO_COMMENT)
        .replace("{issuer}/{subject:path}", "website/4711")
    )
    for who in WHO.get(operation.bearer, ("lan", "minh", "moderator")):
        answer = await app.client.request(
            operation.method,
            path,
            params={"key": "talk"} if "key" in operation.names else {},
            json=BODIES[operation.body.__name__] if operation.body else None,
            headers=bearer(app.tokens[who]) | {"Idempotency-Key": new_key()},
        )
        assert (answer.status_code, answer.json()["code"], answer.json()["retry_after"]) == (429, "rate_limited", 7)
    assert app.rows() == before


async def test_votes_and_changes_of_a_guest_have_limits_of_their_own(settings: Settings) -> None:
    few = {"edit_limit_guest": "2/day", "vote_limit_guest": "3/day", "post_limit_guest": "9/day"}
    async with opened(settings.model_copy(update=few)) as app:
        lan, minh = await app.guest("Lan"), await app.guest("Minh")
        lans, minhs = [one["id"] for one in (await app.snapshot())["comments"]]

        async def statuses(method: str, path: str, *bodies: object, token: str = lan) -> list[int]:
            found = []
            for body in bodies:
                answer = await app.client.request(method, API + path, json=body, headers=bearer(token))
                found.append(answer.status_code)
            return found

        edits = [{"body": text} for text in ("One.", "Two.", "Three.")]
        assert await statuses("PATCH", f"/comments/{lans}", *edits) == [200, 200, 429]
        assert await statuses("DELETE", f"/comments/{lans}", None) == [429]
        votes: list[object] = [{"value": 1}, {"value": 1}, {"value": 1}, {"value": 0}]
        assert await statuses("PUT", f"/comments/{minhs}/vote", *votes) == [200, 200, 200, 429]
        assert await statuses("PUT", f"/comments/{lans}/vote", {"value": 1}, token=minh) == [200]
        assert (await app.snapshot())["comments"][1]["votes"] == {"up": 1, "down": 0}
        assert [event["kind"] for event in (await app.events())["events"]].count("comment.voted") == 2
        assert (await app.post_comment("Still.", token=lan)).status_code == 201
