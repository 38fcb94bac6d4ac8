"""What search engines are told agrees with what readers are."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tertulia.settings import Settings
from tests.pages.posting import HOSTILE, change, post_comment, scripts, snapshot

D = "/d?key=talk"
ARTICLE = "---\ntitle: The market <moves>\ndate: 2026-09-11 06:30\nauthor: Mai Phương\nsummary: One.\n---\nText."


async def told(client: httpx.AsyncClient, path: str) -> dict[str, Any]:
    """The json_ld data of a page."""
    page = await client.get(path)
    assert page.status_code == 200
    marker = '<script type="application/ld+json">'
    assert page.text.count(marker) == 1
    found: dict[str, Any] = json.loads(scripts(page.text[page.text.index(marker) :])[0])
    assert found["@context"] == "https://schema.org"
    return found


def flat(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for item in items for one in (item, *flat(item.get("comment", [])))]


def texts(items: list[dict[str, Any]]) -> list[Any]:
    """The texts as a tree: each with those of its replies, where it has some."""
    return [[item["text"], texts(item["comment"])] if "comment" in item else item["text"] for item in items]


@pytest.mark.parametrize("path", [D, "/embed.html?key=talk"])
async def test_comments_and_numbers_are_those_of_the_snapshot(client: httpx.AsyncClient, path: str) -> None:
    first = await post_comment(client, "First **thing**.\n\n- one\n- two", url="https://news.test/a", title="A bridge")
    second = await post_comment(client, "Second.", parent_id=first["comment"]["id"])
    await change(client, "PUT", first, second, json={"value": 1})
    await change(client, "PATCH", second, second, json={"body": "Second thoughts."})
    data = await told(client, path)
    now = await snapshot(client)
    assert (data["@type"], data["headline"], data["commentCount"]) == ("DiscussionForumPosting", "A bridge", 2)
    assert data["url"] == "http://news.test/d?site=default&key=talk"
    assert data["sharedContent"] == {"@type": "WebPage", "url": "https://news.test/a"}
    assert texts(data["comment"]) == [["First thing.\n\n- one\n- two", ["Second thoughts."]]]
    items = flat(data["comment"])
    assert len(items) == now["discussion"]["comment_count"]
    for item, comment in zip(items, now["comments"], strict=True):
        assert item["@type"] == "Comment"
        assert item["url"] == f"http://news.test/c/{comment['id']}"
        assert item["author"] == {"@type": "Person", "name": comment["author"]["name"]}
        assert item["dateCreated"] == item["datePublished"] == comment["created_at"]
        assert item.get("dateModified") == comment["edited_at"]
        assert item["interactionStatistic"] == {
            "@type": "InteractionCounter",
            "interactionType": "https://schema.org/LikeAction",
            "userInteractionCount": comment["votes"]["up"],
        }
    assert [item["interactionStatistic"]["userInteractionCount"] for item in items] == [1, 0]
    assert (await client.get(items[1]["url"])).status_code == 303


async def test_an_article_is_told_with_its_comments(client: httpx.AsyncClient, settings: Settings) -> None:
    settings.articles_dir.mkdir(parents=True)
    (settings.articles_dir / "market.md").write_text(ARTICLE, "utf-8")
    await post_comment(client, "Yes.", key="market")
    data = await told(client, "/articles/market")
    assert {name: data[name] for name in ("@type", "headline", "url", "description", "commentCount")} == {
        "@type": "Article",
        "headline": "The market <moves>",
        "url": "http://news.test/articles/market",
        "description": "One.",
        "commentCount": 1,
    }
    assert data["author"] == {"@type": "Person", "name": "Mai Phương"}
    assert data["datePublished"].startswith("2026-09-11T06:30")
    assert texts(data["comment"]) == ["Yes."]


async def test_replies_are_nested_as_deep_as_they_are(client: httpx.AsyncClient) -> None:
    parent = None
    for number in range(6):
        parent = (await post_comment(client, f"{number}", parent_id=parent))["comment"]["id"]
    assert texts((await told(client, D))["comment"]) == [["0", [["1", [["2", [["3", [["4", ["5"]]]]]]]]]]]


async def test_what_was_deleted_is_not_told_and_its_replies_are(client: httpx.AsyncClient) -> None:
    top = await post_comment(client, "Gone from the top.")
    kept = await post_comment(client, "Kept.", parent_id=top["comment"]["id"])
    inner = await post_comment(client, "Gone from inside.", parent_id=kept["comment"]["id"])
    await post_comment(client, "Kept, too.", parent_id=inner["comment"]["id"])
    for gone in (top, inner):
        await change(client, "DELETE", gone, gone)
    data = await told(client, D)
    assert texts(data["comment"]) == [["Kept.", ["Kept, too."]]]
    assert data["commentCount"] == 2


@pytest.mark.parametrize("path", [D, "/embed.html?key=talk"])
async def test_hostile_texts_stay_texts(client: httpx.AsyncClient, path: str) -> None:
    await post_comment(client, HOSTILE, author={"name": HOSTILE[:60]}, title=HOSTILE)
    page = (await client.get(path)).text
    assert "alert(1)" not in "".join(script for script in scripts(page) if not script.startswith("{"))
    data = await told(client, path)
    [item] = data["comment"]
    for text in (item["text"], item["author"]["name"], data["headline"]):
        assert text.startswith("</script><script>alert(1)</script><!-- & ")
    raw = next(script for script in scripts(page) if script.startswith("{"))
    assert not set(raw) & set("<>&")


async def test_an_empty_discussion_tells_of_no_comment(client: httpx.AsyncClient) -> None:
    data = await told(client, D)
    assert (data["headline"], data["commentCount"], data["comment"]) == ("talk", 0, [])
