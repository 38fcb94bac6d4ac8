"""Issuers whose keys are at an address, over HTTP: it changes its keys, dies, is slow, and does what it must not.

E2; what the clock decides (ten minutes, a day) is in tests/identity/test_key_address.py.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tertulia.identity import utc_now
from tertulia.identity.issuers import IssuerConfig
from tertulia.identity.keys import Algorithm
from tertulia.outgoing import Outgoing
from tertulia.people import SITE_ISSUER
from tertulia.protocol import API
from tertulia.store.issuers import AddIssuer, IssuerRow
from tests.people.commands import ISS, Instance, claims, instance
from tests.support.https import HttpsServer, trusting
from tests.support.issuers import SigningServer
from tests.support.waiting import until


@dataclass(slots=True)
class Publisher:
    """A site's server that publishes its keys, and Tertulia, which asks it."""

    server: HttpsServer
    tertulia: Instance

    def publish(self, *signers: SigningServer) -> None:
        self.server.body = json.dumps({"keys": [signer.jwk() for signer in signers]}).encode()

    async def status(self, signer: SigningServer, **more: object) -> int:
        return (await self.tertulia.exchange(signer.token(claims(**more)))).status_code

    async def stale(self) -> float:
        return await self.tertulia.metric("tertulia_issuer_stale")


def signer(name: str) -> SigningServer:
    return SigningServer(Algorithm.ES256, name)


@pytest.fixture
async def publisher(database: str, tmp_path: Path) -> AsyncIterator[Publisher]:
    async with HttpsServer() as server:
        asking = Outgoing([server.host], trusting())
        async with instance(database, tmp_path / "one", asking) as tertulia:
            config = IssuerConfig(iss=ISS, alg=Algorithm.ES256, jwks_url=f"{server.url}/keys")
            row = IssuerRow("default", "website", SITE_ISSUER, config.model_dump(mode="json"), None)
            await tertulia.running.store.write(AddIssuer(row, utc_now()))
            yield Publisher(server, tertulia)
            server.go_on.set()


async def test_a_new_key_is_good_with_the_next_token(publisher: Publisher) -> None:
    """E2: the key is rotated → the next token is good within one request."""
    old, new = signer("old"), signer("new")
    publisher.publish(old)
    assert await publisher.status(old) == 201
    publisher.publish(old, new)
    assert await publisher.status(new) == 201
    assert await publisher.status(old) == 201
    assert len(publisher.server.asked) == 2
    publisher.publish(new)
    assert await publisher.status(signer("forged")) == 401
    assert len(publisher.server.asked) == 2, "unknown names ask once a minute"


async def test_while_the_address_is_dead_old_keys_go_on(publisher: Publisher) -> None:
    """E2: the address is dead → old keys go on, a new ``kid`` is refused; the metric tells it."""
    old = signer("old")
    publisher.publish(old)
    assert (await publisher.status(old), await publisher.stale()) == (201, 0)
    publisher.server.status = "503 Service Unavailable"
    assert await publisher.status(signer("new")) == 401
    assert (await publisher.status(old), await publisher.stale()) == (201, 1)


async def test_a_slow_address_delays_nobody_but_who_has_an_unknown_key(publisher: Publisher) -> None:
    """E2: while the answer is awaited, others sign in, write and read; they are done before it comes."""
    old = signer("old")
    publisher.publish(old)
    session = (await publisher.tertulia.exchange(old.token(claims()))).json()["token"]
    publisher.server.hangs = True
    waiting = [asyncio.create_task(publisher.status(signer("new"))) for _ in range(20)]
    await until(lambda: len(publisher.server.asked) == 2, "the question to the address")
    assert await publisher.status(old) == 201
    assert await publisher.status(old, iss="https://other.example") == 401
    assert (await publisher.tertulia.say(session)).status_code == 201
    assert (await publisher.tertulia.client.get(f"{API}/discussion?key=talk")).status_code == 200
    assert not any(task.done() for task in waiting)
    publisher.server.go_on.set()
    assert set(await asyncio.gather(*waiting)) == {401}
    assert len(publisher.server.asked) == 2, "one question for all who wait"


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        ("302 Found", {"Location": "/elsewhere"}, None),
        ("200 OK", {}, b" " * 1_048_576),
        ("200 OK", {}, b"<!doctype html>"),
        ("200 OK", {"Content-Encoding": "gzip"}, None),
    ],
    ids=["redirect", "1 MB", "a page", "packed"],
)
async def test_what_an_address_must_not_do_gives_no_key(
    publisher: Publisher, status: str, headers: dict[str, str], body: bytes | None
) -> None:
    """E2: a redirect and 1 MB are refused."""
    good = signer("1")
    publisher.publish(good)
    publisher.server.status, publisher.server.headers = status, headers
    publisher.server.body = publisher.server.body if body is None else body
    assert (await publisher.status(good), await publisher.stale()) == (401, 1)
    assert len(publisher.server.asked) == 1, "nothing is asked of where it leads"


async def test_an_address_over_http_is_never_asked(publisher: Publisher) -> None:
    """E2: http is refused by the command, and from a row that somebody wrote by hand."""
    address = publisher.server.url.replace("https:", "http:")
    arguments = ("issuer", "add", "default", "plain", "--iss", "https://plain.example", "--alg", "ES256")
    refused = await publisher.tertulia.command(*arguments, "--jwks-url", address)
    assert (refused.exit_code, "begins with https://" in refused.output) == (1, True)
    row = IssuerRow(
        "default", "plain", SITE_ISSUER, {"iss": "https://plain.example", "alg": "ES256", "jwks_url": address}, None
    )
    await publisher.tertulia.running.store.write(AddIssuer(row, utc_now()))
    assert await publisher.status(signer("1"), iss="https://plain.example") == 401
    assert publisher.server.asked == []
