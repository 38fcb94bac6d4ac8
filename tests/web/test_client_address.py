"""Which address a request comes from."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from tertulia.web.client_address import MAX_HOPS, ClientAddress

PROXIES = ("10.0.0.0/8", "2001:db8:1::/48")


def _request(peer: str | None, *headers: tuple[str, str]) -> HTTPConnection:
    return HTTPConnection(
        {
            "type": "http",
            "client": None if peer is None else (peer, 1234),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers],
        }
    )


FORWARDED: list[tuple[str | None, list[str], str | None]] = [
    ("192.0.2.1", [], "192.0.2.1"),
    ("192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
    ("10.0.0.1", [], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
    ("10.0.0.1", ["198.51.100.7, 203.0.113.9"], "203.0.113.9"),
    ("10.0.0.1", ["198.51.100.7", "203.0.113.9"], "203.0.113.9"),
    ("10.0.0.1", ["198.51.100.7, 203.0.113.9, 10.9.9.9"], "203.0.113.9"),
    ("10.0.0.1", ["203.0.113.9,10.1.1.1,10.2.2.2"], "203.0.113.9"),
    ("10.0.0.1", ["10.1.1.1, 10.2.2.2"], "10.1.1.1"),
    ("10.0.0.1", ["203.0.113.9, garbage"], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.9, garbage, 10.2.2.2"], "10.2.2.2"),
    ("10.0.0.1", ["203.0.113.9, "], "10.0.0.1"),
    ("10.0.0.1", ["garbage"], "10.0.0.1"),
    ("10.0.0.1", ["unknown"], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.9:4711"], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.0/24"], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.009"], "10.0.0.1"),
    ("10.0.0.1", ["3405803785"], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.9\t"], "203.0.113.9"),
    ("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
    ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
    ("::ffff:192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
    ("10.0.0.1", ["::ffff:10.2.2.2"], "10.2.2.2"),
    ("10.0.0.1", ["2001:DB8:0:0::7"], "2001:db8::7"),
    ("10.0.0.1", ["[2001:db8::7]"], "10.0.0.1"),
    ("2001:db8:1::2", ["203.0.113.9, 2001:db8:1:2:3::4"], "203.0.113.9"),
    ("2001:db8:2::2", ["203.0.113.9"], "2001:db8:2::2"),
    ("fe80::1%eth0", ["203.0.113.9"], "fe80::1%eth0"),
    (None, ["203.0.113.9"], None),
    ("testclient", ["203.0.113.9"], None),
    ("", [], None),
]


@pytest.mark.parametrize(("peer", "forwarded", "expected"), FORWARDED)
def test_the_address_is_the_last_one_no_proxy_added(
    peer: str | None, forwarded: list[str], expected: str | None
) -> None:
    request = _request(peer, *(("X-Forwarded-For", value) for value in forwarded))
    assert ClientAddress(PROXIES).of(request) == expected


def test_nobody_is_believed_where_no_proxy_is_trusted() -> None:
    assert ClientAddress().of(_request("10.0.0.1", ("X-Forwarded-For", "203.0.113.9"))) == "10.0.0.1"


def test_a_proxy_may_be_named_by_its_address_alone() -> None:
    request = _request("10.0.0.1", ("X-Forwarded-For", "203.0.113.9"))
    assert ClientAddress(["10.0.0.1"]).of(request) == "203.0.113.9"
    assert ClientAddress(["10.0.0.1/8"]).of(_request("10.0.0.1", ("X-Forwarded-For", "203.0.113.9"))) == "203.0.113.9"


@given(spoofed=st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60))
def test_what_a_client_forwards_itself_is_ignored(spoofed: str) -> None:
    request = _request("10.0.0.1", ("X-Forwarded-For", f"{spoofed}, 203.0.113.9"))
    assert ClientAddress(PROXIES).of(request) == "203.0.113.9"


def test_a_long_chain_of_addresses_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def parse(text: str) -> object:
        looked_at.append(text)
        return ip_address(text)

    monkeypatch.setattr("tertulia.core.addresses.ip_address", parse)
    addresses = ClientAddress(PROXIES)
    chain = ", ".join(["203.0.113.9", *["10.0.0.7"] * 2000])
    assert addresses.of(_request("10.0.0.1", ("X-Forwarded-For", chain))) == "10.0.0.7"
    assert len(looked_at) <= MAX_HOPS + 1
    within = ", ".join(["203.0.113.9", *["10.0.0.7"] * (MAX_HOPS - 1)])
    assert addresses.of(_request("10.0.0.1", ("X-Forwarded-For", within))) == "203.0.113.9"


def test_an_address_is_worked_out_once_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def parse(text: str) -> object:
        looked_at.append(text)
        return ip_address(text)

    request = _request("10.0.0.1", ("X-Forwarded-For", "203.0.113.9"))
    assert ClientAddress(PROXIES).of(request) == "203.0.113.9"
    monkeypatch.setattr("tertulia.core.addresses.ip_address", parse)
    assert ClientAddress(PROXIES).of(request) == "203.0.113.9"
    assert looked_at == []


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", [("X-Forwarded-For", "127.0.0.1")], None),
        ("192.0.2.1", [("Via", "1.1 proxy")], None),
        ("192.0.2.1", [("Forwarded", "for=127.0.0.1")], None),
        ("192.0.2.1", [("X-Real-IP", "127.0.0.1")], None),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [("X-Forwarded-For", "203.0.113.9")], "203.0.113.9"),
        ("10.0.0.1", [("X-Forwarded-For", "10.2.2.2")], None),
        ("10.0.0.1", [("X-Forwarded-Proto", "https")], None),
        (None, [], None),
        (None, [("Via", "1.1 proxy")], None),
    ],
)
def test_an_address_is_verified_only_where_nobody_unknown_forwarded(
    peer: str | None, headers: list[tuple[str, str]], expected: str | None
) -> None:
    assert ClientAddress(PROXIES).verified(_request(peer, *headers)) == expected
