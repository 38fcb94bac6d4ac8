"""The desk over HTTP and its stream: under the staff's cookie, with a moderator's token, and for nobody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from tertulia.checks import check
from tertulia.core.roles import Role
from tertulia.protocol import API
from tertulia.store import schema
from tests.staff.desk import OWN, Desk, opened

DECISIONS, UNDO, QUEUE = f"{API}/staff/decisions", f"{API}/staff/undo", f"{API}/staff/queue"


async def _queue(desk: Desk, queue: str = "waiting", who: str = "Mai", **params: str) -> httpx.Response:
    asked = {"site": "news", "queue": queue, **params}
    return await desk.client.get(QUEUE, params=asked, headers=desk.headers(who))


async def _decide(desk: Desk, *decisions: dict[str, Any], who: str = "Mai", **headers: str) -> httpx.Response:
    body = {"site": "news", "decisions": list(decisions)}
    return await desk.client.post(DECISIONS, json=body, headers=desk.headers(who) | OWN | headers)


async def test_an_evening_at_the_desk(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        said = await desk.ready()
        [item] = (await _queue(desk)).json()["items"]
        assert (item["text"], item["version"], item["queue"]) == ("May I say something", 1, "waiting")
        assert item["causes"] == [{"kind": "mode"}]
        assert item["author"]["name"] == "Lan"
        decision = {"comment_id": said["id"], "version": 1, "do": "approve"}
        [result] = (await _decide(desk, decision)).json()["results"]
        assert result["problem"] is None
        assert (await _queue(desk)).json()["items"] == []
        [late] = (await _decide(desk, {**decision, "do": "remove", "reason": "spam"})).json()["results"]
        assert late["problem"]["code"] == "decided"
        assert "Mai" in late["problem"]["detail"]
        assert late["item"]["decision"]["verb"] == "comment.approve"
        undone = {"site": "news", "actions": [{"comment_id": said["id"], "action": result["action"]}]}
        answer = await desk.client.post(UNDO, json=undone, headers=desk.headers("Mai") | OWN)
        assert answer.json()["results"][0]["problem"] is None
        [again] = (await _queue(desk)).json()["items"]
        assert (again["comment"]["id"], again["version"]) == (said["id"], 3)
        counts = await desk.client.get(f"{API}/staff/queues", params={"site": "news"}, headers=desk.headers("Mai"))
        assert {name: counts.json()[name] for name in ("waiting", "reported", "suspected")} == {
            "waiting": 1, "reported": 0, "suspected": 0,
        }  # fmt: skip
        assert await check(desk.server.store) == []


async def test_each_decision_has_its_own_result(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        said = await desk.ready()
        other = await desk.say("And another thing")
        decisions = [
            {"comment_id": said["id"], "version": 1, "do": "approve"},
            {"comment_id": "nowhere", "version": 1, "do": "approve"},
            {"comment_id": other["id"], "version": 7, "do": "remove", "reason": "spam"},
        ]
        results = (await _decide(desk, *decisions)).json()["results"]
        assert [one["problem"] and one["problem"]["code"] for one in results] == [None, "not_found", "changed"]
        assert results[2]["item"]["text"] == "And another thing"


async def test_a_repeated_request_is_answered_as_before(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        said = await desk.ready()
        decision = {"comment_id": said["id"], "version": 1, "do": "approve"}
        first, again = [
            (await _decide(desk, decision, **{"Idempotency-Key": "k" * 16})).json()["results"][0] for _ in range(2)
        ]
        assert first["action"] == again["action"] is not None


async def test_no_other_page_decides_under_the_cookie(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        said = await desk.ready()
        before = await desk.everything()
        decide = {"site": "news", "decisions": [{"comment_id": said["id"], "version": 1, "do": "approve"}]}
        undo = {"site": "news", "actions": [{"comment_id": said["id"], "action": said["id"]}]}
        for path, body in ((DECISIONS, decide), (UNDO, undo)):
            for headers in (
                {},
                {"Sec-Fetch-Site": "cross-site"},
                {"Sec-Fetch-Site": "same-site"},
                {"Origin": "null"},
                {"Origin": "https://evil.example"},
            ):
                answer = await desk.client.post(path, json=body, headers=desk.headers("Mai") | headers)
                assert answer.json()["code"] == "origin_not_allowed", headers
        assert await desk.everything() == before


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_whoever_decides_elsewhere_or_nowhere_is_refused(tmp_path: Path, method: str) -> None:
    async with opened(tmp_path) as desk:
        said = await desk.ready()
        await desk.sign_in("Hoa", Role.moderator, "magazine")
        await desk.member("once-member/Thu")
        decision = {"comment_id": said["id"], "version": 1, "do": "approve"}
        for who, statuses in (("Hoa", {404}), ("once-member/Thu", {401})):
            answer = await (_queue(desk, who=who) if method == "GET" else _decide(desk, decision, who=who))
            assert answer.status_code in statuses, (who, answer.text)
        [item] = (await _queue(desk)).json()["items"]
        assert item["version"] == 1


async def test_a_comment_of_another_site_is_not_there(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.ready()
        foreign = await desk.say("Over there", site="magazine")
        [result] = (await _decide(desk, {"comment_id": foreign["id"], "version": 1, "do": "remove"})).json()["results"]
        assert result["problem"]["code"] == "not_found"
        items = await desk.client.get(
            f"{API}/staff/items", params={"site": "news", "id": foreign["id"]}, headers=desk.headers("Mai")
        )
        assert items.json() == {"items": []}


async def test_what_moderators_do_by_the_older_operations_is_in_the_log(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        said = await desk.ready()
        headers = {"Authorization": f"Bearer {await desk.moderator('Tú')}"}
        for method, path, body in (
            ("POST", "/approve", None),
            ("PATCH", "", {"body": "Put better"}),
            ("DELETE", "", None),
            ("POST", "/restore", None),
        ):
            answer = await desk.client.request(method, f"{API}/comments/{said['id']}{path}", json=body, headers=headers)
            assert answer.status_code == 200, answer.text
        rows = [row for row in await desk.rows(schema.action) if row["comment_id"] == said["id"]]
        verbs = [row["verb"].removeprefix("comment.") for row in sorted(rows, key=lambda row: row["id"])]
        assert verbs == ["approve", "edit", "remove", "restore"]
        assert {row["actor"] for row in rows} == {"Tú"}
        assert await check(desk.server.store) == []


async def test_all_comments_are_there_the_newest_first(tmp_path: Path) -> None:
    async with opened(tmp_path) as desk:
        await desk.ready()
        for number in range(3):
            await desk.say(f"No. {number}")
        found = (await _queue(desk, "all", limit="2")).json()
        more = (await _queue(desk, "all", limit="2", cursor=found["next"])).json()
        texts = [one["text"] for one in (*found["items"], *more["items"])]
        assert texts == ["No. 2", "No. 1", "No. 0", "May I say something"]
        assert more["next"] is None
