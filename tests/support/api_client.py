"""The API as people use it in tests: they post, read and moderate; what is refused fails the test.

``ApiClient`` waits for each answer, ``AsyncApiClient`` lets others go on meanwhile; both send the same requests. Tests
whose subject is the request itself (its bytes, its headers, how it is refused) write it by hand.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import httpx

from tertulia.protocol import API
from tests.support.waiting import PATIENCE

Json: TypeAlias = dict[str, Any]
"""An answer, or a part of one, as the protocol describes it."""
ONLY_NEW: Collection[int] = (201,)
"""What a post is answered that was neither sent twice (200) nor held for a moderator (202)."""
OK: Collection[int] = (200,)
ACCEPTED: Collection[int] = range(200, 300)


@dataclass(frozen=True)
class _Call:
    method: str
    path: str
    json: object = None
    params: Json | None = None
    """None leaves a query of the path as it is; an empty one takes it away."""
    headers: dict[str, str] = field(default_factory=dict)

    def arguments(self) -> dict[str, Any]:
        """Those of an httpx client's ``request``."""
        return {"url": API + self.path, **{name: value for name, value in vars(self).items() if name != "path"}}


class _Person:
    """Builds requests. Without a ``token`` each comment is a new guest's, whose name is ``name``."""

    def __init__(self, key: str, *, token: str | None = None, name: str = "Lan") -> None:
        self.key = key
        self.token = token
        self.name = name

    def _post(self, body: str, idempotency_key: str | None, fields: Json) -> _Call:
        content: Json = {"key": self.key, "body": body}
        if self.token is None:
            content["author"] = {"name": self.name}
        headers = self._headers() | {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}
        return _Call("POST", "/comments", {**content, **fields}, headers=headers)

    def _edit(self, comment_id: str, body: str) -> _Call:
        return _Call("PATCH", f"/comments/{comment_id}", {"body": body}, headers=self._headers())

    def _delete(self, comment_id: str) -> _Call:
        return _Call("DELETE", f"/comments/{comment_id}", headers=self._headers())

    def _vote(self, comment_id: str, value: int) -> _Call:
        return _Call("PUT", f"/comments/{comment_id}/vote", {"value": value}, headers=self._headers())

    def _snapshot(self, params: Json) -> _Call:
        return _Call("GET", "/discussion", params={"key": self.key, **params})

    def _events(self, params: Json) -> _Call:
        return _Call("GET", "/events", params={"key": self.key, **params})

    def _ask(self, method: str, path: str, content: object) -> _Call:
        return _Call(method, path, content, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {} if self.token is None else {"Authorization": f"Bearer {self.token}"}


class ApiClient(_Person):
    """Asks a server at an address over a new connection each time, or whatever the client given is for."""

    def __init__(self, server: str | httpx.Client, key: str, *, token: str | None = None, name: str = "Lan") -> None:
        super().__init__(key, token=token, name=name)
        self._server = server

    def post_comment(
        self,
        body: str = "Hello.",
        statuses: Collection[int] = ONLY_NEW,
        *,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Json:
        """The answer: the comment, its seq, and a new guest's token.

        ``fields`` are further ones of the request; whoever repeats a post says its ``idempotency_key``.
        """
        return self._send(self._post(body, idempotency_key, fields), statuses)

    def snapshot(self, **params: Any) -> Json:
        """The discussion as a stranger reads it."""
        return self._send(self._snapshot(params))

    def events(self, **params: Any) -> Json:
        """One page of the log."""
        return self._send(self._events(params))

    def ask(self, method: str, path: str, content: object = None) -> Json:
        """Anything else, below the API's path; accepted in whichever way."""
        return self._send(self._ask(method, path, content), ACCEPTED)

    def _send(self, call: _Call, statuses: Collection[int] = OK) -> Json:
        if isinstance(self._server, str):
            with httpx.Client(base_url=self._server, timeout=PATIENCE) as client:
                return _accepted(client.request(**call.arguments()), statuses)
        return _accepted(self._server.request(**call.arguments()), statuses)


class AsyncApiClient(_Person):
    """The same for tests with an event loop."""

    def __init__(
        self, server: str | httpx.AsyncClient, key: str, *, token: str | None = None, name: str = "Lan"
    ) -> None:
        super().__init__(key, token=token, name=name)
        self._server = server

    async def post_comment(
        self,
        body: str = "Hello.",
        statuses: Collection[int] = ONLY_NEW,
        *,
        idempotency_key: str | None = None,
        **fields: Any,
    ) -> Json:
        return await self._send(self._post(body, idempotency_key, fields), statuses)

    async def edit(self, comment_id: str, body: str) -> Json:
        return await self._send(self._edit(comment_id, body))

    async def delete(self, comment_id: str) -> Json:
        return await self._send(self._delete(comment_id))

    async def vote(self, comment_id: str, value: int) -> Json:
        return await self._send(self._vote(comment_id, value))

    async def snapshot(self, **params: Any) -> Json:
        return await self._send(self._snapshot(params))

    async def events(self, **params: Any) -> Json:
        return await self._send(self._events(params))

    async def ask(self, method: str, path: str, content: object = None) -> Json:
        return await self._send(self._ask(method, path, content), ACCEPTED)

    async def _send(self, call: _Call, statuses: Collection[int] = OK) -> Json:
        if isinstance(self._server, str):
            async with httpx.AsyncClient(base_url=self._server, timeout=PATIENCE) as client:
                return _accepted(await client.request(**call.arguments()), statuses)
        return _accepted(await self._server.request(**call.arguments()), statuses)


def _accepted(answer: httpx.Response, statuses: Collection[int]) -> Json:
    assert answer.status_code in statuses, f"{answer.request.method} {answer.request.url}: {answer.text}"
    given: Json = answer.json()
    return given
