"""The client's sentences in one language."""

from __future__ import annotations

from functools import cache
from typing import Literal

from tertulia.languages import CLIENT_GROUPS, DEFAULT, Language
from tertulia.languages.plurals import Category
from tertulia.protocol.models import Outbound


class Strings(Outbound):
    """What the client says in one language; a text that depends on a number has a form for each plural category."""

    language: str
    direction: Literal["ltr", "rtl"]
    texts: dict[str, str | dict[Category, str]]


@cache
def strings_json(language: Language | None) -> str:
    """The client's sentences as JSON (see Strings), encoded once a language; null for English, which it has itself."""
    if language is None or language.tag == DEFAULT:
        return "null"
    texts = {key: text for name in CLIENT_GROUPS for key, text in language.groups[name].items()}
    return Strings.model_validate(
        {"language": language.tag, "direction": language.direction, "texts": texts}
    ).model_dump_json()
