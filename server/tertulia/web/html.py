"""A comment's document tree as HTML: every text is escaped, and only nodes that are named here become elements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from markupsafe import Markup, escape

from tertulia.core.comments import Block
from tertulia.core.documents import is_safe_link

_NOTHING = Markup("")


def document_html(blocks: Sequence[Block]) -> Markup:
    """The blocks as HTML; a node of an unknown type is left out."""
    return _join(_BLOCKS.get(block["type"], _skip)(block) for block in blocks)


def _inlines(nodes: Sequence[dict[str, Any]]) -> Markup:
    return _join(_INLINES.get(node["type"], _skip)(node) for node in nodes)


def _join(parts: Iterable[Markup]) -> Markup:
    return _NOTHING.join(parts)


def _skip(node: dict[str, Any]) -> Markup:
    return _NOTHING


def _paragraph(block: Block) -> Markup:
    return Markup('<p dir="auto">{}</p>').format(_inlines(block["children"]))


def _quote(block: Block) -> Markup:
    return Markup("<blockquote>{}</blockquote>").format(document_html(block["children"]))


def _list(block: Block) -> Markup:
    items = _join(Markup("<li>{}</li>").format(document_html(item)) for item in block["items"])
    if not block.get("ordered"):
        return Markup("<ul>{}</ul>").format(items)
    return Markup('<ol start="{}">{}</ol>').format(block.get("start", 1), items)


def _code_block(block: Block) -> Markup:
    language = block.get("language")
    name = Markup(' class="language-{}"').format(language) if language else _NOTHING
    return Markup('<pre tabindex="0"><code{}>{}</code></pre>').format(name, block["text"])


def _wrapped(tag: str) -> Callable[[dict[str, Any]], Markup]:
    frame = Markup(f"<{tag}>{{}}</{tag}>")  # noqa: S704 - the tags are the three words below
    return lambda node: frame.format(_inlines(node["children"]))


def _link(node: dict[str, Any]) -> Markup:
    text = _inlines(node["children"])
    if not is_safe_link(node["href"]):
        return text
    return Markup('<a href="{}" rel="nofollow ugc noopener">{}</a>').format(node["href"], text)


_BLOCKS: dict[str, Callable[[Block], Markup]] = {
    "paragraph": _paragraph,
    "quote": _quote,
    "list": _list,
    "code": _code_block,
}
_INLINES: dict[str, Callable[[dict[str, Any]], Markup]] = {
    "text": lambda node: escape(node["text"]),
    "strong": _wrapped("strong"),
    "emphasis": _wrapped("em"),
    "code": lambda node: Markup("<code>{}</code>").format(node["text"]),
    "link": _link,
    "break": lambda node: Markup("<br>"),
}
