"""Which discussion a key leads to: what is stored under it, then its aliases, then its canonical form."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from alembic import command
from sqlalchemy import Connection, event, insert, select, update

from tertulia.checks import check
from tertulia.core.comments import DiscussionKey, Mode
from tertulia.store import Store, commands, queries, records, schema
from tertulia.store.commands import CommandResult
from tertulia.store.database import migrate
from tests.store.test_database import WITHOUT_SUMS, history
from tests.support.store_actions import EVA, MINH, Custom, StoreActions, listed, log

PAGE = "https://news.example/đường"
ESCAPED = "http://news.example/%C4%91%C6%B0%E1%BB%9Dng/?utm_source=x#top"
LOWER = "https://NEWS.example/%c4%91%c6%b0%e1%bb%9dng"


def named(key: str, site: str = "default") -> DiscussionKey:
    return DiscussionKey(site, key)


async def texts(store: Store, key: str) -> list[str]:
    return [comment.text for comment in await listed(store, named(key))]


async def stored_as_given(store: Store, keys: dict[str, str]) -> None:
    """Gives discussions keys that an earlier version stored: by the text of their first comment."""

    def rename(connection: Connection) -> CommandResult[None]:
        d = schema.discussion.c
        for now, before in keys.items():
            connection.execute(update(schema.discussion).where(d.key == now).values(key=before))
        return CommandResult(None)

    await store.write(Custom(rename))


async def aliases(store: Store) -> dict[str, str]:
    """The stored key that each alias of the default site leads to."""
    a, d = schema.key_alias.c, schema.discussion.c
    query = select(a.key, d.key.label("stored")).join(schema.discussion, d.id == a.discussion_id).where(a.site_id == 1)
    return {row.key: row.stored for row in await store.read(lambda connection: connection.execute(query).all())}


async def test_all_spellings_lead_to_the_discussion_that_one_of_them_made(actions: StoreActions) -> None:
    for text, key in (("one", ESCAPED), ("two", LOWER), ("three", PAGE)):
        await actions.post_comment(text, key=named(key))
    found = [await actions.store.read(queries.discussion, named(key)) for key in (ESCAPED, LOWER, PAGE)]
    assert {one.key.key for one in found} == {PAGE}
    assert await texts(actions.store, ESCAPED) == ["one", "two", "three"]
    assert [one.seq for one in await log(actions.store, named(LOWER))] == [1, 2, 3]
    assert await check(actions.store) == []


async def test_one_that_is_not_there_yet_has_the_name_that_it_will_have(actions: StoreActions) -> None:
    assert (await actions.store.read(queries.discussion, named(ESCAPED))).key == named(PAGE)
    assert await actions.store.read(queries.stored_key, named(ESCAPED)) is None
    await actions.mode(Mode.held, named(ESCAPED))
    assert (await actions.store.read(queries.discussion, named(LOWER))).mode is Mode.held
    assert await actions.store.read(queries.stored_key, named(LOWER)) == named(PAGE)


async def test_a_key_that_is_no_address_is_another_in_another_form(actions: StoreActions) -> None:
    for key in ("a/", "a", "/a", "A", "a?utm_source=x"):
        await actions.post_comment(key, key=named(key))
    assert [await texts(actions.store, key) for key in ("a", "A", "a/")] == [["a"], ["A"], ["a/"]]


async def test_sites_have_keys_of_their_own(actions: StoreActions) -> None:
    await actions.post_comment("here", key=named(ESCAPED))
    await actions.post_comment("abroad", key=named(LOWER, "magazine"))
    assert await texts(actions.store, LOWER) == ["here"]


async def test_what_is_stored_comes_first_then_aliases_then_the_form(actions: StoreActions) -> None:
    store = actions.store
    for key in ("stored", "aliased", "formal"):
        await actions.post_comment(key, key=named(key))
    await stored_as_given(store, {"stored": ESCAPED, "formal": PAGE})

    def alias(connection: Connection) -> CommandResult[None]:
        found = connection.scalar(select(schema.discussion.c.id).where(schema.discussion.c.key == "aliased"))
        connection.execute(insert(schema.key_alias).values(site_id=1, key=LOWER, discussion_id=found))
        return CommandResult(None)

    await store.write(Custom(alias))
    assert await texts(store, ESCAPED) == ["stored"]
    assert await texts(store, LOWER) == ["aliased"]
    assert await texts(store, PAGE + "/") == ["formal"]
    counts = await store.read(queries.comment_counts, "default", [ESCAPED, LOWER, PAGE, PAGE + "/", "nothing"])
    assert {counts[key] for key in (ESCAPED, LOWER, PAGE, PAGE + "/")} == {1}
    assert "nothing" not in counts
    for key in (ESCAPED, LOWER, PAGE + "/"):
        await actions.post_comment("more", key=named(key), by=MINH)
    assert await texts(store, "aliased") == ["aliased", "more"]
    assert await texts(store, ESCAPED) == ["stored", "more"]
    assert await texts(store, PAGE) == ["formal", "more"]


async def test_posts_under_many_spellings_at_once_make_one_discussion(actions: StoreActions) -> None:
    drafts = [actions.draft(str(n), key=named((ESCAPED, LOWER, PAGE)[n % 3]), by=EVA) for n in range(12)]
    posted = await asyncio.gather(*map(actions.post, drafts))
    assert sorted(one.seq or 0 for one in posted) == list(range(1, 13))
    assert await check(actions.store) == []


async def test_a_repeat_under_another_spelling_is_the_same_post(actions: StoreActions) -> None:
    draft = actions.draft("once", key=named(ESCAPED))
    first = await actions.post(draft)
    again = await actions.post(replace(draft, key=named(PAGE)))
    assert (again.repeated, again.comment.id) == (True, first.comment.id)


async def test_a_key_that_is_stored_as_it_is_given_costs_one_query(actions: StoreActions) -> None:
    await actions.post_comment(key=named(PAGE))

    def asked(connection: Connection, key: str) -> int:
        statements: list[str] = []

        def note(_connection: object, _cursor: object, statement: str, *_others: object) -> None:
            statements.append(statement)

        event.listen(connection, "before_cursor_execute", note)
        records.find_discussion(connection, named(key))
        event.remove(connection, "before_cursor_execute", note)
        return sum(one.startswith("SELECT") for one in statements)

    assert [await actions.store.read(asked, key) for key in (PAGE, LOWER, "nothing")] == [1, 3, 2]


# ---- the upgrade ----------------------------------------------------------------------------------------


async def upgraded(store: Store) -> None:
    def again(connection: Connection) -> None:
        command.downgrade(history(connection), "0003")
        connection.commit()
        migrate(connection)

    await store.database.write.run(again)


@WITHOUT_SUMS
async def test_the_upgrade_gives_stored_keys_their_form_as_an_alias(actions: StoreActions) -> None:
    store = actions.store
    for key, many in (
        ("few", 1),
        ("most", 3),
        ("form", 1),
        ("other", 1),
        ("blanks", 1),
        ("plain", 1),
        ("old", 1),
        ("new", 1),
    ):
        for number in range(many):
            await actions.post_comment(f"{key} {number}", key=named(key))
    before = {
        "few": "http://news.example/a/",
        "most": "https://news.example/a?fbclid=1",
        "form": "https://news.example/b",
        "other": "https://news.example/b/",
        "blanks": " talk ",
        "old": "http://news.example/c",
        "new": "http://news.example/c/",
    }  # fmt: skip
    await stored_as_given(store, before)
    await upgraded(store)
    assert await aliases(store) == {
        "https://news.example/a": before["most"],
        "talk": before["blanks"],
        "https://news.example/c": before["old"],
    }
    for name, key in before.items():
        assert (await texts(store, key))[0] == f"{name} 0", "each stays under its own key"
    assert await texts(store, "https://news.example/a/") == ["most 0", "most 1", "most 2"]
    assert await texts(store, "http://news.example/b") == ["form 0"]
    assert await check(store) == []


@WITHOUT_SUMS
async def test_the_upgrade_takes_what_tells_of_readers_out_of_addresses(actions: StoreActions) -> None:
    store = actions.store
    urls = {
        "https://news.example/a?email=lan@example.org&p=5": "https://news.example/a?p=5",
        "https://news.example/?p=5&fbclid=x&token=y#top": "https://news.example/?p=5#top",
        "https://news.example/b?utm_source=x": "https://news.example/b",
        "https://news.example/c?to=lan%40example.org": "https://news.example/c",
        "https://news.example/d?b=2&a=1#e": "https://news.example/d?b=2&a=1#e",
        "": "",
    }
    for number, url in enumerate(urls):
        await actions.post(replace(actions.draft(key=named(str(number))), url=url))
    own = "https://news.example/profile?user=7"
    await actions.post(replace(actions.draft(key=named(own)), url=own))
    await upgraded(store)
    found = [(await store.read(queries.discussion, named(str(number)))).url for number in range(len(urls))]
    assert found == list(urls.values())
    assert (await store.read(queries.discussion, named(own))).url == own, "that is the page's own name"


# ---- title and address ----------------------------------------------------------------------------------


async def test_a_correction_is_an_event_and_what_is_so_already_is_none(actions: StoreActions) -> None:
    store, key = actions.store, named(PAGE)
    await actions.post(replace(actions.draft(key=key), title="First", url="https://news.example/"))
    await actions.post(replace(actions.draft(key=key), title="Second", url="https://news.example/2"))
    found = await store.read(queries.discussion, key)
    assert (found.title, found.url) == ("First", "https://news.example/")
    for _ in range(2):
        draft = replace(actions.draft(key=key), title="Third", url="https://news.example/3", corrects=True)
        await actions.post(draft)
    await actions.post(replace(actions.draft(key=key), title="", url="", corrects=True))
    found = await store.read(queries.discussion, key)
    assert (found.title, found.url) == ("Third", "https://news.example/3")
    changes = [one.discussion for one in await log(store, key) if one.discussion]
    assert [(change.mode, change.title, change.url) for change in changes] == [
        (Mode.open, "Third", "https://news.example/3")
    ]
    changed = await store.write(commands.ChangeDiscussion(key, actions.now(), title="", mode=Mode.closed))
    assert (changed.title, changed.url, changed.mode) == ("", "https://news.example/3", Mode.closed)
    last = (await log(store, key))[-1]
    assert last.discussion is not None
    assert (last.discussion.mode, last.discussion.title, last.discussion.url) == (Mode.closed, "", None)
    assert changed.seq == last.seq
    again = await store.write(commands.ChangeDiscussion(named(ESCAPED), actions.now(), title=""))
    assert again.seq == changed.seq
    assert await check(store) == []
