"""People who write, read, remove and look while trouble goes on; everything they do and see is written down.

A writer asks again with the same key until it is known what became of a comment, or now and then gives up; now and then
it asks twice at once, or goes before the answer. A reader comes back to any instance with its cursor, as the client
does.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import random
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from tests.faults.cluster import Cluster
from tests.history.reading import DONE
from tests.history.records import (
    Act,
    Answered,
    Attempted,
    Fault,
    Heard,
    Joined,
    Json,
    Left,
    Looked,
    Record,
    Refused,
    Reset,
    Summed,
    Unknown,
)

ATTEMPT_SECONDS = 5.0
RESOLVED_SECONDS = 60.0
AGAIN_SECONDS = 0.2
STAY_SECONDS = 0.7
"""How long a restless reader stays at one instance, on average."""
FROZEN_SECONDS = 2.0
REFUSED = {"bad_parent", "idempotency_conflict", "gone", "forbidden"}
"""What people here provoke; any other refusal is a mistake of the server."""
CLOSED = (ConnectionClosed, InvalidHandshake, InvalidMessage, OSError, EOFError, TimeoutError)


@dataclass
class Notes:
    """What is written down, and what the people know of each other.

    ``pause_seconds`` lie between two comments of one writer, on average.
    """

    name: str
    cluster: Cluster
    at: tuple[str, ...]
    writes_at: tuple[str, ...]
    talks: tuple[str, ...]
    chance: random.Random
    pause_seconds: float
    records: list[Record] = field(default_factory=list)
    said: list[tuple[str, str]] = field(default_factory=list)
    removed: list[tuple[str, str]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    heads: dict[str, int] = field(default_factory=dict)
    cursors: dict[str, tuple[str, int]] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    closes: Counter[int] = field(default_factory=Counter)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, record: Record) -> None:
        self.records.append(record)

    def instance(self) -> str:
        return self.chance.choice(self.at)

    def url(self, instance: str) -> str:
        return self.cluster.instances[instance].url

    @contextmanager
    def fault(self, name: str) -> Iterator[None]:
        self.add(Fault(now(), name, True))
        yield
        self.add(Fault(now(), name, False))

    async def pause(self, mean: float) -> None:
        """Waits a while, not longer than there is something to do."""
        try:
            async with asyncio.timeout(self.chance.uniform(0, 2 * mean)):
                await self.stopping.wait()
        except TimeoutError:
            pass


def now() -> float:
    return time.monotonic()


def _key(notes: Notes, mark: str) -> str:
    return f"{notes.name}-{mark}".ljust(16, ".")


class Person:
    """Asks for something until it is known what became of it."""

    def __init__(self, notes: Notes, client: httpx.AsyncClient, who: str) -> None:
        self.notes = notes
        self.client = client
        self.who = who
        self.number = 0

    def mark(self) -> str:
        self.number += 1
        return f"{self.who}-{self.number}"

    async def ask(
        self,
        act: Act,
        talk: str,
        mark: str,
        request: tuple[str, str, Json | None, dict[str, str]],
        *,
        who: str = "",
        target: str = "",
        patience: float = RESOLVED_SECONDS,
    ) -> Json | None:
        """The answer, or None where it was refused or the patience ends first."""
        end = now() + patience
        while True:
            instance = self.notes.chance.choice(self.notes.writes_at)
            self.notes.add(Attempted(now(), who or self.who, act, talk, mark, instance, target))
            answer, why = await self._attempt(instance, *request, self._patience())
            if answer is not None and answer.status_code < 300:
                return self._answered(act, talk, mark, answer.json(), target)
            if answer is not None and answer.status_code < 500:
                code = answer.json()["code"]
                self.notes.refusals[code] += 1
                self.notes.add(Refused(now(), mark, code))
                return None
            self.notes.counts["unknown"] += 1
            self.notes.add(Unknown(now(), mark, why))
            if now() > end:
                return None
            await asyncio.sleep(AGAIN_SECONDS)

    def _patience(self) -> float:
        """Now and then somebody goes before there can be an answer, and what was asked for may be done all the same."""
        return ATTEMPT_SECONDS if self.notes.chance.random() < 0.9 else self.notes.chance.uniform(0.002, 0.03)

    async def _attempt(
        self,
        instance: str,
        method: str,
        path: str,
        body: Json | None,
        headers: dict[str, str],
        patience: float = ATTEMPT_SECONDS,
    ) -> tuple[httpx.Response | None, str]:
        url = f"{self.notes.url(instance)}/api/v1{path}"
        try:
            answer = await self.client.request(method, url, json=body, headers=headers, timeout=patience)
        except httpx.TransportError as error:
            return None, f"{type(error).__name__}: {error}"
        return answer, f"{answer.status_code}: {answer.text[:200]}"

    def _answered(self, act: Act, talk: str, mark: str, given: Json, target: str) -> Json:
        seq = given.get("seq")
        comment = target or given["comment"]["id"]
        self.notes.add(Answered(now(), mark, comment, seq))
        self.notes.counts[act] += 1
        self.notes.heads[talk] = max(self.notes.heads.get(talk, 0), seq or 0)
        return given


class Writer(Person):
    """Says something, answers somebody, votes; now and then something that has to be refused."""

    def __init__(self, notes: Notes, client: httpx.AsyncClient, who: str) -> None:
        super().__init__(notes, client, who)
        self._token: str | None = None
        self._id = ""
        self._last: tuple[str, str] | None = None

    async def run(self) -> None:
        while not self.notes.stopping.is_set():
            drawn = self.notes.chance.random()
            if drawn < 0.1 and self._token and self.notes.said:
                await self._vote()
            elif drawn < 0.15 and self._token and self._last:
                await self._say(*self._last, again=True)
            elif drawn < 0.2 and self.notes.removed:
                talk, comment = self.notes.chance.choice(self.notes.removed)
                await self._say(talk, self.mark(), parent=comment)
            else:
                await self._say_something()
            await self.notes.pause(self.notes.pause_seconds)

    async def _say_something(self) -> None:
        talk = self.notes.chance.choice(self.notes.talks)
        parent = None
        if self.notes.said and self.notes.chance.random() < 0.4:
            talk, parent = self.notes.chance.choice(self.notes.said[-30:])
        await self._say(talk, self.mark(), parent=parent)

    async def _say(self, talk: str, mark: str, *, parent: str | None = None, again: bool = False) -> None:
        """``again`` says something else under a key that is used already."""
        key, text = _key(self.notes, mark), mark
        if again:
            text = self.mark()
        body: Json = {"key": talk, "body": f"Said as «{text}», and to be found again."}
        headers = {"Idempotency-Key": key}
        if parent is not None:
            body["parent_id"] = parent
        if self._token is None:
            body["author"] = {"name": f"Writer {self.who}"}
        else:
            headers["Authorization"] = f"Bearer {self._token}"
        patience = 0.0 if self.notes.chance.random() < 0.1 else RESOLVED_SECONDS
        request = ("POST", "/comments", body, headers)
        times = 2 if self.notes.chance.random() < 0.1 else 1
        answers = await asyncio.gather(
            *(self.ask("post", talk, text, request, patience=patience) for _ in range(times))
        )
        answer = answers[0]
        if answer is None:
            return
        self._token = answer.get("token", self._token)
        self._id = answer["comment"]["author"]["id"]
        self._last = talk, mark
        self.notes.said.append((talk, answer["comment"]["id"]))

    async def _vote(self) -> None:
        talk, comment = self.notes.chance.choice(self.notes.said[-30:])
        headers = {"Authorization": f"Bearer {self._token}"}
        request = ("PUT", f"/comments/{comment}/vote", {"value": 1}, headers)
        await self.ask("vote", talk, self.mark(), request, who=self._id, target=comment)


class Moderator(Person):
    """Removes a comment now and then."""

    async def run(self) -> None:
        headers = {"Authorization": f"Bearer {self.notes.cluster.moderator}"}
        while not self.notes.stopping.is_set():
            await self.notes.pause(4 * self.notes.pause_seconds)
            if not self.notes.said:
                continue
            talk, comment = self.notes.chance.choice(self.notes.said[-20:])
            request = ("DELETE", f"/comments/{comment}", None, headers)
            if await self.ask("remove", talk, self.mark(), request, target=comment):
                self.notes.removed.append((talk, comment))


class Onlooker(Person):
    """Reads snapshots, at one instance and another."""

    async def run(self) -> None:
        while not self.notes.stopping.is_set():
            await self.look(self.notes.chance.choice(self.notes.talks))
            await self.notes.pause(self.notes.pause_seconds)

    async def look(self, talk: str, *, adopts: bool = False) -> Json | None:
        began, instance = now(), self.notes.instance()
        answer, _ = await self._attempt(instance, "GET", f"/discussion?key={talk}&limit=100", None, {})
        if answer is None or answer.status_code >= 500:
            return None
        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()
        self.notes.add(Looked(now(), began, self.who, talk, instance, shown, adopts))
        return shown


class Reader(Onlooker):
    """Follows a discussion; a restless one goes from instance to instance."""

    def __init__(self, notes: Notes, client: httpx.AsyncClient, who: str, talk: str, *, restless: bool) -> None:
        super().__init__(notes, client, who)
        self.talk = talk
        self._restless = restless
        self._epoch: str | None = None
        self._cursor: int | None = None
        self.head: int | None = None

    async def run(self) -> None:
        """Until it is cancelled."""
        while True:
            code = await self._connect(self.notes.instance())
            if code == 1012:
                await asyncio.sleep(self.notes.chance.uniform(0, 0.5))
            elif code != 4408:
                await asyncio.sleep(self.notes.chance.uniform(0, 2 * AGAIN_SECONDS))
            assert code not in (4400, 4403, 4410), f"{self.who} was told to stop: {code}"

    async def _connect(self, instance: str) -> int:
        """Follows until the connection ends; its close code, 0 without one."""
        cursor = "" if self._cursor is None else f"&epoch={self._epoch}&after={self._cursor}"
        address = f"{self.notes.url(instance).replace('http', 'ws')}/api/v1/live?key={self.talk}&full=1{cursor}"
        began, code = now(), 0
        try:
            async with connect(
                address, proxy=None, open_timeout=FROZEN_SECONDS, close_timeout=0.1, ping_interval=None, max_size=None
            ) as socket:
                await self._follow(socket, instance, began)
        except ConnectionClosed as closed:
            code = closed.rcvd.code if closed.rcvd else 0
        except CLOSED:
            pass
        self.notes.closes[code] += 1
        self.notes.add(Left(now(), self.who, self.talk, DONE if self.is_done else code))
        return code

    async def _follow(self, socket: ClientConnection, instance: str, began: float) -> None:
        leaves = now() + self.notes.chance.uniform(0.2, 2 * STAY_SECONDS) if self._restless else float("inf")
        heard = now()
        while now() < leaves:
            try:
                async with asyncio.timeout(0.2):
                    text = await socket.recv()
            except TimeoutError:
                if self.is_leaving or (instance in self.notes.cluster.away and now() - heard > FROZEN_SECONDS):
                    return  # the client, too, does not wait for ever for a server that says nothing
                continue
            heard = now()
            if not await self._take(json.loads(text), instance, began) or self.is_done:
                return

    async def _take(self, message: dict[str, Any], instance: str, began: float) -> bool:
        """Whether the stream can go on."""
        match message["type"]:
            case "hello":
                self._hello(message, instance, began)
            case "reset":
                self.notes.counts["resets"] += 1
                self.notes.add(Reset(now(), self.who, self.talk, message["epoch"], message["seq"]))
                self._cursor = None
                shown = await self.look(self.talk, adopts=True)
                while shown is None:
                    await asyncio.sleep(AGAIN_SECONDS)
                    shown = await self.look(self.talk, adopts=True)
                self._move(shown["discussion"]["seq"])
            case "events":
                for event in message["events"]:
                    self.notes.add(Heard(now(), self.who, self.talk, event))
                    if not self._continues(event["seq"], event["seq"]):
                        return False
            case "summary":
                since, to, events = message["from"], message["to"], message["events"]
                self.notes.add(Summed(now(), self.who, self.talk, since, to, events))
                return self._continues(since, to)
        return True

    @property
    def is_done(self) -> bool:
        """Whether this one has read what it wanted to."""
        return False

    @property
    def is_leaving(self) -> bool:
        """Whether this one goes as soon as there is nothing to hear."""
        return False

    def _hello(self, message: dict[str, Any], instance: str, began: float) -> None:
        epoch, head = message["epoch"], message["seq"]
        joined = Joined(now(), began, self.who, self.talk, instance, self._epoch, self._cursor, epoch, head)
        self.notes.add(joined)
        self._epoch, self.head = epoch, head
        if self._cursor is None:
            self._move(head)

    def _continues(self, first: int, last: int) -> bool:
        assert self._cursor is not None
        if last > self._cursor:
            if first > self._cursor + 1:
                return False
            self._move(last)
        return True

    def _move(self, seq: int) -> None:
        self._cursor = seq
        self.notes.cursors[self.who] = (self.talk, seq)


class Newcomer(Reader):
    """Reads a discussion from its beginning up to where it was on arrival, and leaves."""

    def __init__(self, notes: Notes, client: httpx.AsyncClient, who: str, talk: str, epoch: str) -> None:
        super().__init__(notes, client, who, talk, restless=False)
        self._epoch, self._cursor = epoch, 0

    @property
    def is_done(self) -> bool:
        return self._cursor is not None and self.head is not None and self.head <= self._cursor

    @property
    def is_leaving(self) -> bool:
        return self.notes.stopping.is_set()

    async def run(self) -> None:
        while not self.is_done and not self.notes.stopping.is_set():
            await self._connect(self.notes.instance())
            await self.notes.pause(AGAIN_SECONDS)
        self.notes.cursors.pop(self.who, None)
        if not self.is_done:
            self.notes.add(Left(now(), self.who, self.talk, DONE))


async def newcomers(notes: Notes, client: httpx.AsyncClient, epoch: str) -> None:
    """One after another."""
    for number in itertools.count():
        await notes.pause(2 * notes.pause_seconds)
        if notes.stopping.is_set():
            return
        await Newcomer(notes, client, f"new{number}", notes.chance.choice(notes.talks), epoch).run()
