"""How long somebody has to wait, as people say it."""

from __future__ import annotations

import pytest

from tertulia.core.waits import wait_of


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (1, "1 second"),
        (89, "89 seconds"),
        (90, "2 minutes"),
        (720, "12 minutes"),
        (721, "13 minutes"),
        (5399, "90 minutes"),
        (5400, "2 hours"),
        (86_400, "24 hours"),
    ],
)
def test_a_wait_is_said_in_the_unit_that_people_use(seconds: int, said: str) -> None:
    assert str(wait_of(seconds)) == said
