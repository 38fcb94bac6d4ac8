"""People, readers and a bus that loses, repeats and shuffles: in the end every reader has seen what there is."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from collections.abc import Coroutine
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tertulia import protocol
from tertulia.bus import BusHandlers, Glance, Listener, Message
from tertulia.bus.memory import MemoryBus
from tertulia.checks import check
from tertulia.core.comments import DiscussionKey, Mode
from tertulia.core.ids import uuid7
from tertulia.discussions import Discussions, publish_committed
from tertulia.errors import CloseCode, Problem
from tertulia.identity import Identity, Tokens, utc_now
from tertulia.limits import PostingLimits
from tertulia.live.backlog import Cursor
from tertulia.live.hub import Hub
from tertulia.live.tuning import Tuning
from tertulia.store import Store, administration, queries
from tests.live.fakes import NEVER_BUSY, FakeReader, join_discussion
from tests.support.effort import examples, is_thorough
from tests.support.replay import Json, canonical, fold, seen
from tests.support.waiting import until

T = TypeVar("T")
KEY = DiscussionKey("default", "machine")
GUESTS = 3
NARROW = Tuning(slice=2, events=8, stall_seconds=0.0)

places = st.integers(0, 1_000_000)
"""Which of those that there are, counted round."""


class UnreliableBus:
    """Holds what is published until it is told what becomes of it."""

    is_degraded = False
    receives_unverified = False

    def __init__(self) -> None:
        self.pending: list[Message] = []
        self._bus = MemoryBus()

    def set_handlers(self, handlers: BusHandlers) -> None:
        """The machine compares when it chooses to."""

    def publish_presence(self, key: DiscussionKey, readers: int, writing: int, *, wants_reply: bool) -> None:
        """There is one instance."""

    def publish_looking(self, key: DiscussionKey, look: Glance) -> None:
        """Nobody looks at a desk."""

    def is_alive(self, instance: str) -> bool:
        return False

    def publish(self, message: Message) -> None:
        self.pending.append(message)

    def subscribe(self, key: DiscussionKey, listener: Listener) -> None:
        self._bus.subscribe(key, listener)

    def unsubscribe(self, key: DiscussionKey) -> None:
        self._bus.unsubscribe(key)

    def deliver(self, at: int, *, keep: bool = False, bare: bool = False) -> None:
        message = self.pending[at] if keep else self.pending.pop(at)
        self._bus.publish(Message(message.key, message.epoch, (), message.head) if bare else message)


class Reading:
    """A client: what it has folded together, and the room it is connected to now and then."""

    def __init__(self, state: Json) -> None:
        self.state = state
        self.follower: FakeReader | None = None
        self._taken = 0
        self._last = 0

    async def connect(self, hub: Hub) -> None:
        self._taken, self._last = 0, self.state["seq"]
        self.follower = await join_discussion(hub, KEY, Cursor(self.state["epoch"], self._last))

    async def absorb(self, system: System) -> None:
        """Applies what came; the stream has to be dense, whatever happened to it."""
        follower = self.follower
        if follower is None:
            return
        while self._taken < len(follower.messages):
            message = follower.messages[self._taken]
            self._taken += 1
            if message["type"] == "reset":
                self._last = message["seq"]
                self.state = await system.snapshot()
                assert self.state["seq"] >= self._last
            for event in message.get("events", ()):
                assert event["seq"] == self._last + 1, f"after {self._last} came {event['seq']}"
                self._last = event["seq"]
            self.state = fold(self.state, message.get("events", ()))
        assert follower.violations == []
        if follower.closing is not None:
            assert follower.closing is CloseCode.too_slow
            self.follower = None

    async def leave(self, system: System) -> None:
        """Ends the connection; what came and was not applied comes again."""
        await self.absorb(system)
        follower, self.follower = self.follower, None
        if follower is not None:
            follower.disconnect()


class System:
    """The system under test: a store, a room behind the bus, and the service."""

    def __init__(self, store: Store, moderator: Identity) -> None:
        self.store = store
        self.moderator = moderator
        self.bus = UnreliableBus()
        self.hub = Hub(
            self.bus, store.epoch, store.bound(queries.events), store.bound(queries.latest_seqs), NEVER_BUSY, NARROW
        )
        self.tokens = Tokens(b"a key of the tests, not a secret")
        limits = PostingLimits("off", "off")
        self.service = Discussions(store, self.hub, self.tokens, limits, edit_window=timedelta(days=1), vote_seconds=0)
        store.start(partial(publish_committed, self.bus, store.epoch))

    async def snapshot(self) -> Json:
        found = await self.service.snapshot(KEY, limit=1000)
        return seen(json.loads(found.model_dump_json()))


@cache
def template() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """A new database with a moderator, to be copied."""
    folder = tempfile.TemporaryDirectory()
    path = Path(folder.name) / "template.db"

    async def make() -> None:
        store = await Store.open(f"sqlite+aiosqlite:///{path}")
        store.start()
        await store.write(administration.AddModerator("Editor", "f" * 64, utc_now()))
        await store.close()

    asyncio.run(make())
    return folder, path


async def opened(path: Path) -> System:
    store = await Store.open(f"sqlite+aiosqlite:///{path}")
    author = await store.read(queries.moderator, "f" * 64)
    assert author is not None
    return System(store, Identity(author.id, author.name, True, None))


def greeted(follower: FakeReader) -> bool:
    return bool(follower.messages) or follower.closing is not None


def came_to(follower: FakeReader, seq: int, known: int) -> bool:
    """Whether there is nothing to wait for: it came, the reader had it, or the stream says to begin again."""
    return (
        follower.seqs[-1:] == [seq] or known == seq or bool(follower.of_type("reset")) or follower.closing is not None
    )


class Machine(RuleBasedStateMachine):
    """One discussion. An act that is refused must change nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.runner = asyncio.Runner()
        path = Path(shutil.copy(template()[1], self.folder.name))
        self.system = self.run(opened(path))
        self.guests: dict[int, Identity] = {}
        self.comments: list[str] = []
        self.readings: list[Reading] = []

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(doing)

    def act(self, doing: Coroutine[Any, Any, T]) -> T | None:
        async def acting() -> T | None:
            before = await self.system.snapshot()
            try:
                return await doing
            except Problem:
                assert await self.system.snapshot() == before
                return None

        return self.run(acting())

    def comment(self, place: int) -> str:
        return self.comments[place % len(self.comments)]

    # ---- people -----------------------------------------------------------------------------------------

    @initialize()
    def begin(self) -> None:
        self.post(0, 0, False)
        self.reader_comes()

    @rule(who=st.integers(0, GUESTS), place=places, reply=st.booleans())
    def post(self, who: int, place: int, reply: bool) -> None:
        parent = self.comment(place) if reply and self.comments else None
        moderator = who == GUESTS
        new = protocol.NewComment(
            key=KEY.key,
            parent_id=parent,
            body=f"Comment {len(self.comments)}",
            author=None if moderator else protocol.GuestName(name=f"Guest {who}"),
        )
        identity = self.system.moderator if moderator else self.guests.get(who)
        answer = self.act(self.system.service.post_comment(new, uuid7(), identity=identity))
        if answer is not None:
            self.comments.append(answer.posted.comment.id)
            if answer.posted.token is not None:
                self.guests[who] = self.system.tokens.read(answer.posted.token, "default")

    def who(self, who: int) -> Identity | None:
        return self.system.moderator if who == GUESTS else self.guests.get(who)

    @precondition(lambda self: self.comments)
    @rule(who=st.integers(0, GUESTS), place=places)
    def edit(self, who: int, place: int) -> None:
        self.act(self.system.service.edit(self.comment(place), f"Edited by {who}", self.who(who)))

    @precondition(lambda self: self.comments)
    @rule(who=st.integers(0, GUESTS), place=places)
    def delete_or_remove(self, who: int, place: int) -> None:
        self.act(self.system.service.delete_comment(self.comment(place), self.who(who)))

    @precondition(lambda self: self.comments)
    @rule(place=places)
    def restore(self, place: int) -> None:
        self.act(self.system.service.restore(self.comment(place), self.system.moderator))

    @precondition(lambda self: self.comments)
    @rule(place=places)
    def approve(self, place: int) -> None:
        self.act(self.system.service.approve(self.comment(place), self.system.moderator))

    @precondition(lambda self: self.comments)
    @rule(who=st.integers(0, GUESTS), place=places, value=st.sampled_from([1, 0, -1]))
    def vote(self, who: int, place: int, value: int) -> None:
        vote = protocol.Vote.model_validate({"value": value})
        self.act(self.system.service.vote(self.comment(place), vote, self.who(who)))

    @rule(mode=st.sampled_from(Mode))
    def set_mode(self, mode: Mode) -> None:
        self.act(self.system.service.change(KEY, protocol.DiscussionChange(mode=mode.value), self.system.moderator))

    @rule(count=st.integers(2, 12))
    def many_post(self, count: int) -> None:
        """At once, so in few transactions and few messages."""

        async def posting() -> None:
            news = [
                protocol.NewComment(key=KEY.key, body="Many words " * 20, author=protocol.GuestName(name="Many"))
                for _ in range(count)
            ]
            await asyncio.gather(*(self.system.service.post_comment(new, uuid7()) for new in news))

        self.act(posting())

    # ---- readers ----------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.readings) < 5)
    @rule()
    def reader_comes(self) -> None:
        async def coming() -> None:
            reading = Reading(await self.system.snapshot())
            await reading.connect(self.system.hub)
            self.readings.append(reading)

        self.run(coming())

    @rule(place=places)
    def reader_goes(self, place: int) -> None:
        self.run(self.readings[place % len(self.readings)].leave(self.system))

    @rule(place=places)
    def reader_resumes(self, place: int) -> None:
        reading = self.readings[place % len(self.readings)]
        if reading.follower is None:
            self.run(self.connecting(reading))

    async def connecting(self, reading: Reading) -> None:
        await reading.connect(self.system.hub)

    @rule(place=places)
    def reader_is_slow(self, place: int) -> None:
        follower = self.readings[place % len(self.readings)].follower
        if follower is not None:
            self.run(self.stopped(follower))

    @rule(place=places)
    def reader_is_quick_again(self, place: int) -> None:
        follower = self.readings[place % len(self.readings)].follower
        if follower is not None:
            self.run(self.awake(follower))

    async def stopped(self, follower: FakeReader) -> None:
        follower.reader.pause()

    async def awake(self, follower: FakeReader) -> None:
        follower.reader.resume()

    # ---- the bus ----------------------------------------------------------------------------------------

    @precondition(lambda self: self.system.bus.pending)
    @rule()
    def all_messages_arrive(self) -> None:
        async def arriving() -> None:
            while self.system.bus.pending:
                self.system.bus.deliver(0)

        self.run(arriving())

    @precondition(lambda self: self.system.bus.pending)
    @rule(place=places, keep=st.booleans(), bare=st.booleans())
    def a_message_arrives(self, place: int, keep: bool, bare: bool) -> None:
        """Perhaps before others, perhaps again later, and perhaps without what it tells of."""

        async def arriving() -> None:
            self.system.bus.deliver(place % len(self.system.bus.pending), keep=keep, bare=bare)

        self.run(arriving())

    @precondition(lambda self: self.system.bus.pending)
    @rule(place=places)
    def a_message_is_lost(self, place: int) -> None:
        del self.system.bus.pending[place % len(self.system.bus.pending)]

    @rule()
    def a_second_passes(self) -> None:
        """The second in which a reader takes nothing is its last."""

        async def ticking() -> None:
            for room in self.system.hub.rooms.values():
                room.tick()

        self.run(ticking())

    @rule()
    def the_watch_goes_round(self) -> None:
        self.run(self.system.hub.reconcile())

    @rule(turns=st.integers(1, 40))
    def a_while_passes(self, turns: int) -> None:
        async def passing() -> None:
            for _ in range(turns):
                await asyncio.sleep(0)

        self.run(passing())

    # ---- what holds -------------------------------------------------------------------------------------

    @invariant()
    def every_stream_is_dense(self) -> None:
        async def absorbing() -> None:
            for reading in self.readings:
                await reading.absorb(self.system)

        self.run(absorbing())

    @rule()
    def all_readers_see_what_there_is(self) -> None:
        """With the messages that are left lost: the watch alone has to do."""
        self.run(self.caught_up())

    async def caught_up(self) -> None:
        self.system.bus.pending.clear()
        now = await self.system.snapshot()
        for reading in self.readings:
            while reading.state["seq"] < now["seq"] or reading.follower is None:
                if reading.follower is None:
                    await reading.connect(self.system.hub)
                follower = reading.follower
                assert follower is not None
                follower.reader.resume()
                await until(partial(greeted, follower), "the greeting")
                await self.system.hub.reconcile()
                await until(partial(came_to, follower, now["seq"], reading.state["seq"]), "the newest event")
                await reading.absorb(self.system)
            assert canonical(reading.state) == canonical(now)

    def teardown(self) -> None:
        try:
            self.run(self.ending())
        finally:
            self.runner.close()
            self.folder.cleanup()

    async def ending(self) -> None:
        try:
            await self.caught_up()
            assert await check(self.system.store) == []
        finally:
            for reading in self.readings:
                await reading.leave(self.system)
            await self.system.hub.close()
            await self.system.store.close()


TestMachine = Machine.TestCase
TestMachine.settings = settings(
    max_examples=examples(25, fewest=5),
    stateful_step_count=50 if is_thorough() else 30,
    suppress_health_check=list(HealthCheck),
)
