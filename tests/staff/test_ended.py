"""What is ended on the staff's pages of one instance writes nothing at another, whatever becomes of Redis."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tertulia.core.roles import Role
from tertulia.protocol import API
from tertulia.store import schema
from tests.api.app import bearer, new_key
from tests.staff.desk import Desk, opened
from tests.support.valkey import Valkey

TROUBLE: dict[str, Callable[[Valkey], object] | None] = {
    "without Redis": None,
    "Redis has stopped": Valkey.kill,
    "Redis is frozen": Valkey.freeze,
}


async def said(desk: Desk, token: str) -> int:
    body = {"site": "news", "key": "talk", "body": "Good evening."}
    headers = bearer(token) | {"Idempotency-Key": new_key()}
    return (await desk.client.post(f"{API}/comments", json=body, headers=headers)).status_code


@pytest.mark.parametrize("trouble", TROUBLE)
async def test_what_is_taken_at_one_instance_is_gone_at_the_other(
    database: str, tmp_path: Path, valkey: Valkey, trouble: str
) -> None:
    befall = TROUBLE[trouble]
    more = {} if befall is None else {"redis_url": valkey.url}
    async with AsyncExitStack() as stack:
        here, there = [
            await stack.enter_async_context(opened(tmp_path / name, database, **more)) for name in ("a", "b")
        ]
        lan = await here.member("Lan")
        await here.sign_in("Mai")
        await here.sign_in("Ba", Role.owner)
        there.tokens |= here.tokens
        if befall is not None:
            befall(valkey)
            stack.callback(valkey.thaw if trouble == "Redis is frozen" else lambda: None)
        assert await said(there, here.tokens["Lan"]) == 201
        assert (await there.post("/staff/sites/news/tokens/add", "Ba", name="first", scope="read")).status_code == 200

        assert (await here.post("/staff/sites/news/members/end", "Mai", person=lan)).status_code == 303
        assert await said(there, here.tokens["Lan"]) == 401

        ba = next(row["id"] for row in await here.rows(schema.author) if row["name"] == "Ba")
        answer = await here.post("/staff/sites/news/people/remove", "Mai", person=ba, role="owner")
        assert answer.status_code == 303
        answer = await there.post("/staff/sites/news/tokens/add", "Ba", name="second", scope="read")
        assert (answer.status_code, answer.headers.get("location")) == (303, "/staff/sign-in?site=news")

        assert (await here.post("/staff/sign-out", "Mai")).status_code == 303
        answer = await there.post("/staff/sites/news/tokens/add", "Mai", name="third", scope="read")
        assert (answer.status_code, answer.headers.get("location")) == (303, "/staff/sign-in?site=news")
        assert "third" not in repr(await here.everything())


@pytest.mark.parametrize("what", ["session", "role"])
async def test_authority_is_asked_for_in_the_transaction_that_writes(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Between the look at the session and the commit somebody takes it: nothing is written."""
    await desk.sign_in("Mai")
    write = desk.server.store.write_queue.submit

    async def late(command: object) -> object:
        monkeypatch.undo()
        if what == "session":
            await desk.end("Mai", revoked_at=1)
        else:
            await desk.take("Mai", Role.owner)
            await desk.link("Mai", Role.moderator)
            await desk.end("Mai", revoked_at=None)
        return await write(command)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.server.store.write_queue, "submit", late)
    answer = await desk.post("/staff/sites/news/tokens/add", "Mai", name="cms", scope="read")
    assert answer.status_code in (401, 403)
    assert "cms" not in repr(await desk.everything())
    await desk.end("Mai", revoked_at=1)  # a session without a role, which is a fault


async def test_a_moderators_write_needs_the_role_when_it_is_written(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await desk.moderator("Thu")
    assert await said(desk, token) == 201
    write = desk.server.store.write_queue.submit

    async def late(command: object) -> object:
        monkeypatch.undo()
        await desk.take("Thu", Role.moderator, None)
        return await write(command)  # type: ignore[arg-type]

    monkeypatch.setattr(desk.server.store.write_queue, "submit", late)
    assert await said(desk, token) == 403
