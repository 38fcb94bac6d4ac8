"""Five minutes of requests that Schemathesis makes from the API's own description, against a server on either database.

    python scripts/fuzz.py [SECONDS]

Ends with an error where an answer is 5xx, a server does not end well, its log has a trace, or its database is not sound.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
from pathlib import Path

import httpx

sys.path.insert(0, str(Path(__file__).parent.parent))

from tertulia.checks import check
from tertulia.identity import new_moderator_token, utc_now
from tertulia.protocol import API
from tertulia.store import Store, administration
from tests.support.postgres import running_postgres
from tests.support.server import ServerProcess

SECONDS = 300
PROGRAM = Path(sys.executable).parent / "schemathesis"


async def add_moderator(database: str) -> str:
    """A new moderator's token."""
    token, hashed = new_moderator_token()
    store = await Store.open(database)
    store.start()
    await store.write(administration.AddModerator("Mai", hashed, utc_now()))
    await store.close()
    return token


async def findings(database: str) -> list[object]:
    store = await Store.open(database)
    found: list[object] = list(await check(store))
    await store.close()
    return found


def fuzz(database: str, folder: Path, seconds: int) -> bool:
    """Whether a server on this database did well, asked as a moderator and then as nobody."""
    token = asyncio.run(add_moderator(database))
    server = ServerProcess(folder, ("--database-url", database))
    well = True
    try:
        body = {"key": "talk", "body": "Hello.", "author": {"name": "Lan"}}
        for number in range(3):
            headers = {"Idempotency-Key": f"fuzz-{number:032}"}
            httpx.post(f"{server.url}{API}/comments", json=body, headers=headers).raise_for_status()
        for who in (["--header", f"Authorization: Bearer {token}"], []):
            command = [
                *(str(PROGRAM), "run", f"{server.url}{API}/openapi.json", "--checks", "not_a_server_error"),
                *("--phases", "examples,coverage,fuzzing,stateful", "--max-time", str(seconds // 2)),
                *("--max-examples", "1000000", "--continue-on-failure", "--no-color", "--generation-database", "none"),
                *("--suppress-health-check", "all", "--warnings", "off", "--request-timeout", "20", *who),
            ]
            well &= subprocess.run(command, cwd=folder).returncode == 0
    finally:
        well &= server.end() == 0
    if "Traceback" in server.output:
        print(server.output)
        well = False
    for finding in asyncio.run(findings(database)):
        print(finding)
        well = False
    return well


def main(seconds: int) -> int:
    with tempfile.TemporaryDirectory() as folder, running_postgres() as postgres:
        name = asyncio.run(postgres.create())
        well = True
        for kind, database in (
            ("sqlite", f"sqlite+aiosqlite:///{folder}/tertulia.db"),
            ("postgresql", postgres.address(name)),
        ):
            print(f"---- {kind}", flush=True)
            home = Path(folder) / kind
            home.mkdir()
            well &= fuzz(database, home, seconds // 2)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else SECONDS))
