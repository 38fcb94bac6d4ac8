"""A busy evening for moderators: people who write under three articles, report each other, and a check that answers.

prepare ─▶ a link for the moderator, the site's words, its check        run ─▶ writers, each through a load balancer
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tertulia.core.hooks import HookConfig, HookKind
from tertulia.core.roles import Role
from tertulia.core.words import parse_entry
from tertulia.hooks import new_secret
from tertulia.identity import new_invitation, utc_now
from tertulia.identity.sealing import Sealing
from tertulia.showcase.demo.load_balancer import LoadBalancer
from tertulia.showcase.demo.posting import Refused, post
from tertulia.showcase.demo.remarks import SHOUTING, SUSPECT, Remarks
from tertulia.store import Store
from tertulia.store.actions import OPERATOR
from tertulia.store.commands import AddHook, AddWords, Invite, NewHook
from tertulia.store.hooks import hooks

SITE = "default"
KEYS = ("who-reads-the-river", "the-library-that-stays-up-late", "bat-pho-sang-va-chuyen-gia")
MODERATOR = "Mai"
CHECK = "/check"
A_MINUTE = 60.0
PEOPLE = 40
"""Under each article, of whom most write more than once."""
RECENT = 30
"""Of so many comments one is answered or reported."""
SIGN_IN = "/staff/sign-in"


async def prepare(store: Store, secret: bytes, check_url: str) -> str:
    """Gives the site a moderator, words and a check; where the moderator signs in, once."""
    token, hashed = new_invitation()
    at = utc_now()
    await store.write(Invite(OPERATOR, MODERATOR, SITE, Role.owner, hashed, at))
    await store.write(AddWords(OPERATOR, SITE, tuple(parse_entry(one) for one in SUSPECT), at))
    sealed = Sealing(secret).seal(new_secret().encode())
    if not await store.read(hooks, SITE):  # the folder may be one of an earlier evening
        await store.write(AddHook(NewHook(SITE, "evening", HookKind.check, HookConfig(check_url), sealed), at))
    return f"{SIGN_IN}?{urlencode({'link': token})}"


async def check(request: Request) -> Response:
    """What the check says: it has something against those who shout."""
    asked = await request.json()
    if SHOUTING in asked["data"]["comment"]["text"]:
        return JSONResponse({"verdict": "hold", "score": 0.9, "labels": ["insult"], "note": "It shouts at everybody."})
    return Response(status_code=204)


@dataclass(slots=True)
class _Person:
    """A guest, with an address of their own, as people have."""

    name: str
    address: str
    token: str = ""


class Evening:
    """``rate`` is comments a minute under each article."""

    def __init__(self, balancers: Sequence[LoadBalancer], rate: float) -> None:
        self._balancers = balancers
        self._rate = rate
        self.refused = 0

    async def run(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            for number, key in enumerate(KEYS):
                group.create_task(self._write_under(key, number))

    async def _write_under(self, key: str, number: int) -> None:
        remarks = Remarks(number)
        people = [_Person(remarks.name(), f"203.0.{113 + number}.{index}") for index in range(1, PEOPLE + 1)]
        recent: deque[str] = deque(maxlen=RECENT)
        balancer = self._balancers[number % len(self._balancers)]
        while True:
            await asyncio.sleep(remarks.pause(A_MINUTE / self._rate))
            index = remarks.one_of(PEOPLE)
            try:
                await self._say(balancer, key, people[index], remarks, recent)
                if recent and remarks.is_reported():
                    await self._report(balancer, people[remarks.one_of(PEOPLE)], remarks, recent)
            except Refused:  # the moderator was there first: somebody else comes in their place
                self.refused += 1
                people[index] = _Person(remarks.name(), people[index].address)

    @staticmethod
    async def _say(balancer: LoadBalancer, key: str, person: _Person, remarks: Remarks, recent: deque[str]) -> None:
        content: dict[str, Any] = {"site": SITE, "key": key, "body": remarks.text()}
        if not person.token:
            content["author"] = {"name": person.name}
        if recent and remarks.is_reply():
            content["parent_id"] = recent[remarks.one_of(len(recent))]
        said = await post(balancer.port, "/comments", content, person.token, address=person.address)
        person.token = said.get("token") or person.token
        if said["comment"]["state"] == "visible":
            recent.append(said["comment"]["id"])

    @staticmethod
    async def _report(balancer: LoadBalancer, person: _Person, remarks: Remarks, recent: deque[str]) -> None:
        path = f"/comments/{recent[remarks.one_of(len(recent))]}/reports"
        await post(balancer.port, path, remarks.report(), address=person.address)
