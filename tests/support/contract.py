"""Asks a running server for what its own description promises: requests and chains of them, by Schemathesis."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx

from tertulia.identity import new_moderator_token, utc_now
from tertulia.protocol import API
from tertulia.store import Store, administration

PROGRAM = Path(sys.executable).parent / "schemathesis"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
    "response_headers_conformance",
    "unsupported_method",
    "ignored_auth",
)
"""All but ``use_after_free`` (a comment that was deleted stays, as a tombstone), ``missing_required_header`` (who sends
no token and a wrong body is told of the body), and ``negative_data_rejection`` and ``positive_data_acceptance`` (a
schema cannot say what a text may hold)."""
SETTINGS = '[parameters]\n"query.site" = "default"\n'
"""Sites that are not there would be what most requests are about."""


async def moderator_token(database: str) -> str:
    """A new moderator's token."""
    token, hashed = new_moderator_token()
    store = await Store.open(database)
    store.start()
    await store.write(administration.AddModerator("Mai", hashed, utc_now()))
    await store.close()
    return token


def seed(url: str, keys: int = 3) -> None:
    """Comments in the discussion ``talk``, which requests can meet."""
    for number in range(keys):
        body = {"key": "talk", "body": "Hello.", "author": {"name": "Lan"}}
        headers = {"Idempotency-Key": f"contract-{number:032}"}
        httpx.post(f"{url}{API}/comments", json=body, headers=headers).raise_for_status()


def keeps_its_contract(url: str, folder: Path, *arguments: str, token: str | None = None) -> tuple[bool, str]:
    """Whether every answer is one that the description has, and what Schemathesis printed.

    ``arguments`` say how much is tried; with a ``token`` all is asked in its name. A folder of one's own, for what it
    leaves behind.
    """
    settings = folder / "schemathesis.toml"
    settings.write_text(SETTINGS)
    command = [
        *(str(PROGRAM), "--config-file", str(settings), "run", f"{url}{API}/openapi.json"),
        *("--checks", ",".join(CHECKS), "--phases", "examples,coverage,fuzzing,stateful"),
        *("--continue-on-failure", "--no-color", "--generation-database", "none", "--warnings", "off"),
        *("--suppress-health-check", "all", "--request-timeout", "20"),
        *(("--header", f"Authorization: Bearer {token}") if token else ()),
        *arguments,
    ]
    done = subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode == 0, done.stdout
