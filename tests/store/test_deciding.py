"""What moderators decide: who comes first, what an undo brings back, and what the desk is told of it."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, delete, select, update

from tertulia.checks import check
from tertulia.core.causes import Queue
from tertulia.core.comments import Author, HiddenBy, Mode, State
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import DeskEvent
from tertulia.store import Store, commands, desk_log, queries, reviews, schema
from tertulia.store.actions import By, Recorded, log_page
from tertulia.store.commands import Act, DecideComment, Decided, MendReviews, PostResult, Reason, UndoDecision
from tertulia.store.queries import Filters
from tests.support.store_actions import LAN, MINH, StoreActions, actor, log

DESK = desk_log.desk_of("default")
SAU, HOA = By("0190a000-0000-7000-8000-0000000000aa", "Sáu"), By("0190a000-0000-7000-8000-0000000000ab", "Hoa")


NO_REASON = Reason()


class Decisions:
    """Decides as somebody of the staff."""

    def __init__(self, store: Store, actions: StoreActions) -> None:
        self._store = store
        self._actions = actions

    async def decide(
        self,
        said: PostResult,
        act: Act,
        by: By = SAU,
        *,
        version: int | None = None,
        request: str = "",
        why: Reason = NO_REASON,
    ) -> Decided:
        at = self._actions.now()
        command = DecideComment(said.comment.id, act, by, at, "default", version, why, request)
        return await self._store.write(command)

    async def undo(self, decided: Decided, by: By = SAU) -> Decided:
        assert decided.action is not None
        return await self._store.write(UndoDecision(decided.comment.id, decided.action, by, self._actions.now()))

    async def told(self) -> list[DeskEvent]:
        """All that the desk has been told."""
        _, events = await self._store.read(queries.events, DESK, 0, 500)
        return [DeskEvent.model_validate_json(event.payload) for event in events]

    async def queue(self, queue: Queue) -> list[str]:
        return (await self._store.read(queries.queue_page, "default", queue, Filters(), 50, None)).ids

    async def actions(self) -> list[Recorded]:
        found = (await self._store.read(log_page, None, 100)).actions
        return [one for one in found if one.verb.startswith("comment.")]


@pytest.fixture
def decisions(store: Store, actions: StoreActions) -> Decisions:
    return Decisions(store, actions)


async def held(actions: StoreActions, text: str = "May I?") -> PostResult:
    await actions.mode(Mode.held)
    said = await actions.post_comment(text)
    await actions.mode(Mode.open)
    return said


async def reported(actions: StoreActions, said: PostResult, *reporters: Author) -> None:
    for reporter in reporters:
        await actions.report(said.comment.id, actor(reporter), network=reporter.id)


def people(many: int) -> list[Author]:
    return [Author(f"0190a000-0000-7000-8000-{number:012x}", f"Reader {number}") for number in range(100, 100 + many)]


async def state_of(store: Store, said: PostResult) -> dict[str, Any]:
    """All that is stored of a comment, its review and its reports, but the number of changes."""

    def read(connection: Connection) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for table, column in ((schema.comment, "id"), (schema.review, "comment_id"), (schema.report, "comment_id")):
            rows = connection.execute(select(table).where(table.c[column] == said.comment.id)).mappings()
            found[table.name] = [{name: row[name] for name in row if name != "version"} for row in rows]
        return found

    return await store.read(read)


# ---- the queue ------------------------------------------------------------------------------------------


async def test_what_is_held_waits_with_its_cause(store: Store, actions: StoreActions, decisions: Decisions) -> None:
    said = await held(actions)
    assert await decisions.queue(Queue.waiting) == [said.comment.id]
    [event] = await decisions.told()
    assert (event.seq, event.item.comment_id, event.item.queue, event.item.version) == (
        1,
        said.comment.id,
        "waiting",
        1,
    )
    assert (event.item.causes, event.item.state, event.item.by) == (["mode"], State.held, None)
    [item] = await store.read(queries.items, "default", [said.comment.id])
    assert (item.comment.text, item.author.shown, item.decision) == ("May I?", 0, None)
    assert await store.read(queries.desk_counts, "default") == {Queue.waiting: 1, Queue.reported: 0, Queue.suspected: 0}
    assert await check(store) == []


async def test_nothing_waits_where_nothing_is_held(store: Store, actions: StoreActions, decisions: Decisions) -> None:
    await actions.post_comment()
    assert await decisions.told() == []
    assert await store.read(queries.desk_head, "default") == 0


async def test_the_desk_is_of_one_site_and_has_no_text(actions: StoreActions, decisions: Decisions) -> None:
    await held(actions, "Marker-of-the-text")
    assert "Marker" not in json.dumps([event.model_dump() for event in await decisions.told()])


async def test_queues_go_on_by_cursors(store: Store, actions: StoreActions, decisions: Decisions) -> None:
    said = [await held(actions, f"No. {number}") for number in range(7)]
    found: list[str] = []
    cursor = None
    while True:
        page = await store.read(queries.queue_page, "default", Queue.waiting, Filters(), 3, cursor)
        found, cursor = found + page.ids, page.next
        if cursor is None:
            break
    assert found == [one.comment.id for one in said]
    newest = await store.read(queries.newest_page, "default", Filters(), 50, None)
    assert newest.ids == [one.comment.id for one in reversed(said)]
    mine = await store.read(queries.queue_page, "default", Queue.waiting, Filters(author=MINH.id), 50, None)
    assert mine.ids == []
    assert await check(store) == []


# ---- decisions ------------------------------------------------------------------------------------------


async def test_approval_shows_it_and_ends_the_wait(store: Store, actions: StoreActions, decisions: Decisions) -> None:
    said = await held(actions)
    decided = await decisions.decide(said, Act.approve, version=1)
    assert (decided.comment.state, decided.comment.version) == (State.visible, 2)
    assert [event.kind for event in await log(store)][-1] == "comment.created"
    told = (await decisions.told())[-1]
    assert (told.item.queue, told.item.decision, told.item.by, told.item.version) == (None, "approved", "Sáu", 2)
    [action, *_] = await decisions.actions()
    assert (action.verb, action.actor_id, action.comment_id, action.author_id) == (
        "comment.approve", SAU.id, said.comment.id, LAN.id,
    )  # fmt: skip
    assert "May I" not in json.dumps(action.data)
    assert await check(store) == []


async def test_removal_has_a_reason_and_a_note(store: Store, actions: StoreActions, decisions: Decisions) -> None:
    said = await actions.post_comment("Nonsense")
    await decisions.decide(said, Act.remove, why=Reason(reason="abuse", note="Not like this."))
    stored = (await state_of(store, said))["comment"][0]
    assert (stored["state"], stored["hidden_by"]) == ("removed", "staff")
    assert (stored["decision"]["reason"], stored["decision"]["note"]) == ("abuse", "Not like this.")
    [action] = await decisions.actions()
    assert (action.verb, action.reason, action.note) == ("comment.remove", "abuse", "Not like this.")
    assert await check(store) == []


async def test_whoever_comes_second_hears_who_was_first(
    store: Store, actions: StoreActions, decisions: Decisions
) -> None:
    said = await held(actions)
    await decisions.decide(said, Act.approve, version=1)
    before, events = await state_of(store, said), await log(store)
    with pytest.raises(Problem) as refused:
        await decisions.decide(said, Act.remove, HOA, version=1)
    assert refused.value.code is ErrorCode.decided
    assert "Sáu" in refused.value.detail
    assert (await state_of(store, said), await log(store)) == (before, events)


async def test_nobody_approves_what_was_edited_meanwhile(
    store: Store, actions: StoreActions, decisions: Decisions
) -> None:
    said = await held(actions)
    await actions.edit(said, actor(LAN), "Something else altogether")
    with pytest.raises(Problem) as refused:
        await decisions.decide(said, Act.approve, version=1)
    assert refused.value.code is ErrorCode.changed
    assert (await state_of(store, said))["comment"][0]["state"] == "held"
    assert [event.item.version for event in await decisions.told()] == [1, 2]


async def test_a_repeated_request_decides_once(store: Store, actions: StoreActions, decisions: Decisions) -> None:
    said = await held(actions)
    first = await decisions.decide(said, Act.approve, version=1, request="k" * 16)
    events = await log(store)
    again = await decisions.decide(said, Act.approve, version=1, request="k" * 16)
    assert again.action == first.action
    assert await log(store) == events
    with pytest.raises(Problem):
        await decisions.decide(said, Act.approve, HOA, version=1, request="k" * 16)


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (Act.approve, ErrorCode.bad_state),
        (Act.keep, ErrorCode.bad_state),
        (Act.restore, ErrorCode.bad_state),
        (Act.unpin, ErrorCode.bad_state),
    ],
)
async def test_what_makes_no_sense_is_refused(
    store: Store, actions: StoreActions, decisions: Decisions, act: Act, code: ErrorCode
) -> None:
    said = await actions.post_comment()
    with pytest.raises(Problem) as refused:
        await decisions.decide(said, act)
    assert refused.value.code is code
    assert await decisions.actions() == []


async def test_authors_who_delete_end_the_waiting(store: Store, actions: StoreActions, decisions: Decisions) -> None:
    said = await held(actions)
    await actions.delete_comment(said, actor(LAN))
    told = (await decisions.told())[-1]
    assert (told.item.queue, told.item.decision, told.item.state) == (None, "deleted", State.deleted)
    assert await decisions.queue(Queue.waiting) == []
    assert await check(store) == []


# ---- undo -----------------------------------------------------------------------------------------------


async def _ready(actions: StoreActions, decisions: Decisions, act: Act) -> PostResult:
    """A comment about which this can be decided."""
    if act is Act.approve:
        return await held(actions)
    said = await actions.post_comment("Said")
    if act is Act.keep:
        await reported(actions, said, *people(2))
    elif act is Act.restore:
        await decisions.decide(said, Act.remove, why=Reason(reason="spam"))
    elif act is Act.unpin:
        await decisions.decide(said, Act.pin)
    elif act in (Act.remove, Act.spam):
        await reported(actions, said, *people(1))
    return said


@pytest.mark.parametrize("act", [act for act in Act if act is not Act.approve])
async def test_an_undo_brings_back_what_was(
    store: Store, actions: StoreActions, decisions: Decisions, act: Act
) -> None:
    said = await _ready(actions, decisions, act)
    before = await state_of(store, said)
    decided = await decisions.decide(said, act, why=Reason(reason="other", note="Because."))
    assert await state_of(store, said) != before
    undone = await decisions.undo(decided)
    assert await state_of(store, said) == before
    [action, first, *_] = await decisions.actions()
    assert (action.verb, action.undoes, first.id) == ("comment.undo", decided.action, decided.action)
    assert undone.comment.version == decided.comment.version + 1
    assert await check(store) == []
    with pytest.raises(Problem) as refused:
        await decisions.undo(decided)
    assert refused.value.code in (ErrorCode.bad_state, ErrorCode.decided)


async def test_what_was_shown_waits_as_removed_after_an_undo(
    store: Store, actions: StoreActions, decisions: Decisions
) -> None:
    said = await held(actions)
    await decisions.undo(await decisions.decide(said, Act.approve))
    assert [event.kind for event in await log(store)][-2:] == ["comment.created", "comment.removed"]
    assert await decisions.queue(Queue.waiting) == [said.comment.id]
    again = await decisions.decide(said, Act.approve)
    assert again.comment.state is State.visible
    assert [event.kind for event in await log(store)][-1] == "comment.restored"
    assert await decisions.queue(Queue.waiting) == []
    assert await check(store) == []


async def test_the_undo_of_a_pin_leaves_what_was_reported_meanwhile(
    store: Store, actions: StoreActions, decisions: Decisions
) -> None:
    said = await held(actions)
    await decisions.decide(said, Act.approve)
    pinned = await decisions.decide(said, Act.pin)
    await reported(actions, said, *people(1))
    await decisions.undo(pinned)
    assert await decisions.queue(Queue.reported) == [said.comment.id]
    assert await check(store) == []


async def test_nothing_is_undone_that_somebody_has_decided_since(
    store: Store, actions: StoreActions, decisions: Decisions
) -> None:
    said = await held(actions)
    first = await decisions.decide(said, Act.approve)
    await decisions.decide(said, Act.remove, HOA)
    with pytest.raises(Problem) as refused:
        await decisions.undo(first)
    assert refused.value.code is ErrorCode.decided
    assert "Hoa" in refused.value.detail


# ---- reports --------------------------------------------------------------------------------------------


async def test_enough_readers_hide_a_comment(store: Store, actions: StoreActions, decisions: Decisions) -> None:
    said = await actions.post_comment("Loud")
    await reported(actions, said, *people(4))
    assert await decisions.queue(Queue.reported) == [said.comment.id]
    await reported(actions, said, people(5)[4])
    assert (await log(store))[-1].kind == "comment.removed"
    assert await decisions.queue(Queue.suspected) == [said.comment.id]
    assert (await state_of(store, said))["comment"][0]["hidden_by"] == HiddenBy.reports
    [action] = await decisions.actions()
    assert (action.verb, action.actor, action.actor_id) == ("comment.hide", "server", None)
    assert await check(store) == []


async def test_readers_of_one_network_are_one_reporter(actions: StoreActions, decisions: Decisions) -> None:
    said = await actions.post_comment("Loud")
    for reader in people(100):
        await actions.report(said.comment.id, actor(reader), network="the café")
    assert await decisions.queue(Queue.reported) == [said.comment.id]
    assert (await decisions.told())[-1].item.reports == 1


async def test_what_was_kept_needs_twice_as_much(store: Store, actions: StoreActions, decisions: Decisions) -> None:
    said = await actions.post_comment("Loud")
    readers = people(20)
    await reported(actions, said, *readers[:5])
    kept = await decisions.decide(said, Act.keep)
    assert kept.comment.state is State.visible
    await reported(actions, said, *readers[5:14])
    assert (await log(store))[-1].kind == "comment.restored"
    await reported(actions, said, readers[14])
    assert (await log(store))[-1].kind == "comment.removed"
    assert await check(store) == []


async def test_what_was_kept_and_changed_since_is_as_any_other(
    store: Store, actions: StoreActions, decisions: Decisions
) -> None:
    said = await actions.post_comment("Loud")
    readers = people(10)
    await reported(actions, said, *readers[:5])
    await decisions.decide(said, Act.keep)
    await actions.edit(said, actor(LAN), "Louder", late=timedelta(seconds=1))
    await reported(actions, said, *readers[5:])
    assert (await log(store))[-1].kind == "comment.removed"


async def test_whoever_is_mostly_wrong_weighs_nothing(actions: StoreActions, decisions: Decisions) -> None:
    wrong = people(1)[0]
    for number in range(5):
        said = await actions.post_comment(f"Fine {number}")
        await reported(actions, said, wrong)
        await decisions.decide(said, Act.keep)
    said = await actions.post_comment("Fine as well")
    await reported(actions, said, wrong)
    assert (await decisions.told())[-1].item.reports == 0


@pytest.mark.parametrize("why", ["staff", "pinned", "approved by hand"])
async def test_what_moderators_stand_for_is_not_hidden(
    store: Store, actions: StoreActions, decisions: Decisions, why: str
) -> None:
    by = Author(actions.as_moderator.id, "Moderator", "moderator") if why == "staff" else LAN
    said = await held(actions) if why.startswith("approved") else await actions.post_comment("Said", by=by)
    if why == "pinned":
        await decisions.decide(said, Act.pin)
    elif why.startswith("approved"):
        await decisions.decide(said, Act.approve)
    await reported(actions, said, *people(9))
    assert (await log(store))[-1].kind != "comment.removed"
    assert await decisions.queue(Queue.reported) == [said.comment.id]


async def test_a_review_is_found_as_it_was_put(store: Store, actions: StoreActions) -> None:
    said = await held(actions)
    found = await store.read(reviews.find, said.comment.id)
    assert found is not None
    assert reviews.to_review(json.loads(json.dumps(reviews.stored(found)))) == found


async def test_a_retry_after_a_conflict_tells_the_desk_once(store: Store, actions: StoreActions) -> None:
    """Where one command of a batch refuses, the others are applied once more, one by one."""
    await actions.mode(Mode.held)
    drafts = [actions.draft(f"No. {number}") for number in range(5)]
    missing = commands.DecideComment("0190a000-0000-7000-8000-00000000ffff", Act.approve, SAU, actions.now())
    posted = asyncio.gather(*(actions.post(draft) for draft in drafts))
    with pytest.raises(Problem):
        await store.write(missing)
    assert len(await posted) == 5
    assert await store.read(queries.desk_head, "default") == 5
    assert await check(store) == []


async def test_what_an_earlier_version_holds_and_decides_is_mended(
    store: Store, actions: StoreActions, decisions: Decisions
) -> None:
    """It knows of no reviews: none is made of what it holds, and none ended of what it approves."""
    forgotten, approved, both = [await held(actions, f"No. {number}") for number in range(3)]
    said = await actions.post_comment("Loud")
    await reported(actions, said, *people(2))

    def as_before(connection: Connection) -> None:
        of = {name: one.comment.id for name, one in {"lost": forgotten, "shown": approved, "said": said}.items()}
        connection.execute(delete(schema.review).where(schema.review.c.comment_id.in_([of["lost"], of["said"]])))
        connection.execute(
            update(schema.comment).where(schema.comment.c.id == of["shown"]).values(state="visible", published=True)
        )
        connection.commit()

    await store.database.write.run(as_before)
    assert await store.write(MendReviews(actions.now())) == 3
    assert set(await decisions.queue(Queue.waiting)) == {forgotten.comment.id, both.comment.id}
    assert await decisions.queue(Queue.reported) == [said.comment.id]
    assert (await decisions.told())[-1].item.reports in (0, 2)
    assert await store.write(MendReviews(actions.now())) == 0
    assert {one.code for one in await check(store)}.isdisjoint({"held_review", "review_state", "review_weight"})
