"""Which address a request comes from."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from tertulia.web.client_address import UNREADABLE_SECONDS, ClientAddress, Knowledge
from tertulia.web.forwarding import MAX_HOPS

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
    ("10.0.0.1", ["203.0.113.9, "], "203.0.113.9"),
    ("10.0.0.1", ["garbage"], "10.0.0.1"),
    ("10.0.0.1", ["unknown"], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.9:4711"], "203.0.113.9"),
    ("10.0.0.1", ["203.0.113.0/24"], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.009"], "10.0.0.1"),
    ("10.0.0.1", ["3405803785"], "10.0.0.1"),
    ("10.0.0.1", ["203.0.113.9\t"], "203.0.113.9"),
    ("10.0.0.1", ["::ffff:203.0.113.9"], "203.0.113.9"),
    ("::ffff:10.0.0.1", ["203.0.113.9"], "203.0.113.9"),
    ("::ffff:192.0.2.1", ["203.0.113.9"], "192.0.2.1"),
    ("10.0.0.1", ["::ffff:10.2.2.2"], "10.2.2.2"),
    ("10.0.0.1", ["2001:DB8:0:0::7"], "2001:db8::7"),
    ("10.0.0.1", ["[2001:db8::7]"], "2001:db8::7"),
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


# ---- every form ------------------------------------------------------------------------------------------


def _of(*headers: tuple[str, str]) -> tuple[str | None, Knowledge]:
    request = _request("10.0.0.1", *headers)
    addresses = ClientAddress(PROXIES)
    return addresses.of(request), addresses.client(request).known


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("198.51.100.23", "198.51.100.23:61034"),
        ("198.51.100.23", '"198.51.100.23:61034"'),
        ("198.51.100.23", "::ffff:198.51.100.23"),
        ("198.51.100.23", "[::ffff:198.51.100.23]:61034"),
        ("198.51.100.23", ", ,198.51.100.23,,"),
        ("2001:db8:77::5", "[2001:DB8:77::5]:61034"),
        ("2001:db8:77::5", "2001:db8:77::5%eth0"),
        ("2001:db8:77::5", "[2001:db8:77::5%25eth0]:443"),
        ("2001:db8:77::5", "2001:db8:77::5:61034"),
        ("2001:db8:77:0:1:2:3:4", "2001:db8:77:0:1:2:3:4:4711"),
    ],
)
def test_a_reader_is_the_same_in_every_form(first: str, second: str) -> None:
    """Azure's gateways and IIS add ports; a reader who had a new one for each connection would have no limit."""
    expected = (first, Knowledge.told)
    assert _of(("X-Forwarded-For", first)) == expected
    assert _of(("X-Forwarded-For", second)) == expected
    assert _of(("X-Forwarded-For", f"192.0.2.66, {second} , 10.7.7.7:80")) == expected
    quoted = second.strip('", ')
    assert _of(("Forwarded", f'for=192.0.2.66, For="{quoted}";Proto=https;by=10.7.7.7')) == expected
    assert _of(("Forwarded", "for=192.0.2.66"), ("Forwarded", f'proto=https ; for = "{quoted}"')) == expected


@pytest.mark.parametrize("value", ["for=198.51.100.23", "FOR=198.51.100.23:61034", 'for="198.51.100.23:_x9"'])
def test_forwarded_needs_no_quotes(value: str) -> None:
    assert _of(("Forwarded", value)) == ("198.51.100.23", Knowledge.told)


UNREADABLE = ["unknown", "_hidden", "_SEVKISEK:4711", "unix:", "198.51.100.23:port", "198.51.100.23:99999"]
UNREADABLE += ["[198.51.100.23]", "[2001:db8::1", "2001:db8::1]", "198.51.100.023", "http://198.51.100.23"]
UNREADABLE += ["198.51.100.0/24"]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_cannot_be_read_is_nobody(text: str) -> None:
    assert _of(("X-Forwarded-For", f"192.0.2.66, {text}")) == ("10.0.0.1", Knowledge.unreadable)
    assert _of(("X-Forwarded-For", f'192.0.2.66, "{text}')) == ("10.0.0.1", Knowledge.unreadable)
    assert _of(("Forwarded", f'for=192.0.2.66, for="{text}"')) == ("10.0.0.1", Knowledge.unreadable)


@pytest.mark.parametrize(
    "value", ["for=198.51.100.23;for=192.0.2.66", "198.51.100.23", "for", "for=", "x" * 600, "=;for=192.0.2.66"]
)
def test_an_element_that_is_none_is_nobody(value: str) -> None:
    assert _of(("Forwarded", value)) == ("10.0.0.1", Knowledge.unreadable)


def test_a_proxy_that_tells_of_other_things_does_not_say_who_it_is() -> None:
    assert _of(("Forwarded", "for=192.0.2.66, proto=https;by=10.0.0.1")) == ("10.0.0.1", Knowledge.silent)
    assert _of(("Forwarded", "for=192.0.2.66, proto=https"), ("X-Forwarded-For", "198.51.100.23")) == (
        "198.51.100.23",
        Knowledge.told,
    )


@given(begun=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40))
def test_what_a_client_begins_to_quote_swallows_no_proxys_word(begun: str) -> None:
    assert _of(("Forwarded", f'{begun}, for="[2001:db8:77::5]:1"')) == ("2001:db8:77::5", Knowledge.told)
    assert _of(("Forwarded", begun), ("Forwarded", "for=198.51.100.23")) == ("198.51.100.23", Knowledge.told)


# ---- two headers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plain", "standard", "expected"),
    [
        ("198.51.100.23:1", "for=198.51.100.23", ("198.51.100.23", Knowledge.told)),
        ("198.51.100.23, 10.7.7.7", "for=10.7.7.7", ("198.51.100.23", Knowledge.told)),
        ("10.7.7.7", "for=198.51.100.23", ("198.51.100.23", Knowledge.told)),
        ("198.51.100.23", "for=192.0.2.66", ("10.0.0.1", Knowledge.contradictory)),
        ("198.51.100.23", "for=unknown", ("10.0.0.1", Knowledge.contradictory)),
        ("unknown", "for=198.51.100.23", ("10.0.0.1", Knowledge.contradictory)),
        ("unknown", "for=_hidden", ("10.0.0.1", Knowledge.unreadable)),
    ],
)
def test_two_headers_are_believed_where_they_agree(plain: str, standard: str, expected: tuple[str, Knowledge]) -> None:
    headers = (("X-Forwarded-For", plain), ("Forwarded", standard))
    assert _of(*headers) == expected
    request = _request("10.0.0.1", *headers)
    assert ClientAddress(PROXIES).verified(request) == (expected[0] if expected[1] is Knowledge.told else None)


def test_who_forges_one_of_two_headers_is_always_the_same() -> None:
    """Whichever the proxy sets: the other, which it lets pass, gives nobody a limit of their own."""
    forged = [f"192.0.2.{number}" for number in range(60)]
    assert {_of(("X-Forwarded-For", "198.51.100.23"), ("Forwarded", f"for={one}"))[0] for one in forged} == {"10.0.0.1"}
    assert {_of(("X-Forwarded-For", one), ("Forwarded", "for=198.51.100.23"))[0] for one in forged} == {"10.0.0.1"}


# ---- who counts alone, and what the operator hears ---------------------------------------------------------


@pytest.mark.parametrize(
    ("peer", "headers", "expected"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("192.0.2.1", [("X-Forwarded-For", "unknown")], "192.0.2.1"),
        ("10.0.0.1", [("X-Forwarded-For", "198.51.100.23:99")], "198.51.100.23"),
        ("10.0.0.1", [], None),
        ("10.0.0.1", [("X-Forwarded-For", "10.7.7.7")], None),
        ("10.0.0.1", [("X-Forwarded-For", "unknown")], None),
        ("10.0.0.1", [("X-Forwarded-For", "198.51.100.23"), ("Forwarded", "for=192.0.2.66")], "10.0.0.1"),
    ],
)
def test_readers_behind_a_silent_proxy_are_not_one_reader(
    peer: str, headers: list[tuple[str, str]], expected: str | None
) -> None:
    assert ClientAddress(PROXIES).single(_request(peer, *headers)) == expected


def test_what_cannot_be_read_is_told_once_a_minute_and_to_readiness(caplog: pytest.LogCaptureFixture) -> None:
    now = [1000.0]
    addresses = ClientAddress(PROXIES, clock=lambda: now[0])
    assert addresses.of(_request("10.0.0.1", ("X-Forwarded-For", "198.51.100.23:1"))) == "198.51.100.23"
    assert addresses.of(_request("192.0.2.1", ("X-Forwarded-For", "unknown"))) == "192.0.2.1"
    assert (addresses.warning, caplog.records) == (None, [])
    for _ in range(5):
        addresses.of(_request("10.0.0.1", ("X-Forwarded-For", "198.51.100.23/32")))
    [record] = caplog.records
    assert "cannot be read" in record.getMessage()
    assert vars(record)["form"] == "999.99.999.99/99", "the form, and not the address"
    assert addresses.warning is not None
    now[0] += UNREADABLE_SECONDS + 1
    assert addresses.warning is None


def test_two_headers_that_contradict_each_other_are_told_in_the_log_alone(caplog: pytest.LogCaptureFixture) -> None:
    """A stranger can do so behind most proxies: it must not make a server look unwell."""
    addresses = ClientAddress(PROXIES)
    for _ in range(3):
        addresses.of(_request("10.0.0.1", ("X-Forwarded-For", "198.51.100.23"), ("Forwarded", "for=192.0.2.66")))
    assert len(caplog.records) == 1
    assert addresses.warning is None
