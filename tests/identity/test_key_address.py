"""Keys at an address of a real HTTPS server: which turns them over, dies, redirects, sends too much, and hangs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from tertulia.identity.compact import TokenError
from tertulia.identity.key_address import AGAIN_SECONDS, KEPT_SECONDS, STALE_SECONDS, FetchError, KeyAddress
from tertulia.identity.keys import Algorithm
from tertulia.outgoing import Outgoing, key_sets
from tests.support.https import HttpsServer, trusting
from tests.support.issuers import private_key, public_jwk
from tests.support.waiting import until


def published(*names: str) -> bytes:
    keys = [public_jwk("ES256", private_key(Algorithm.ES256), kid=name) for name in names]
    return json.dumps({"keys": keys}).encode()


@dataclass(slots=True)
class Issuer:
    """An address of keys, what asks it, and a clock that the test moves."""

    server: HttpsServer
    outgoing: Outgoing
    now: float = 0.0
    url: str = ""
    keys: KeyAddress = field(init=False)

    def __post_init__(self) -> None:
        url = self.url or f"{self.server.url}/keys"
        self.keys = KeyAddress(url, Algorithm.ES256, key_sets.fetching(self.outgoing), lambda: self.now)

    async def knows(self, name: str) -> bool:
        try:
            return (await self.keys.key(name)).key_id == name
        except TokenError:
            return False

    @property
    def questions(self) -> int:
        return len(self.server.asked)


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with HttpsServer() as server:
        server.body = published("1")
        async with Outgoing([server.host], trusting()) as outgoing:
            made = Issuer(server, outgoing)
            yield made
            server.go_on.set()
            await made.keys.close()


async def test_it_is_asked_with_the_first_token_and_then_every_ten_minutes(issuer: Issuer) -> None:
    assert issuer.questions == 0
    assert await issuer.knows("1")
    assert issuer.server.asked[0].startswith("GET /keys HTTP/1.1\r\n")
    issuer.now += KEPT_SECONDS
    assert await issuer.knows("1")
    assert issuer.questions == 1
    issuer.now += 1
    assert await issuer.knows("1")
    await until(lambda: issuer.questions == 2, "the address is asked again")


async def test_a_new_key_is_good_within_one_request_and_the_old_one_ends(issuer: Issuer) -> None:
    assert await issuer.knows("1")
    issuer.server.body = published("2")
    assert await issuer.knows("2")
    assert not await issuer.knows("1")


async def test_names_that_nobody_has_ask_once_a_minute(issuer: Issuer) -> None:
    assert await issuer.knows("1")
    for at in range(50):
        assert not await issuer.knows(f"no {at}")
    assert issuer.questions == 2
    issuer.server.body = published("1", "2")
    assert not await issuer.knows("2"), "a minute is not over"
    issuer.now += AGAIN_SECONDS
    assert await issuer.knows("2")
    assert issuer.questions == 3


async def test_many_that_wait_ask_once_and_who_goes_away_ends_nothing_for_others(issuer: Issuer) -> None:
    issuer.server.hangs = True
    waiting = [asyncio.ensure_future(issuer.knows("1")) for _ in range(100)]
    await until(lambda: issuer.questions == 1, "the address is asked")
    waiting[0].cancel()
    issuer.server.go_on.set()
    assert all(await asyncio.gather(*waiting[1:]))
    assert issuer.questions == 1


async def test_a_known_key_waits_for_nothing_while_the_address_hangs(issuer: Issuer) -> None:
    assert await issuer.knows("1")
    issuer.server.hangs = True
    unknown = asyncio.ensure_future(issuer.knows("2"))
    await until(lambda: issuer.questions == 2, "the address is asked for the unknown key")
    issuer.now += KEPT_SECONDS + 1
    for _ in range(100):
        assert await issuer.knows("1")
    assert not unknown.done()
    issuer.server.go_on.set()
    assert not await unknown


FAILURES: dict[str, dict[str, Any]] = {
    "a redirect": {"status": "302 Found", "headers": {"Location": "/elsewhere"}},
    "an error": {"status": "500 Internal Server Error"},
    "not found": {"status": "404 Not Found"},
    "a megabyte": {"body": b" " * 1_000_000 + published("2")},
    "a page": {"body": b"<!doctype html><title>Soon</title>"},
    "no keys": {"body": b'{"keys": []}'},
    "a secret": {"body": b'{"keys": [{"kty": "oct", "k": "eHh4", "kid": "2"}]}'},
    "packed": {"headers": {"Content-Encoding": "gzip"}},
    "no http": {"status": "\0"},
}


@pytest.mark.parametrize("failure", FAILURES)
async def test_while_the_address_fails_old_keys_go_on_for_a_day(issuer: Issuer, failure: str) -> None:
    assert await issuer.knows("1")
    good = issuer.server.body
    for name, value in FAILURES[failure].items():
        setattr(issuer.server, name, value)
    assert not await issuer.knows("2")
    assert issuer.keys.is_stale
    asked = issuer.questions
    assert not await issuer.knows("2"), "nobody asks again at once"
    issuer.now += STALE_SECONDS
    assert await issuer.knows("1")
    await until(lambda: issuer.questions == asked + 1, "it is asked again, beside what goes on")
    issuer.now += 1
    assert not await issuer.knows("1")
    issuer.now += AGAIN_SECONDS
    issuer.server.status, issuer.server.headers, issuer.server.body = "200 OK", {}, good
    assert await issuer.knows("1")
    assert not issuer.keys.is_stale


async def test_a_dead_address_is_no_end_either(issuer: Issuer) -> None:
    assert await issuer.knows("1")
    await issuer.server.__aexit__(None, None, None)
    issuer.now += KEPT_SECONDS + 1
    assert await issuer.knows("1")
    await until(lambda: issuer.keys.is_stale, "the address is known to fail")
    assert await issuer.knows("1")
    assert not await issuer.knows("2")


@pytest.mark.parametrize(
    "url", ["http://{host}/keys", "HTTPS://{host}/keys", "https://169.254.169.254/keys", "file:///etc/passwd"]
)
async def test_only_https_and_what_may_be_asked_is_asked(issuer: Issuer, url: str) -> None:
    other = Issuer(issuer.server, issuer.outgoing, url=url.format(host=issuer.server.host))
    assert not await other.knows("1")
    assert other.keys.is_stale
    assert issuer.questions == 0


async def test_a_certificate_that_nobody_vouches_for_is_no_issuer(issuer: Issuer) -> None:
    async with Outgoing([issuer.server.host]) as outgoing:
        assert not await Issuer(issuer.server, outgoing).knows("1")
    assert issuer.questions == 0


async def test_what_hangs_is_given_up_in_time(issuer: Issuer, monkeypatch: pytest.MonkeyPatch) -> None:
    assert key_sets.SECONDS == 5
    monkeypatch.setattr(key_sets, "SECONDS", 0.05)
    issuer.server.hangs = True
    with pytest.raises(FetchError, match=r"no answer in 0\.05 s"):
        await key_sets.fetching(issuer.outgoing)(f"{issuer.server.url}/keys")
    assert not await issuer.knows("1")


async def test_closing_ends_what_is_asked_and_nobody_who_waits_for_it(issuer: Issuer) -> None:
    """An operator may remove the issuer meanwhile: a token is refused then, and no request is cut."""
    issuer.server.hangs = True
    waiting = asyncio.ensure_future(issuer.knows("1"))
    await until(lambda: issuer.questions == 1, "the address is asked")
    await issuer.keys.close()
    assert not await waiting
