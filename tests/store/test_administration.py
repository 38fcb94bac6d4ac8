"""What an operator does: sites, moderators and the epoch."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, select

from tertulia.core.comments import Author, DiscussionKey
from tertulia.errors import ErrorCode, Problem
from tertulia.store import Store, administration, queries, schema
from tertulia.store.roles import ALL_SITES
from tests.support.store_actions import START, StoreActions, author_of, tables


async def test_a_site_is_made_and_then_given_other_origins(store: Store) -> None:
    actions = StoreActions(store)
    for origins in (["https://a.example"], ["https://b.example", "https://c.example"], []):
        given = list(origins)
        await actions.do(administration.AddSite("news", given, START))
        assert await store.read(queries.sites) == {"default": [], "news": origins}
    assert (await actions.post_comment(key=DiscussionKey("news", "here"))).seq == 1


@pytest.mark.parametrize("key", ["a", "news-2", "0", "-", "x" * 64])
async def test_keys_of_sites(store: Store, key: str) -> None:
    await StoreActions(store).do(administration.AddSite(key, [], START))
    assert key in await store.read(queries.sites)


@pytest.mark.parametrize("key", ["", "News", "a b", "a/b", "điểm", "a_b", "a\n", "x" * 65, "٣"])
async def test_a_bad_key_of_a_site_is_refused(store: Store, key: str) -> None:
    before = await tables(store)
    with pytest.raises(Problem) as refused:
        await StoreActions(store).do(administration.AddSite(key, [], START))
    assert (refused.value.code, refused.value.field) == (ErrorCode.invalid, "site")
    assert await tables(store) == before


async def test_a_moderator_is_an_author_with_a_badge(store: Store) -> None:
    actions = await StoreActions(store).begin()
    assert actions.moderator == Author(actions.moderator.id, "Editor", "moderator")
    assert await store.read(author_of, actions.moderator.id) == actions.moderator


async def test_a_moderator_is_granted_the_role_at_all_sites_until_removed(store: Store) -> None:
    def grants(connection: Connection) -> list[tuple[object, ...]]:
        return [tuple(row) for row in connection.execute(select(schema.grant))]

    actions = await StoreActions(store).begin()
    assert await store.read(grants) == [(actions.moderator.id, ALL_SITES, "moderator")]
    await actions.do(administration.RemoveModerator("Editor", START))
    assert await store.read(grants) == []
    assert await store.read(author_of, actions.moderator.id) == actions.moderator, "what was said keeps its author"


async def test_names_and_tokens_of_moderators_are_used_once(store: Store) -> None:
    actions = await StoreActions(store).begin()
    before = await tables(store)
    with pytest.raises(Problem) as refused:
        await actions.do(administration.AddModerator("Editor", "0" * 64, START))
    assert (refused.value.code, refused.value.field) == (ErrorCode.invalid, "name")
    with pytest.raises(Exception, match=r"(?i)unique"):
        await actions.do(administration.AddModerator("Other", "f" * 64, START))
    assert await tables(store) == before
    await actions.do(administration.AddModerator("Other", "0" * 64, START))
    assert await store.read(queries.moderators) == ["Editor", "Other"]


async def test_a_renewed_epoch_is_another_one_and_changes_nothing_else(store: Store) -> None:
    actions = StoreActions(store)
    await actions.post_comment()
    before = await tables(store)
    epochs = [await store.read(queries.epoch)]
    for _ in range(2):
        given = await actions.do(administration.RenewEpoch())
        assert await store.read(queries.epoch) == given
        epochs.append(given)
    assert len(set(epochs)) == 3
    assert {name: rows for name, rows in (await tables(store)).items() if name != "meta"} == {
        name: rows for name, rows in before.items() if name != "meta"
    }
