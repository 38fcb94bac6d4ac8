"""What names a discussion on pages as templates write them: canonical links, keys, long and odd addresses."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.async_api import Browser, Page, Request, expect

from tests.browser.conftest import Window, tertulia
from tests.browser.newspaper import Newspaper
from tests.support.api_client import AsyncApiClient
from tests.support.server import ServerProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

HEAD = '<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><link rel="icon" href="data:,">'
SLUG = "जलवायु-परिवर्तन-और-नदियों-का-भविष्य-एक-लंबी-कहानी-" * 3


@pytest.fixture
def server(start_server: Callable[..., ServerProcess], news: Newspaper) -> ServerProcess:
    return start_server("--allowed-origins", news.url)


class Opened:
    """A page of the newspaper, and which discussion its element asked for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.keys: list[str] = []
        self.warnings: list[str] = []
        page.on("request", self._note)
        page.on("console", lambda message: self.warnings.append(message.text) if message.type == "warning" else None)

    def _note(self, request: Request) -> None:
        url = urlsplit(request.url)
        if url.path.endswith("/api/v1/discussion"):
            self.keys += parse_qs(url.query)["key"]

    async def ready(self) -> None:
        await expect(self.page.locator("tertulia-discussion [role=toolbar]").first).to_be_attached()


def publish(server: ServerProcess, news: Newspaper, head: str = "", key: str = "") -> None:
    news.page = f"""{HEAD.format(title="(3) A page")}{head}<script src="{server.url}/embed.js" async></script>
        <tertulia-discussion loading="eager" {key}></tertulia-discussion>"""


async def opened(
    window: Window, server: ServerProcess, news: Newspaper, head: str = "", key: str = "", path: str = "/a?x=1#y"
) -> Opened:
    publish(server, news, head, key)
    found = Opened(await window("about:blank"))
    await found.page.goto(news.url + path)
    await found.ready()
    return found


CANONICAL = "https://news.example/article"


@pytest.mark.parametrize(
    ("head", "wanted"),
    [
        ("", "{url}/a"),
        (f'<link rel="canonical" href="{CANONICAL}">', CANONICAL),
        (f'<link rel="Canonical shortlink" href="{CANONICAL}">', CANONICAL),
        (f'<link rel="alternate\ncanonical" href=" {CANONICAL}\n">', CANONICAL),
        ('<link rel="canonical" href="">', "{url}/a"),
        ('<link rel="canonical" href="  ">', "{url}/a"),
        ('<link rel="canonical">', "{url}/a"),
        ('<link rel="canonical" href="/b">', "{url}/b"),
        ('<link rel="canonical" href="?p=5">', "{url}/a?p=5"),
        ('<base href="https://base.example/"><link rel="canonical" href="b">', "https://base.example/b"),
        ('<link rel="canonical" href="about:blank">', "{url}/a"),
        ('<link rel="canonical" href="javascript:0">', "{url}/a"),
        ('<link rel="canonical" href="https://[">', "{url}/a"),
        (f'<link rel="canonical" href=""><link rel="canonical" href="{CANONICAL}">', CANONICAL),
        (f'<link rel="canonical" href="{CANONICAL}"><link rel="canonical" href="/b">', CANONICAL),
        ('<link rel="canonicalised" href="/b"><meta rel="canonical" href="/c">', "{url}/a"),
    ],
)
async def test_the_canonical_link_is_read_as_html_has_it(
    window: Window, server: ServerProcess, news: Newspaper, head: str, wanted: str
) -> None:
    found = await opened(window, server, news, head)
    assert found.keys == [wanted.format(url=news.url)]
    assert found.warnings == []


@pytest.mark.parametrize(
    "key",
    [
        "undefined",
        "null",
        "None",
        "[object Object]",
        "",
        "  ",
        "{{ page.url }}",
        " undefined\n",
        "{% url %}",
        "<%= id %>",
        "${id}",
        "a-#{id}",
    ],
)
async def test_a_template_s_mistake_is_the_page_and_said_once(
    browser: Browser, server: ServerProcess, news: Newspaper, key: str
) -> None:
    page = await browser.new_page()
    publish(server, news, key=f'key="{key}"')
    found = Opened(page)
    async with page.expect_console_message(lambda message: message.type == "warning") as warned:
        await page.goto(f"{news.url}/a?x=1#y")
    assert (await warned.value).text == f'Tertulia: key="{key}" is no key; write the page\'s address'
    await found.ready()
    await page.locator("tertulia-discussion").evaluate("element => element.setAttribute('key', '{{ another }}')")
    await page.wait_for_function("document.querySelector('tertulia-discussion').state === 'ready'")
    assert found.keys == [f"{news.url}/a"] * 2
    assert len(found.warnings) == 1
    await page.close()


@pytest.mark.parametrize("key", ["talk", "article-null", "undefined-behaviour", "/a/{b}", " talk "])
async def test_a_key_that_is_meant_is_taken(window: Window, server: ServerProcess, news: Newspaper, key: str) -> None:
    found = await opened(window, server, news, key=f'key="{key}"')
    assert (found.keys, found.warnings) == ([key], [])


@pytest.mark.parametrize(
    "path", [f"/{quote(SLUG)}", f"/a?gclid={'x' * 2000}", "/a%5Cb%20c/😀", "/" + quote("新聞" * 60) + "/index.html"]
)
async def test_a_long_or_odd_address_has_a_discussion(
    window: Window, server: ServerProcess, news: Newspaper, path: str
) -> None:
    head = f'<link rel="canonical" href="{path}">'
    found = await opened(window, server, news, head, path=path)
    form = found.page.locator("tertulia-discussion .compose form").first
    await form.get_by_label("Name").fill("Lan")
    await form.locator("textarea").fill("It loads.")
    await form.get_by_role("button", name="Post comment").click()
    await expect(found.page.locator("tertulia-discussion [part~=body]")).to_have_text(["It loads."])
    await found.page.reload()
    await expect(found.page.locator("tertulia-discussion [part~=body]")).to_have_text(["It loads."])


async def test_two_windows_with_two_spellings_are_live_together(
    window: Window, server: ServerProcess, news: Newspaper
) -> None:
    one = await opened(window, server, news, f'<link rel="canonical" href="{news.url}/%c4%91">')
    other = await opened(window, server, news, key=f'key="{news.url}/đ/?utm_source=x"')
    assert one.keys != other.keys
    await expect(one.page.locator("tertulia-discussion [part~=status]").first).to_contain_text("2 readers")
    form = other.page.locator("tertulia-discussion .compose form").first
    await form.get_by_label("Name").fill("Lan")
    await form.locator("textarea").fill("Here I am.")
    await form.get_by_role("button", name="Post comment").click()
    await expect(one.page.get_by_text("Here I am.")).to_be_visible()


async def test_a_moderator_who_comes_by_corrects_the_page(
    window: Window, server: ServerProcess, news: Newspaper
) -> None:
    path = "/a?email=lan@example.org"
    api = AsyncApiClient(server.url, f"{news.url}/a", name="A stranger")
    await api.post_comment("First", title="A prank", url="https://evil.example/")
    assert (await api.snapshot())["discussion"]["url"] == f"{news.url}/a"
    printed = tertulia("moderator", "add", "Mai", "--data-dir", str(server.data_dir))
    token = max(re.findall(r"\S+", printed), key=len)
    found = await opened(window, server, news, path=path)
    async with found.page.expect_response(lambda answer: answer.request.method == "PATCH") as patched:
        await found.page.locator("tertulia-discussion").evaluate("(element, token) => element.setToken(token)", token)
    assert (await patched.value).status == 200
    discussion = (await api.snapshot())["discussion"]
    assert (discussion["title"], discussion["url"]) == ("A page", f"{news.url}/a")
