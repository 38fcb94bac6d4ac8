"""Somebody who posts over HTTP. As a program, ``python -m bench.poster PORT RATE COUNT``: posts at a steady rate and
prints when it began, on the clock that all processes share, so that number n was due n / RATE seconds later; in the end
the seconds from when each was due to its answer.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
import uuid


class Poster:
    """One guest; ``address`` is where it connects from. Raises OSError or http.client.HTTPException."""

    def __init__(self, port: int, address: str = "127.0.0.1", key: str = "bench") -> None:
        self._key = key
        self._token: str | None = None
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(address, 0))
        self._connection.connect()

    def close(self) -> None:
        self._connection.close()

    def post(self, text: str) -> int:
        """The comment's seq, once it is durable."""
        said: dict[str, object] = {"key": self._key, "body": text}
        headers = {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"}
        if self._token is None:
            said["author"] = {"name": "A writer"}
        else:
            headers["Authorization"] = f"Bearer {self._token}"
        posted = json.loads(self._asked("POST", "/api/v1/comments", json.dumps(said), headers))
        self._token = posted.get("token", self._token)
        seq: int = posted["seq"]
        return seq

    def get(self, path: str) -> bytes:
        return self._asked("GET", path)

    def _asked(self, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> bytes:
        try:
            self._connection.request(method, path, body, headers or {})
            answer = self._connection.getresponse()
        except ConnectionError:  # the server ends connections that are idle; a post said twice is stored once
            self._connection.close()
            self._connection.request(method, path, body, headers or {})
            answer = self._connection.getresponse()
        found = answer.read()
        if answer.status not in (200, 201):
            raise http.client.HTTPException(f"{answer.status}: {found[:200]!r}")
        return found


def main(port: int, rate: int, count: int) -> None:
    poster = Poster(port)
    poster.post("The first, so that the discussion and its author are there.")
    began = time.monotonic() + 0.5
    print(began, flush=True)
    waits = []
    for number in range(count):
        due = began + number / rate
        time.sleep(max(0.0, due - time.monotonic()))
        poster.post(f"Comment number {number}: the market by the river opens at five, bring an umbrella.")
        waits.append(round(time.monotonic() - due, 5))
    print(json.dumps(waits), flush=True)


if __name__ == "__main__":
    main(*(int(given) for given in sys.argv[1:]))
