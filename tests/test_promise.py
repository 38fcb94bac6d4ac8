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
from tertulia.store import administration
from tests.folding import Gap, Json, canonical, fold, seen
from tests.live.fakes import join_discussion
from tests.store.acts import until

KEY = DiscussionKey("default", "promised")


@dataclass
class Talk:
    """People in a discussion, through the service; ``moments`` holds what a guest saw after every act."""

    server: Running
    service: Discussions
    moderator: Identity
    tokens: Tokens
    people: dict[str, Identity] = field(default_factory=dict)
    moments: list[Json] = field(default_factory=list)

    async def say(self, who: str, body: str, parent: str | None = None) -> str:
        new = protocol.NewComment(
            key=KEY.key, parent_id=parent, body=body, author=None if who == "Editor" else protocol.GuestName(name=who)
        )
        identity = self.moderator if who == "Editor" else self.people.get(who)
        answer = await self.service.say(new, uuid7(), identity=identity)
        if answer.posted.token is not None:
            self.people[who] = self.tokens.read(answer.posted.token, "default")
        await self.look()
        return answer.posted.comment.id

    async def edit(self, who: str, comment: str, body: str) -> None:
        await self.service.edit(comment, body, self.moderator if who == "Editor" else self.people[who])
        await self.look()

    async def conceal(self, who: str, comment: str) -> None:
        await self.service.conceal(comment, self.moderator if who == "Editor" else self.people[who])
        await self.look()

    async def restore(self, comment: str) -> None:
        await self.service.restore(comment, self.moderator)
        await self.look()

    async def approve(self, comment: str) -> None:
        await self.service.approve(comment, self.moderator)
        await self.look()

    async def vote(self, who: str, comment: str, value: int) -> None:
        vote = protocol.Vote.model_validate({"value": value})
        await self.service.vote(comment, vote, self.people[who])
        await self.look()

    async def mode(self, mode: Mode) -> None:
        await self.service.set_mode(KEY, mode, self.moderator)
        await self.look()

    async def look(self) -> None:
        self.moments.append(await self.now())

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
        await until(lambda: follower.messages and (after >= head or follower.seqs[-1:] == [head]))
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
async def talk(server: Running) -> Talk:
    _, stored = new_moderator_token()
    await server.store.ledger.submit(lambda c: administration.add_moderator(c, "Editor", stored, utc_now()))
    author = await server.store.reads.moderator(stored)
    assert author is not None
    tokens = Tokens(b"a key of the tests, not a secret")
    limits = PostingLimits("off", "off")
    service = Discussions(server.store, server.hub, tokens, limits, edit_window=timedelta(days=1), vote_seconds=0)
    talk = Talk(server, service, Identity(author.id, author.name, True, None), tokens)
    await talk.look()
    return talk


# ---- every kind of change -------------------------------------------------------------------------------


async def setting(talk: Talk) -> tuple[str, str, str]:
    root = await talk.say("Lan", "Root of it")
    reply = await talk.say("Minh", "A reply", root)
    other = await talk.say("Eva", "Another root")
    return root, reply, other


async def created(talk: Talk) -> None:
    await setting(talk)
    await talk.say("Editor", "From the paper")


async def replied(talk: Talk) -> None:
    root, reply, _ = await setting(talk)
    deep = await talk.say("Eva", "Deep", reply)
    await talk.say("Lan", "Deeper", deep)
    await talk.say("Lan", "Beside", root)


async def edited(talk: Talk) -> None:
    root, reply, _ = await setting(talk)
    await talk.edit("Minh", reply, "*A* better reply")
    await talk.edit("Editor", root, "Without the address")
    await talk.edit("Lan", root, "Again")


async def removed(talk: Talk) -> None:
    root, reply, other = await setting(talk)
    await talk.conceal("Editor", reply)
    await talk.conceal("Editor", other)
    await talk.conceal("Editor", root)


async def deleted(talk: Talk) -> None:
    root, reply, _ = await setting(talk)
    await talk.edit("Lan", root, "Rather not")
    await talk.conceal("Lan", root)
    await talk.say("Eva", "Still an answer", reply)
    await talk.conceal("Minh", reply)


async def restored(talk: Talk) -> None:
    root, reply, _ = await setting(talk)
    for comment in (root, reply):
        await talk.conceal("Editor", comment)
        await talk.restore(comment)
    await talk.edit("Lan", root, "Better")
    await talk.conceal("Editor", root)
    await talk.restore(root)
    await talk.conceal("Lan", root)


async def voted(talk: Talk) -> None:
    root, reply, _ = await setting(talk)
    for who, comment, value in (
        ("Minh", root, 1), ("Eva", root, -1), ("Lan", reply, -1), ("Minh", root, -1), ("Minh", root, 0),
        ("Minh", root, 0), ("Eva", root, 1), ("Eva", reply, 1), ("Lan", reply, 0),
    ):  # fmt: skip
        await talk.vote(who, comment, value)
    await talk.conceal("Editor", root)
    await talk.restore(root)
    await talk.vote("Eva", root, 0)


async def approved(talk: Talk) -> None:
    root, _, _ = await setting(talk)
    await talk.mode(Mode.held)
    first = await talk.say("Minh", "May I?")
    second = await talk.say("Eva", "May I too?", root)
    await talk.edit("Eva", second, "May I too, please?")
    await talk.say("Editor", "In a moment")
    await talk.approve(second)
    await talk.conceal("Editor", root)
    await talk.approve(first)
    await talk.say("Eva", "Never approved")


async def rejected_and_let_in(talk: Talk) -> None:
    root, _, _ = await setting(talk)
    await talk.mode(Mode.held)
    late = await talk.say("Minh", "Judged too quickly", root)
    withdrawn = await talk.say("Minh", "Taken back", root)
    await talk.conceal("Editor", late)
    await talk.conceal("Minh", withdrawn)
    await talk.restore(late)
    await talk.conceal("Editor", late)
    await talk.restore(late)


async def modes(talk: Talk) -> None:
    await talk.mode(Mode.closed)
    await talk.mode(Mode.open)
    root, _, _ = await setting(talk)
    for mode in (Mode.held, Mode.held, Mode.closed, Mode.open):
        await talk.mode(mode)
    await talk.vote("Minh", root, 1)


CHANGES: list[Callable[[Talk], Awaitable[None]]] = [
    created, replied, edited, removed, deleted, restored, voted, approved, rejected_and_let_in, modes,
]  # fmt: skip


async def everything(talk: Talk) -> None:
    for change in (edited, restored, approved, voted, rejected_and_let_in):
        await talk.mode(Mode.open)
        await change(talk)


@pytest.mark.parametrize("change", [*CHANGES, everything], ids=lambda change: change.__name__)
async def test_a_snapshot_and_the_events_after_it_are_the_snapshot_of_now(
    talk: Talk, change: Callable[[Talk], Awaitable[None]]
) -> None:
    watching = await join_discussion(talk.server.hub, KEY, Cursor(talk.server.store.epoch, 0))
    await change(talk)
    now = await talk.now()
    assert now["seq"] >= 4
    log = await talk.events(0)
    for moment in talk.moments:
        missed = [event for event in log if event["seq"] > moment["seq"]]
        assert canonical(fold(moment, missed)) == canonical(now)
        assert canonical(fold(moment, log)) == canonical(now), "what is known does no harm"
    await until(lambda: watching.seqs[-1:] == [now["seq"]])
    live = [event for message in watching.of_type("events") for event in message["events"]]
    assert canonical(fold(talk.moments[0], live)) == canonical(now), "and so does who watched"
    watching.disconnect()
    assert await check(talk.server.store) == []


@pytest.mark.parametrize("tuning", [Tuning(events=held, page=3) for held in (4, 512)], ids=["4 held", "512 held"])
async def test_who_comes_back_at_any_seq_gets_exactly_what_it_missed(talk: Talk) -> None:
    """More comes from the store where the room holds less."""
    holding = await join_discussion(talk.server.hub, KEY, Cursor(None, None))
    await until(lambda: holding.messages)
    await everything(talk)
    head = (await talk.now())["seq"]
    log = await talk.events(0)
    assert [event["seq"] for event in log] == list(range(1, head + 1))
    for after in range(head + 1):
        assert await talk.events(after) == log[after:]
        assert await talk.events(after, limit=7) == log[after:]
        assert await talk.streamed(after) == log[after:]
    await until(lambda: holding.seqs[-1:] == [head])
    assert holding.seqs == list(range(1, head + 1))
    holding.disconnect()


async def test_a_cursor_that_cannot_be_continued_is_answered_without_events(talk: Talk) -> None:
    await created(talk)
    epoch = talk.server.store.epoch
    for given, after in ((epoch, 99), ("another", 1), ("another", 99)):
        page = json.loads(await talk.service.events(KEY, given, after, 500))
        assert page == {"epoch": epoch, "seq": 4, "events": [], "more": False}
    page = json.loads(await talk.service.events(KEY, None, 3, 500))
    assert [event["seq"] for event in page["events"]] == [4]


# ---- what was taken back --------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["Editor", "Marker-name"])
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
async def test_what_was_taken_back_is_sent_to_nobody(talk: Talk, by: str, warm: bool) -> None:
    holding = await join_discussion(talk.server.hub, KEY, Cursor(None, None)) if warm else None
    root = await talk.say("Lan", "Root")
    await until(lambda: holding is None or holding.seqs == [1])
    marked = await talk.say("Marker-name", "Marker-body", root)
    await talk.vote("Lan", marked, 1)
    await talk.edit("Marker-name", marked, "Marker-body again")
    await talk.say("Eva", "A reply", marked)
    assert "Marker-body" in await talk.all_bytes()
    await talk.conceal(by, marked)
    sent = await talk.all_bytes()
    for secret in ("Marker-body", "Marker-name", talk.people["Marker-name"].author_id):
        assert secret not in sent
    assert marked in sent
    if by == "Editor":
        await talk.restore(marked)
        assert "Marker-body again" in await talk.all_bytes()
        await talk.conceal(by, marked)
        assert "Marker" not in await talk.all_bytes()
    if holding is not None:
        holding.disconnect()


@pytest.mark.parametrize("by", ["Editor", "Eva"])
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
async def test_what_an_edit_took_out_is_sent_to_nobody(talk: Talk, by: str, warm: bool) -> None:
    holding = await join_discussion(talk.server.hub, KEY, Cursor(None, None)) if warm else None
    root = await talk.say("Lan", "Root")
    await until(lambda: holding is None or holding.seqs == [1])
    marked = await talk.say("Eva", "Marker-one", root)
    await talk.vote("Lan", marked, 1)
    await talk.edit("Eva", marked, "Marker-two")
    await talk.conceal("Editor", marked)
    await talk.restore(marked)
    assert "Marker-two" in await talk.all_bytes()
    await talk.edit(by, marked, "Without the address")
    await talk.say("Minh", "Later", marked)
    sent = await talk.all_bytes()
    assert "Marker" not in sent
    assert "Without the address" in sent
    assert await check(talk.server.store) == []
    if holding is not None:
        holding.disconnect()


async def test_the_same_text_again_is_neither_a_change_nor_an_event(talk: Talk) -> None:
    said = await talk.say("Lan", "As it *is*")
    await talk.say("Eva", "Something else")
    await talk.vote("Eva", said, 1)
    before = talk.moments[-1]
    unchanged = await talk.service.edit(said, "As it *is*\n", talk.people["Lan"])
    assert (unchanged.seq, unchanged.comment.edited_at) == (1, None)
    await talk.edit("Lan", said, "As it was")
    unchanged = await talk.service.edit(said, "As it was", talk.people["Lan"])
    assert unchanged.seq == before["seq"] + 1
    assert (await talk.now())["seq"] == before["seq"] + 1


async def test_what_waits_or_was_rejected_is_sent_to_nobody(talk: Talk) -> None:
    holding = await join_discussion(talk.server.hub, KEY, Cursor(None, None))
    root = await talk.say("Lan", "Root")
    await talk.mode(Mode.held)
    waiting = await talk.say("Marker-name", "Marker-body", root)
    rejected = await talk.say("Marker-name", "Marker-body", root)
    withdrawn = await talk.say("Marker-name", "Marker-body", root)
    await talk.edit("Marker-name", rejected, "Marker-body again")
    await talk.conceal("Editor", rejected)
    await talk.conceal("Marker-name", withdrawn)
    sent = await talk.all_bytes() + "".join(holding.texts)
    for secret in ("Marker", waiting, rejected, withdrawn, talk.people["Marker-name"].author_id):
        assert secret not in sent
    await talk.approve(waiting)
    assert "Marker-body" in await talk.all_bytes()
    holding.disconnect()


# ---- the helper itself ----------------------------------------------------------------------------------


async def test_a_fold_tells_of_a_gap_and_of_a_wrong_event(talk: Talk) -> None:
    await voted(talk)
    start, now, log = talk.moments[0], await talk.now(), await talk.events(0)
    with pytest.raises(Gap):
        fold(start, log[:2] + log[3:])
    assert canonical(fold(start, log[:-1])) != canonical(now)
    assert canonical(start) == canonical(talk.moments[0])
    last = max(at for at, event in enumerate(log) if "votes" in event)
    wrong = log[last] | {"votes": {"up": 77, "down": 0}}
    assert canonical(fold(start, [*log[:last], wrong, *log[last + 1 :]])) != canonical(now)
