"""The search over HTTP and as a page, with the workers of a real application behind it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest

from tertulia.app import Running, running
from tertulia.protocol import API
from tertulia.settings import Settings
from tests.support.api_client import AsyncApiClient
from tests.support.waiting import until


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    async with running(settings.model_copy(update={"search": True, "work": "all"})) as found:
        yield found


@pytest.fixture
async def client(server: Running) -> AsyncIterator[httpx.AsyncClient]:
    async with AsyncExitStack() as stack:
        transport = httpx.ASGITransport(server.asgi)
        yield await stack.enter_async_context(httpx.AsyncClient(transport=transport, base_url="http://testserver"))


@pytest.fixture
def lan(client: httpx.AsyncClient) -> AsyncApiClient:
    return AsyncApiClient(client, "talk", name="Lan")


async def results(client: httpx.AsyncClient, **query: str) -> list[dict[str, object]]:
    answer = await client.get(f"{API}/search", params=query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, object]] = answer.json()["results"]
    return found


async def test_a_comment_is_found_once_it_is_posted(client: httpx.AsyncClient, lan: AsyncApiClient) -> None:
    posted = await lan.post_comment("Con **đường** dài")
    await until(lambda: results(client, q="duong"), "the comment to be found")
    [result] = await results(client, q="duong", key="talk")
    assert result["key"] == "talk"
    assert result["comment"]["id"] == posted["comment"]["id"]  # type: ignore[index]
    assert {"text": "đường", "match": True} in result["snippet"]  # type: ignore[operator]
    assert await results(client, q="duong", key="other") == []


async def test_a_removal_takes_it_out_at_once(client: httpx.AsyncClient, lan: AsyncApiClient) -> None:
    posted = await lan.post_comment("needle")
    await until(lambda: results(client, q="needle"), "the comment to be found")
    answer = await client.delete(
        f"{API}/comments/{posted['comment']['id']}", headers={"Authorization": f"Bearer {posted['token']}"}
    )
    assert answer.status_code == 200
    assert await results(client, q="needle") == []


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({}, 422, "empty"),
        ({"q": "?!"}, 422, "empty"),
        ({"q": "a" * 201}, 422, "too_long"),
        ({"q": "a", "cursor": "x"}, 400, "bad_cursor"),
        ({"q": "a", "sort": "odd"}, 422, "invalid"),
        ({"q": "a", "author": "me"}, 422, "invalid"),
        ({"q": "a", "limit": "51"}, 422, "invalid"),
        ({"q": "a", "site": "nowhere"}, 404, "unknown_site"),
        ({"q": "a", "other": "b"}, 422, "unknown_field"),
    ],
)
async def test_what_cannot_be_answered(
    client: httpx.AsyncClient, query: dict[str, str], status: int, code: str
) -> None:
    answer = await client.get(f"{API}/search", params=query)
    assert (answer.json()["code"], answer.status_code) == (code, status)


async def test_a_foreign_page_may_not_search(client: httpx.AsyncClient) -> None:
    answer = await client.get(f"{API}/search", params={"q": "a"}, headers={"Origin": "https://elsewhere.example"})
    assert (answer.status_code, answer.json()["code"]) == (403, "origin_not_allowed")


async def test_the_page(client: httpx.AsyncClient, lan: AsyncApiClient) -> None:
    for number in range(21):
        await lan.post_comment(f"Một con đường <b>{number}</b> & dài")
    await until(lambda: results(client, q="duong 20"), "the comments to be found")
    page = await client.get("/search", params={"q": "đường"})
    assert page.status_code == 200
    assert page.text.count("<mark>đường</mark>") == 20
    assert "&lt;b&gt;20&lt;/b&gt; &amp; dài" in page.text
    more = page.text.split('<nav class="pages"><a href="')[1].split('"')[0].replace("&amp;", "&")
    assert (await client.get(more)).text.count("<mark>đường</mark>") == 1


@pytest.mark.parametrize("query", [{}, {"q": ""}, {"q": "-"}, {"q": "x" * 300}, {"q": "a", "cursor": "odd"}])
async def test_the_page_without_a_question(client: httpx.AsyncClient, query: dict[str, str]) -> None:
    page = await client.get("/search", params=query)
    assert page.status_code == 200
    assert 'name="q"' in page.text
    assert "<article" not in page.text


async def test_the_page_of_what_is_not_there(client: httpx.AsyncClient) -> None:
    assert (await client.get("/search", params={"q": "a", "site": "nowhere"})).status_code == 404


async def test_a_server_without_an_index_has_no_search(settings: Settings) -> None:
    async with running(settings) as server:
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
            assert (await client.get(f"{API}/search", params={"q": "a"})).status_code == 404
            assert (await client.get("/search")).status_code == 404
        assert server.store.write_queue.before_commit is None
