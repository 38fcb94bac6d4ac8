"""The document tree: what a comment says, as blocks of inlines that hold text and never HTML.

A text becomes tokens in core.markdown, tokens become a tree here, and a tree becomes plain text again.

A tree is bounded in its depth, its nodes and its bytes. What the limits forbid is refused where it is written, and
shown as its plain text where it is there already.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from markdown_it.token import Token

from tertulia.core import markdown
from tertulia.core.comments import Block
from tertulia.core.text import BLANKS, EDGES, TEXT_LENGTH, is_visible
from tertulia.errors import Problem

Inline = dict[str, Any]
"""``{"type": "text" | "strong" | "emphasis" | "code" | "link" | "break", ...}``"""

INLINE_LEVELS = 3
"""Strong, emphasis and links inside each other; what stands in its own kind already loses its marks."""

TREE_BYTES = 64 * 1024
"""Of a tree's JSON in UTF-8. The longest text in a script of three bytes a character leaves 35 KB for its structure,
which is enough for 800 lines; no tree of so many bytes has more than 3,300 nodes."""

_SHORTENED = re.compile("^(?:mailto:|https://)(.+)")
_BLANK_ENDS = re.compile(rf"\A(?:[{BLANKS}]*\n)+|(?:\n[{BLANKS}]*)+\Z")
_LANGUAGE = re.compile(r"[\w+#.-]{1,32}", re.ASCII)


def parse(text: str) -> list[Block]:
    """The document tree of a text; empty only when the text is. Raises too_long past the limits above."""
    tree = _blocks(iter(markdown.tokens(text))) or _as_typed(_BLANK_ENDS.sub("", text).lstrip(" \t"))
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


def _blocks(tokens: Iterator[Token], *, in_list: bool = False) -> list[Block]:
    """The blocks up to the end of the quote or item that ``tokens`` stand in; the paragraphs' own ends are skipped."""
    found: list[Block] = []
    for token in tokens:
        match token.type:
            case "inline":
                children = _trimmed(_inlines(token.children or []))
                if is_visible(_plain_inlines(children)):
                    found.append({"type": "paragraph", "children": children})
            case "fence":
                found += _code(token)
            case "blockquote_open":
                if children := _blocks(tokens, in_list=in_list):
                    found.append({"type": "quote", "children": children})
            case "bullet_list_open" | "ordered_list_open":
                found += _list_of(token, tokens, in_list)
            case "blockquote_close" | "list_item_close":
                break
    return found


def _list_of(token: Token, tokens: Iterator[Token], in_list: bool) -> list[Block]:
    """An empty item keeps its place, or the numbers after it would be wrong; a list of nothing is no list.

    What was taken for more than one line where the rest of it is nothing is a sentence, too.
    """
    items: list[list[Block]] = []
    while next(tokens).type == "list_item_open":
        items.append(_blocks(tokens, in_list=True))
    if not any(items):
        return []
    if token.type == "bullet_list_open":
        if not in_list and len(items) == 1 and _is_line(items[0]):
            return _as_typed(f"{token.markup} {plain(items[0])}".rstrip())
        return [{"type": "list", "ordered": False, "items": items}]
    start = int(token.attrs.get("start", 1))
    if start > 1 and len(items) == 1:
        return _as_typed(f"{start}{token.markup} {plain(items[0])}".rstrip())
    return [{"type": "list", "ordered": True, "start": start, "items": items}]


def _is_line(blocks: list[Block]) -> bool:
    """Whether these would be written in one line."""
    if len(blocks) != 1 or blocks[0]["type"] == "code":
        return False
    block = blocks[0]
    if block["type"] == "list":
        return len(block["items"]) == 1 and _is_line(block["items"][0])
    return _is_line(block["children"]) if block["type"] == "quote" else "\n" not in _plain_inlines(block["children"])


def _code(token: Token) -> list[Block]:
    """What stands behind the fence is a language when it looks like one, and otherwise the first line of code."""
    info = token.info.strip()
    text = _BLANK_ENDS.sub("", token.content)
    block: Block = {"type": "code", "text": text}
    if is_visible(text) and _LANGUAGE.fullmatch(info):
        block["language"] = info
    else:
        block["text"] = _BLANK_ENDS.sub("", f"{info}\n{text}")
    return [block] if is_visible(block["text"]) else []


@dataclass(slots=True)
class _Span:
    """An inline that is open, and the text that follows it; a flat one's children are those of what it stands in."""

    children: list[Inline]
    node: Inline | None = None
    inside: frozenset[str] = frozenset()
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
            _end_line(children)
            children.append({"type": "break"})
        elif token.type == "code_inline":
            children.append({"type": "code", "text": token.content})
        else:
            _add_lines(children, token.content)
    return spans[0].children


def _opened(token: Token, outer: _Span) -> _Span:
    is_link = token.type == "link_open"
    if is_link and not token.attrs["href"]:
        _add_text(outer.children, token.info + "[")
        return _Span(outer.children, None, outer.inside, "]()")
    kind = "link" if is_link else "strong" if token.type == "strong_open" else "emphasis"
    if kind in outer.inside:
        return _Span(outer.children, None, outer.inside)
    children: list[Inline] = []
    inside = outer.inside | {kind}
    if not is_link:
        return _Span(children, {"type": kind, "children": children}, inside)
    node = {"type": "link", "href": str(token.attrs["href"]), "children": children}
    title = " ".join(str(token.attrs.get("title", "")).split())
    return _Span(children, node, inside, f" ({title})" if title else "")


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
        _add_text(children, first)
        _end_line(children)
        children.append({"type": "break"})
        first = line.lstrip(" \t")
    _add_text(children, first)


def _end_line(children: list[Inline]) -> None:
    """Without blanks at the end of the line."""
    if children and children[-1]["type"] == "text":
        children[-1]["text"] = children[-1]["text"].rstrip(" ")
        if not children[-1]["text"]:
            children.pop()


def _trimmed(children: list[Inline]) -> list[Inline]:
    """Without empty lines at either end, and without what a text cannot begin or end with."""
    for at, following, strip in ((0, 1, str.lstrip), (-1, -2, str.rstrip)):
        while children and children[at]["type"] in ("text", "break"):
            is_line = len(children) > 1 and children[following]["type"] == "break"
            rest = strip(children[at].get("text", ""), EDGES + BLANKS if is_line else EDGES)
            if rest:
                children[at]["text"] = strip(children[at]["text"], EDGES)
                break
            children.pop(at)
    return children


def _add_text(children: list[Inline], text: str) -> None:
    if children and children[-1]["type"] == "text":
        children[-1]["text"] += text
        if text and unicodedata.combining(text[0]):  # what stood between the letter and its mark is gone
            children[-1]["text"] = unicodedata.normalize("NFC", children[-1]["text"])
    elif text:
        children.append({"type": "text", "text": text})


def _as_typed(text: str) -> list[Block]:
    """A paragraph of the text itself, for marks around nothing."""
    children: list[Inline] = []
    _add_lines(children, text)
    return [{"type": "paragraph", "children": children}] if text else []


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
