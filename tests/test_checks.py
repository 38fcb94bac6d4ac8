"""Checking: a database in which everything happened is in order, and each thing that is not is found."""

from __future__ import annotations

import asyncio
import re
import shutil
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pytest

from tertulia.checks import Replayed, check, file, fold, identities, log, moderating, people, tables
from tertulia.checks.trees import mistake
from tertulia.core.comments import DiscussionKey, Mode, Sort
from tertulia.identity import utc_now
from tertulia.protocol import CommentView, Event, comment_view
from tertulia.store import Store, queries, schema
from tertulia.store.challenges import CODE_SECONDS, AskForCode, SweepChallenges
from tertulia.store.commands import Actor
from tests.support.full_store import BARE, NEWS, OTHER, QUIET, everything, opened, planted
from tests.support.store_actions import StoreActions
from tests.support.wrong_identities import EXAMINED, OF_DISCUSSIONS, WRONG

ALL = (NEWS, QUIET, OTHER, BARE)
NEWS_ID = 1

_SHUT = "(SELECT id FROM discussion WHERE key = 'not-yet')"
# the statements to plant, with comments' ids by name; the codes that are found, and no others
CORRUPTIONS: dict[str, tuple[list[str], set[str]]] = {
    "integrity": (["UPDATE vote SET value = 7 WHERE comment_id = '{reply}'"], {"integrity", "votes"}),
    "foreign_key": (["UPDATE report SET comment_id = 'nowhere'"], {"foreign_key"}),
    "seq": (
        [
            "UPDATE event SET seq = 900, payload = json_set(payload, '$.seq', 900) WHERE discussion_id = 1 AND seq ="
            " (SELECT max(seq) FROM event WHERE discussion_id = 1)",
            "UPDATE discussion SET seq = 900 WHERE id = 1",
        ],
        {"seq"},
    ),
    "head": (["UPDATE discussion SET seq = seq + 1 WHERE id = 1"], {"head"}),
    "head without events": (
        [f"UPDATE discussion SET seq = 2 WHERE id = {_SHUT}", f"DELETE FROM event WHERE discussion_id = {_SHUT}"],
        {"head", "replay"},
    ),
    "comment_count": (["UPDATE discussion SET comment_count = 99 WHERE id = 2"], {"comment_count", "replay"}),
    "reply_count": (
        ["UPDATE comment SET reply_count = 5 WHERE id = '{back}'"],
        {"reply_count", "thread_count", "replay"},
    ),
    "thread_count": (["UPDATE thread SET reply_count = 5"], {"thread_count"}),
    "a thread that is not counted": (["DELETE FROM thread"], {"thread_count"}),
    "votes": (["DELETE FROM vote WHERE comment_id = '{reply}'"], {"votes"}),
    "orphan": (
        ["UPDATE comment SET parent_id = '{elsewhere}' WHERE id = '{waiting}'"],
        {"orphan"},
    ),
    "root": (["UPDATE comment SET root_id = '{back}' WHERE id = '{waiting}'"], {"root"}),
    "root of a top-level comment": (["UPDATE comment SET root_id = '{first}' WHERE id = '{back}'"], {"root"}),
    "author": (
        ["UPDATE comment SET author_id = 'nobody' WHERE id = '{rejected}'"],
        {"author", "foreign_key"},
    ),
    "published": (["UPDATE comment SET published = 1 WHERE id = '{waiting}'"], {"published", "created", "replay"}),
    "published but in no list": (
        ["UPDATE comment SET published = 0 WHERE id = '{back}'"],
        {"published", "unpublished", "replay"},
    ),
    "residue": (["UPDATE comment SET text = 'again' WHERE id = '{gone}'"], {"residue"}),
    "residue in a name": (["UPDATE comment SET author_name = 'Minh' WHERE id = '{withdrawn}'"], {"residue"}),
    "residue in a body": (
        ["""UPDATE comment SET body = '[{{"type": "code", "text": "x"}}]' WHERE id = '{gone}'"""],
        {"residue"},
    ),
    "cursor": (["INSERT INTO cursor VALUES ('search', 1, 900)"], {"cursor"}),
    "search without words": (["INSERT INTO search_entry VALUES (7, '{first}')"], {"search"}),
    "search without an entry": (["INSERT INTO search_text (rowid, words, scope) VALUES (7, 'a', 's1')"], {"search"}),
    "search of what is deleted": (
        [
            "INSERT INTO search_entry VALUES (7, '{gone}')",
            "INSERT INTO search_text (rowid, words, scope) VALUES (7, 'a', 's1')",
            "INSERT INTO cursor SELECT 'search', id, seq FROM discussion",
        ],
        {"search"},
    ),
    "row": (["UPDATE comment SET created_at = 9e15 WHERE id = '{rejected}'"], {"row"}),
    "body that is no JSON": (["UPDATE comment SET body = '[' WHERE id = '{first}'"], {"body"}),
    "body that is no tree": (["""UPDATE comment SET body = '[{{"type": "html"}}]' WHERE id = '{first}'"""], {"body"}),
    "payload": (
        ["UPDATE event SET payload = json_set(payload, '$.extra', 1) WHERE kind = 'comment.superseded' AND seq = 4"],
        {"payload"},
    ),
    "payload that is no JSON": (
        ["UPDATE event SET payload = '' WHERE kind = 'comment.superseded' AND seq = 4"],
        {"payload"},
    ),
    "columns": (["UPDATE event SET kind = 'comment.edited' WHERE kind = 'comment.voted'"], {"columns"}),
    "columns of time": (["UPDATE event SET at = at + 1 WHERE discussion_id = 1 AND seq = 1"], {"columns"}),
    "stray": (
        [
            "UPDATE event SET comment_id = '{elsewhere}', payload = json_set(payload, '$.comment_id', '{elsewhere}')"
            " WHERE kind = 'comment.superseded' AND seq = 4"
        ],
        {"stray"},
    ),
    "unpublished": (
        [
            "UPDATE event SET comment_id = '{waiting}', payload = json_set(payload, '$.comment_id', '{waiting}')"
            " WHERE kind = 'comment.superseded' AND seq = 4"
        ],
        {"unpublished"},
    ),
    "created": (
        [
            "UPDATE event SET kind = 'comment.edited', payload = json_set(payload, '$.kind', 'comment.edited')"
            " WHERE comment_id = '{back}' AND kind = 'comment.created'"
        ],
        {"created"},
    ),
    "created late": (
        [
            "UPDATE event SET kind = 'comment.edited', payload = json_set(payload, '$.kind', 'comment.edited')"
            " WHERE comment_id = '{back}' AND kind = 'comment.created'",
            "UPDATE event SET kind = 'comment.created', payload = json_set(payload, '$.kind', 'comment.created')"
            " WHERE comment_id = '{back}' AND kind = 'comment.restored'",
        ],
        {"created"},
    ),
    "exposed author": (
        [
            "UPDATE event SET payload = json_set(payload, '$.comment.author',"
            ' json(\'{{"id": "x", "name": "Forger", "badge": null}}\'))'
            " WHERE comment_id = '{removed}' AND kind = 'comment.created'"
        ],
        {"exposed"},
    ),
    "exposed text": (
        [
            "UPDATE event SET payload = json_set(payload, '$.comment.body', json('[]'))"
            " WHERE comment_id = '{gone}' AND kind = 'comment.created'"
        ],
        {"exposed"},
    ),
    "outdated": (
        [
            "UPDATE event SET payload = json_set(payload, '$.comment.body', json('[]'))"
            " WHERE comment_id = '{deep}' AND kind = 'comment.created'"
        ],
        {"outdated"},
    ),
    "replay of a text": (["UPDATE comment SET author_name = 'Forged' WHERE id = '{first}'"], {"replay"}),
    "alias of nothing": (["INSERT INTO key_alias VALUES (1, 'gone', 99)"], {"alias", "foreign_key"}),
    "alias of another site": (["INSERT INTO key_alias VALUES ((SELECT max(id) FROM site), 'abroad', 1)"], {"alias"}),
    "alias that is a key": (["INSERT INTO key_alias SELECT site_id, key, 1 FROM discussion WHERE id = 2"], {"alias"}),
    "author of no site": (["UPDATE author SET site_id = 99 WHERE badge IS NULL"], {"author_site"}),
    "merged into nobody": (["UPDATE author SET merged_into = 'nobody' WHERE badge IS NULL"], {"merged"}),
    "merged into oneself": (["UPDATE author SET merged_into = id WHERE kind = 'guest'"], {"merged"}),
    "merged twice": (
        [
            "UPDATE author SET merged_into = (SELECT min(id) FROM author WHERE kind = 'guest')"
            " WHERE id = (SELECT max(id) FROM author WHERE kind = 'guest')",
            "UPDATE author SET merged_into = (SELECT max(id) FROM author WHERE merged_into IS NULL)"
            " WHERE id = (SELECT min(id) FROM author WHERE kind = 'guest')",
        ],
        {"merged"},
    ),
    "session of another site": (
        [
            "UPDATE author SET site_id = 1 WHERE badge IS NULL",
            "INSERT INTO session SELECT 's', 'h', min(id), (SELECT max(id) FROM site), 'reader', '[]', '', '', 0, 0, 0,"
            " NULL FROM author WHERE badge IS NULL",
        ],
        {"session_site"},
    ),
    "grant at no site": (["INSERT INTO \"grant\" SELECT min(id), 99, 'owner' FROM author"], {"grant_site"}),
    "name of somebody else": (
        ["INSERT INTO taken_name SELECT 1, 'another', min(id) FROM author WHERE badge IS NULL"],
        {"taken_name"},
    ),
    "grant of no role": (["INSERT INTO \"grant\" SELECT min(id), 0, 'king' FROM author"], {"grant_role"}),
    "session for nothing": (
        [
            "INSERT INTO session SELECT 's', 'h', min(id), NULL, 'king', '[]', '', '', 0, 0, 0, NULL"
            " FROM author WHERE site_id IS NULL",
        ],
        {"session_scope"},
    ),
    "session of staff of a guest": (
        [
            "INSERT INTO session SELECT 's', 'h', min(id), NULL, 'staff', '[]', '', '', 0, 0, 0, NULL"
            " FROM author WHERE site_id IS NULL AND kind = 'guest'",
        ],
        {"session_scope"},
    ),
    "token for nothing": (
        ["INSERT INTO site_token VALUES ('t', 1, 'cms', 'h', '[\"read\", \"reign\"]', 0, NULL)"],
        {"token_scopes"},
    ),
    "action that undoes nothing": (
        ["INSERT INTO action VALUES ('a', 0, NULL, NULL, 'operator', 'x', NULL, NULL, NULL, '', '', '{{}}', 'b')"],
        {"action_undoes"},
    ),
    "replay of a mode": ([f"UPDATE discussion SET mode = 'open' WHERE id = {_SHUT}"], {"replay"}),
    **WRONG,
}


@dataclass(frozen=True)
class Full:
    """The file of a database in which everything happened, and the ids of its comments by name."""

    path: Path
    ids: dict[str, str]

    def plant(self, name: str) -> None:
        """Makes it wrong in one of the ways above."""
        planted(self.path, *(statement.format(**self.ids) for statement in CORRUPTIONS[name][0]))


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Full:
    """Made once a session, and copied for each test."""
    path = tmp_path_factory.mktemp("checks") / "store.db"

    async def make() -> dict[str, str]:
        async with opened(path) as store:
            return await everything(store)

    return Full(path, asyncio.run(make()))


@pytest.fixture
def full(made_once: Full, tmp_path: Path) -> Full:
    return Full(Path(shutil.copy(made_once.path, tmp_path)), made_once.ids)


async def test_a_database_in_which_everything_happened_is_in_order(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        assert await check(store) == []
        await everything(store)
        assert await check(store) == []


@pytest.mark.parametrize("name", CORRUPTIONS)
async def test_a_corruption_is_found_and_nothing_else_is(full: Full, name: str) -> None:
    full.plant(name)
    async with opened(full.path) as store:
        findings = await check(store)
    assert {finding.code for finding in findings} == CORRUPTIONS[name][1]
    assert all("\n" not in finding.detail for finding in findings)


def test_every_table_and_every_column_of_people_is_examined_or_says_why_not() -> None:
    """Whoever adds one has to say here what may be wrong with it."""
    stored = schema.metadata.tables
    assert EXAMINED.keys() | OF_DISCUSSIONS.keys() == stored.keys()
    for table, columns in EXAMINED.items():
        assert columns.keys() == set(stored[table].columns.keys()), table
    found = set().union(*(codes for _, codes in CORRUPTIONS.values()))
    told = [*OF_DISCUSSIONS.values(), *(one for columns in EXAMINED.values() for one in columns.values())]
    assert {one for one in told if " " not in one} <= found, "a code that no test has seen"


def test_every_code_that_a_check_names_is_seen() -> None:
    named: set[str] = set()
    for part in (file, identities, log, moderating, people, tables):
        text = " ".join((part.check.__doc__ or "").split())
        named |= set(re.findall(r"[a-z_]+", text.split("Codes: ")[1].split(".")[0]))
    assert named == set().union(*(codes for _, codes in CORRUPTIONS.values()))


async def test_a_code_that_is_over_and_emptied_is_in_order(full: Full) -> None:
    async with opened(full.path) as store:
        now = utc_now()
        await store.write(AskForCode("c" * 36, "default", "a" * 64, "sealed", "c" * 64, "en", now))
        await store.write(SweepChallenges(now + timedelta(seconds=CODE_SECONDS)))
        assert await check(store) == []


async def test_a_second_corruption_is_not_hidden_by_the_first(full: Full) -> None:
    for name in ("body that is no JSON", "payload", "head", "votes", "residue"):
        full.plant(name)
    async with opened(full.path) as store:
        found = [finding.code for finding in await check(store)]
    assert sorted(found) == ["body", "head", "payload", "residue", "votes"]


async def test_a_file_that_cannot_be_read_is_a_finding(full: Full) -> None:
    async with opened(full.path) as store:
        planted(full.path, "DROP TABLE vote")
        findings = await check(store)
    assert [(one.code, one.where) for one in findings] == [("unreadable", "database")]
    assert "vote" in findings[0].detail


# ---- replaying ------------------------------------------------------------------------------------------


async def events(store: Store, key: DiscussionKey) -> list[Event]:
    _, found = await store.read(queries.events, key, 0, 1000)
    return [Event.model_validate_json(event.payload) for event in found]


async def snapshot(store: Store, key: DiscussionKey) -> Replayed:
    """What a guest who asks now is shown."""
    snapshot = await store.read(queries.snapshot, key, sort=Sort.oldest, limit=100, viewer=None)
    views = {comment.id: comment_view(comment) for comment in snapshot.page.comments}
    return Replayed(views, snapshot.discussion.comment_count, snapshot.discussion.mode, snapshot.discussion.seq)


async def test_events_give_what_a_snapshot_shows(full: Full) -> None:
    async with opened(full.path) as store:
        for key in ALL:
            assert fold(await events(store, key)) == await snapshot(store, key)


async def test_an_old_snapshot_and_the_events_after_it_give_the_new_one(tmp_path: Path) -> None:
    async with opened(tmp_path / "store.db") as store:
        actions = await StoreActions(store).begin()
        first = await actions.post_comment("First", key=NEWS, by=actions.moderator)
        old = await snapshot(store, NEWS)
        kept = replace(old, comments=dict(old.comments))
        second = await actions.post_comment("Second", key=NEWS, by=actions.moderator, parent=first)
        await actions.delete_comment(second, Actor(actions.moderator.id))
        await actions.mode(Mode.closed, NEWS)
        missed = [event for event in await events(store, NEWS) if event.seq > old.seq]
        assert fold(missed, old) == await snapshot(store, NEWS)
        assert old == kept


def test_what_is_said_of_an_unknown_comment_has_no_effect() -> None:
    event = Event.model_validate(
        {
            "seq": 1,
            "kind": "comment.voted",
            "at": "2026-01-01T00:00:00.000Z",
            "comment_id": "x",
            "votes": {"up": 1, "down": 0},
        }
    )
    assert fold([event]) == Replayed(seq=1)


# ---- document trees -------------------------------------------------------------------------------------


def paragraph(child: str) -> str:
    return f'[{{"type": "paragraph", "children": [{child}]}}]'


BAD_TREES = [
    ("{", "the whole: Invalid JSON"),
    ("{}", "the whole: Input should be a valid"),
    ('[{"type": "html"}]', "0: Input tag 'html'"),
    ('[{"type": "paragraph"}]', "0.paragraph.children: Field required"),
    ('[{"type": "code", "text": "a", "onclick": "b"}]', "0.code.onclick: Extra inputs"),
    (paragraph('{"type": "text", "text": 1}'), "0.paragraph.children.0.text.text: Input"),
    (
        paragraph('{"type": "link", "href": "javascript:alert(1)", "children": []}'),
        "0.paragraph.children.0.link.href: Value error, a reader",
    ),
]


@pytest.mark.parametrize(("stored", "message"), BAD_TREES)
def test_what_is_no_document_tree_is_told(stored: str, message: str) -> None:
    assert str(mistake(stored)).startswith(message)


def test_a_view_has_nothing_that_a_reader_could_miss() -> None:
    """The comparison of log and tables goes by these fields: one that is added has to be thought about here."""
    assert set(CommentView.model_fields) == {
        "id", "parent_id", "author", "body", "created_at", "edited_at", "state", "votes", "reply_count", "pinned",
        "idempotency_key",
    }  # fmt: skip
