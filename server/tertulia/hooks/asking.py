"""Asking a hook: the port that each kind answers, and a program of the site's own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tertulia.core import strict_json
from tertulia.core.comments import Comment
from tertulia.core.hooks import LABEL_LENGTH, LABELS, NOTE_LENGTH, SAID, Judgement, Verdict
from tertulia.core.strict_json import Json
from tertulia.hooks.signing import signed
from tertulia.identity import utc_now
from tertulia.identity.sealing import SealError, Sealing
from tertulia.outgoing import Outgoing, OutgoingError, Reply
from tertulia.protocol import comment_view, timestamp
from tertulia.store import queries
from tertulia.store.commands import CheckedText
from tertulia.store.hooks import Hook

NO_CONTENT = 204
JSON_TYPE = "application/json"
LARGEST_SCORE = 1e9
"""What is larger is no score: it is left out."""


class HookError(Exception):
    """There is no verdict, with a reason that may be shown to whoever set the hook."""


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked about: a text as it is now, or with ``is_test`` one that nobody wrote."""

    text: CheckedText
    about: queries.ToCheck
    is_test: bool = False

    @property
    def id(self) -> str:
        """The same at each attempt."""
        return f"c_{self.text.comment_id}_{self.text.version}"


class Asker(Protocol):
    """Asks hooks of one kind."""

    async def ask(self, hook: Hook, question: Question, seconds: float) -> Judgement:
        """What it says, at most ``seconds`` later. Raises HookError."""
        raise NotImplementedError


class Secrets:
    """The secrets of hooks, opened when they are needed."""

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing

    def of(self, hook: Hook) -> str | None:
        """Raises HookError where it was sealed with another secret key of the server."""
        try:
            return None if hook.sealed is None else self._sealing.opened(hook.sealed).decode()
        except SealError as error:
            raise HookError(f"Its secret cannot be read: {error}.") from error


class OwnProgram:
    """A program of the site's own: the question is signed, and its answer is a verdict."""

    def __init__(self, outgoing: Outgoing, secrets: Secrets) -> None:
        self._outgoing = outgoing
        self._secrets = secrets

    async def ask(self, hook: Hook, question: Question, seconds: float) -> Judgement:
        body = message("comment.check", check_data(question))
        headers = signed(self._secrets.of(hook) or "", question.id, int(utc_now().timestamp()), body)
        reply = await post(self._outgoing, hook.config.url, body, headers, seconds)
        return Judgement(Verdict.show) if reply.status == NO_CONTENT else judgement(parsed(reply))


def message(kind: str, data: Mapping[str, Any]) -> bytes:
    """The body of what a hook is sent."""
    told = {"type": kind, "timestamp": timestamp(utc_now()), "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def check_data(question: Question) -> dict[str, Any]:
    """``data`` of ``comment.check``."""
    about, facts = question.about, question.about.author
    return {
        "site": about.discussion.key.site,
        "key": about.discussion.key.key,
        "url": about.discussion.url,
        "comment": _told(about.comment),
        "version": question.text.version,
        "author": {
            "id": facts.id,
            "kind": facts.kind,
            "trust": int(about.trust),
            "shown": facts.shown,
            "removed": facts.removed,
        },
        "parent": None if about.parent is None else _told(about.parent),
    }


def _told(comment: Comment) -> dict[str, Any]:
    """As readers have it, and as it was typed."""
    return {**comment_view(comment, reveal=True).model_dump(mode="json"), "text": comment.text}


async def post(outgoing: Outgoing, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Reply:
    """An answer that is none of a failure. Raises HookError."""
    complete = {"Content-Type": JSON_TYPE, "Accept": JSON_TYPE} | dict(headers)
    try:
        reply = await outgoing.request("POST", url, headers=complete, body=body, seconds=seconds)
    except OutgoingError as error:
        raise HookError(str(error)) from error
    if not 200 <= reply.status < 300:
        raise HookError(f"The answer has the status {reply.status}.")
    return reply


def parsed(reply: Reply) -> Json:
    """Raises HookError."""
    try:
        return strict_json.parse(reply.body)
    except ValueError as error:
        raise HookError(f"The answer is not JSON: {error}") from error


def judgement(answer: Json) -> Judgement:
    """What a program of the site's own says; what it has besides is left alone. Raises HookError."""
    if not isinstance(answer, dict) or answer.get("verdict") not in SAID:
        raise HookError(f"The answer has no verdict that is one of {', '.join(SAID)}.")
    score, labels, note = answer.get("score"), answer.get("labels"), answer.get("note")
    return Judgement(
        Verdict(str(answer["verdict"])),
        number(score),
        tuple(one[:LABEL_LENGTH] for one in labels[:LABELS] if isinstance(one, str))
        if isinstance(labels, list)
        else (),
        note[:NOTE_LENGTH] if isinstance(note, str) else "",
    )


def _labels(found: Json) -> tuple[str, ...]:
    labels = found[:LABELS] if isinstance(found, list) else ()
    return tuple(one[:LABEL_LENGTH] for one in labels if isinstance(one, str))


def number(found: Json) -> float | None:
    """A score; None of what is none."""
    if isinstance(found, bool) or not isinstance(found, int | float) or abs(found) > LARGEST_SCORE:
        return None
    return float(found)
