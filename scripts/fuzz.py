"""Five minutes of requests that Schemathesis makes from the API's own description, against a server on either database.

    python scripts/fuzz.py [SECONDS]

Ends with an error where an answer is not as described, a server does not end well, its log has a trace, or its
database is not sound.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from tertulia.checks import check
from tertulia.store import Store
from tests.support.contract import keeps_its_contract, moderator_token, seed
from tests.support.postgres import running_postgres
from tests.support.server import ServerProcess

SECONDS = 300


async def findings(database: str) -> list[object]:
    store = await Store.open(database)
    found: list[object] = list(await check(store))
    await store.close()
    return found


def fuzz(database: str, folder: Path, seconds: int) -> bool:
    """Whether a server on this database did well, asked as a moderator and then as nobody."""
    token = asyncio.run(moderator_token(database))
    server = ServerProcess(folder, ("--database-url", database, "--search"))
    well = True
    try:
        seed(server.url)
        for who in (token, None):
            limits = ("--max-time", str(seconds // 2), "--max-examples", "1000000")
            keeps, printed = keeps_its_contract(server.url, folder, *limits, token=who)
            print(printed, flush=True)
            well &= keeps
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
