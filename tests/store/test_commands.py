"""Commands: what each does to tables and log, what each refuses, and that a refusal changes nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from tertulia.checks import check
from tertulia.core.comments import Author, DiscussionKey, Mode, State
from tertulia.core.ids import uuid7
from tertulia.errors import ErrorCode, Problem
from tertulia.protocol import Votes
from tertulia.store import Store, administration, queries
from tertulia.store.commands import Actor, PostResult
from tests.support.store_actions import (
    ABROAD,
    EVA,
    HERE,
    LAN,
    MINH,
    START,
    THERE,
    StoreActions,
    actor,
    author_of,
    listed,
    log,
    tables,
)

Refused = Callable[[StoreActions, "PostResult"], Awaitable[object]]


async def removed(actions: StoreActions, said: PostResult) -> str:
    await actions.delete_comment(said.comment.id, actions.as_moderator)
    return said.comment.id


async def deleted(actions: StoreActions, said: PostResult) -> str:
    await actions.delete_comment(said.comment.id, actor(LAN))
    return said.comment.id


async def held(actions: StoreActions, _said: PostResult) -> str:
    await actions.mode(Mode.held)
    return (await actions.post_comment("May I?")).comment.id


async def visible(_acts: StoreActions, said: PostResult) -> str:
    return said.comment.id


async def absent(_acts: StoreActions, _said: PostResult) -> str:
    return uuid7()


async def elsewhere(actions: StoreActions, _said: PostResult) -> str:
    return (await actions.post_comment(key=THERE)).comment.id


async def used_key(actions: StoreActions, said: PostResult) -> str:
    return str(said.comment.idempotency_key)


async def closed(actions: StoreActions, _said: PostResult) -> str:
    await actions.mode(Mode.closed)
    return ""


Prepare = Callable[[StoreActions, PostResult], Awaitable[str]]
Attempt = Callable[[StoreActions, str], Awaitable[object]]

# what is refused: how it came to be, what is tried with the comment that it gives, and the answer
REFUSALS: dict[str, tuple[Prepare, Attempt, ErrorCode]] = {
    "post on an unknown site": (
        visible,
        lambda actions, _: actions.post_comment(key=DiscussionKey("nowhere", "here")),
        ErrorCode.unknown_site,
    ),
    "post where it is closed": (closed, lambda actions, _: actions.post_comment(), ErrorCode.closed),
    "post under nothing": (
        absent,
        lambda actions, found: actions.post(actions.draft(parent=found)),
        ErrorCode.bad_parent,
    ),
    "post under nothing in a new discussion": (
        absent,
        lambda actions, found: actions.post(actions.draft(parent=found, key=DiscussionKey("default", "new"), by=EVA)),
        ErrorCode.bad_parent,
    ),
    "post under another discussion's comment": (
        elsewhere,
        lambda actions, found: actions.post(actions.draft(parent=found)),
        ErrorCode.bad_parent,
    ),
    "post under a held comment": (
        held,
        lambda actions, found: actions.post(actions.draft(parent=found)),
        ErrorCode.bad_parent,
    ),
    "post under a removed comment": (
        removed,
        lambda actions, found: actions.post(actions.draft(parent=found)),
        ErrorCode.bad_parent,
    ),
    "post under a deleted comment": (
        deleted,
        lambda actions, found: actions.post(actions.draft(parent=found)),
        ErrorCode.bad_parent,
    ),
    "post with a key that is used": (
        used_key,
        lambda actions, found: actions.post(actions.draft("Something else", idempotency_key=found)),
        ErrorCode.idempotency_conflict,
    ),
    "edit nothing": (absent, lambda actions, found: actions.edit(found, actor(LAN)), ErrorCode.not_found),
    "edit from another site": (
        visible,
        lambda actions, found: actions.edit(found, actor(LAN, "magazine")),
        ErrorCode.not_found,
    ),
    "edit another's held comment": (held, lambda actions, found: actions.edit(found, actor(MINH)), ErrorCode.not_found),
    "edit another's comment": (visible, lambda actions, found: actions.edit(found, actor(MINH)), ErrorCode.forbidden),
    "edit a removed comment": (removed, lambda actions, found: actions.edit(found, actor(LAN)), ErrorCode.gone),
    "edit a deleted comment": (deleted, lambda actions, found: actions.edit(found, actor(LAN)), ErrorCode.gone),
    "edit a removed comment as a moderator": (
        removed,
        lambda actions, found: actions.edit(found, actions.as_moderator),
        ErrorCode.gone,
    ),
    "edit too late": (
        visible,
        lambda actions, found: actions.edit(found, actor(LAN), late=timedelta(minutes=16)),
        ErrorCode.edit_window_over,
    ),
    "delete nothing": (absent, lambda actions, found: actions.delete_comment(found, actor(LAN)), ErrorCode.not_found),
    "delete from another site": (
        visible,
        lambda actions, found: actions.delete_comment(found, actor(LAN, "magazine")),
        ErrorCode.not_found,
    ),
    "delete another's held comment": (
        held,
        lambda actions, found: actions.delete_comment(found, actor(MINH)),
        ErrorCode.not_found,
    ),
    "delete another's comment": (
        visible,
        lambda actions, found: actions.delete_comment(found, actor(MINH)),
        ErrorCode.forbidden,
    ),
    "delete twice": (deleted, lambda actions, found: actions.delete_comment(found, actor(LAN)), ErrorCode.gone),
    "remove twice": (
        removed,
        lambda actions, found: actions.delete_comment(found, actions.as_moderator),
        ErrorCode.gone,
    ),
    "restore nothing": (absent, lambda actions, found: actions.restore(found), ErrorCode.not_found),
    "restore what is visible": (visible, lambda actions, found: actions.restore(found), ErrorCode.bad_state),
    "restore what is held": (held, lambda actions, found: actions.restore(found), ErrorCode.bad_state),
    "restore what its author deleted": (deleted, lambda actions, found: actions.restore(found), ErrorCode.bad_state),
    "approve nothing": (absent, lambda actions, found: actions.approve(found), ErrorCode.not_found),
    "approve what is visible": (visible, lambda actions, found: actions.approve(found), ErrorCode.bad_state),
    "approve what is removed": (removed, lambda actions, found: actions.approve(found), ErrorCode.bad_state),
    "approve what is deleted": (deleted, lambda actions, found: actions.approve(found), ErrorCode.bad_state),
    "vote on nothing": (absent, lambda actions, found: actions.vote(found, actor(MINH), 1), ErrorCode.not_found),
    "vote from another site": (
        visible,
        lambda actions, found: actions.vote(found, actor(MINH, "magazine"), 1),
        ErrorCode.not_found,
    ),
    "vote on what is held": (held, lambda actions, found: actions.vote(found, actor(MINH), 1), ErrorCode.not_found),
    "vote on one's own": (visible, lambda actions, found: actions.vote(found, actor(LAN), 1), ErrorCode.forbidden),
    "vote on what is removed": (removed, lambda actions, found: actions.vote(found, actor(MINH), 1), ErrorCode.gone),
    "vote on what is deleted": (deleted, lambda actions, found: actions.vote(found, actor(MINH), 1), ErrorCode.gone),
    "report nothing": (absent, lambda actions, found: actions.report(found, None), ErrorCode.not_found),
    "report from another site": (
        visible,
        lambda actions, found: actions.report(found, actor(MINH, "magazine")),
        ErrorCode.not_found,
    ),
    "report what is held": (held, lambda actions, found: actions.report(found, actor(MINH)), ErrorCode.not_found),
    "report what is removed": (removed, lambda actions, found: actions.report(found, None), ErrorCode.gone),
    "report what is deleted": (deleted, lambda actions, found: actions.report(found, None), ErrorCode.gone),
    "set the mode on an unknown site": (
        visible,
        lambda actions, _: actions.mode(Mode.closed, DiscussionKey("nowhere", "here")),
        ErrorCode.unknown_site,
    ),
    "add a site of a bad name": (
        visible,
        lambda actions, _: actions.do(administration.AddSite("No Site", [], START)),
        ErrorCode.invalid,
    ),
    "add a moderator twice": (
        visible,
        lambda actions, _: actions.do(administration.AddModerator("Editor", "e" * 64, START)),
        ErrorCode.invalid,
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_a_refusal_changes_nothing_and_its_neighbours_go_on(
    store: Store, actions: StoreActions, name: str
) -> None:
    prepare, attempt, code = REFUSALS[name]
    found = await prepare(actions, await actions.post_comment())
    before = await tables(store)
    with pytest.raises(Problem) as refused:
        await attempt(actions, found)
    assert refused.value.code is code
    assert await tables(store) == before
    neighbour = DiscussionKey("default", "neighbours")
    answers = await asyncio.gather(
        actions.post_comment(key=neighbour),
        attempt(actions, found),
        actions.post_comment(key=neighbour),
        return_exceptions=True,
    )
    assert isinstance(answers[1], Problem)
    assert answers[1].code is code
    assert [answer.seq for answer in answers if isinstance(answer, PostResult)] == [1, 2]
    assert await check(store) == []


# ---- posting --------------------------------------------------------------------------------------------


async def test_a_post_changes_comment_log_and_counters_together(store: Store, actions: StoreActions) -> None:
    first = await actions.post_comment("**First**")
    reply = await actions.post_comment("Reply", by=MINH, parent=first)
    deep = await actions.post_comment("Deep", by=EVA, parent=reply)
    assert (first.seq, reply.seq, deep.seq) == (1, 2, 3)
    assert {one.comment.root_id for one in (first, reply, deep)} == {first.comment.id}
    events = await log(store)
    assert [event.kind for event in events] == ["comment.created"] * 3
    assert [event.comment_count for event in events] == [1, 2, 3]
    assert [event.parent and (event.parent.id, event.parent.reply_count) for event in events] == [
        None, (first.comment.id, 1), (reply.comment.id, 1),
    ]  # fmt: skip
    comments = {comment.id: comment for comment in await listed(store)}
    assert [comments[one.comment.id].reply_count for one in (first, reply, deep)] == [1, 1, 0]
    discussion = await store.read(queries.discussion, HERE)
    assert (discussion.seq, discussion.comment_count, discussion.title) == (3, 3, "About here")
    assert await check(store) == []


async def test_the_first_post_names_the_discussion(store: Store, actions: StoreActions) -> None:
    await actions.post_comment()
    draft = actions.draft()
    await actions.post(replace(draft, title="Another"))
    assert (await store.read(queries.discussion, HERE)).title == "About here"


async def test_the_same_key_on_two_sites_is_two_discussions(store: Store, actions: StoreActions) -> None:
    assert (await actions.post_comment()).seq == (await actions.post_comment(key=ABROAD)).seq == 1
    assert (await store.read(queries.discussion, HERE)).id != (await store.read(queries.discussion, ABROAD)).id


async def test_an_authors_name_is_the_last_one_used_and_comments_keep_theirs(
    store: Store, actions: StoreActions
) -> None:
    await actions.post_comment()
    await actions.post_comment(by=Author(LAN.id, "Lan of the river"))
    assert await store.read(author_of, LAN.id) == Author(LAN.id, "Lan of the river")
    assert [comment.author.name for comment in await listed(store)] == ["Lan", "Lan of the river"]


async def test_a_moderator_may_say_something_where_guests_may_not(store: Store, actions: StoreActions) -> None:
    for mode in (Mode.closed, Mode.held):
        await actions.mode(mode)
        said = await actions.post_comment(by=actions.moderator)
        assert said.comment.state is State.visible
        assert said.seq is not None
    assert [event.comment.author.badge for event in await log(store) if event.comment and event.comment.author] == [
        "moderator", "moderator",
    ]  # fmt: skip


async def test_a_reply_stands_after_what_it_answers_whatever_the_clock_says(
    store: Store, actions: StoreActions
) -> None:
    """Clocks go back, and those of two instances differ."""
    said = [await actions.post_comment("0", at=START + timedelta(hours=1))]
    for number in range(1, 6):
        said.append(await actions.post_comment(str(number), parent=said[-1], at=START + timedelta(minutes=60 - number)))
    assert [comment.text for comment in await listed(store)] == ["0", "1", "2", "3", "4", "5"]


# ---- one key, one comment -------------------------------------------------------------------------------


async def test_a_repeated_post_is_answered_as_before(store: Store, actions: StoreActions) -> None:
    draft = actions.draft()
    first = await actions.post(draft)
    await actions.post_comment("Something between")
    before = await tables(store)
    again = await actions.post(actions.draft(draft.text, idempotency_key=draft.idempotency_key))
    assert (again.comment.id, again.seq, again.repeated) == (first.comment.id, first.seq, True)
    assert not first.repeated
    assert await tables(store) == before


async def test_fifty_posts_of_one_key_at_once_are_one_comment(store: Store, actions: StoreActions) -> None:
    key = uuid7()
    answers = await asyncio.gather(*(actions.post(actions.draft("Once", idempotency_key=key)) for _ in range(50)))
    assert len({(answer.comment.id, answer.seq) for answer in answers}) == 1
    assert [answer.repeated for answer in answers].count(False) == 1
    assert len(await listed(store)) == len(await log(store)) == 1


async def test_a_key_belongs_to_its_author(actions: StoreActions) -> None:
    key = uuid7()
    mine = await actions.post(actions.draft("Mine", idempotency_key=key))
    yours = await actions.post(actions.draft("Yours", by=MINH, idempotency_key=key))
    assert mine.comment.id != yours.comment.id


async def test_a_repeat_is_answered_in_whatever_state_the_comment_is(actions: StoreActions) -> None:
    draft = actions.draft()
    said = await actions.post(draft)
    await actions.delete_comment(said.comment.id, actions.as_moderator)
    await actions.mode(Mode.closed)
    again = await actions.post(draft)
    assert (again.comment.id, again.seq, again.comment.state) == (said.comment.id, 1, State.removed)
    await actions.restore(said.comment.id)
    await actions.delete_comment(said.comment.id, actor(LAN))
    again = await actions.post(draft)
    assert (again.seq, again.comment.state, again.comment.text, again.comment.body) == (1, State.deleted, "", [])


async def test_a_repeat_of_a_held_post_has_a_seq_once_it_is_approved(actions: StoreActions) -> None:
    await actions.mode(Mode.held)
    draft = actions.draft()
    said = await actions.post(draft)
    assert said.seq is (await actions.post(draft)).seq is None
    approved = await actions.approve(said.comment.id)
    assert (await actions.post(draft)).seq == approved.seq == 2


# ---- changing -------------------------------------------------------------------------------------------


async def test_an_edit_replaces_the_text(store: Store, actions: StoreActions) -> None:
    said = await actions.post_comment()
    edited = await actions.edit(said.comment.id, actor(LAN), "*New*")
    assert edited.seq == 2
    (comment,) = await listed(store)
    assert (comment.text, comment.body) == ("*New*", edited.comment.body)
    assert comment.edited_at is not None
    assert (await log(store))[1].comment_count is None
    late = await actions.edit(said.comment.id, actions.as_moderator, "Newest", late=timedelta(days=99))
    assert (late.seq, late.comment.author) == (3, LAN)
    assert await check(store) == []


async def test_editing_is_over_when_the_window_is(actions: StoreActions) -> None:
    said = await actions.post_comment(at=START)
    await actions.edit(said.comment.id, actor(LAN), late=timedelta(minutes=14))
    with pytest.raises(Problem, match="edit_window_over"):
        await actions.edit(said.comment.id, actor(LAN), late=timedelta(minutes=15))


async def test_a_held_comment_is_edited_in_silence(store: Store, actions: StoreActions) -> None:
    found = await held(actions, await actions.post_comment())
    before = await log(store)
    assert (await actions.edit(found, actor(LAN), "May I, please?")).seq is None
    assert await log(store) == before


async def test_what_its_author_deletes_is_nowhere_any_more(store: Store, actions: StoreActions) -> None:
    said = await actions.post_comment("Marker-of-the-text", by=Author(LAN.id, "Marker-of-the-name"))
    await actions.edit(said.comment.id, actor(LAN), "Marker-of-the-text again")
    await actions.post_comment("Reply", by=MINH, parent=said)
    await actions.post_comment("I am Lan", by=LAN)
    gone = await actions.delete_comment(said.comment.id, actor(LAN))
    assert (gone.comment.state, gone.comment.text, gone.comment.author.name) == (State.deleted, "", "")
    stored = await tables(store)
    assert "Marker" not in json.dumps(stored)
    assert "Marker" not in json.dumps([event.model_dump() for event in await log(store)])
    of_it = [event.comment for event in await log(store) if event.comment and event.comment.id == said.comment.id]
    assert [comment.state for comment in of_it] == [State.deleted] * 2
    assert [event.kind for event in await log(store)][:2] == ["comment.created", "comment.superseded"]
    assert await check(store) == []


async def test_what_a_moderator_removes_is_in_no_event_and_comes_back_whole(
    store: Store, actions: StoreActions
) -> None:
    root = await actions.post_comment("Root", by=MINH)
    said = await actions.post_comment("Marker", parent=root)
    await actions.edit(said.comment.id, actor(LAN), "Marker again")
    gone = await actions.delete_comment(said.comment.id, actions.as_moderator)
    assert gone.seq == 4
    last = (await log(store))[-1]
    assert last.kind == "comment.removed"
    assert last.comment_count == 1
    assert last.parent is not None
    assert last.parent.reply_count == 0
    assert "Marker" not in json.dumps([event.model_dump() for event in await log(store)])
    back = await actions.restore(said.comment.id)
    assert (back.comment.text, back.comment.author, back.seq) == ("Marker again", LAN, 5)
    last = (await log(store))[-1]
    assert (last.kind, last.comment_count) == ("comment.restored", 2)
    assert "Marker" not in json.dumps([event.model_dump() for event in (await log(store))[:-1]])
    assert await check(store) == []


async def test_a_moderator_deletes_what_it_said_itself(actions: StoreActions) -> None:
    said = await actions.post_comment(by=actions.moderator)
    assert (await actions.delete_comment(said.comment.id, actions.as_moderator)).comment.state is State.deleted


async def test_a_held_comment_goes_in_silence(store: Store, actions: StoreActions) -> None:
    await actions.mode(Mode.held)
    one, other = await actions.post_comment("One"), await actions.post_comment("Other")
    before = await log(store)
    assert (await actions.delete_comment(one.comment.id, actor(LAN))).seq is None
    assert (await actions.delete_comment(other.comment.id, actions.as_moderator)).seq is None
    assert await log(store) == before
    assert await listed(store, viewer=LAN.id) == []
    assert await check(store) == []


async def test_what_was_removed_while_it_was_held_is_created_when_it_is_restored(
    store: Store, actions: StoreActions
) -> None:
    await actions.mode(Mode.held)
    said = await actions.post_comment("Judged too quickly")
    await actions.delete_comment(said.comment.id, actions.as_moderator)
    back = await actions.restore(said.comment.id)
    assert (back.seq, (await log(store))[-1].kind) == (2, "comment.created")
    await actions.delete_comment(said.comment.id, actions.as_moderator)
    await actions.restore(said.comment.id)
    assert (await log(store))[-1].kind == "comment.restored"
    assert await check(store) == []


async def test_approval_is_when_a_comment_is_created(store: Store, actions: StoreActions) -> None:
    root = await actions.post_comment("Root", by=MINH)
    await actions.mode(Mode.held)
    said = await actions.post_comment("May I?", parent=root)
    assert (said.seq, said.comment.state) == (None, State.held)
    assert (await listed(store))[0].reply_count == 0
    assert "May I?" not in json.dumps([event.model_dump() for event in await log(store)])
    approved = await actions.approve(said.comment.id)
    event = (await log(store))[-1]
    assert (event.seq, event.kind, event.comment_count) == (approved.seq, "comment.created", 2)
    assert (await listed(store))[0].reply_count == 1
    assert await check(store) == []


async def test_a_reply_is_approved_under_a_tombstone(store: Store, actions: StoreActions) -> None:
    root = await actions.post_comment("Root", by=MINH)
    await actions.mode(Mode.held)
    said = await actions.post_comment("May I?", parent=root)
    await actions.delete_comment(root.comment.id, actions.as_moderator)
    await actions.approve(said.comment.id)
    assert [(comment.state, comment.reply_count) for comment in await listed(store)] == [
        (State.removed, 1), (State.visible, 0),
    ]  # fmt: skip
    assert await check(store) == []


# ---- voting, reporting, modes ---------------------------------------------------------------------------


async def test_votes_are_counted_changed_and_taken_back(store: Store, actions: StoreActions) -> None:
    said = await actions.post_comment()
    found = said.comment.id
    steps = [
        (MINH, 1, (1, 0, 2)), (MINH, 1, (1, 0, 2)), (EVA, -1, (1, 1, 3)), (MINH, -1, (0, 2, 4)), (MINH, 0, (0, 1, 5)),
        (MINH, 0, (0, 1, 5)), (EVA, 1, (1, 0, 6)), (EVA, 0, (0, 0, 7)),
    ]  # fmt: skip
    for voter, value, (up, down, seq) in steps:
        counted = await actions.vote(found, actor(voter), value)
        assert (counted.up, counted.down, counted.seq) == (up, down, seq)
        assert await check(store) == []
    _, *events, last = await log(store)
    assert (last.seq, last.kind, last.comment_id, last.votes) == (7, "comment.voted", found, Votes(up=0, down=0))
    assert [event.model_dump(exclude={"at"}) for event in events] == [
        {"seq": seq, "kind": "comment.superseded"} for seq in range(2, 7)
    ]


async def test_a_vote_that_changes_nothing_names_the_head(actions: StoreActions) -> None:
    said = await actions.post_comment()
    await actions.vote(said.comment.id, actor(MINH), 1)
    await actions.post_comment()
    assert (await actions.vote(said.comment.id, actor(MINH), 1)).seq == 3


async def test_votes_of_many_at_once_are_all_counted(store: Store, actions: StoreActions) -> None:
    said = await actions.post_comment()
    await asyncio.gather(*(actions.vote(said.comment.id, Actor(uuid7()), 1 if n % 3 else -1) for n in range(90)))
    (comment,) = await listed(store)
    assert (comment.up, comment.down) == (60, 30)
    assert await check(store) == []


async def test_a_report_is_kept_and_told_to_nobody(store: Store, actions: StoreActions) -> None:
    said = await actions.post_comment()
    before = await log(store)
    ids = {await actions.report(said.comment.id, actor(MINH)), await actions.report(said.comment.id, None)}
    assert len(ids) == len((await tables(store))["report"]) == 2
    assert await log(store) == before


async def test_modes_change_once_each(store: Store, actions: StoreActions) -> None:
    assert await actions.mode(Mode.open) == 0
    assert [await actions.mode(mode) for mode in (Mode.held, Mode.held, Mode.closed, Mode.open)] == [1, 1, 2, 3]
    events = await log(store)
    assert [event.discussion.mode for event in events if event.discussion] == [Mode.held, Mode.closed, Mode.open]
    assert await check(store) == []


async def test_what_a_moderator_removed_its_author_can_still_delete(store: Store, actions: StoreActions) -> None:
    said = await actions.post_comment("A thing one regrets")
    await actions.delete_comment(said.comment.id, actions.as_moderator)
    gone = await actions.delete_comment(said.comment.id, actor(LAN))
    assert (gone.comment.state, gone.comment.text, gone.seq) == (State.deleted, "", 3)
    discussion = await store.read(queries.discussion, HERE)
    assert discussion.comment_count == 0
    author = await store.read(author_of, LAN.id)
    assert author is not None
    assert author.name == "", "who deleted everything leaves no name"
    assert await check(store) == []
