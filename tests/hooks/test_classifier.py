"""A classifier: what it is sent, and what its scores come to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tertulia.cli import main
from tertulia.core.hooks import HookKind, Judgement, Verdict
from tertulia.hooks.classifier import judged
from tertulia.store import schema
from tests.hooks.checked import failures, hook, said, state
from tests.hooks.checked import judged as verdicts_are
from tests.people.test_sessions import Instance
from tests.support.receiver import Receiver, answer
from tests.support.waiting import until

LIMITS: dict[str, Any] = {"hold": {"*": 0.8, "insult": 0.9}, "remove": {"threat": 0.95}}
SCORES = {"insult": 0.85, "threat": 0.97}


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({"insult": 0.85, "spam": 0.1}, Judgement(Verdict.show, 0.85)),
        ({"insult": 0.9, "spam": 0.81}, Judgement(Verdict.hold, 0.9, ("insult", "spam"))),
        ({"insult": 1, "threat": 0.9499}, Judgement(Verdict.hold, 1, ("insult", "threat"))),
        ({"insult": 1, "threat": 0.95}, Judgement(Verdict.remove, 0.95, ("threat",))),
        ({"spam": 0.123456}, Judgement(Verdict.show, 0.1235)),
    ],
)
def test_the_strictest_label_counts(scores: dict[str, float], expected: Judgement) -> None:
    assert judged(scores, LIMITS["hold"], LIMITS["remove"]) == expected


@pytest.mark.parametrize(
    "answered",
    [SCORES, {"scores": SCORES, "model": "m"}, {"results": [{"flagged": True, "category_scores": SCORES}]}],
    ids=["flat", "scores", "results"],
)
async def test_scores_are_read_in_each_form(one: Instance, receiver: Receiver, answered: dict[str, Any]) -> None:
    receiver.otherwise = answer(answered)
    await hook(one, receiver, kind=HookKind.classifier, secret="a token", **LIMITS)
    _, comment_id, _ = await said(one, "I will find **you**.")
    await verdicts_are(one, "remove")
    assert await state(one, comment_id) == ("removed", "check")
    (row,) = await one.rows(schema.verdict)
    assert (row["score"], row["labels"]) == (0.97, ["threat"])
    (asked,) = receiver.asked
    assert json.loads(asked.body) == {"input": "I will find **you**."}, "and nothing of who says it"
    assert asked.headers["authorization"] == "Bearer a token"


@pytest.mark.parametrize("answered", [{}, {"scores": {"a": "high"}}, {"results": []}, {"a": True}])
async def test_what_has_no_scores_is_no_answer(one: Instance, receiver: Receiver, answered: dict[str, Any]) -> None:
    receiver.otherwise = answer(answered)
    await hook(one, receiver, kind=HookKind.classifier, **LIMITS)
    await said(one)

    async def has_failed() -> bool:
        return await failures(one) == 1

    await until(has_failed, "it is noted")


def test_the_command_line_says_its_limits(tmp_path: Path) -> None:
    environment = {"TERTULIA_DATA_DIR": str(tmp_path), "TERTULIA_SECRET_KEY": "a secret of these tests, long enough"}
    assert CliRunner().invoke(main, ["migrate"], env=environment).exit_code == 0
    token = tmp_path / "token"
    token.write_text("a token\n")
    added = ["hooks", "add", "default", "tone", "--kind", "classifier", "--url", "https://models.example/"]
    added += ["--token-file", str(token), "--hold", "0.8", "--hold", "insult=0.9", "--remove", "threat=0.95"]
    told = CliRunner().invoke(main, added, env=environment)
    assert told.output == "default asks tone at https://models.example/ about each comment.\n"
    listed = CliRunner().invoke(main, ["hooks", "list"], env=environment).output
    assert listed.startswith("default\ttone\tclassifier\thttps://models.example/\t")
