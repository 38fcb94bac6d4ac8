"""What a page says to search engines: its comments as schema.org knows them (JSON-LD)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from tertulia.articles import Article
from tertulia.core import documents
from tertulia.pages.discussion_page import DiscussionPage
from tertulia.pages.thread import Node
from tertulia.protocol import CommentView

Item = dict[str, Any]


def json_ld(page: DiscussionPage, url: str, base_url: str) -> Markup:
    """The text of a ``<script type="application/ld+json">``; ``url`` is the page's, ``base_url`` the server's own.

    It has the comments that the page shows. Tombstones are left out, and their replies stand one level higher.
    """
    article = page.location.article
    about = _of_discussion(page) if article is None else _of_article(article)
    return _script(
        {"@context": "https://schema.org"}
        | about
        | {
            "url": url,
            "commentCount": page.discussion.comment_count,
            "comment": _nested(_flat(page.nodes), base_url),
        }
    )


def _of_article(article: Article) -> Item:
    item: Item = {
        "@type": "Article",
        "headline": article.title,
        "datePublished": article.date.isoformat(),
        "inLanguage": article.language,
    }
    if article.author:
        item["author"] = {"@type": "Person", "name": article.author}
    if article.summary:
        item["description"] = article.summary
    return item


def _of_discussion(page: DiscussionPage) -> Item:
    discussion = page.discussion
    item: Item = {"@type": "DiscussionForumPosting", "headline": discussion.title or discussion.key}
    if discussion.url:
        item["sharedContent"] = {"@type": "WebPage", "url": discussion.url}
    return item


def _flat(nodes: Sequence[Node]) -> Iterator[CommentView]:
    for node in nodes:
        yield node.comment
        yield from _flat(node.replies)


def _nested(comments: Iterator[CommentView], base_url: str) -> list[Item]:
    """Parents come before their replies."""
    top: list[Item] = []
    replies: dict[str | None, list[Item]] = {}  # of a comment, where those that answer it stand
    items: list[Item] = []
    for comment in comments:
        home = replies.get(comment.parent_id, top)
        if comment.author is None:
            replies[comment.id] = home
            continue
        item = _item(comment, f"{base_url}/c/{comment.id}")
        items.append(item)
        home.append(item)
        replies[comment.id] = item["comment"]
    for item in items:
        if not item["comment"]:
            del item["comment"]
    return top


def _item(comment: CommentView, url: str) -> Item:
    item: Item = {
        "@type": "Comment",
        "url": url,
        "author": {"@type": "Person", "name": comment.author.name if comment.author else ""},
        "dateCreated": comment.created_at,
        "datePublished": comment.created_at,
        "text": documents.plain(comment.body or []),
        "interactionStatistic": {
            "@type": "InteractionCounter",
            "interactionType": "https://schema.org/LikeAction",
            "userInteractionCount": comment.votes.up,
        },
        "comment": [],
    }
    if comment.edited_at:
        item["dateModified"] = comment.edited_at
    return item


def _script(item: Item) -> Markup:
    """JSON in which nothing can end the element or begin a comment in it: in JSON these signs are only in strings."""
    text = json.dumps(item, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)  # noqa: S704 - escaped just above
