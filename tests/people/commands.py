"""A server of the tests with a database that the operator's commands work on beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from click.testing import CliRunner, Result

from tertulia.app import Running, running
from tertulia.cli import main
from tertulia.identity import utc_now
from tertulia.identity.keys import Algorithm
from tertulia.outgoing import Outgoing
from tertulia.protocol import API
from tests.api.app import bearer, new_key
from tests.support.issuers import SigningServer
from tests.support.tables import rows
from tests.support.unlimited import unlimited
from tests.support.waiting import PATIENCE

ISS = "https://news.example"


@dataclass(slots=True)
class Instance:
    """One of the instances that share ``database``, and who asks it."""

    database: str
    running: Running
    client: httpx.AsyncClient

    async def command(self, *arguments: str) -> Result:
        """What the operator types, on the same database and with the same secret key."""
        environment = {
            "TERTULIA_DATABASE_URL": self.database,
            "TERTULIA_SECRET_KEY": str(unlimited(Path()).secret_key),
        }
        return await asyncio.to_thread(CliRunner().invoke, main, arguments, env=environment)

    async def add_issuer(self, signer: SigningServer, folder: Path, *more: str, name: str = "website") -> Result:
        """Adds the issuer of the default site that signs with this key, which is a file in ``folder``."""
        file = folder / f"{name}-keys"
        if signer.algorithm is Algorithm.HS256:
            file.write_bytes(signer.key)
        else:
            file.write_text(json.dumps({"keys": [signer.jwk()]}))
        option = "--secret-file" if signer.algorithm is Algorithm.HS256 else "--jwks-file"
        iss = () if "--iss" in more else ("--iss", ISS)
        return await self.command(
            "issuer", "add", "default", name, *iss, "--alg", signer.algorithm, option, str(file), *more
        )

    async def exchange(self, token: str, site: str = "default") -> httpx.Response:
        body = {"grant": "jwt", "site": site, "token": token}
        return await self.client.post(f"{API}/sessions", json=body)

    async def say(self, session: str, text: str = "Good evening.") -> httpx.Response:
        headers = bearer(session) | {"Idempotency-Key": new_key()}
        return await self.client.post(f"{API}/comments", json={"key": "talk", "body": text}, headers=headers)

    async def rows(self, table: Any) -> list[dict[str, Any]]:
        return await rows(self.running.store, table)

    async def metric(self, name: str) -> float:
        text = (await self.client.get("/metrics")).text
        return float(next(line for line in text.splitlines() if line.startswith(f"{name} ")).split()[1])


@asynccontextmanager
async def instance(database: str, folder: Path, outgoing: Outgoing | None = None) -> AsyncIterator[Instance]:
    async with running(unlimited(folder, database_url=database), outgoing=outgoing) as server:
        transport = httpx.ASGITransport(server.asgi)
        async with httpx.AsyncClient(transport=transport, base_url="http://news.test", timeout=PATIENCE) as client:
            yield Instance(database, server, client)


def claims(**more: object) -> dict[str, object]:
    """What a site's server says of a reader; None takes a claim out."""
    now = int(utc_now().timestamp())
    said: Mapping[str, object] = {"iss": ISS, "aud": "default", "sub": "4711", "iat": now, "exp": now + 300}
    return {key: value for key, value in {**said, "name": "Lan", **more}.items() if value is not None}
