"""The issuers of sites: known within seconds, each for its own site, and one that is broken stops no other."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import pytest
from pydantic import ValidationError

from tertulia.identity import utc_now
from tertulia.identity.compact import TokenError
from tertulia.identity.issuers import FRESH_SECONDS, IssuerConfig, Issuers, StoredIssuer
from tertulia.identity.keys import Algorithm
from tertulia.identity.sealing import Sealing
from tests.support.issuers import SigningServer

SEALING = Sealing(b"the secret key of these tests, 32 bytes")


@dataclass
class Sites:
    """The rows, as a database would give them; what is at addresses; a clock that the test moves."""

    rows: list[StoredIssuer] = field(default_factory=list)
    published: dict[str, bytes] = field(default_factory=dict)
    now: float = 0.0
    reads: int = 0
    fetched: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.issuers = Issuers(self.read, SEALING, self.fetch, lambda: self.now)

    async def read(self) -> list[StoredIssuer]:
        self.reads += 1
        await asyncio.sleep(0)
        return list(self.rows)

    async def fetch(self, url: str) -> bytes:
        self.fetched.append(url)
        return self.published[url]

    def add(self, server: SigningServer, site: str = "news", iss: str = "https://news.example", url: str = "") -> None:
        if server.algorithm is Algorithm.HS256:
            config = IssuerConfig(iss=iss, alg=server.algorithm)
            self.rows.append(StoredIssuer(site, f"{len(self.rows)}", config, SEALING.seal(server.key)))
            return
        jwks = json.dumps({"keys": [server.jwk()]})
        config = IssuerConfig(iss=iss, alg=server.algorithm, jwks=None if url else jwks, jwks_url=url or None)
        if url:
            self.published[url] = jwks.encode()
        self.rows.append(StoredIssuer(site, f"{len(self.rows)}", config))

    async def subject(self, token: str, site: str = "news") -> str | None:
        try:
            return (await self.issuers.verified(site, token, utc_now())).subject
        except TokenError:
            return None


def token(server: SigningServer, site: str = "news", iss: str = "https://news.example", **more: object) -> str:
    now = int(utc_now().timestamp())
    return server.token({"iss": iss, "aud": site, "sub": "4711", "iat": now, "exp": now + 300, "name": "Lan"} | more)


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_tokens_of_every_algorithm_are_taken(algorithm: Algorithm) -> None:
    sites = Sites()
    server = SigningServer(algorithm)
    assert await sites.subject(token(server)) is None
    sites.add(server)
    sites.now += FRESH_SECONDS + 1
    assert await sites.subject(token(server)) == "4711"


async def test_an_issuer_speaks_for_its_own_site_under_its_own_name() -> None:
    sites, ours, theirs = Sites(), SigningServer(Algorithm.HS256), SigningServer(Algorithm.HS256)
    sites.add(ours)
    sites.add(theirs, "other", "https://other.example")
    assert await sites.subject(token(ours)) == "4711"
    assert await sites.subject(token(theirs, "other", "https://other.example"), "other") == "4711"
    assert await sites.subject(token(ours), "other") is None
    assert await sites.subject(token(ours, "other"), "other") is None
    assert await sites.subject(token(theirs)) is None
    assert await sites.subject(token(ours, iss="https://other.example")) is None


async def test_a_secret_changes_without_an_hour_in_which_none_is_good() -> None:
    sites, old, new = Sites(), SigningServer(Algorithm.HS256), SigningServer(Algorithm.HS256)
    sites.add(old)
    sites.add(new)
    assert [await sites.subject(token(one)) for one in (old, new)] == ["4711", "4711"]
    del sites.rows[0]
    sites.now += FRESH_SECONDS + 1
    assert [await sites.subject(token(one)) for one in (old, new)] == [None, "4711"]


async def test_rows_are_read_every_few_seconds_and_once_for_all_who_wait() -> None:
    sites, server = Sites(), SigningServer(Algorithm.HS256)
    sites.add(server)
    assert set(await asyncio.gather(*(sites.subject(token(server)) for _ in range(50)))) == {"4711"}
    assert sites.reads == 1
    sites.now += FRESH_SECONDS
    await sites.subject(token(server))
    assert sites.reads == 1
    sites.now += 0.1
    await sites.subject(token(server))
    assert sites.reads == 2


async def test_keys_of_an_address_outlive_the_look_at_the_rows() -> None:
    sites, server = Sites(), SigningServer(Algorithm.ES256, "1")
    sites.add(server, url="https://news.example/keys")
    for _ in range(5):
        assert await sites.subject(token(server)) == "4711"
        sites.now += FRESH_SECONDS + 1
    assert sites.fetched == ["https://news.example/keys"]
    assert sites.issuers.stale == 0
    await sites.issuers.close()


async def test_one_that_cannot_be_used_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    sites, server = Sites(), SigningServer(Algorithm.HS256)
    config = IssuerConfig(iss="https://news.example", alg=Algorithm.HS256)
    sealed = Sealing(b"another secret key of these tests, 32").seal(server.key)
    sites.rows = [StoredIssuer("news", "old", config, sealed), StoredIssuer("news", "none", config, None)]
    sites.rows += [StoredIssuer("news", "short", config, SEALING.seal(b"short"))]
    sites.add(server)
    assert await sites.subject(token(server)) == "4711"
    assert [record.levelname for record in caplog.records] == ["ERROR"] * 3


async def test_the_operator_is_told_why() -> None:
    sites, server = Sites(), SigningServer(Algorithm.HS256)
    sites.add(server)
    for made, reason in (
        (token(server, iss="https://other.example"), "no issuer of this site"),
        (token(SigningServer(Algorithm.HS256)), "signature"),
        (token(server, exp=1), "exp"),
        ("x", "3"),
    ):
        with pytest.raises(TokenError, match=reason):
            await sites.issuers.verified("news", made, utc_now())


@pytest.mark.parametrize(
    "row",
    [
        {"alg": "HS256", "jwks": "{}"},
        {"alg": "HS256", "jwks_url": "https://news.example/keys"},
        {"alg": "RS256"},
        {"alg": "RS256", "jwks": "{}", "jwks_url": "https://news.example/keys"},
        {"alg": "RS256", "jwks_url": "http://news.example/keys"},
        {"alg": "none"},
        {"alg": "HS256", "life": 86_401},
        {"alg": "HS256", "roles": ["moderator"]},
        {"alg": "HS256", "trust": 3},
        {"alg": "HS256", "iss": ""},
        {"alg": "HS256", "iss": "mailto:"},
        {"alg": "HS256", "aud": "news"},
    ],
)
def test_a_row_says_one_thing(row: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        IssuerConfig.model_validate({"iss": "https://news.example"} | row)
