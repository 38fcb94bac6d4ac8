"""The form that posts without JavaScript: its input, read from a request, and the error of a refused post."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl

from starlette.requests import Request

from tertulia.errors import ErrorCode, Problem
from tertulia.languages import Language
from tertulia.protocol import CommentView
from tertulia.web.error_messages import is_about_name, isolated, sentence
from tertulia.web.forms import form_body

_FIELDS = 16
_SMALL = 4096
"""Bytes of a form in which a stray percent sign is forgiven: browsers write none, and decoding 128 KiB of them takes
20 ms, four times as long as what they do write."""
_STRAY = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_NONCE = re.compile(r"[A-Za-z0-9_-]{16,40}")


def new_nonce() -> str:
    return secrets.token_urlsafe(16)


class Vote(NamedTuple):
    """A button beside a comment that was pressed; 0 takes one's own vote back."""

    comment_id: str
    value: Literal[1, 0, -1]


@dataclass(frozen=True, slots=True)
class FormInput:
    """What stands in the form, or which vote was pressed in the list.

    The nonce is made with the form, so one form posts one text once.
    """

    name: str = ""
    body: str = ""
    parent_id: str | None = None
    nonce: str = field(default_factory=new_nonce)
    vote: Vote | None = None

    @property
    def idempotency_key(self) -> str:
        """The same for a second click, another one for another text."""
        parts = "\0".join((self.name, self.body, self.parent_id or ""))
        return f"{self.nonce}.{hashlib.sha256(parts.encode()).hexdigest()[:16]}"


@dataclass(frozen=True, slots=True)
class FormError:
    """Why the post was refused, and which field it is about."""

    message: str
    field: Literal["name", "body"] | None


@dataclass(frozen=True, slots=True)
class Form:
    """The form as a page shows it: ``parent`` is the comment that is replied to."""

    input: FormInput = field(default_factory=FormInput)
    parent: CommentView | None = None
    error: FormError | None = None
    waiting: bool = False

    @property
    def is_used(self) -> bool:
        """Whether the reader is at work in it, so that nothing may take its place."""
        return self.parent is not None or self.error is not None or self.waiting


async def read_fields(request: Request) -> dict[str, str]:
    """Of a form with a text. Raises unsupported_media_type, too_large, malformed."""
    raw = await form_body(request)
    if len(raw) > _SMALL and _STRAY.search(raw):
        raise Problem(ErrorCode.malformed, "The form cannot be read.")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS, errors="replace")
    except ValueError as error:
        raise Problem(ErrorCode.malformed, "The form cannot be read.") from error
    return dict(pairs)


async def read_form(request: Request) -> FormInput:
    """Raises unsupported_media_type, too_large, malformed."""
    fields = await read_fields(request)
    nonce = fields.get("nonce", "")
    return FormInput(
        name=fields.get("name", ""),
        body=fields.get("body", ""),
        parent_id=fields.get("parent_id") or None,
        nonce=nonce if _NONCE.fullmatch(nonce) else new_nonce(),
        vote=_vote(fields),
    )


def _vote(fields: Mapping[str, str]) -> Vote | None:
    buttons: tuple[tuple[str, Literal[1, 0, -1]], ...] = (("like", 1), ("dislike", -1), ("unvote", 0))
    return next((Vote(fields[name], value) for name, value in buttons if fields.get(name)), None)


def explain(problem: Problem, language: Language) -> FormError:
    """The refusal in the language of the page."""
    where: Literal["name", "body"] | None = "body" if problem.field == "body" else None
    if is_about_name(problem):
        where = "name"
    return FormError(
        sentence(problem, language, otherwise="problem.other") or isolated(problem.detail, language), where
    )
