"""Signing in by a token of the site's own server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tertulia.app import Running, running
from tertulia.identity import utc_now
from tertulia.identity.issuers import IssuerConfig, Issuers, StoredIssuer
from tertulia.identity.keys import Algorithm
from tertulia.identity.sealing import Sealing
from tertulia.people import SITE_JWT, by_site_token
from tertulia.protocol import API
from tertulia.store import administration, schema
from tests.api.app import bearer, new_key
from tests.support.issuers import SigningServer
from tests.support.tables import rows
from tests.support.unlimited import unlimited

SEALING = Sealing(b"the secret key of these tests, 32 bytes")
ISS = "https://news.example"


@dataclass
class News:
    """A site's server that signs with ES256, and Tertulia, which has its public key."""

    server: SigningServer = field(default_factory=lambda: SigningServer(Algorithm.ES256))
    running: Running = field(init=False)
    client: httpx.AsyncClient = field(init=False)

    @property
    def issuers(self) -> Issuers:
        config = IssuerConfig(iss=ISS, alg=Algorithm.ES256, jwks=json.dumps({"keys": [self.server.jwk()]}), trust=1)

        async def read() -> list[StoredIssuer]:
            return [StoredIssuer("default", "website", config)]

        async def fetch(url: str) -> bytes:
            raise AssertionError(f"nothing is asked of {url}")

        return Issuers(read, SEALING, fetch)

    async def sign_in(self, site: str = "default", **claims: object) -> httpx.Response:
        now = int(utc_now().timestamp())
        said = {"iss": ISS, "aud": "default", "sub": "4711", "iat": now, "exp": now + 300, "name": "Lan"} | claims
        body = {"grant": SITE_JWT, "site": site, "token": self.server.token(said)}
        return await self.client.post(f"{API}/sessions", json=body)

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        return await rows(self.running.store, table)


@pytest.fixture
async def news(database: str, tmp_path: Path) -> AsyncIterator[News]:
    found = News()
    settings = unlimited(tmp_path / "data", database_url=database)
    async with running(settings, more_sign_in_methods={SITE_JWT: by_site_token(found.issuers)}) as found.running:
        transport = httpx.ASGITransport(found.running.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as found.client:
            yield found


async def test_a_reader_of_the_site_writes_as_a_member(news: News) -> None:
    answer = await news.sign_in(name="Nguyễn Thị Lan", trust=1)
    assert answer.status_code == 201
    headers = bearer(answer.json()["token"]) | {"Idempotency-Key": new_key()}
    said = await news.client.post(f"{API}/comments", json={"key": "talk", "body": "Good evening."}, headers=headers)
    assert said.json()["comment"]["author"]["name"] == "Nguyễn Thị Lan"
    [session] = await news.rows(schema.session)
    assert timedelta(milliseconds=session["expires_at"] - session["at"]) == timedelta(hours=24)
    [author] = await news.rows(schema.author)
    assert (author["kind"], author["trust"]) == ("member", 1)
    await news.sign_in()
    [author] = await news.rows(schema.author)
    assert (author["name"], author["trust"]) == ("Lan", 1), "a token that says nothing of trust takes none away"


async def test_one_sentence_for_every_bad_token_and_no_row(news: News) -> None:
    await news.running.store.write(administration.AddSite("second", [], utc_now()))
    now = int(utc_now().timestamp())
    bad: list[dict[str, Any]] = [
        {"iss": "https://other.example"},
        {"aud": "second"},
        {"aud": ["default"]},
        {"exp": now - 1},
        {"exp": str(now + 300)},
        {"iat": now + 3600, "exp": now + 3900},
        {"sub": ""},
    ]
    answers = [await news.sign_in(**claims) for claims in bad]
    answers.append(await news.sign_in(site="second"))
    stranger = SigningServer(Algorithm.ES256)
    body = {"grant": SITE_JWT, "token": stranger.token({"iss": ISS, "aud": "default", "sub": "1"})}
    answers.append(await news.client.post(f"{API}/sessions", json=body))
    answers += [
        await news.client.post(f"{API}/sessions", json={"grant": SITE_JWT, **more})
        for more in ({}, {"token": ""}, {"token": "a.b.c"}, {"token": None})
    ]
    assert {(answer.status_code, answer.text) for answer in answers} == {(401, answers[0].text)}
    for table in (schema.author, schema.session, schema.identity, schema.spent_token):
        assert await news.rows(table) == []


async def test_a_token_with_an_id_is_good_once(news: News) -> None:
    assert (await news.sign_in(jti="a")).status_code == 201
    again = await news.sign_in(jti="a")
    assert (again.status_code, again.json()["code"]) == (410, "spent")
    assert (await news.sign_in(jti="b")).status_code == 201
    for _ in range(2):
        assert (await news.sign_in()).status_code == 201, "without an id until it ends"
