"""What tests of checks do: set hooks, say something, and look at what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tertulia.core.hooks import HookConfig, HookKind, WhenDown
from tertulia.hooks import new_secret
from tertulia.identity import new_moderator_token, utc_now
from tertulia.identity.sealing import Sealing
from tertulia.settings import secret_key
from tertulia.store import administration, schema
from tertulia.store.commands import AddHook, NewHook
from tests.people.test_sessions import Instance, instance
from tests.support.receiver import Receiver
from tests.support.unlimited import unlimited
from tests.support.waiting import until

GUEST = {"author": {"name": "Ba"}}


def checking(database: str, folder: Path, *receivers: Receiver, work: str = "all") -> Any:
    hosts, proxies = tuple(one.host for one in receivers), ("127.0.0.1",)
    return instance(database, folder / "one", work=work, private_hosts=hosts, trusted_proxies=proxies)


async def hook(
    one: Instance,
    receiver: Receiver,
    name: str = "spam",
    kind: HookKind = HookKind.check,
    when_down: WhenDown = WhenDown.show,
    seconds: int = 10,
    secret: str | None = None,
    address: str | None = None,
    **more: Any,
) -> str:
    """Its secret."""
    secret = new_secret() if secret is None else secret
    key = secret_key(unlimited(Path("/")))
    config = HookConfig(address or receiver.url, when_down, seconds, more)
    new = NewHook("default", name, kind, config, Sealing(key).seal(secret.encode()))
    await one.server.store.write(AddHook(new, utc_now()))
    return secret


async def first(one: Instance) -> None:
    change = administration.ChangeSiteRules("default", lambda own: own.changed({"check": "first"}), utc_now())
    await one.server.store.write(change)


async def moderator(one: Instance) -> str:
    made = new_moderator_token()
    await one.server.store.write(administration.AddModerator("Mai", made.hash, utc_now()))
    return made.token


async def said(one: Instance, body: str = "Good evening.", **more: Any) -> tuple[int, str, str]:
    """The status, the comment's id and its author's token."""
    found = await one.say(None, **GUEST, body=body, **more)
    return found.status_code, found.json()["comment"]["id"], found.json()["token"]


async def verdicts(one: Instance) -> list[str]:
    return sorted(row["verdict"] for row in await one.rows(schema.verdict))


async def judged(one: Instance, *expected: str) -> None:
    async def are() -> bool:
        return await verdicts(one) == sorted(expected)

    await until(are, f"verdicts {expected}")


async def idle(one: Instance) -> None:
    """Until nothing is left to be checked."""

    async def is_idle() -> bool:
        return all(row["queue"] != "check" for row in await one.rows(schema.task))

    await until(is_idle, "nothing is left to be checked")


async def state(one: Instance, comment_id: str) -> tuple[str, str | None]:
    (row,) = [row for row in await one.rows(schema.comment) if row["id"] == comment_id]
    return row["state"], row["hidden_by"]


async def kinds(one: Instance) -> list[str]:
    """Of the events of the discussion."""
    return [row["kind"] for row in await one.rows(schema.event) if row["kind"].startswith("comment.")]


async def causes(one: Instance) -> list[tuple[str, list[dict[str, Any]]]]:
    """Of what waits for a moderator."""
    return [(row["queue"], row["causes"]) for row in await one.rows(schema.review) if row["closed_at"] is None]


async def failures(one: Instance) -> int:
    (row,) = await one.rows(schema.hook)
    return int(row["failures"])
