"""The document tree: what a comment says, as blocks of inlines that hold text and never HTML.

A text becomes tokens in core.markdown, tokens become a tree here, and a tree becomes plain text again.

A tree is bounded in its depth, its nodes and its bytes. What the limits forbid is refused where it is written, and
shown as its plain text where it is there already.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markdown_it.token import Token

from tertulia.core import markdown
from tertulia.core.comments import Block
from tertulia.core.text import TEXT_LENGTH, is_visible
from tertulia.errors import Problem

Inline = dict[str, Any]
"""``{"type": "text" | "strong" | "emphasis" | "code" | "link" | "break", ...}``"""

INLINE_LEVELS = 8
"""Strong, emphasis and links inside each other; what is nested deeper loses its marks."""

TREE_BYTES = 64 * 1024
"""Of a tree's JSON in UTF-8. The longest text in a script of three bytes a character leaves 35 KB for its structure,
which is enough for 800 lines; no tree of so many bytes has more than 3,300 nodes."""

_SHORTENED = re.compile("^(?:mailto:|https://)(.+)")
_LANGUAGE = re.compile(r"[\w+#.-]{1,32}", re.ASCII)


def parse(text: str) -> list[Block]:
    """The document tree of a text; empty only when the text is. Raises too_long past the limits above."""
    tree = _blocks(iter(markdown.tokens(text))) or _as_typed(text)
    if not _is_within(tree):
        raise markdown.too_much()
    return tree


def parse_any(text: str) -> list[Block]:
    """Like ``parse``, but what is past the limits becomes a tree of the text as it was typed."""
    try:
        return parse(text)
    except Problem:
        return _typed_within(text)


def within(tree: list[Block], length: int = TEXT_LENGTH) -> list[Block]:
    """The tree, or one of its plain text if it is past the limits: it may be older than they are.

    ``length`` is that of its text, where it is known: few characters cannot make a large tree.
    """
    if length <= _ALWAYS_WITHIN or _is_within(tree):
        return tree
    return _typed_within(plain(tree))


def plain(blocks: list[Block]) -> str:
    """The tree as text to read where there is no room for a tree: a feed's summary, a notification."""
    return "\n\n".join(_plain_block(block) for block in blocks)


# ---- the limits -----------------------------------------------------------------------------------------

_ALWAYS_WITHIN = 1_000
"""A character makes at most two nodes, of 30 bytes together: so short a text needs no look at its tree."""


def _is_within(tree: list[Block]) -> bool:
    return fits(json.dumps(tree, ensure_ascii=False, separators=(",", ":")))


def fits(written: str) -> bool:
    """Whether JSON is as short as that of a tree has to be."""
    return len(written) * 4 <= TREE_BYTES or len(written.encode()) <= TREE_BYTES


def _typed_within(text: str) -> list[Block]:
    """A paragraph of the text, whose lines become one where they are too many."""
    tree = _as_typed(text[:TEXT_LENGTH])
    return tree if _is_within(tree) else _as_typed(" ".join(text.split())[:TEXT_LENGTH])


# ---- from tokens to the tree ----------------------------------------------------------------------------


def _blocks(tokens: Iterator[Token]) -> list[Block]:
    """The blocks up to the end of the quote or item that ``tokens`` stand in; the paragraphs' own ends are skipped."""
    found: list[Block] = []
    for token in tokens:
        match token.type:
            case "inline":
                children = _inlines(token.children or [])
                if is_visible(_plain_inlines(children)):
                    found.append({"type": "paragraph", "children": children})
            case "fence":
                found += _code(token)
            case "blockquote_open":
                if children := _blocks(tokens):
                    found.append({"type": "quote", "children": children})
            case "bullet_list_open" | "ordered_list_open":
                found += _list_of(token, tokens)
            case "blockquote_close" | "list_item_close":
                break
    return found


def _list_of(token: Token, tokens: Iterator[Token]) -> list[Block]:
    """An empty item keeps its place, or the numbers after it would be wrong; a list of nothing is no list."""
    items: list[list[Block]] = []
    while next(tokens).type == "list_item_open":
        items.append(_blocks(tokens))
    if not any(items):
        return []
    if token.type == "bullet_list_open":
        return [{"type": "list", "ordered": False, "items": items}]
    return [{"type": "list", "ordered": True, "start": int(token.attrs.get("start", 1)), "items": items}]


def _code(token: Token) -> list[Block]:
    """What stands behind the fence is a language when it looks like one, and otherwise the first line of code."""
    info = token.info.strip()
    text = token.content.strip("\n")
    block: Block = {"type": "code", "text": text}
    if is_visible(text) and _LANGUAGE.fullmatch(info):
        block["language"] = info
    else:
        block["text"] = f"{info}\n{text}".strip("\n")
    return [block] if is_visible(block["text"]) else []


@dataclass(slots=True)
class _Span:
    """An inline that is open, and the text that follows it; a flat one's children are those of what it stands in."""

    children: list[Inline]
    node: Inline | None = None
    level: int = 0
    in_link: bool = False
    after: str = ""


def _inlines(tokens: list[Token]) -> list[Inline]:
    spans = [_Span([])]
    for token in tokens:
        children = spans[-1].children
        if token.nesting > 0:
            spans.append(_opened(token, spans[-1]))
        elif token.nesting < 0:
            _close(spans.pop(), spans[-1].children)
        elif token.type == "hardbreak":
            children.append({"type": "break"})
        elif token.type == "code_inline":
            children.append({"type": "code", "text": token.content})
        else:
            _add_lines(children, token.content)
    return spans[0].children


def _opened(token: Token, outer: _Span) -> _Span:
    is_link = token.type == "link_open"
    if is_link and not token.attrs["href"]:
        _add_text(outer.children, "[")
        return _Span(outer.children, None, outer.level, outer.in_link, "]()")
    if outer.level == INLINE_LEVELS or (is_link and outer.in_link):
        return _Span(outer.children, None, outer.level, outer.in_link)
    children: list[Inline] = []
    level = outer.level + 1
    if not is_link:
        kind = "strong" if token.type == "strong_open" else "emphasis"
        return _Span(children, {"type": kind, "children": children}, level, outer.in_link)
    node = {"type": "link", "href": str(token.attrs["href"]), "children": children}
    title = " ".join(str(token.attrs.get("title", "")).split())
    return _Span(children, node, level, True, f" ({title})" if title else "")


def _close(span: _Span, outer: list[Inline]) -> None:
    """A link's title, which few readers would find under it, is shown behind it."""
    if span.node:
        if not span.children:
            _add_text(span.children, span.node["href"])
        outer.append(span.node)
    _add_text(outer, span.after)


def _add_lines(children: list[Inline], text: str) -> None:
    """The parser leaves line ends in the text, since a token for each would cost more than all the rest."""
    first, *others = text.split("\n")
    for line in others:
        _add_text(children, first.rstrip(" "))
        children.append({"type": "break"})
        first = line.lstrip(" \t")
    _add_text(children, first)


def _add_text(children: list[Inline], text: str) -> None:
    if children and children[-1]["type"] == "text":
        children[-1]["text"] += text
    elif text:
        children.append({"type": "text", "text": text})


def _as_typed(text: str) -> list[Block]:
    """A paragraph of the text itself, for marks around nothing."""
    children: list[Inline] = []
    for line in text.split("\n"):
        children.append({"type": "break"})
        _add_text(children, line)
    return [{"type": "paragraph", "children": children[1:]}] if text else []


# ---- from the tree to text ------------------------------------------------------------------------------


def _plain_block(block: Block) -> str:
    match block["type"]:
        case "paragraph":
            return _plain_inlines(block["children"])
        case "code":
            return str(block["text"])
        case "quote":
            return _indented(plain(block["children"]), "> ", "> ")
        case _:
            return "\n".join(_plain_items(block))


def _plain_items(block: Block) -> Iterator[str]:
    for number, item in enumerate(block["items"], block.get("start", 0)):
        mark = f"{number}. " if block["ordered"] else "- "
        yield _indented(plain(item), mark, " " * len(mark))


def _indented(text: str, first: str, others: str) -> str:
    return "\n".join(((others if at else first) + line).rstrip() for at, line in enumerate(text.split("\n")))


def _plain_inlines(children: list[Inline]) -> str:
    return "".join(_plain_inline(child) for child in children)


def _plain_inline(child: Inline) -> str:
    match child["type"]:
        case "break":
            return "\n"
        case "text" | "code":
            return str(child["text"])
        case "link":
            text, href = _plain_inlines(child["children"]), str(child["href"])
            return text if text in (href, *_SHORTENED.findall(href)) else f"{text} ({href})"
        case _:
            return _plain_inlines(child["children"])
