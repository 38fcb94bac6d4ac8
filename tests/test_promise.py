"""The promise: a reader who comes back after any gap gets exactly the events it missed, in order, once.

Whatever changed, a snapshot and the events after it are the snapshot of now; and what was taken back is in neither.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from tertulia import protocol
from tertulia.app import Running, running
from tertulia.checks import check
from tertulia.core.comments import DiscussionKey, Mode, Sort
from tertulia.core.ids import uuid7
from tertulia.discussions import Discussions
from tertulia.identity import Identity, Tokens, new_moderator_token, utc_now
from tertulia.limits import PostingLimits
from tertulia.live.backlog import Cursor
from tertulia.live.tuning import Tuning
from tertulia.settings import Settings
from tertulia.store import administration, queries
from tests.live.fakes import join_discussion
from tests.support.replay import Gap, Json, canonical, fold, seen
from tests.support.waiting import until

KEY = DiscussionKey("default", "promised")


@dataclass
class Scenario:
    """People in a discussion, through the service; ``snapshots`` holds what a guest saw after every act."""

    server: Running
    service: Discussions
    moderator: Identity
    tokens: Tokens
    people: dict[str, Identity] = field(default_factory=dict)
    snapshots: list[Json] = field(default_factory=list)

    async def post_comment(self, who: str, body: str, parent: str | None = None) -> str:
        new = protocol.NewComment(
            key=KEY.key, parent_id=parent, body=body, author=None if who == "Editor" else protocol.GuestName(name=who)
        )
        identity = self.moderator if who == "Editor" else self.people.get(who)
        answer = await self.service.post_comment(new, uuid7(), identity=identity)
        if answer.posted.token is not None:
            self.people[who] = self.tokens.read(answer.posted.token, "default")
        await self.record()
        return answer.posted.comment.id

    async def edit(self, who: str, comment: str, body: str) -> None:
        await self.service.edit(comment, body, self.moderator if who == "Editor" else self.people[who])
        await self.record()

    async def delete_comment(self, who: str, comment: str) -> None:
        await self.service.delete_comment(comment, self.moderator if who == "Editor" else self.people[who])
        await self.record()

    async def restore(self, comment: str) -> None:
        await self.service.restore(comment, self.moderator)
        await self.record()

    async def approve(self, comment: str) -> None:
        await self.service.approve(comment, self.moderator)
        await self.record()

    async def vote(self, who: str, comment: str, value: int) -> None:
        vote = protocol.Vote.model_validate({"value": value})
        await self.service.vote(comment, vote, self.people[who])
        await self.record()

    async def mode(self, mode: Mode) -> None:
        await self.service.change(KEY, protocol.DiscussionChange(mode=mode.value), self.moderator)
        await self.record()

    async def record(self) -> None:
        self.snapshots.append(await self.now())

    async def now(self) -> Json:
        snapshot = await self.service.snapshot(KEY, sort=Sort.oldest, limit=1000)
        return seen(json.loads(snapshot.model_dump_json()))

    async def events(self, after: int, limit: int = 500) -> list[dict[str, Any]]:
        """Everything after a seq, as a client that polls gets it."""
        found: list[dict[str, Any]] = []
        more = True
        while more:
            page = json.loads(await self.service.events(KEY, self.server.store.epoch, after, limit))
            assert page["epoch"] == self.server.store.epoch
            assert [event["seq"] for event in page["events"]] == list(
                range(after + 1, after + 1 + len(page["events"]))
            ), "it is dense"
            found += page["events"]
            after, more = after + len(page["events"]), page["more"]
        assert after == page["seq"] or not found
        return found

    async def streamed(self, after: int) -> list[dict[str, Any]]:
        """Everything after a seq, as a connected client gets it."""
        follower = await join_discussion(self.server.hub, KEY, Cursor(self.server.store.epoch, after))
        head = (await self.now())["seq"]
        await until(lambda: follower.messages and (after >= head or follower.seqs[-1:] == [head]), "the newest event")
        follower.disconnect()
        assert follower.of_type("reset") == []
        return [event for message in follower.of_type("events") for event in message["events"]]

    async def all_bytes(self) -> str:
        """Everything that anybody who is no moderator can be sent."""
        parts = [(await self.service.snapshot(KEY, sort=sort, limit=1000)).model_dump_json() for sort in Sort]
        for comment in json.loads(parts[0])["comments"]:
            parts.append((await self.service.permalink(comment["id"])).model_dump_json())
            page = await self.service.thread(KEY, comment["id"], limit=100, cursor=None, viewer=None)
            parts.append(page.model_dump_json())
        view, newest = await self.service.newest(KEY, 100)
        parts += [view.model_dump_json(), *(comment.model_dump_json() for comment in newest)]
        parts += [json.dumps(await self.events(0), ensure_ascii=False)]
        for after in range((await self.now())["seq"] + 1):
            parts.append(json.dumps(await self.streamed(after), ensure_ascii=False))
        return "\n".join(parts)


@pytest.fixture
def tuning() -> Tuning:
    return Tuning()


@pytest.fixture
async def server(settings: Settings, tuning: Tuning) -> AsyncIterator[Running]:
    async with running(settings, tuning=tuning) as opened:
        yield opened


@pytest.fixture
async def scenario(server: Running) -> Scenario:
    _, stored = new_moderator_token()
    await server.store.write(administration.AddModerator("Editor", stored, utc_now()))
    author = await server.store.read(queries.moderator, stored)
    assert author is not None
    tokens = Tokens(b"a key of the tests, not a secret")
    limits = PostingLimits("off", "off")
    service = Discussions(server.store, server.hub, tokens, limits, edit_window=timedelta(days=1), vote_seconds=0)
    scenario = Scenario(server, service, Identity(author.id, author.name, True, None), tokens)
    await scenario.record()
    return scenario


# ---- every kind of change -------------------------------------------------------------------------------


async def setting(scenario: Scenario) -> tuple[str, str, str]:
    root = await scenario.post_comment("Lan", "Root of it")
    reply = await scenario.post_comment("Minh", "A reply", root)
    other = await scenario.post_comment("Eva", "Another root")
    return root, reply, other


async def created(scenario: Scenario) -> None:
    await setting(scenario)
    await scenario.post_comment("Editor", "From the paper")


async def replied(scenario: Scenario) -> None:
    root, reply, _ = await setting(scenario)
    deep = await scenario.post_comment("Eva", "Deep", reply)
    await scenario.post_comment("Lan", "Deeper", deep)
    await scenario.post_comment("Lan", "Beside", root)


async def edited(scenario: Scenario) -> None:
    root, reply, _ = await setting(scenario)
    await scenario.edit("Minh", reply, "*A* better reply")
    await scenario.edit("Editor", root, "Without the address")
    await scenario.edit("Lan", root, "Again")


async def removed(scenario: Scenario) -> None:
    root, reply, other = await setting(scenario)
    await scenario.delete_comment("Editor", reply)
    await scenario.delete_comment("Editor", other)
    await scenario.delete_comment("Editor", root)


async def deleted(scenario: Scenario) -> None:
    root, reply, _ = await setting(scenario)
    await scenario.edit("Lan", root, "Rather not")
    await scenario.delete_comment("Lan", root)
    await scenario.post_comment("Eva", "Still an answer", reply)
    await scenario.delete_comment("Minh", reply)


async def restored(scenario: Scenario) -> None:
    root, reply, _ = await setting(scenario)
    for comment in (root, reply):
        await scenario.delete_comment("Editor", comment)
        await scenario.restore(comment)
    await scenario.edit("Lan", root, "Better")
    await scenario.delete_comment("Editor", root)
    await scenario.restore(root)
    await scenario.delete_comment("Lan", root)


async def voted(scenario: Scenario) -> None:
    root, reply, _ = await setting(scenario)
    for who, comment, value in (
        ("Minh", root, 1), ("Eva", root, -1), ("Lan", reply, -1), ("Minh", root, -1), ("Minh", root, 0),
        ("Minh", root, 0), ("Eva", root, 1), ("Eva", reply, 1), ("Lan", reply, 0),
    ):  # fmt: skip
        await scenario.vote(who, comment, value)
    await scenario.delete_comment("Editor", root)
    await scenario.restore(root)
    await scenario.vote("Eva", root, 0)


async def approved(scenario: Scenario) -> None:
    root, _, _ = await setting(scenario)
    await scenario.mode(Mode.held)
    first = await scenario.post_comment("Minh", "May I?")
    second = await scenario.post_comment("Eva", "May I too?", root)
    await scenario.edit("Eva", second, "May I too, please?")
    await scenario.post_comment("Editor", "In a moment")
    await scenario.approve(second)
    await scenario.delete_comment("Editor", root)
    await scenario.approve(first)
    await scenario.post_comment("Eva", "Never approved")


async def rejected_and_let_in(scenario: Scenario) -> None:
    root, _, _ = await setting(scenario)
    await scenario.mode(Mode.held)
    late = await scenario.post_comment("Minh", "Judged too quickly", root)
    withdrawn = await scenario.post_comment("Minh", "Taken back", root)
    await scenario.delete_comment("Editor", late)
    await scenario.delete_comment("Minh", withdrawn)
    await scenario.restore(late)
    await scenario.delete_comment("Editor", late)
    await scenario.restore(late)


async def modes(scenario: Scenario) -> None:
    await scenario.mode(Mode.closed)
    await scenario.mode(Mode.open)
    root, _, _ = await setting(scenario)
    for mode in (Mode.held, Mode.held, Mode.closed, Mode.open):
        await scenario.mode(mode)
    await scenario.vote("Minh", root, 1)


CHANGES: list[Callable[[Scenario], Awaitable[None]]] = [
    created, replied, edited, removed, deleted, restored, voted, approved, rejected_and_let_in, modes,
]  # fmt: skip


async def everything(scenario: Scenario) -> None:
    for change in (edited, restored, approved, voted, rejected_and_let_in):
        await scenario.mode(Mode.open)
        await change(scenario)


@pytest.mark.parametrize("change", [*CHANGES, everything], ids=lambda change: change.__name__)
async def test_a_snapshot_and_the_events_after_it_are_the_snapshot_of_now(
    scenario: Scenario, change: Callable[[Scenario], Awaitable[None]]
) -> None:
    watching = await join_discussion(scenario.server.hub, KEY, Cursor(scenario.server.store.epoch, 0))
    await change(scenario)
    now = await scenario.now()
    assert now["seq"] >= 4
    log = await scenario.events(0)
    for snapshot in scenario.snapshots:
        missed = [event for event in log if event["seq"] > snapshot["seq"]]
        assert canonical(fold(snapshot, missed)) == canonical(now)
        assert canonical(fold(snapshot, log)) == canonical(now), "what is known does no harm"
    await until(lambda: watching.seqs[-1:] == [now["seq"]], "the newest event")
    live = [event for message in watching.of_type("events") for event in message["events"]]
    assert canonical(fold(scenario.snapshots[0], live)) == canonical(now), "and so does who watched"
    watching.disconnect()
    assert await check(scenario.server.store) == []


@pytest.mark.parametrize("tuning", [Tuning(events=held, page=3) for held in (4, 512)], ids=["4 held", "512 held"])
async def test_who_comes_back_at_any_seq_gets_exactly_what_it_missed(scenario: Scenario) -> None:
    """More comes from the store where the room holds less."""
    holding = await join_discussion(scenario.server.hub, KEY, Cursor(None, None))
    await until(lambda: holding.messages, "the first message")
    await everything(scenario)
    head = (await scenario.now())["seq"]
    log = await scenario.events(0)
    assert [event["seq"] for event in log] == list(range(1, head + 1))
    for after in range(head + 1):
        assert await scenario.events(after) == log[after:]
        assert await scenario.events(after, limit=7) == log[after:]
        assert await scenario.streamed(after) == log[after:]
    await until(lambda: holding.seqs[-1:] == [head], "the newest event")
    assert holding.seqs == list(range(1, head + 1))
    holding.disconnect()


async def test_a_cursor_that_cannot_be_continued_is_answered_without_events(scenario: Scenario) -> None:
    await created(scenario)
    epoch = scenario.server.store.epoch
    for given, after in ((epoch, 99), ("another", 1), ("another", 99)):
        page = json.loads(await scenario.service.events(KEY, given, after, 500))
        assert page == {"epoch": epoch, "seq": 4, "events": [], "more": False}
    page = json.loads(await scenario.service.events(KEY, None, 3, 500))
    assert [event["seq"] for event in page["events"]] == [4]


# ---- what was taken back --------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["Editor", "Marker-name"])
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
async def test_what_was_taken_back_is_sent_to_nobody(scenario: Scenario, by: str, warm: bool) -> None:
    holding = await join_discussion(scenario.server.hub, KEY, Cursor(None, None)) if warm else None
    root = await scenario.post_comment("Lan", "Root")
    await until(lambda: holding is None or holding.seqs == [1], "the first event")
    marked = await scenario.post_comment("Marker-name", "Marker-body", root)
    await scenario.vote("Lan", marked, 1)
    await scenario.edit("Marker-name", marked, "Marker-body again")
    await scenario.post_comment("Eva", "A reply", marked)
    assert "Marker-body" in await scenario.all_bytes()
    await scenario.delete_comment(by, marked)
    sent = await scenario.all_bytes()
    for secret in ("Marker-body", "Marker-name", scenario.people["Marker-name"].author_id):
        assert secret not in sent
    assert marked in sent
    if by == "Editor":
        await scenario.restore(marked)
        assert "Marker-body again" in await scenario.all_bytes()
        await scenario.delete_comment(by, marked)
        assert "Marker" not in await scenario.all_bytes()
    if holding is not None:
        holding.disconnect()


@pytest.mark.parametrize("by", ["Editor", "Eva"])
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
async def test_what_an_edit_took_out_is_sent_to_nobody(scenario: Scenario, by: str, warm: bool) -> None:
    holding = await join_discussion(scenario.server.hub, KEY, Cursor(None, None)) if warm else None
    root = await scenario.post_comment("Lan", "Root")
    await until(lambda: holding is None or holding.seqs == [1], "the first event")
    marked = await scenario.post_comment("Eva", "Marker-one", root)
    await scenario.vote("Lan", marked, 1)
    await scenario.edit("Eva", marked, "Marker-two")
    await scenario.delete_comment("Editor", marked)
    await scenario.restore(marked)
    assert "Marker-two" in await scenario.all_bytes()
    await scenario.edit(by, marked, "Without the address")
    await scenario.post_comment("Minh", "Later", marked)
    sent = await scenario.all_bytes()
    assert "Marker" not in sent
    assert "Without the address" in sent
    assert await check(scenario.server.store) == []
    if holding is not None:
        holding.disconnect()


async def test_the_same_text_again_is_neither_a_change_nor_an_event(scenario: Scenario) -> None:
    said = await scenario.post_comment("Lan", "As it *is*")
    await scenario.post_comment("Eva", "Something else")
    await scenario.vote("Eva", said, 1)
    before = scenario.snapshots[-1]
    unchanged = await scenario.service.edit(said, "As it *is*\n", scenario.people["Lan"])
    assert (unchanged.seq, unchanged.comment.edited_at) == (1, None)
    await scenario.edit("Lan", said, "As it was")
    unchanged = await scenario.service.edit(said, "As it was", scenario.people["Lan"])
    assert unchanged.seq == before["seq"] + 1
    assert (await scenario.now())["seq"] == before["seq"] + 1


async def test_what_waits_or_was_rejected_is_sent_to_nobody(scenario: Scenario) -> None:
    holding = await join_discussion(scenario.server.hub, KEY, Cursor(None, None))
    root = await scenario.post_comment("Lan", "Root")
    await scenario.mode(Mode.held)
    waiting = await scenario.post_comment("Marker-name", "Marker-body", root)
    rejected = await scenario.post_comment("Marker-name", "Marker-body", root)
    withdrawn = await scenario.post_comment("Marker-name", "Marker-body", root)
    await scenario.edit("Marker-name", rejected, "Marker-body again")
    await scenario.delete_comment("Editor", rejected)
    await scenario.delete_comment("Marker-name", withdrawn)
    sent = await scenario.all_bytes() + "".join(holding.texts)
    for secret in ("Marker", waiting, rejected, withdrawn, scenario.people["Marker-name"].author_id):
        assert secret not in sent
    await scenario.approve(waiting)
    assert "Marker-body" in await scenario.all_bytes()
    holding.disconnect()


# ---- the helper itself ----------------------------------------------------------------------------------


async def test_a_fold_tells_of_a_gap_and_of_a_wrong_event(scenario: Scenario) -> None:
    await voted(scenario)
    start, now, log = scenario.snapshots[0], await scenario.now(), await scenario.events(0)
    with pytest.raises(Gap):
        fold(start, log[:2] + log[3:])
    assert canonical(fold(start, log[:-1])) != canonical(now)
    assert canonical(start) == canonical(scenario.snapshots[0])
    last = max(at for at, event in enumerate(log) if "votes" in event)
    wrong = log[last] | {"votes": {"up": 77, "down": 0}}
    assert canonical(fold(start, [*log[:last], wrong, *log[last + 1 :]])) != canonical(now)
