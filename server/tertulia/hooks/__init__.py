"""Checks from outside: the hooks of a site are asked about what is said there, after the answer.

signing     how a request says whose it is
asking      how a hook is asked: the port, and a program of the site's own
classifier  scores by label
akismet     a service that knows spam
checking    the work of asking all of them, again where they fail, and of what comes of it
teaching    telling them what moderators decide
nudging     asking a writer to look once more
trying      asking one about a made-up comment
"""

from __future__ import annotations

from tertulia.hooks.akismet import Akismet
from tertulia.hooks.asking import Asker, HookError, Question, Secrets
from tertulia.hooks.checking import Checking, askers
from tertulia.hooks.nudging import Nudging
from tertulia.hooks.signing import new_secret
from tertulia.hooks.teaching import Teaching
from tertulia.hooks.trying import trying

__all__ = [
    "Akismet",
    "Asker",
    "Checking",
    "HookError",
    "Nudging",
    "Question",
    "Secrets",
    "Teaching",
    "askers",
    "new_secret",
    "trying",
]
