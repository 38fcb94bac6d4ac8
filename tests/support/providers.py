"""A sign-in provider of a test's own, which signs as it should, and does whatever a hostile one could do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from html import escape
from time import time
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tertulia.identity.keys import Algorithm
from tests.support.issuers import SigningServer
from tests.support.listener import Listener, read_request

CLIENT = "tertulia at news.example"
SECRET = "a:secret/of+ours%"


class HostileProvider(Listener):
    """Gives ``code`` for everybody, and answers as it is told: members of ``claims`` that are None are left out.

    ``answers`` are those of other statuses or bodies, by path; a path in ``hangs`` answers once ``go_on`` is set.
    """

    def __init__(self, algorithm: Algorithm = Algorithm.RS256, name: str = "127.0.0.1") -> None:
        super().__init__()
        self._name = name
        self.server = SigningServer(algorithm, key_id="first")
        self.published = [self.server.jwk()]
        self.metadata: dict[str, Any] = {}
        self.claims: dict[str, Any] = {}
        self.given: dict[str, Any] = {}
        self.person: dict[str, Any] = {"sub": "4711", "name": "Lan of userinfo"}
        self.answers: dict[str, tuple[int, bytes]] = {}
        self.headers: dict[str, str] = {}
        self.hangs: set[str] = set()
        self.go_on = asyncio.Event()
        self.asked: list[tuple[str, str, dict[str, str], dict[str, str]]] = []
        self.nonce = ""
        self.challenge = ""

    @property
    def host(self) -> str:
        return f"{self._name}:{self.port}"

    @property
    def issuer(self) -> str:
        return f"http://{self.host}"

    def went(self, address: str) -> dict[str, str]:
        """What a browser comes with, whom we sent to this address."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.nonce, self.challenge = query.get("nonce", ""), query["code_challenge"]
        return query

    def id_token(self) -> str:
        now = int(time())
        claims: dict[str, Any] = {"iss": self.issuer, "aud": "us", "sub": "4711", "iat": now, "exp": now + 300}
        claims |= {"nonce": self.nonce, "name": "Lan"} | self.claims
        return self.server.token({name: value for name, value in claims.items() if value is not None})

    def paths(self) -> list[str]:
        return [path for _, path, _, _ in self.asked]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                method, target, headers, body = await read_request(reader)
                fields = {name: values[0] for name, values in parse_qs(body.decode()).items()}
                path = urlsplit(target).path
                self.asked.append((method, path, headers, fields))
                if path in self.hangs:
                    await self.go_on.wait()
                if path == "/authorize":
                    self.answers[path] = (200, self._page(target))
                status, answer = self.answers.get(path) or (200, json.dumps(self._answer(path)).encode())
                more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
                writer.write(f"HTTP/1.1 {status} X\r\nContent-Length: {len(answer)}\r\n{more}\r\n".encode() + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _page(self, target: str) -> bytes:
        """What a browser is shown: a way on, with a code."""
        told = self.went(target)
        back = f"{told['redirect_uri']}?{urlencode({'code': 'a-code', 'state': told['state']})}"
        return f'<!doctype html><title>The House</title><a id="yes" href="{escape(back)}">Yes, it is me</a>'.encode()

    def _answer(self, path: str) -> Mapping[str, Any]:
        match path:
            case "/.well-known/openid-configuration":
                return {
                    "issuer": self.issuer,
                    "authorization_endpoint": f"{self.issuer}/authorize?tenant=1",
                    "token_endpoint": f"{self.issuer}/token",
                    "jwks_uri": f"{self.issuer}/keys",
                    "userinfo_endpoint": f"{self.issuer}/person",
                } | self.metadata
            case "/favicon.ico":
                return {}
            case "/keys":
                return {"keys": self.published}
            case "/token":
                given = {"access_token": "an-access-token", "token_type": "Bearer", "id_token": self.id_token()}
                return {name: value for name, value in (given | self.given).items() if value is not None}
            case "/person":
                return self.person
        raise AssertionError(f"nobody asks for {path}")
