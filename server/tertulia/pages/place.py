"""Where a discussion is shown: under its article, or alone at /d."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from tertulia.articles import Article
from tertulia.core.comments import DiscussionKey
from tertulia.discussions.sites import DEFAULT_SITE


@dataclass(frozen=True, slots=True)
class Place:
    """The page of a discussion: its address, its language and the zone of its times."""

    key: DiscussionKey
    language: str
    time_zone: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    article: Article | None = None

    def href(self, fragment: str = "", **query: str | None) -> str:
        """The page's address with these parameters (None leaves one out) and this fragment."""
        given = [*self.query, *((name, value) for name, value in query.items() if value is not None)]
        return self.path + (f"?{urlencode(given)}" if given else "") + (f"#{fragment}" if fragment else "")


def under(article: Article) -> Place:
    return Place(
        DiscussionKey(DEFAULT_SITE, article.key),
        article.language,
        article.time_zone,
        f"/articles/{article.slug}",
        article=article,
    )


def alone(key: DiscussionKey, language: str, time_zone: str) -> Place:
    return Place(key, language, time_zone, "/d", (("site", key.site), ("key", key.key)))
