"""Who is asked from outside about a comment, and what they may say of it.

A site has hooks; each is of a kind. Stored of one is what its kind needs, as JSON, and its secret, sealed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import IntFlag, StrEnum
from functools import lru_cache
from typing import Any

from tertulia.core.rules import KNOWN_RULES


class HookKind(StrEnum):
    """``check``: a program of the site's own, asked about each comment; ``classifier``: scores by label; ``akismet``:
    a service that knows spam, and is taught; ``nudge``: a program asked what its writer should look at again.
    """

    check = "check"
    classifier = "classifier"
    akismet = "akismet"
    nudge = "nudge"


CHECKING = frozenset({HookKind.check, HookKind.classifier, HookKind.akismet})
"""The kinds that give a verdict on each comment."""
OWN_PROGRAMS = frozenset({HookKind.check, HookKind.nudge})
"""The kinds whose requests are signed."""


class WhenDown(StrEnum):
    """What becomes of a comment that a hook gives no verdict on."""

    show = "show"
    hold = "hold"


class Verdict(StrEnum):
    """From the mildest to the strictest; ``spam`` takes away as ``remove`` does, and says why.

    ``down`` is not said: it stands for a hook that did not answer.
    """

    down = "down"
    show = "show"
    hold = "hold"
    remove = "remove"
    spam = "spam"

    @property
    def is_against(self) -> bool:
        """Whether a moderator has to see the comment."""
        return self in (Verdict.hold, Verdict.remove, Verdict.spam)


SAID = (Verdict.show, Verdict.hold, Verdict.remove, Verdict.spam)
MOST_SECONDS = 10
"""That one hook may take for one comment."""
FAILURES = 5
"""So many in a row, and the hook is down: it is asked no more, but once in PROBE_SECONDS."""
PROBE_SECONDS = 60
ALL_LABELS = "*"
"""In the limits of a classifier: of each label that has none of its own."""
LABELS = 20
"""Of one verdict that are kept."""
LABEL_LENGTH = 64
NOTE_LENGTH = 300
"""Characters of what a verdict says in words."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a hook says of a comment, in the form in which it is kept."""

    verdict: Verdict
    score: float | None = None
    labels: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class HookConfig:
    """What is stored of a hook. ``seconds`` is how long it may take, ``more`` what its kind has besides."""

    url: str
    when_down: WhenDown = WhenDown.show
    seconds: int = MOST_SECONDS
    more: Mapping[str, Any] = field(default_factory=dict)

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"when_down": self.when_down.value}


def hook_config(stored: Mapping[str, Any]) -> HookConfig:
    """What ``HookConfig.stored`` gave."""
    return HookConfig(stored["url"], WhenDown(stored["when_down"]), stored["seconds"], stored["more"])


class SiteChecks(IntFlag):
    """What a site's hooks want: a look at each comment, where it came from, what moderators decide."""

    none = 0
    some = 1
    traced = 2
    taught = 4


CHECKS = "checks"
"""The name under which a site's settings have it, so that whoever writes asks nobody."""


def site_checks(configs: Iterable[tuple[HookKind, HookConfig]]) -> SiteChecks:
    """What these hooks of one site want."""
    wanted = SiteChecks.none
    for kind, config in configs:
        wanted |= SiteChecks.some if kind in CHECKING else SiteChecks.none
        wanted |= SiteChecks.traced if config.more.get("traced") else SiteChecks.none
        wanted |= SiteChecks.taught if kind is HookKind.akismet else SiteChecks.none
    return wanted


@lru_cache(maxsize=KNOWN_RULES)
def site_checks_of(text: str | None) -> SiteChecks:
    """The same from the text of all the settings of a site."""
    settings = None if text is None else json.loads(text)
    return SiteChecks((settings or {}).get(CHECKS, SiteChecks.none))
