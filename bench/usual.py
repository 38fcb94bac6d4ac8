"""What everybody does who uses nothing new: posts, first pages, sockets, by the seconds of a processor they take.

As a program, ``python -m bench.usual POSTS [search]``, prints them as JSON, each a second of a processor. It runs with
the server of whichever commit is first on PYTHONPATH, so it asks nothing of it but what any has had for long: the
application and its settings.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from tertulia.app import running
from tertulia.settings import Settings

AT_ONCE = 64
READS = 1_000
SOCKETS = 2_000
_POST = ("POST", "/api/v1/comments", b"")
_READ = ("GET", "/api/v1/discussion", b"key=bench")
_HEADERS = [(b"host", b"news.test")]


async def measured(posts: int, *, search: bool) -> dict[str, float]:
    """Of each a second of a processor; with ``search`` the index of the search is made meanwhile."""
    off = {f"{what}_limit_{whose}": "off" for what in ("post", "edit", "vote") for whose in ("guest", "address")}
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        settings = Settings(
            data_dir=Path(folder), log_level="warning", search=search, work="all" if search else "none", **off
        )
        async with running(settings) as server:
            asgi = server.asgi
            tokens = [json.loads(await _asked(asgi, *_POST, _said("A writer")))["token"] for _ in range(AT_ONCE)]
            writing = [iter(range(posts // AT_ONCE)) for _ in tokens]
            found = {
                "posts": await _rate(
                    posts // AT_ONCE * AT_ONCE,
                    [_posting(asgi, token, numbers) for token, numbers in zip(tokens, writing, strict=True)],
                )
            }
            if not search:
                found["reads"] = await _rate(READS, [_reading(asgi, READS)])
                found["sockets"] = await _rate(SOCKETS, [_opening(asgi, SOCKETS)])
            return found


def one_core() -> None:
    """Threads of two cores wait for one another, too."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


async def _rate(number: int, work: Iterable[Any]) -> float:
    began = time.process_time()
    await asyncio.gather(*work)
    return number / (time.process_time() - began)


async def _posting(asgi: Any, token: str, numbers: Iterable[int]) -> None:
    for _ in numbers:
        await _asked(asgi, *_POST, _said(None), token)


async def _reading(asgi: Any, number: int) -> None:
    for _ in range(number):
        await _asked(asgi, *_READ)


async def _opening(asgi: Any, number: int) -> None:
    for _ in range(number):
        await _opened(asgi)


def _said(name: str | None) -> bytes:
    author = {} if name is None else {"author": {"name": name}}
    return json.dumps({"key": "bench", "body": "The market by the river opens at five.", **author}).encode()


def _scope(kind: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": kind,
        "http_version": "1.1",
        "scheme": "http" if kind == "http" else "ws",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "headers": _HEADERS + headers,
        "client": ("127.0.0.1", 4711),
        "server": ("news.test", 80),
        "subprotocols": [],
    }


async def _asked(asgi: Any, method: str, path: str, query: bytes, body: bytes = b"", token: str = "") -> bytes:
    headers = [(b"content-type", b"application/json"), (b"idempotency-key", uuid.uuid4().hex.encode())] if body else []
    headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    await asgi(_scope("http", path, query, headers) | {"method": method}, receive, _noting(sent))
    if sent[0]["status"] not in (200, 201):
        raise RuntimeError(f"answered {sent[0]['status']}: {sent[1:]}")
    return b"".join(message.get("body", b"") for message in sent[1:])


async def _opened(asgi: Any) -> None:
    """A reader that gets the first message, and goes."""
    sent: list[dict[str, Any]] = []
    told = asyncio.Event()
    coming = iter([{"type": "websocket.connect"}])

    async def receive() -> dict[str, Any]:
        for message in coming:
            return message
        await told.wait()
        return {"type": "websocket.disconnect", "code": 1000}

    note = _noting(sent)

    async def send(message: dict[str, Any]) -> None:
        await note(message)
        if message["type"] == "websocket.send":
            told.set()

    await asgi(_scope("websocket", "/api/v1/live", b"key=bench", []), receive, send)
    if [message["type"] for message in sent[:2]] != ["websocket.accept", "websocket.send"]:
        raise RuntimeError(f"answered {sent}")


def _noting(sent: list[dict[str, Any]]) -> Callable[[dict[str, Any]], Any]:
    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    return send


if __name__ == "__main__":
    one_core()
    print(json.dumps(asyncio.run(measured(int(sys.argv[1]), search="search" in sys.argv[2:]))))
