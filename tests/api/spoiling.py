"""Requests that would be granted, and what spoils them: the code of the refusal is a part of each case."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import httpx

from tertulia.errors import ErrorCode
from tertulia.protocol import API
from tests.api.app import App

JSON = ("Content-Type", "application/json")


@dataclass(frozen=True)
class Case:
    """A request and the code it is refused with; ``comment``, ``cursor`` and ``token`` name things of the app."""

    name: str
    method: str
    path: str
    code: ErrorCode
    content: bytes | None = None
    body: dict[str, Any] | None = None
    params: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str | bytes], ...] = ()
    comment: str = "lans"
    issuer: str = "website"
    subject: str = "4711"
    parent: str | None = None
    cursor: str | None = None
    token: str | None = None

    @property
    def operation(self) -> str:
        return f"{self.method} {self.path}"

    async def send(self, app: App) -> httpx.Response:
        path = API + self.path.replace("{id}", app.ids.get(self.comment, self.comment))
        path = path.replace("{ban}", app.ids.get(self.comment, self.comment))
        path = path.replace("{issuer}", self.issuer).replace("{subject:path}", self.subject)
        headers: list[tuple[str, str | bytes]] = list(self.headers)
        params = list(self.params)
        if self.token is not None:
            headers.append(("Authorization", f"Bearer {app.tokens[self.token]}"))
        if self.cursor is not None:
            params.append(("cursor", app.cursors[self.cursor]))
        if self.path == "/comments" and self.parent is not None and self.method == "GET":
            params.append(("parent", app.ids[self.parent]))
        content = self.content
        if self.body is not None:
            filled = dict(self.body)
            if self.parent is not None:
                filled["parent_id"] = app.ids.get(self.parent, self.parent)
            content = json.dumps(filled).encode()
        if not any(name.lower() == "content-type" for name, _ in headers) and content is not None:
            headers.append(JSON)
        raw = [(name.encode(), value if isinstance(value, bytes) else value.encode()) for name, value in headers]
        return await app.client.request(self.method, path, params=tuple(params) or None, content=content, headers=raw)


@dataclass(frozen=True)
class Good:
    """A request that would be granted: what a case spoils."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    params: tuple[tuple[str, str], ...] = ()
    token: str | None = None
    comment: str = "lans"
    once: bool = False

    def spoilt(self, name: str, code: ErrorCode, **changes: Any) -> Case:
        case = Case(
            f"{self.method} {self.path}: {name}",
            self.method,
            self.path,
            code,
            body=self.body,
            params=self.params,
            headers=(("Idempotency-Key", "k" * 32),) if self.once else (),
            comment=self.comment,
            token=self.token,
        )
        more = changes.pop("more_headers", ())
        if changes.get("content") is not None:
            changes["body"] = None
        case = replace(case, **changes)
        return replace(case, headers=(*case.headers, *more))
