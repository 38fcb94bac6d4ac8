"""Where a discussion is shown: under its article, or on a page of its own at /d."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from tertulia.articles import Article
from tertulia.core.comments import DiscussionKey
from tertulia.discussions.sites import DEFAULT_SITE


@dataclass(frozen=True, slots=True)
class PageLocation:
    """The page of a discussion: its address, its language and the zone of its times.

    ``base`` is what its addresses begin with: the server's own address where they are to work on other pages.
    """

    key: DiscussionKey
    language: str
    time_zone: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    article: Article | None = None
    base: str = ""

    def named(self, key: DiscussionKey) -> PageLocation:
        """The same place by the name that its discussion has."""
        query = tuple((name, key.key if name == "key" else value) for name, value in self.query)
        return replace(self, key=key, query=query)

    @property
    def is_elsewhere(self) -> bool:
        """Whether another server's page shows it."""
        return self.base != ""

    def href(self, fragment: str = "", **query: str | None) -> str:
        """The page's address with these parameters (None leaves one out) and this fragment."""
        given = [*self.query, *((name, value) for name, value in query.items() if value is not None)]
        query_string = f"?{urlencode(given)}" if given else ""
        return self.base + self.path + query_string + (f"#{fragment}" if fragment else "")

    def permalink(self, comment_id: str) -> str:
        return f"{self.base}/c/{comment_id}"


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
