"""What people say on the demonstration's evening, and what its check says of that."""

from __future__ import annotations

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from tertulia.core.words import compiled, parse_entry
from tertulia.showcase.demo.evening import CHECK, check
from tertulia.showcase.demo.remarks import SHOUTING, SUSPECT, Remarks

MANY = 2_000
WORDS = compiled([parse_entry(one) for one in SUSPECT])


def test_an_evening_is_the_same_for_the_same_seed_and_nobody_says_a_thing_twice() -> None:
    one, same, other = Remarks(1), Remarks(1), Remarks(2)
    said = [one.text() for _ in range(MANY)]
    assert said == [same.text() for _ in range(MANY)]
    assert said != [other.text() for _ in range(MANY)]
    assert len(set(said)) == MANY


def test_about_one_in_ten_is_for_a_moderator_and_the_others_are_not() -> None:
    remarks = Remarks(3)
    said = [remarks.text() for _ in range(MANY)]
    waits = [one for one in said if WORDS.find(one) or one.count("https://") > 1]
    shouts = [one for one in said if SHOUTING in one]
    assert MANY * 0.06 < len(waits) < MANY * 0.1
    assert MANY * 0.01 < len(shouts) < MANY * 0.03
    assert not set(waits) & set(shouts)
    assert MANY * 0.03 < sum(remarks.is_reported() for _ in range(MANY)) < MANY * 0.07


async def test_the_check_has_something_against_those_who_shout() -> None:
    app = Starlette(routes=[Route(CHECK, check, methods=["POST"])])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://demo.test") as client:
        quiet, loud = [
            await client.post(CHECK, json={"data": {"comment": {"text": text}}}) for text in ("Hello", SHOUTING)
        ]
    assert quiet.status_code == 204
    assert loud.json()["verdict"] == "hold"
