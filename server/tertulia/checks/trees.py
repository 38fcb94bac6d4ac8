"""Document trees: the form that a stored body has to have; see core.documents."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from tertulia.core.markdown import is_safe_link


class _Node(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


def _safe(href: str) -> str:
    if not is_safe_link(href):
        raise ValueError("a reader cannot be sent to this address")
    return href


class _Text(_Node):
    type: Literal["text"]
    text: str


class _InlineCode(_Node):
    type: Literal["code"]
    text: str


class _Break(_Node):
    type: Literal["break"]


class _Marked(_Node):
    type: Literal["strong", "emphasis"]
    children: list[_Inline]


class _Link(_Node):
    type: Literal["link"]
    href: Annotated[str, AfterValidator(_safe)]
    children: list[_Inline]


_Inline = Annotated[_Text | _InlineCode | _Break | _Marked | _Link, Field(discriminator="type")]


class _Paragraph(_Node):
    type: Literal["paragraph"]
    children: list[_Inline]


class _Code(_Node):
    type: Literal["code"]
    text: str
    language: str | None = None


class _Quote(_Node):
    type: Literal["quote"]
    children: list[_Block]


class _List(_Node):
    type: Literal["list"]
    ordered: bool
    start: int = 1
    items: list[list[_Block]]


_Block = Annotated[_Paragraph | _Code | _Quote | _List, Field(discriminator="type")]
_TREE = TypeAdapter(list[_Block])


def mistake(stored: str) -> str | None:
    """What is wrong with a body as it is stored, None when it is a document tree."""
    try:
        _TREE.validate_json(stored)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return f"{'.'.join(map(str, first['loc'])) or 'the whole'}: {first['msg']}"
    return None
