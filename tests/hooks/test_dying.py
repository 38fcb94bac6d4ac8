"""What an instance was asking about when it was killed is asked by another one, once its lease is over."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx
from sqlalchemy import update

from tertulia.checks import check
from tertulia.protocol import API
from tertulia.store import schema
from tests.api.app import new_key
from tests.hooks.checked import checking, hook, judged, kinds, state
from tests.support.receiver import Receiver, answer
from tests.support.server import ServerProcess
from tests.support.unlimited import unlimited
from tests.support.waiting import until


async def test_a_killed_instance_takes_no_check_along(database: str, tmp_path: Path, receiver: Receiver) -> None:
    receiver.hangs, receiver.otherwise = {"Good"}, answer({"verdict": "remove"})
    secret = tmp_path / "secret"
    secret.write_text(unlimited(tmp_path).secret_key or "")
    flags = ["--database-url", database, "--private-hosts", receiver.host, "--secret-key-file", str(secret)]
    async with checking(database, tmp_path / "idle", receiver, work="none") as idle:
        await hook(idle, receiver)
        killed = await asyncio.to_thread(ServerProcess, tmp_path / "killed", flags)
        try:
            async with httpx.AsyncClient(base_url=killed.url) as client:
                said = {"key": "talk", "body": "Good evening.", "author": {"name": "Ba"}}
                posted = await client.post(f"{API}/comments", json=said, headers={"Idempotency-Key": new_key()})
            assert posted.status_code == 201
            comment_id = posted.json()["comment"]["id"]
            await until(lambda: receiver.asked, "it is asked about")
        finally:
            killed.kill()
        receiver.go_on.set()
        assert await state(idle, comment_id) == ("visible", None)
        await idle.do(update(schema.task).where(schema.task.c.queue == "check").values(leased_until=0))
        async with checking(database, tmp_path / "other", receiver) as other:
            await judged(other, "remove")
            assert await state(other, comment_id) == ("removed", "check")
            assert await kinds(idle) == ["comment.created", "comment.removed"], "the other one knows it, too"
            assert await check(other.server.store) == []
    assert len({one.headers["webhook-id"] for one in receiver.asked}) == 1
    assert len(receiver.asked) == 2
