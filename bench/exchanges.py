"""How many tokens of a site are exchanged for sessions, beside the least that anybody's server would do for one.

    python -m bench.exchanges [tokens]

Both in one process, on one core, by the seconds of a processor that they take, so that other work on the machine
changes little. The yardstick reads the token with PyJWT and commits one row to SQLite, as durably as the server does.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from tertulia.app import running
from tertulia.identity import utc_now
from tertulia.identity.issuers import IssuerConfig
from tertulia.identity.keys import Algorithm
from tertulia.identity.sealing import Sealing
from tertulia.people import SITE_ISSUER
from tertulia.settings import Settings, secret_key
from tertulia.store.issuers import AddIssuer, IssuerRow

ISS = "https://news.example"
AT_ONCE = 64
LEAST = 1_000


@dataclass(frozen=True, slots=True)
class Signer:
    """A site's server: with which key it signs, and which reads that; ``jwks`` is published, a secret is shared."""

    algorithm: Algorithm
    private: Any
    public: Any
    jwks: str | None = None

    @classmethod
    def of(cls, algorithm: Algorithm) -> Signer:
        if algorithm is Algorithm.HS256:
            secret = secrets.token_hex(32).encode("ascii")
            return cls(algorithm, secret, secret)
        made = ec.generate_private_key(ec.SECP256R1())
        key = jwt.algorithms.ECAlgorithm.to_jwk(made.public_key(), as_dict=True)
        return cls(algorithm, made, made.public_key(), json.dumps({"keys": [key]}))

    def tokens(self, number: int) -> list[str]:
        """Of as many readers, none of whom was here before."""
        now = int(time.time())
        claims = {"iss": ISS, "aud": "default", "iat": now, "exp": now + 3_600, "name": "Nguyễn Thị Lan"}
        of_each = (claims | {"sub": str(reader)} for reader in range(number))
        return [jwt.encode(one, self.private, algorithm=self.algorithm) for one in of_each]


def rates(algorithm: Algorithm, number: int) -> tuple[float, float]:
    """Tokens a second of a processor: of the server, and of the yardstick."""
    signer = Signer.of(algorithm)
    given = signer.tokens(number)
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder, _one_core():
        ours = asyncio.run(_exchanged(signer, given, Path(folder) / "data"))
        return ours, _yardstick(signer, given, Path(folder))


@contextmanager
def _one_core() -> Iterator[None]:
    """Threads of two cores wait for one another, too."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _yardstick(signer: Signer, given: Sequence[str], folder: Path) -> float:
    database = sqlite3.connect(folder / "yardstick.db")
    database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE session (token, reader)")
    began = time.process_time()
    for token in given:
        claims = jwt.decode(token, signer.public, algorithms=[signer.algorithm], audience="default", issuer=ISS)
        database.execute("INSERT INTO session VALUES (?, ?)", (secrets.token_urlsafe(32), claims["sub"]))
        database.commit()
    return len(given) / (time.process_time() - began)


async def _exchanged(signer: Signer, given: Sequence[str], folder: Path) -> float:
    """Each token is a POST /sessions to the application."""
    off = {f"{what}_limit_{whose}": "off" for what in ("post", "edit", "vote") for whose in ("guest", "address")}
    settings = Settings(data_dir=folder, log_level="warning", **off)
    async with running(settings) as server:
        config = IssuerConfig(iss=ISS, alg=signer.algorithm, jwks=signer.jwks)
        sealed = Sealing(secret_key(settings)).seal(signer.private) if signer.jwks is None else None
        row = IssuerRow("default", "bench", SITE_ISSUER, config.model_dump(mode="json", exclude_defaults=True), sealed)
        await server.store.write(AddIssuer(row, utc_now()))
        waiting = iter(given)

        async def work() -> None:
            for token in waiting:
                await _post(server.asgi, json.dumps({"grant": "jwt", "token": token}).encode())

        began = time.process_time()
        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
        return len(given) / (time.process_time() - began)


async def _post(application: Any, body: bytes) -> None:
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": "/api/v1/sessions",
        "raw_path": b"/api/v1/sessions",
        "query_string": b"",
        "headers": [(b"host", b"news.test"), (b"content-type", b"application/json")],
        "client": ("127.0.0.1", 4711),
        "server": ("news.test", 80),
    }
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    if sent[0]["status"] != 201:
        raise RuntimeError(f"answered {sent[0]['status']}: {sent[1:]}")


def main() -> None:
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    slow = []
    for algorithm in (Algorithm.HS256, Algorithm.ES256):
        ours, least = rates(algorithm, number)
        print(f"{algorithm}: {ours:,.0f}/s of a processor, yardstick {least:,.0f}/s: ratio {ours / least:.2f}")
        slow += [algorithm] if ours < LEAST else []
    if slow:
        raise SystemExit(f"fewer than {LEAST:,}: {', '.join(slow)}")


if __name__ == "__main__":
    main()
