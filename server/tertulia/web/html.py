"""A comment's document tree as HTML: every text is escaped, and only nodes that are named here become elements.

The pieces are plain strings, joined once: a piece of Markup for every node costs ten times as much, and a page may have
thousands of nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from markupsafe import Markup, escape

from tertulia.core.comments import Block
from tertulia.core.markdown import is_safe_link

Put = Callable[[str], None]
"""Takes the next piece of HTML; what is not written here has to be escaped."""


def document_html(blocks: Sequence[Block]) -> Markup:
    """The blocks as HTML; a node of an unknown type is left out."""
    pieces: list[str] = []
    _blocks(blocks, pieces.append)
    return Markup("".join(pieces))  # noqa: S704 - of the tags below and of texts that are escaped


def _blocks(blocks: Iterable[Block], put: Put) -> None:
    for block in blocks:
        _BLOCKS.get(block["type"], _skip)(block, put)


def _inlines(nodes: Iterable[dict[str, Any]], put: Put) -> None:
    for node in nodes:
        _INLINES.get(node["type"], _skip)(node, put)


def _skip(_node: dict[str, Any], _put: Put) -> None:
    return None


def _paragraph(block: Block, put: Put) -> None:
    put('<p dir="auto">')
    _inlines(block["children"], put)
    put("</p>")


def _quote(block: Block, put: Put) -> None:
    put("<blockquote>")
    _blocks(block["children"], put)
    put("</blockquote>")


def _list(block: Block, put: Put) -> None:
    is_ordered = block.get("ordered")
    put(f'<ol start="{escape(block.get("start", 1))}">' if is_ordered else "<ul>")
    for item in block["items"]:
        put("<li>")
        _blocks(item, put)
        put("</li>")
    put("</ol>" if is_ordered else "</ul>")


def _code_block(block: Block, put: Put) -> None:
    language = block.get("language")
    name = f' class="language-{escape(language)}"' if language else ""
    put(f'<pre tabindex="0"><code{name}>{escape(block["text"])}</code></pre>')


def _wrapped(tag: str) -> Callable[[dict[str, Any], Put], None]:
    begin, end = f"<{tag}>", f"</{tag}>"

    def wrapped(node: dict[str, Any], put: Put) -> None:
        put(begin)
        _inlines(node["children"], put)
        put(end)

    return wrapped


def _link(node: dict[str, Any], put: Put) -> None:
    is_safe = is_safe_link(node["href"])
    if is_safe:
        put(f'<a href="{escape(node["href"])}" rel="nofollow ugc noopener">')
    _inlines(node["children"], put)
    if is_safe:
        put("</a>")


_BLOCKS: dict[str, Callable[[Block, Put], None]] = {
    "paragraph": _paragraph,
    "quote": _quote,
    "list": _list,
    "code": _code_block,
}
_INLINES: dict[str, Callable[[dict[str, Any], Put], None]] = {
    "text": lambda node, put: put(escape(node["text"])),
    "strong": _wrapped("strong"),
    "emphasis": _wrapped("em"),
    "code": lambda node, put: put(f"<code>{escape(node['text'])}</code>"),
    "link": _link,
    "break": lambda _node, put: put("<br>"),
}
