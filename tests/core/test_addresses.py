"""IP addresses: one form each, and what is counted or written down of them."""

from __future__ import annotations

import re
from ipaddress import ip_address

import pytest

from tertulia.core.addresses import Networks, anonymised, client_network, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("::FFFF:CB00:7109", "203.0.113.9"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("fe80::1%eth0", "fe80::1%eth0"),
    ],
)
def test_an_address_has_one_form(text: str, expected: str) -> None:
    assert str(parse(text)) == expected


@pytest.mark.parametrize(
    "text", [None, "", " ", "unknown", "203.0.113.9:80", "203.0.113.009", "203.0.113.0/24", "[::1]", "3405803785"]
)
def test_what_is_no_address_has_none(text: str | None) -> None:
    assert parse(text) is None
    assert client_network(text) is None
    assert anonymised(text) is None


def test_networks_hold_their_addresses_alone() -> None:
    networks = Networks(["10.0.0.1/8", "192.0.2.1", "2001:db8:1::/48"])
    inside = ("10.9.9.9", "192.0.2.1", "2001:db8:1:2::3")
    outside = ("11.0.0.1", "192.0.2.2", "2001:db8:2::3", "::10.9.9.9")
    assert all(ip_address(one) in networks for one in inside)
    assert not any(ip_address(one) in networks for one in outside)
    assert ip_address("10.0.0.1") not in Networks()


@pytest.mark.parametrize("written", ["unknown", "10.0.0.0/33", "10.0.0.0-10.0.0.9", ""])
def test_what_is_no_network_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        Networks([written])


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        (None, None),
        ("", None),
        ("unknown", None),
        ("192.0.2.1:80", None),
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("::ffff:c000:201", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:0DB8:0001:0002::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
    ],
)
def test_what_counts_as_one_client(address: str | None, counted: str | None) -> None:
    assert client_network(address) == counted


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (None, None),
        ("203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"),
        ("2001:db8:1:2::6", "2001:db8:1::/48"),
        ("2001:db8::6", "2001:db8::/48"),
        ("2001::6", "2001::/48"),
        ("::1", "::/48"),
        ("fe80::1%eth0", "fe80::/48"),
    ],
)
def test_an_address_is_anonymised(address: str | None, expected: str | None) -> None:
    found = anonymised(address)
    assert found == expected
    assert found is None or re.fullmatch(r"[\da-f:.]+/\d\d", found)
