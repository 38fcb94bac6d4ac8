"""The stream of a desk: what waits comes at once, who comes back misses nothing, and nobody stays who may not."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.sync.client import ClientConnection

from tests.push.desk import closing_code, desk_stream, moderator_token, run
from tests.support.server import ServerProcess
from tests.support.waiting import PATIENCE

API = "/api/v1"


@pytest.fixture(scope="module")
def token(live: ServerProcess) -> str:
    return moderator_token(live, "Sáu")


@pytest.fixture(scope="module")
def client(live: ServerProcess, token: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=live.url, timeout=PATIENCE, headers=headers) as asking:
        yield asking


def _hold(client: httpx.Client, key: str) -> None:
    answer = client.patch(f"{API}/discussion", params={"key": key}, json={"mode": "held"})
    assert answer.status_code == 200, answer.text


def _say(server: ServerProcess, key: str, text: str) -> str:
    said = {"key": key, "body": text, "author": {"name": "Lan"}}
    headers = {"Idempotency-Key": f"{key}-{text}-".replace(" ", "-").ljust(24, "x")}
    answer = httpx.post(f"{server.url}{API}/comments", json=said, headers=headers, timeout=PATIENCE)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["comment"]["id"])


def _items(socket: ClientConnection, many: int) -> list[dict[str, Any]]:
    """The next items that come, with their seqs."""
    found: list[dict[str, Any]] = []
    while len(found) < many:
        message = json.loads(socket.recv(PATIENCE))
        assert message["type"] != "reset"
        if message["type"] == "events":
            found += [{"seq": event["seq"], **event["item"]} for event in message["events"]]
    return found


def test_what_waits_and_what_is_decided_comes_at_once(live: ServerProcess, client: httpx.Client, token: str) -> None:
    _hold(client, "at-once")
    with desk_stream(live, {"Authorization": f"Bearer {token}"}) as desk:
        assert json.loads(desk.recv(PATIENCE))["type"] == "hello"
        said = _say(live, "at-once", "May I")
        [waiting] = _items(desk, 1)
        assert (waiting["comment_id"], waiting["queue"], waiting["version"]) == (said, "waiting", 1)
        decision = {"comment_id": said, "version": 1, "do": "approve"}
        answer = client.post(f"{API}/staff/decisions", json={"decisions": [decision]})
        assert answer.json()["results"][0]["problem"] is None
        [decided] = _items(desk, 1)
        assert (decided["queue"], decided["decision"], decided["by"]) == (None, "approved", "Sáu")


def test_a_desk_that_comes_back_gets_all_it_missed_once(live: ServerProcess, client: httpx.Client, token: str) -> None:
    _hold(client, "missed")
    counts = client.get(f"{API}/staff/queues").json()
    said = [_say(live, "missed", f"No. {number}") for number in range(5)]
    with desk_stream(live, {"Authorization": f"Bearer {token}"}, epoch=counts["epoch"], after=counts["seq"]) as desk:
        items = _items(desk, 5)
    assert [one["comment_id"] for one in items] == said
    assert [one["seq"] for one in items] == list(range(counts["seq"] + 1, counts["seq"] + 6))
    with desk_stream(live, {"Authorization": f"Bearer {token}"}, epoch=counts["epoch"], after=items[2]["seq"]) as desk:
        assert [one["comment_id"] for one in _items(desk, 2)] == said[3:]


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer tm_nobodys"}])
def test_nobody_else_is_told(live: ServerProcess, headers: dict[str, str]) -> None:
    with desk_stream(live, headers) as desk:
        assert closing_code(desk) == 4401


def test_no_reader_names_adesk_stream(live: ServerProcess) -> None:
    for key in ("\x1fdesk", "desk", "%1Fdesk"):
        answer = httpx.get(f"{live.url}{API}/events", params={"key": key}, timeout=PATIENCE)
        assert "desk.item" not in answer.text


def _signed_in(server: ServerProcess) -> tuple[str, str]:
    """The link that was used, and the cookie that it gave."""
    made = run(server, "staff", "invite", "Hoa", "--role", "moderator")
    found = re.search(r"link=(tl_[\w-]+)", made)
    assert found is not None, made
    own = {"Sec-Fetch-Site": "same-origin"}
    answer = httpx.post(f"{server.url}/staff/sign-in", data={"link": found[1]}, headers=own, timeout=PATIENCE)
    assert answer.status_code == 303, answer.text
    return found[1], answer.headers["set-cookie"].partition(";")[0]


def test_who_signs_out_is_gone(live: ServerProcess) -> None:
    _, cookie = _signed_in(live)
    headers = {"Cookie": cookie, "Origin": live.url}
    with desk_stream(live, headers) as desk:
        assert json.loads(desk.recv(PATIENCE))["type"] == "hello"
        own = {"Cookie": cookie, "Sec-Fetch-Site": "same-origin"}
        assert httpx.post(f"{live.url}/staff/sign-out", headers=own, timeout=PATIENCE).status_code == 303
        assert closing_code(desk) == 4401


def test_no_page_of_another_site_opens_it_under_the_cookie(live: ServerProcess) -> None:
    _, cookie = _signed_in(live)
    for origin in ("https://evil.example", "null"):
        with desk_stream(live, {"Cookie": cookie, "Origin": origin}) as desk:
            assert closing_code(desk) == 4403


def test_a_role_that_is_taken_ends_it(live: ServerProcess, tmp_path: Path) -> None:
    _, cookie = _signed_in(live)
    with desk_stream(live, {"Cookie": cookie, "Origin": live.url}) as desk:
        assert json.loads(desk.recv(PATIENCE))["type"] == "hello"
        run(live, "staff", "remove", "Hoa", "--role", "moderator")
        assert closing_code(desk) == 4401
