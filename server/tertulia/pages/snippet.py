"""The HTML snippet that embeds a discussion in another page."""

from __future__ import annotations

from importlib.resources.abc import Traversable
from urllib.parse import urlencode

from markupsafe import Markup

from tertulia.core.text import clean_key
from tertulia.discussions.sites import DEFAULT_SITE
from tertulia.errors import StartupError
from tertulia.languages import language as find_language
from tertulia.pages.client import pinned_script

_SCRIPT = Markup('<script src="{}" defer></script>')
_PINNED_SCRIPT = Markup('<script src="{}" integrity="{}" crossorigin="anonymous" defer></script>')


def snippet(
    base_url: str, *, site: str, key: str | None, language: str, pinned: bool, folder: Traversable | None = None
) -> str:
    """Two elements; ``pinned`` says which bytes the script has to have.

    With a key there is a link for readers without JavaScript. Raises what clean_key raises, and StartupError where the
    client is not built.
    """
    key = None if key is None else clean_key(key)
    attributes = Markup(' site="{}"').format(site) if site != DEFAULT_SITE else Markup()
    attributes += Markup(' discussion="{}"').format(key) if key is not None else Markup()
    inside = Markup()
    if key is not None:
        address = f"{base_url}/d?{urlencode({'site': site, 'key': key})}"
        inside = Markup('\n  <a href="{}">{}</a>\n').format(address, find_language(language).translate("feed"))
    element = Markup("<tertulia-discussion{}>{}</tertulia-discussion>").format(attributes, inside)
    return f"{_script(base_url, pinned, folder)}\n{element}\n"


def _script(base_url: str, pinned: bool, folder: Traversable | None) -> Markup:
    if not pinned:
        return _SCRIPT.format(f"{base_url}/embed.js")
    found = pinned_script(folder)
    if found is None:
        raise StartupError("The client in one file is not in this installation; build it with: make client")
    return _PINNED_SCRIPT.format(base_url + found.path, found.integrity)
