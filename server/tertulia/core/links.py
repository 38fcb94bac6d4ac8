"""The links of a comment that lead away from its site."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from typing import Any
from urllib.parse import urlsplit

from tertulia.core.comments import Block


def count_foreign(body: Iterable[Block], origins: Set[str] = frozenset()) -> int:
    """How many links there are, but those to a host of these origins; an image is a link, too."""
    links = list(_links(body))
    if not links:
        return 0
    own = {urlsplit(origin).hostname for origin in origins}
    return sum(_host(href) not in own for href in links)


def _links(nodes: Iterable[dict[str, Any]]) -> Iterator[str]:
    for node in nodes:
        if node["type"] == "link":
            yield node["href"]
            continue  # none stands in another
        for item in node.get("items", ()):
            yield from _links(item)
        yield from _links(node.get("children", ()))


def _host(href: str) -> str:
    """None is nobody's own: an address of mail, and what no browser can read."""
    try:
        return urlsplit(href).hostname or ""
    except ValueError:
        return ""
