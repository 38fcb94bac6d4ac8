"""A classifier: whatever takes ``{"input": text}`` and gives scores by label, with the site's own limits for them.

The scores may stand at the top of the answer, under ``scores``, or as services of moderation have them, under
``results[0].category_scores``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping

from tertulia.core.hooks import ALL_LABELS, LABEL_LENGTH, LABELS, Judgement, Verdict
from tertulia.core.strict_json import Json
from tertulia.hooks.asking import HookError, Question, Secrets, number, parsed, post
from tertulia.outgoing import Outgoing
from tertulia.store.hooks import Hook

DIGITS = 4
"""Of a score that are kept: a moderator reads it."""


class Classifier:
    """``hold`` and ``remove`` of a hook are scores by label from which on a comment is held, or removed."""

    def __init__(self, outgoing: Outgoing, secrets: Secrets) -> None:
        self._outgoing = outgoing
        self._secrets = secrets

    async def ask(self, hook: Hook, question: Question, seconds: float) -> Judgement:
        token = self._secrets.of(hook)
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        body = json.dumps({"input": question.about.comment.text}, ensure_ascii=False).encode()
        scores = _scores(parsed(await post(self._outgoing, hook.config.url, body, headers, seconds)))
        return judged(scores, hook.config.more.get("hold", {}), hook.config.more.get("remove", {}))


def judged(scores: Mapping[str, float], hold: Mapping[str, float], remove: Mapping[str, float]) -> Judgement:
    """The strictest that any label's score comes to, and by which labels; the highest of their scores."""
    by_score = sorted(scores, key=lambda label: -scores[label])
    for verdict, limits in ((Verdict.remove, remove), (Verdict.hold, hold)):
        if found := [label for label in by_score if scores[label] >= _limit(limits, label)]:
            labels = tuple(label[:LABEL_LENGTH] for label in found[:LABELS])
            return Judgement(verdict, round(scores[found[0]], DIGITS), labels)
    return Judgement(Verdict.show, round(scores[by_score[0]], DIGITS))


def _limit(limits: Mapping[str, float], label: str) -> float:
    return limits.get(label, limits.get(ALL_LABELS, math.inf))


def _scores(answer: Json) -> dict[str, float]:
    """Raises HookError."""
    match answer:
        case {"results": [{"category_scores": dict(found)}, *_]} | {"scores": dict(found)} | dict(found):
            scores = {label: score for label, value in found.items() if (score := number(value)) is not None}
            if scores:
                return scores
    raise HookError("The answer has no scores by label.")
