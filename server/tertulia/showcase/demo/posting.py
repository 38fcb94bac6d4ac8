"""A request to a server of the cluster, made again until there is an answer: instances die meanwhile."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Callable
from typing import Any

from tertulia.errors import StartupError
from tertulia.protocol import API
from tertulia.showcase.demo.services import LOCALHOST

ATTEMPT_SECONDS = 8.0
MAX_PAUSE = 0.5
Json = dict[str, Any]


class Refused(StartupError):
    """The answer was a refusal: another attempt would have the same."""


async def post(
    port: int,
    path: str,
    content: Json,
    token: str = "",
    on_retry: Callable[[], None] = lambda: None,
    address: str | None = None,
) -> Json:
    """What the answer says, with one idempotency key for all attempts; as if from ``address``. Raises Refused."""
    headers = {"Idempotency-Key": str(uuid.uuid4()), "Content-Type": "application/json"}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    headers |= {"X-Forwarded-For": address} if address else {}
    pause = 0.05
    while True:
        try:
            return await _attempt(port, f"{API}{path}", headers, content)
        except (OSError, ValueError):  # no answer, or one that was truncated
            on_retry()
        await asyncio.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - no secret
        pause = min(pause * 2, MAX_PAUSE)


async def _attempt(port: int, path: str, headers: dict[str, str], content: Json) -> Json:
    """The answer to one attempt. Raises OSError or ValueError if another may succeed, else Refused."""
    body = json.dumps(content).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {LOCALHOST}:{port}", "Connection: close", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    async with asyncio.timeout(ATTEMPT_SECONDS):
        reader, writer = await asyncio.open_connection(LOCALHOST, port)
        try:
            writer.write("\r\n".join([*lines, "", ""]).encode() + body)
            answer = await reader.read(-1)
        finally:
            writer.transport.abort()
    head, _, answered = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ", 2)[1]) if head.startswith(b"HTTP/1.1 ") else 0
    if 400 <= status < 500:
        raise Refused(f"A request was refused with {status}: {answered.decode(errors='replace')}")
    if status not in (200, 201, 202):
        raise OSError(f"answered {status}")
    said: Json = json.loads(answered)
    return said
