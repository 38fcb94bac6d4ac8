"""Where a discussion is shown: under its article, on a page of its own, or in a frame of another page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from tertulia.articles import Article
from tertulia.core.comments import DiscussionKey
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.languages import find

THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class PageLocation:
    """The page of a discussion: its address, its language and the zone of its times.

    ``base`` is what its addresses begin with: the server's own address where they are to work on other pages.
    ``theme`` is what the page with the frame wants: light, dark, or empty for what the reader's system has.
    """

    key: DiscussionKey
    language: str
    time_zone: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    article: Article | None = None
    base: str = ""
    is_framed: bool = False
    theme: str = ""

    def named(self, key: DiscussionKey) -> PageLocation:
        """The same place by the name that its discussion has."""
        query = tuple((name, key.key if name == "key" else value) for name, value in self.query)
        return replace(self, key=key, query=query)

    @property
    def is_elsewhere(self) -> bool:
        """Whether another server's page shows it."""
        return self.base != "" or self.is_framed

    def href(self, fragment: str = "", **query: str | None) -> str:
        """The page's address with these parameters (None leaves one out) and this fragment."""
        given = [*self.query, *((name, value) for name, value in query.items() if value is not None)]
        query_string = f"?{urlencode(given)}" if given else ""
        return self.base + self.path + query_string + (f"#{fragment}" if fragment else "")

    def permalink(self, comment_id: str) -> str:
        """The comment's address; in a frame one that shows it there."""
        return (
            self.href(f"comment-{comment_id}", thread=comment_id) if self.is_framed else f"{self.base}/c/{comment_id}"
        )


def article_page(article: Article) -> PageLocation:
    return PageLocation(
        DiscussionKey(DEFAULT_SITE, article.key),
        article.language,
        article.time_zone,
        f"/articles/{article.slug}",
        article=article,
    )


def standalone_page(key: DiscussionKey, language: str, time_zone: str, base: str = "") -> PageLocation:
    return PageLocation(key, language, time_zone, "/d", (("site", key.site), ("key", key.key)), base=base)


def framed_page(key: DiscussionKey, given: Mapping[str, str], language: str, time_zone: str) -> PageLocation:
    """The discussion alone, for a frame; of what is ``given``, a theme and a language that there are."""
    theme = given.get("theme", "")
    found = find(given.get("lang", ""))
    chosen = (("theme", theme if theme in THEMES else ""), ("lang", found.tag if found else ""))
    return PageLocation(
        key,
        found.tag if found else language,
        time_zone,
        "/frame",
        (("site", key.site), ("key", key.key), *(one for one in chosen if one[1])),
        is_framed=True,
        theme=theme if theme in THEMES else "",
    )
