"""How hard a property is tried: a little in the daily run, as hard as ever in `make test-all`."""

from __future__ import annotations

from hypothesis import settings

QUICK, THOROUGH = "quick", "thorough"
SHARE = 10
"""A daily run tries this part of the examples."""
FEWEST = 25


def register() -> None:
    """Makes the two profiles known; a run that names none with `--hypothesis-profile` is quick."""
    settings.register_profile(THOROUGH, deadline=None, print_blob=True)
    settings.register_profile(QUICK, deadline=None, print_blob=True, max_examples=FEWEST)
    settings.load_profile(QUICK)


def is_thorough() -> bool:
    return settings.get_current_profile_name() == THOROUGH


def examples(thorough: int, fewest: int = FEWEST) -> int:
    """How many examples of a property are tried: ``thorough`` of them, or a share of these but at least ``fewest``."""
    return thorough if is_thorough() else max(fewest, thorough // SHARE)
