"""The Markdown of comments: a small set of rules for markdown-it, whose work for one text is bounded.

Paragraphs whose line ends are kept, quotes, lists, fenced code; strong, emphasis, code, links, and images as links.
Everything else (headings, tables, rules, HTML, entities) stays as it was typed. Where CommonMark reads marks into what
people write without any, the text wins: see decision 37.
"""

from __future__ import annotations

import re
import string
from types import SimpleNamespace
from typing import Any

from markdown_it import MarkdownIt, helpers
from markdown_it.parser_inline import ParserInline
from markdown_it.rules_block import StateBlock, blockquote, fence, list_block
from markdown_it.rules_inline import StateInline, autolink, backtick, escape, link
from markdown_it.rules_inline.state_inline import Delimiter
from markdown_it.token import Token

from tertulia.core.bare_links import NOT_IN_BARE, end_of_address
from tertulia.core.flanking import UNSPACED, flanking
from tertulia.core.text import URL_LENGTH, is_web_address
from tertulia.errors import ErrorCode, Problem

BLOCK_LEVELS = 8
"""A quote is one level, a list two; what is nested deeper stays text."""

MAX_STEPS = 10_000
"""Steps that a text may take to parse; a step is about a microsecond. The longest prose takes a twentieth of this, a
list of 400 items or 300 bold words all of it."""

# Each repetition is bounded and begins where no word goes on, so a search is linear in the text. Without (?a:…) the
# Turkish ı would be an i and the long ſ an s.
_WORD_START = rf"(?:(?<![^\W_])|(?<=[{UNSPACED}]))"
_SCHEME = r"(?ai:https?://)"
_WWW = r"(?ai:www\.)"
_MAILBOX = r"(?:[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}+@)"
_MAILBOX_START = rf"{_WORD_START}(?<![.%+/@-])"
# a top-level domain does not mix Latin letters with those of a script without blanks: there the next word begins
_LATIN_END = rf"(?ai:xn--[a-z0-9-]{{1,59}}|[a-z]{{2,63}})(?:(?=[{UNSPACED}])|(?!\w))"
_DOMAIN = rf"(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,8}}(?:{_LATIN_END}|[^\W\d_]{{2,63}})"
_ADDRESS = re.compile(
    rf"{_WORD_START}(?P<web>(?:{_SCHEME}|{_WWW}(?=[\w-]+\.\w))[^{NOT_IN_BARE}]{{1,{URL_LENGTH}}})"
    rf"|{_MAILBOX_START}{_MAILBOX}{_DOMAIN}(?:(?=[{UNSPACED}])|(?![\w@]))"
)
_TEXT_END = re.compile(rf"[\\`*_\[\]<]|!(?=\[)|{_WORD_START}(?={_SCHEME}|{_WWW})|{_MAILBOX_START}(?={_MAILBOX})")
_ADDRESS_STARTS = frozenset(string.ascii_letters + string.digits)
_MAILTO = re.compile(f"mailto:{_MAILBOX}{_DOMAIN}")
_QUOTED = re.compile(r">+(?=\s|\Z)")
_FENCE = re.compile(r"`{3}|~{3}")
_ITEM = re.compile(r"(?:[-+*]|([0-9]{1,9})([.)]))(?=[ \t]|\Z)")
_NOTHING_INSIDE = re.compile(r"[> \t]*")
_NOTHING_LISTED = re.compile(r"[-+* \t]*|\d{1,9}[.)][ \t]*")
_DESTINATION = re.compile(rf"\([ \t\n]*(?:[^\s()\\]{{0,{URL_LENGTH}}}\)|\S{{0,{URL_LENGTH}}})")
_MARKERS = re.compile(r"\*+|_+")


def tokens(text: str) -> list[Token]:
    """The text as markdown-it's tokens. Raises too_long for one that takes more than MAX_STEPS steps."""
    return _MARKDOWN.parse(text, {"work": _Work()})


def is_safe_link(href: str) -> bool:
    """Whether a reader may be sent there: a web address, or ``mailto:`` one mailbox and nothing more."""
    return is_web_address(href) or _MAILTO.fullmatch(href) is not None


class _Work:
    """The steps that are left to one text."""

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_STEPS

    def spend(self, steps: int) -> None:
        """Raises too_long if fewer are left."""
        self.left -= steps
        if self.left < 0:
            raise too_much()


def too_much() -> Problem:
    return Problem(
        ErrorCode.too_long,
        "This has too many lines, marks or links for one comment; shorten it, or post it in parts.",
        field="body",
    )


# ---- the rules ------------------------------------------------------------------------------------------

# what a step of each kind costs, in those of _Work, as measured
_A_TOKEN = 1
_A_RUN = 3
_A_MARKER = 2
_A_PUSH = 2
_A_LINK = 12
_A_LINE = 2
_A_BLOCK = 6
_CHARACTERS_A_STEP = 8

_LONGEST_NUMBER = 3

_BLOCKS_BEGIN = frozenset("`~>-+*0123456789")


class _Inline(ParserInline):
    """Counts the paragraphs, and the tokens that are looked at: again for each bracket that looks for its end."""

    def parse(self, src: str, md: MarkdownIt, env: Any, tokens: list[Token]) -> list[Token]:
        env["work"].spend(_A_LINE)
        return super().parse(src, md, env, tokens)

    def skipToken(self, state: StateInline) -> None:
        state.env["work"].spend(_A_TOKEN)
        super().skipToken(state)


class _Markdown(MarkdownIt):
    """Links lead to safe addresses only; a refused one stays as it was typed, and so does what a link shows."""

    def validateLink(self, url: str) -> bool:
        return is_safe_link(url)

    def normalizeLink(self, url: str) -> str:
        scheme, colon, rest = url.partition(":")
        return scheme.lower() + colon + rest

    def normalizeLinkText(self, url: str) -> str:
        return url


def _label_end(state: StateInline, start: int, disable_nested: bool = False) -> int:
    """The library's, where what follows may be an address, which it reads a character at a time."""
    end = helpers.parseLinkLabel(state, start, disable_nested)
    if end >= 0 and (address := _DESTINATION.match(state.src, end + 1)):
        state.env["work"].spend(_A_LINK + len(address[0]) // _CHARACTERS_A_STEP)
    return end


def _destination(text: str, start: int, end: int) -> Any:
    """The library's; what is longer than any address is none, so that nothing further is looked at."""
    return helpers.parseLinkDestination(text, start, min(end, start + URL_LENGTH + 2))


def _fence(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    return _may_begin(state, start) and _finished(state, start, fence(state, start, end, silent), silent)


def _quote(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    # every line is asked about here, once for each block that it may end, and where a block begins
    state.env["work"].spend(_A_LINE if silent else _A_BLOCK)
    if not (_is_quoted(state, start) and _may_nest(state, start, silent)):
        return False
    if silent:
        return _finished(state, start, blockquote(state, start, end, silent), silent)
    # the library has what follows a quotation's last line go on in it, with nobody's mark before it
    outer, state.lineMax = state.lineMax, _end_of_quote(state, start, end)
    found = blockquote(state, start, state.lineMax, silent)
    state.lineMax = outer
    return _finished(state, start, found, silent)


def _is_quoted(state: StateBlock, line: int) -> bool:
    """``> a``, ``>> a`` and a lone ``>``; not ``>:(`` and ``>>1234``."""
    first = state.bMarks[line] + state.tShift[line]
    return _QUOTED.match(state.src, first, state.eMarks[line]) is not None


def _end_of_quote(state: StateBlock, start: int, end: int) -> int:
    line = start + 1
    while line < end and state.sCount[line] >= state.blkIndent and _is_quoted(state, line):
        line += 1
    return line


def _list(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    if not (_may_begin(state, start) and _begins_list(state, start, end, silent) and _may_nest(state, start, silent)):
        return False
    if not silent:
        end = _end_of_list(state, start, end)
    return _finished(state, start, list_block(state, start, end, silent), silent)


def _begins_list(state: StateBlock, line: int, end: int, silent: bool) -> bool:
    return _belongs_outside(state, line, silent) or (
        _lists_something(state, line) and _is_meant_as_list(state, line, end)
    )


def _end_of_list(state: StateBlock, start: int, end: int) -> int:
    """Where the library's list has to end: a line of ``2019. That …`` would become its next item, with its number."""
    first = _item(state, start)
    if first is None or first[1] is None:
        return end
    inside = state.sCount[start] + len(first[0]) + 1
    after_blank = False
    for line in range(start + 1, end):
        if state.isEmpty(line):
            after_blank = True
        elif state.sCount[line] < inside:
            item = _item(state, line)
            if (item is None and after_blank) or (item and item[1] and len(item[1]) > _LONGEST_NUMBER):
                return line
            after_blank = False
    return end


def _may_begin(state: StateBlock, line: int) -> bool:
    """Whether this line begins like any block but a paragraph: most do not, and are asked about three times."""
    first = state.bMarks[line] + state.tShift[line]
    return state.src[first : first + 1] in _BLOCKS_BEGIN


def _finished(state: StateBlock, start: int, found: bool, silent: bool) -> bool:
    if found:
        state.env["work"].spend(_A_BLOCK if silent else _A_BLOCK + state.line - start)
    return found


def _may_nest(state: StateBlock, line: int, silent: bool) -> bool:
    return state.level < BLOCK_LEVELS or _belongs_outside(state, line, silent)


def _belongs_outside(state: StateBlock, line: int, silent: bool) -> bool:
    """Whether this line is asked about as the end of a block only: it would begin an outer one, as a next item does."""
    return silent and state.sCount[line] < state.blkIndent


def _lists_something(state: StateBlock, line: int) -> bool:
    """A lone ``-`` or ``2.`` and a line of ``- - -`` are what somebody typed, not lists of nothing."""
    first = state.bMarks[line] + state.tShift[line]
    return _NOTHING_LISTED.fullmatch(state.src, first, state.eMarks[line]) is None


def _is_meant_as_list(state: StateBlock, line: int, end: int) -> bool:
    """Whether what begins like an item is one: ``2019. That …`` and ``- no, thanks`` are sentences.

    A list is numbered from 0 or 1, or from up to three digits where the next number follows. A bullet alone, outside of
    other lists, is one where more of its item stands below it.
    """
    item = _item(state, line)
    if item is None or _NOTHING_INSIDE.fullmatch(state.src, item.end(), state.eMarks[line]):
        return True
    if item[1] is None and state.listIndent >= 0:
        return True
    if item[1] is not None and (int(item[1]) <= 1 or len(item[1]) > _LONGEST_NUMBER):
        return int(item[1]) <= 1
    return _goes_on(state, line, end, item)


def _goes_on(state: StateBlock, line: int, end: int, item: re.Match[str]) -> bool:
    """Whether a further item follows this one, or for a bullet anything that is indented as its item is."""
    inside = state.sCount[line] + len(item[0]) + 1
    may_be_lazy = True
    for following in range(line + 1, end):
        state.env["work"].spend(_A_TOKEN)
        if state.isEmpty(following):
            may_be_lazy = False
        elif state.sCount[following] >= inside:
            if item[1] is None:
                return True
        elif other := _item(state, following):
            return _follows(item, other) and state.sCount[following] >= state.blkIndent
        elif not may_be_lazy or state.sCount[following] < state.blkIndent or _is_other_block(state, following):
            return False
    return False


def _follows(item: re.Match[str], other: re.Match[str]) -> bool:
    if item[1] is None or other[1] is None:
        return item[0] == other[0]
    return item[2] == other[2] and int(other[1]) == int(item[1]) + 1


def _item(state: StateBlock, line: int) -> re.Match[str] | None:
    """What begins an item of a list in this line: its number and what follows that, or a bullet."""
    return _ITEM.match(state.src, state.bMarks[line] + state.tShift[line], state.eMarks[line])


def _is_other_block(state: StateBlock, line: int) -> bool:
    first = state.bMarks[line] + state.tShift[line]
    return _is_quoted(state, line) or _FENCE.match(state.src, first, state.eMarks[line]) is not None


def _address(state: StateInline, silent: bool) -> bool:
    """An address with a scheme, ``www.`` or ``@`` becomes a link without any marks around it."""
    state.env["work"].spend(_A_TOKEN)  # the first rule, so that every token is asked about here
    if state.linkLevel or state.src[state.pos] not in _ADDRESS_STARTS:
        return False
    found = _ADDRESS.match(state.src, state.pos, state.posMax)
    if found is None:
        return False
    state.env["work"].spend(_A_LINK)
    typed = found[0]
    scheme = "mailto:"
    if found["web"]:
        typed = typed[: end_of_address(typed, state.src[state.pos - 1 : state.pos])]
        scheme = "https://" if typed[0] in "wW" else ""
    if not silent:
        _push_address(state, typed, state.md.normalizeLink(scheme + typed.replace('"', "%22")))
    state.pos += len(typed)
    return True


def _push_address(state: StateInline, typed: str, href: str) -> None:
    if not is_safe_link(href):
        state.append_pending(typed)
        return
    state.push("link_open", "a", 1).attrs = {"href": href}
    state.push("text", "", 0).content = typed
    state.push("link_close", "a", -1)


def _markers(state: StateInline, silent: bool) -> bool:
    """The library's, with other rules for what opens and closes."""
    run = None if silent else _MARKERS.match(state.src, state.pos, state.posMax)
    if run is None:
        return False
    length = len(run[0])
    state.env["work"].spend(_A_RUN + _A_MARKER * length)
    opens, closes = flanking(state.src, run.start(), run.end(), state.posMax)
    for marker in run[0]:
        state.push("text", "", 0).content = marker
        at = len(state.tokens) - 1
        state.delimiters.append(Delimiter(ord(marker), length, at, end=-1, open=opens, close=closes))
    state.pos += length
    return True


def _image(state: StateInline, silent: bool) -> bool:
    """``![alt](address)`` is a link; behind a word the exclamation mark is its own."""
    start = state.pos
    if not state.src.startswith("![", start, state.posMax) or (start and state.src[start - 1].isalnum()):
        return False
    pushed = len(state.tokens)
    state.pos += 1
    if not link(state, silent):
        state.pos = start
        return False
    for token in state.tokens[pushed : pushed + 2]:
        if token.type == "link_open":
            token.info = "!"  # for a link that leads nowhere, which stays as it was typed
    return True


def _code_span(state: StateInline, silent: bool) -> bool:
    return _pushed(state, backtick(state, silent))


def _escaped(state: StateInline, silent: bool) -> bool:
    return _pushed(state, escape(state, silent))


def _pushed(state: StateInline, found: bool) -> bool:
    if found:
        state.env["work"].spend(_A_PUSH)
    return found


def _autolink(state: StateInline, silent: bool) -> bool:
    if state.src[state.pos] != "<":
        return False
    inside = state.src[state.pos : max(0, state.src.find(">", state.pos, state.posMax))]
    if (":" in inside or "@" in inside) and "<" not in inside[1:]:
        state.env["work"].spend(_A_LINK)
    return autolink(state, silent)


def _parser() -> MarkdownIt:
    # 12 leaves room for BLOCK_LEVELS and bounds how often a run of brackets is looked through again
    parser = _Markdown("zero", {"html": False, "linkify": False, "maxNesting": 12})
    parser.enable(["fence", "escape", "backticks", "emphasis", "link", "autolink", "blockquote", "list"])
    parser.inline.__class__ = _Inline  # it is made by the library, which has no place for another
    parser.helpers = SimpleNamespace(  # type: ignore[assignment]  # all that the rules know of the module
        parseLinkLabel=_label_end,
        parseLinkDestination=_destination,
        parseLinkTitle=helpers.parseLinkTitle,
    )
    parser.block.ruler.at("fence", _fence, {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.at("blockquote", _quote, {"alt": ["paragraph", "blockquote", "list"]})
    parser.block.ruler.at("list", _list, {"alt": ["paragraph", "blockquote"]})
    parser.inline.ruler.before("text", "address", _address)
    parser.inline.ruler.at("emphasis", _markers)
    parser.inline.ruler.after("link", "link_of_image", _image)
    parser.inline.ruler.at("backticks", _code_span)
    parser.inline.ruler.at("escape", _escaped)
    parser.inline.ruler.at("autolink", _autolink)
    parser.inline.terminator_re = _TEXT_END
    return parser


_MARKDOWN = _parser()
