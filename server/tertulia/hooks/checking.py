"""The work of checking: all hooks of a site are asked about a text at once, and what each says counts when it comes.

    asked ──▶ a verdict ──▶ JudgeComment
      ├── no answer ──▶ again in 5 s, 30 s and 2 min ──▶ as ``when_down`` says
      └── five in a row: down ──▶ as ``when_down`` says, without asking; once a minute one text asks

What waits for its check waits no longer than a hook may take; then it is as ``when_down`` says, and stays so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from tertulia.core.hooks import FAILURES, HookKind, Judgement, Verdict
from tertulia.hooks.akismet import Akismet
from tertulia.hooks.asking import Asker, HookError, OwnProgram, Question, Secrets
from tertulia.hooks.classifier import Classifier
from tertulia.identity import utc_now
from tertulia.identity.sealing import Sealing
from tertulia.outgoing import Outgoing
from tertulia.store import Store, queries
from tertulia.store.commands import CHECK, CheckedText, FromHook, JudgeComment, NoteFailures, SweepVerdicts, TakeProbes
from tertulia.store.commands.checking import waits_for_check
from tertulia.store.hooks import Hook
from tertulia.work import Job, Queue
from tertulia.work.queues import DELAYS, HOUR, SPREAD

AT_ONCE = 16
TRIES = 4
"""At once, and after the first three of the delays that all background work has."""
LEAST_SECONDS = 2.0
"""That a hook has at any rate, however long its text has waited for its turn."""
_AGAIN = DELAYS[0] / 1_000 * (1 + SPREAD)

log = logging.getLogger(__name__)


def askers(outgoing: Outgoing, sealing: Sealing) -> dict[HookKind, Asker]:
    """How each kind of hook is asked."""
    secrets = Secrets(sealing)
    return {
        HookKind.check: OwnProgram(outgoing, secrets),
        HookKind.nudge: OwnProgram(outgoing, secrets),
        HookKind.classifier: Classifier(outgoing, secrets),
        HookKind.akismet: Akismet(outgoing, secrets, sealing),
    }


class Checking:
    """Asks, and has the comment judged."""

    def __init__(self, store: Store, all_askers: Mapping[HookKind, Asker]) -> None:
        self._store = store
        self._askers = all_askers

    def queues(self) -> list[Queue]:
        return [Queue(CHECK, self._check, at_once=AT_ONCE), Queue("verdicts", _forget, period=24 * HOUR)]

    async def _check(self, job: Job) -> None:
        text = CheckedText(str(job.payload["comment"]), int(job.payload["version"]), int(job.payload["edited"]))
        about = await self._store.read(queries.to_check, text, int(job.payload["at"]))
        if about is None:
            return
        question = Question(text, about)
        asked, down = await self._split(about)
        failed = [hook for hook, answered in await self._ask(asked, question) if not answered]
        if failed:
            await self._note(failed)
            if not _is_over(job, question, failed):
                raise HookError(f"No verdict of {', '.join(hook.name for hook in failed)}")
        if down or failed or not about.hooks:
            await self._judge(text, _unanswered([*down, *failed]))

    async def _split(self, about: queries.ToCheck) -> tuple[list[Hook], list[Hook]]:
        """Whom to ask, and who is down."""
        due = tuple(hook.id for hook in about.hooks if hook.is_down and (hook.probe_at or 0) <= about.now)
        probed = await self._store.write(TakeProbes(due)) if due else frozenset()
        asked = [hook for hook in about.hooks if not hook.is_down or hook.id in probed]
        return asked, [hook for hook in about.hooks if hook not in asked]

    async def _ask(self, hooks: list[Hook], question: Question) -> list[tuple[Hook, bool]]:
        """Whether each of them answered; what it said counts as soon as it comes."""
        answered = await asyncio.gather(*(self._ask_one(hook, question) for hook in hooks))
        return list(zip(hooks, answered, strict=True))

    async def _ask_one(self, hook: Hook, question: Question) -> bool:
        try:
            said = await self._askers[hook.kind].ask(hook, question, _seconds(hook, question))
        except HookError as error:
            about = {"site": hook.site, "hook": hook.name, "reason": str(error)}
            log.warning("A check from outside gave no verdict", extra=about)
            return False
        await self._judge(question.text, (FromHook(hook, said),))
        return True

    async def _note(self, failed: list[Hook]) -> None:
        await self._store.write(NoteFailures(tuple(hook.id for hook in failed)))
        for hook in failed:
            if hook.failures == FAILURES - 1:
                log.error("A check from outside is down", extra={"site": hook.site, "hook": hook.name})

    async def _judge(self, text: CheckedText, said: tuple[FromHook, ...]) -> None:
        await self._store.write(JudgeComment(text.comment_id, text, said, utc_now()))


async def _forget(job: Job) -> None:
    await job.complete(SweepVerdicts(utc_now()))


def _unanswered(hooks: list[Hook]) -> tuple[FromHook, ...]:
    return tuple(FromHook(hook, Judgement(Verdict.down)) for hook in hooks)


def _waited(question: Question) -> float:
    """Seconds that a text has waited that nobody sees before; 0 of one that is shown."""
    return question.about.age / 1_000 if waits_for_check(question.about.comment) else 0.0


def _seconds(hook: Hook, question: Question) -> float:
    """How long a hook may take: as much as is left of its time."""
    return max(LEAST_SECONDS, hook.config.seconds - _waited(question))


def _is_over(job: Job, question: Question, failed: list[Hook]) -> bool:
    """Whether these are not asked again."""
    if waits_for_check(question.about.comment):
        # the answer took some of its time, and the next try comes so much later
        left = max(hook.config.seconds for hook in failed) - _waited(question)
        return job.claimed.attempts > 1 or left <= _AGAIN
    return job.claimed.attempts >= TRIES
