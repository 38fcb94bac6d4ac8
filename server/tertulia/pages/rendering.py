"""Templates into answers: one Jinja environment, and the headers that every page has."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property, partial
from types import FunctionType
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from tertulia.core.badges import Words, in_language
from tertulia.core.comments import Block
from tertulia.languages import Language, language
from tertulia.pages import times
from tertulia.pages.assets import Assets
from tertulia.pages.markdown import markdown_html
from tertulia.pages.site_defaults import SiteDefaults
from tertulia.protocol import API
from tertulia.web.html import document_html

if TYPE_CHECKING:
    from jinja2 import Environment
    from jinja2.runtime import Context

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cache-Control": "no-cache",
}


def framed_by(origins: Iterable[str]) -> dict[str, str]:
    """The headers of a page that those of these origins may have in a frame, and this server's own."""
    policy = HEADERS["Content-Security-Policy"]
    ancestors = " ".join(["frame-ancestors 'self'", *sorted(origins)])
    return {"Content-Security-Policy": policy.replace("frame-ancestors 'none'", ancestors), "X-Robots-Tag": "noindex"}


SLICE_SECONDS = 0.005
"""For which a long page is made before the loop does something else."""


class Rendering:
    """Renders the pages of one server, from the templates of ``packages``: later ones may extend earlier ones."""

    def __init__(self, defaults: SiteDefaults, assets: Assets, packages: Sequence[str] = ("tertulia.pages",)) -> None:
        self._turn = asyncio.Lock()
        self._defaults = defaults
        self._assets = assets
        self._packages = packages

    @cached_property
    def _environment(self) -> Environment:
        """Made for the first page: who only has discussions in pages elsewhere saves 2 MiB and a tenth of the start."""
        from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined

        environment = Environment(
            loader=ChoiceLoader([PackageLoader(package) for package in self._packages]),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.globals.update(
            defaults=self._defaults,
            styles=self._assets.styles.path,
            staff_styles=self._assets.staff_styles.path,
            desk_styles=self._assets.desk_styles.path,
            desk_script=self._assets.desk_script,
            script=self._assets.script.path,
            frame_script=self._assets.frame_script.path,
            follow_script=self._assets.follow_script.path,
            sign_in_script=self._assets.sign_in_script.path,
            moment=times.moment,
            moment_in=times.moment_in,
            badge_word=badge_word,
            full_moment=times.full_moment,
            day=times.day,
            markdown=markdown_html,
            document=document_html,
            framed_document=_framed_document,
            feed_address=_feed_address,
        )
        return environment

    def extended(self, package: str) -> Rendering:
        """The same, with the templates of ``package`` as well."""
        return Rendering(self._defaults, self._assets, (*self._packages, package))

    def language(self, tag: str) -> Language:
        """The language with this tag, or the server's if there is none."""
        return language(tag, self._defaults.language)

    def page(
        self,
        template: str,
        tag: str,
        context: Mapping[str, object],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """The template as an answer."""
        return HTMLResponse(self.html(template, tag, context), status, HEADERS | dict(headers or {}))

    def html(self, template: str, tag: str, context: Mapping[str, object]) -> str:
        """The template in the language with this tag, or in the server's if there is none."""
        with self._pieces(template, tag, context) as pieces:
            return self._environment.concat(pieces)

    async def long_html(self, template: str, tag: str, context: Mapping[str, object]) -> str:
        """The same in slices, for pages with a discussion: 50 long threads take 80 ms, in which nobody should wait."""
        async with self._turn:  # of several under way, each turn of the loop would wait for a slice of all
            return await self._in_slices(template, tag, context)

    async def _in_slices(self, template: str, tag: str, context: Mapping[str, object]) -> str:
        with self._pieces(template, tag, context) as pieces:
            made = []
            pause_at = time.monotonic() + SLICE_SECONDS
            for piece in pieces:
                made.append(piece)
                if time.monotonic() > pause_at:
                    await asyncio.sleep(0)
                    pause_at = time.monotonic() + SLICE_SECONDS
            return self._environment.concat(made)

    @contextmanager
    def _pieces(self, name: str, tag: str, context: Mapping[str, object]) -> Iterator[Iterator[str]]:
        """The page's HTML, as ``Template.generate`` gives it; but what was shown is free when it is done."""
        language = self.language(tag)
        translation = {"language": language, "t": language.translate, "t_html": partial(translate_html, language)}
        template = self._environment.get_template(name)
        made = template.new_context({**translation, **context})
        try:
            yield template.root_render_func(made)
        except Exception:
            self._environment.handle_exception()
        finally:
            _untie(made)


def _framed_document(blocks: Sequence[Block]) -> Markup:
    """A document whose links open in the whole window: few pages may be shown in a frame."""
    return Markup(str(document_html(blocks)).replace("<a href=", '<a target="_top" href='))  # noqa: S704 - it is HTML


def _untie(made: Context) -> None:
    """Takes their code from the macros of a page that is made.

    The code of one holds the others and itself, and all of them the values of the page: as long as the comments of it
    are, so long may be what waits for the collector, which counts objects and not bytes.
    """
    from jinja2.runtime import Context, Macro

    todo: list[object] = list(made.vars.values())
    while todo:
        macro = todo.pop()
        code = getattr(macro, "_func", None) if isinstance(macro, Macro) else None
        if code is None:
            continue
        macro._func = None  # type: ignore[attr-defined]
        for held in _held(code):
            todo.append(held)
            source = getattr(held, "__self__", None)  # the method by which a macro finds what it was not given
            if isinstance(source, Context):
                todo += source.vars.values()


def _held(code: FunctionType) -> Iterator[object]:
    for cell in code.__closure__ or ():
        with suppress(ValueError):  # of a page that could not be made to its end
            yield cell.cell_contents


def badge_word(badges: Mapping[str, Words], key: str | None, language: Language) -> str | None:
    """What a badge is called, None where the site has no such badge."""
    return in_language(badges, language.tag).get(key or "")


def translate_html(language: Language, key: str, *, n: int | None = None, **values: object) -> Markup:
    """A sentence with HTML in it, such as a link around a name; values that are text only are escaped."""
    if n is not None:
        values["n"] = language.numbers.write(n)
    return escape(language.form(key, n)).format(**values)


def _feed_address(site: str, key: str) -> str:
    return f"{API}/feed.atom?{urlencode({'site': site, 'key': key})}"
