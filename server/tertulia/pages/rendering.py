"""Templates into answers: one Jinja environment, and the headers that every page has."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from tertulia.pages import times
from tertulia.pages.assets import Assets
from tertulia.pages.look import Look
from tertulia.pages.prose import prose_html
from tertulia.pages.strings import Strings
from tertulia.protocol import API
from tertulia.web.html import document_html

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "Cache-Control": "no-cache",
}


class Rendering:
    """Renders the pages of one server."""

    def __init__(self, look: Look, assets: Assets) -> None:
        self._fallback = look.language
        self._environment = Environment(
            loader=PackageLoader("tertulia.pages"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals.update(
            look=look,
            styles=assets.styles.path,
            script=assets.script.path,
            moment=times.moment,
            day=times.day,
            prose=prose_html,
            document=document_html,
            feed_address=_feed_address,
        )

    def strings(self, language: str) -> Strings:
        return Strings(language, self._fallback)

    def page(
        self,
        template: str,
        language: str,
        context: Mapping[str, object],
        *,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
    ) -> HTMLResponse:
        """The template in this language, or in the server's where it speaks no such one."""
        html = self._environment.get_template(template).render(t=self.strings(language), **context)
        return HTMLResponse(html, status, HEADERS | dict(headers or {}))


def _feed_address(site: str, key: str) -> str:
    return f"{API}/feed.atom?{urlencode({'site': site, 'key': key})}"
