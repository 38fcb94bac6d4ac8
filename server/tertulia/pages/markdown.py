"""An article's Markdown as HTML: the operator's own text, without raw HTML, with images by https."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup


@lru_cache(maxsize=256)
def markdown_html(markdown: str) -> Markup:
    """CommonMark and tables; what the text writes as HTML is shown as written."""
    # markdown-it escapes every text and refuses script addresses; html is off
    return Markup(_MARKDOWN.render(markdown))  # noqa: S704


def _lower_headings(state: StateCore) -> None:
    """The page's one h1 is the article's title."""
    for token in state.tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1:]) + 1, 6)}"


def _image(renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType) -> str:
    """Images are by https and load when they are near; any other leaves its description."""
    token = tokens[index]
    if not str(token.attrs["src"]).lower().startswith("https://"):
        return escapeHtml(renderer.renderInlineAsText(token.children or [], options, env))
    token.attrs["loading"] = "lazy"
    return renderer.image(tokens, index, options, env)


def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    markdown.core.ruler.push("lower_headings", _lower_headings)
    markdown.add_render_rule("image", _image)
    return markdown


_MARKDOWN = _markdown()
