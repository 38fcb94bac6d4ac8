"""What moderators decide, told to whoever learns from it: a minute later, when it is not taken back any more."""

from __future__ import annotations

from tertulia.hooks.akismet import Akismet
from tertulia.hooks.asking import Question
from tertulia.store import Store, queries
from tertulia.store.commands import TEACH
from tertulia.work import Job, Queue

AT_ONCE = 4


class Teaching:
    """The work of telling."""

    def __init__(self, store: Store, akismet: Akismet) -> None:
        self._store = store
        self._akismet = akismet

    def queue(self) -> Queue:
        return Queue(TEACH, self._teach, at_once=AT_ONCE)

    async def _teach(self, job: Job) -> None:
        found = await self._store.read(queries.to_teach, str(job.payload["comment"]))
        if found is None:
            return
        question = Question(found.text, found.about)
        for hook in found.about.hooks:
            await self._akismet.teach(hook, question, hook.config.seconds, is_spam=found.is_spam)
