"""Checks from outside: the hooks of a site are asked about what is said there, after the answer.

signing     how a request says whose it is
asking      how a hook is asked: the port, and a program of the site's own
classifier  scores by label
checking    the work of asking all of them, again where they fail, and of what comes of it
trying      asking one about a made-up comment
"""

from __future__ import annotations

from tertulia.hooks.asking import Asker, HookError, Question
from tertulia.hooks.checking import Checking, askers
from tertulia.hooks.signing import new_secret
from tertulia.hooks.trying import trying

__all__ = ["Asker", "Checking", "HookError", "Question", "askers", "new_secret", "trying"]
