"""The page for a frame: who may have it, and what it keeps of what it was asked for."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest

from tertulia.app import Running, running
from tertulia.settings import Settings
from tests.pages.posting import post_comment

PATH = "/frame?key=talk"
ORIGINS = ("https://good.example", "http://[2001:db8::1]:8080")


@pytest.fixture
async def server(settings: Settings) -> AsyncIterator[Running]:
    async with running(settings.model_copy(update={"allowed_origins": ORIGINS})) as opened:
        yield opened


def ancestors(answer: httpx.Response) -> list[str]:
    found = re.search(r"frame-ancestors ([^;]*)", answer.headers["content-security-policy"])
    assert found is not None
    return found[1].split()


async def test_pages_of_the_site_may_have_it_and_no_others(client: httpx.AsyncClient) -> None:
    answer = await client.get(PATH)
    assert answer.status_code == 200
    assert set(ancestors(answer)) == {"'self'", *ORIGINS, "http://news.test"}
    assert answer.headers["x-robots-tag"] == "noindex"
    assert "x-frame-options" not in answer.headers
    for path in ("/", "/d?key=talk", "/nowhere", "/frame", "/frame?site=nowhere&key=talk", "/embed.html?key=talk"):
        refused = await client.get(path)
        assert "frame-ancestors" not in refused.headers.get("content-security-policy", "") or ancestors(refused) == [
            "'none'"
        ], path


@pytest.mark.parametrize(
    ("query", "status"),
    [("", 404), ("?key=", 404), ("?site=nowhere&key=x", 404), ("?key=%00", 400), ("?key=" + "k" * 600, 422)],
)
async def test_what_names_no_discussion(client: httpx.AsyncClient, query: str, status: int) -> None:
    answer = await client.get("/frame" + query)
    assert (answer.status_code, "<h1" in answer.text) == (status, True)


@pytest.mark.parametrize(
    ("given", "theme", "lang", "kept"),
    [
        ("", None, "en", {}),
        ("&theme=dark&lang=vi", "dark", "vi", {"theme": "dark", "lang": "vi"}),
        ("&theme=light&lang=pt-BR", "light", "pt", {"theme": "light", "lang": "pt"}),
        ("&theme=auto&lang=xx", None, "en", {}),
        ("&theme=%22onload%3D&lang=%3Cb%3E", None, "en", {}),
        ("&theme=&lang=", None, "en", {}),
    ],
)
async def test_what_it_keeps_of_theme_and_language(
    client: httpx.AsyncClient, given: str, theme: str | None, lang: str, kept: dict[str, str]
) -> None:
    posted = (await post_comment(client, "Said", key="talk"))["comment"]["id"]
    page = (await client.get(PATH + given)).text
    html = re.search(r"<html [^>]*>", page)
    assert html is not None
    assert f'lang="{lang}"' in html[0]
    assert (f'data-theme="{theme}"' in html[0]) is (theme is not None)
    assert ("data-theme" in html[0]) is (theme is not None)
    [form] = re.findall(r'<form class="composer" method="post" action="([^"]+)"', page)
    address = urlsplit(form.replace("&amp;", "&"))
    assert address.path == "/frame"
    assert dict(httpx.QueryParams(address.query)) == {"site": "default", "key": "talk", **kept}
    assert f"/c/{posted}" not in page, "which leads out of the frame"


async def test_links_open_in_the_whole_window(client: httpx.AsyncClient) -> None:
    await post_comment(client, "See https://elsewhere.example and `<a href=`", key="talk")
    framed, alone = (await client.get(PATH)).text, (await client.get("/d?key=talk")).text
    assert '<a target="_top" href="https://elsewhere.example" rel="nofollow ugc noopener">' in framed
    assert "<code>&lt;a href=</code>" in framed
    assert "_top" not in alone


async def test_what_is_written_in_it_stays_in_it(client: httpx.AsyncClient) -> None:
    form = {"name": "Lan", "body": "From the frame", "nonce": "n" * 20}
    answer = await client.post(PATH + "&theme=dark", data=form, headers={"Origin": "http://news.test"})
    assert answer.status_code == 303
    where = urlsplit(answer.headers["location"])
    assert (where.path, dict(httpx.QueryParams(where.query))["theme"]) == ("/frame", "dark")
    assert "From the frame" in (await client.get(answer.headers["location"])).text
    refused = await client.post(PATH, data=form | {"body": ""}, headers={"Origin": "http://news.test"})
    assert refused.status_code == 422
    assert set(ancestors(refused)) > {"'self'"}
    foreign = await client.post(PATH, data=form, headers={"Origin": "https://evil.example"})
    assert foreign.status_code == 403
