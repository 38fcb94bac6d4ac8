"""Which origin is which, and who may use what."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import HTTPConnection

from tertulia.discussions import Sites
from tertulia.errors import ErrorCode, Problem
from tertulia.web.client_address import ClientAddress
from tertulia.web.origins import ORIGIN_CHARACTERS, REFUSALS_A_MINUTE, OriginPolicy, checked_origins, normal_origin

PROXIES = ("10.0.0.0/8",)


async def _read() -> dict[str, list[str]]:
    return {"default": ["https://good.example"], "second": ["https://second.example"]}


def _policy(public_url: str | None = None) -> OriginPolicy:
    return OriginPolicy(Sites(_read, ()), ClientAddress(PROXIES), public_url)


def _request(
    peer: str | None = "192.0.2.1", *headers: tuple[str, str], scheme: str = "http", host: str | None = "news.test"
) -> HTTPConnection:
    given_headers = [*headers, *([("host", host)] if host is not None else [])]
    return HTTPConnection(
        {
            "type": "http",
            "scheme": scheme,
            "server": ("127.0.0.1", 8000),
            "path": "/",
            "query_string": b"",
            "client": None if peer is None else (peer, 1234),
            "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in given_headers],
        }
    )


@pytest.mark.parametrize(
    ("peer", "scheme", "proto", "expected"),
    [
        ("192.0.2.1", "http", None, "http://news.test"),
        ("192.0.2.1", "https", None, "https://news.test"),
        ("192.0.2.1", "ws", None, "http://news.test"),
        ("192.0.2.1", "wss", None, "https://news.test"),
        ("192.0.2.1", "http", "https", "http://news.test"),
        ("10.0.0.1", "http", "https", "https://news.test"),
        ("10.0.0.1", "ws", "https", "https://news.test"),
        ("10.0.0.1", "http", " HTTPS ", "https://news.test"),
        ("10.0.0.1", "http", "javascript", "http://news.test"),
        ("10.0.0.1", "http", "https, http", "https://news.test"),
        ("10.0.0.1", "http", "HTTPS,HTTP", "https://news.test"),
        ("10.0.0.1", "http", "http, https", "http://news.test"),
        ("10.0.0.1", "http", "wss", "https://news.test"),
        ("192.0.2.1", "http", "https, http", "http://news.test"),
        (None, "http", "https", "http://news.test"),
    ],
)
def test_the_servers_own_address(peer: str | None, scheme: str, proto: str | None, expected: str) -> None:
    headers = [] if proto is None else [("X-Forwarded-Proto", proto)]
    assert _policy().base_url(_request(peer, *headers, scheme=scheme)) == expected


def test_a_public_address_that_is_set_is_the_only_one() -> None:
    policy = _policy(public_url="https://talk.example/")
    assert policy.base_url(_request("10.0.0.1", ("X-Forwarded-Proto", "http"), host="hostile.example")) == (
        "https://talk.example"
    )


def test_a_request_without_a_host_has_an_address_too() -> None:
    assert _policy().base_url(_request(host=None)) == "http://localhost"


ORIGINS = [
    ("https://good.example", "https://good.example"),
    ("HTTPS://GOOD.Example", "https://good.example"),
    ("https://good.example:443", "https://good.example"),
    ("http://good.example:80", "http://good.example"),
    ("http://good.example:443", "http://good.example:443"),
    ("https://good.example:8443", "https://good.example:8443"),
    ("https://good.example/", "https://good.example"),
    ("https://good.example.", "https://good.example."),
    ("http://[::1]:8000", "http://[::1]:8000"),
    ("http://[::1]", "http://[::1]"),
    ("http://127.0.0.1", "http://127.0.0.1"),
    ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
    ("null", None),
    ("*", None),
    ("", None),
    ("good.example", None),
    ("//good.example", None),
    ("https:good.example", None),
    ("https://", None),
    ("https://:443", None),
    ("file:///etc/passwd", None),
    ("ws://good.example", None),
    ("https://good.example/path", None),
    ("https://good.example?query", None),
    ("https://good.example#fragment", None),
    ("https://user@good.example", None),
    ("https://@good.example", None),
    ("https://good.example:99999", None),
    ("https://good.example:-1", None),
    ("https://good.example:x", None),
    ("https://b\u00fccher.example", None),
    ("https://good.example\u2024hostile", None),
    ("https://[::1", None),
    ("https://[good.example]", None),
    (" https://good.example", None),
    ("https://good.\texample", None),
    ("https://good.exam\nple", None),
    ("\x00https://good.example", None),
    ("https://good .example", None),
    ("https://good.example,https://hostile.example", None),
    ("https://good.example;hostile", None),
    ("https://good.example\\hostile", None),
    ("https://*.good.example", None),
    ("https://good.example?", None),
    ("https://good.example#", None),
    ("https://good.example:", None),
    ("https://good.example//", None),
]


@pytest.mark.parametrize(("text", "expected"), ORIGINS)
def test_an_origin_has_one_form(text: str, expected: str | None) -> None:
    assert normal_origin(text) == expected


@given(text=st.one_of(st.text(), st.from_regex(r"https?://[a-z.:@\[\]/0-9]{0,12}", fullmatch=True)))
def test_the_normal_form_is_its_own(text: str) -> None:
    found = normal_origin(text)
    if found is not None:
        assert normal_origin(found) == found


async def _admits(policy: OriginPolicy, request: HTTPConnection, site: str | None) -> ErrorCode | None:
    try:
        await (policy.admit_any(request) if site is None else policy.admit(request, site))
    except Problem as problem:
        return problem.code
    return None


@pytest.mark.parametrize(
    ("site", "origins", "refusal"),
    [
        ("default", [], None),
        ("default", ["https://good.example"], None),
        ("default", ["http://news.test"], None),
        ("default", ["https://second.example"], ErrorCode.origin_not_allowed),
        ("second", ["https://second.example"], None),
        ("second", ["https://good.example"], ErrorCode.origin_not_allowed),
        ("nowhere", [], ErrorCode.unknown_site),
        ("nowhere", ["https://good.example"], ErrorCode.unknown_site),
        (None, [], None),
        (None, ["https://good.example"], None),
        (None, ["https://second.example"], None),
        (None, ["https://news.test"], ErrorCode.origin_not_allowed),
        (None, ["https://good.example", "https://good.example"], ErrorCode.origin_not_allowed),
        (None, ["null"], ErrorCode.origin_not_allowed),
        (None, [""], ErrorCode.origin_not_allowed),
    ],
)
async def test_who_may_use_which_site(site: str | None, origins: list[str], refusal: ErrorCode | None) -> None:
    request = _request("192.0.2.1", *(("Origin", origin) for origin in origins))
    assert await _admits(_policy(), request, site) is refusal


async def test_a_host_that_is_none_makes_no_page_the_servers_own() -> None:
    for host in ("", "a b", "[", "hostile.example/x", "a@b"):
        request = _request("192.0.2.1", ("Origin", f"http://{host}"), host=host)
        assert await _admits(_policy(), request, None) is ErrorCode.origin_not_allowed


async def test_with_a_public_address_the_host_is_not_asked() -> None:
    policy = _policy(public_url="https://talk.example")
    own = _request("192.0.2.1", ("Origin", "https://talk.example"), host="hostile.example")
    assert await _admits(policy, own, None) is None
    rebound = _request("192.0.2.1", ("Origin", "http://hostile.example"), host="hostile.example")
    assert await _admits(policy, rebound, None) is ErrorCode.origin_not_allowed


class _Counted(Sites):
    """Counts how often it is asked."""

    asked = 0

    async def known(self) -> Mapping[str, frozenset[str]]:
        self.asked += 1
        return await super().known()


async def test_a_request_looks_at_the_sites_once() -> None:
    sites = _Counted(_read, ())
    policy = OriginPolicy(sites, ClientAddress())
    request = _request("192.0.2.1", ("Origin", "https://good.example"))
    await policy.admit_any(request)
    await policy.admit(request, "default")
    assert not await policy.admits(request, "second")
    assert sites.asked == 1


# ---- scheme and host through several proxies ---------------------------------------------------------------

BEHIND = [
    ([("X-Forwarded-Proto", "https"), ("X-Forwarded-Proto", "http")], "https://news.test"),
    ([("X-Forwarded-Proto", "http"), ("Front-End-Https", "on")], "https://news.test"),
    ([("X-Forwarded-Ssl", "On")], "https://news.test"),
    ([("X-Forwarded-Ssl", "off")], "http://news.test"),
    ([("X-Forwarded-Scheme", "https")], "https://news.test"),
    ([("X-Forwarded-Port", "443")], "https://news.test"),
    ([("X-Forwarded-Port", "443"), ("X-Forwarded-Proto", "https")], "https://news.test"),
    ([("X-Forwarded-Port", "80"), ("X-Forwarded-Proto", "https")], "https://news.test"),
    ([("X-Forwarded-Port", "8443, 8080"), ("X-Forwarded-Proto", "https")], "https://news.test:8443"),
    ([("X-Forwarded-Port", "0"), ("X-Forwarded-Proto", "https")], "https://news.test"),
    ([("X-Forwarded-Host", "talk.example"), ("X-Forwarded-Proto", "https")], "https://talk.example"),
    ([("X-Forwarded-Host", "talk.example:8443, in"), ("X-Forwarded-Proto", "https,http")], "https://talk.example:8443"),
    ([("X-Forwarded-Host", "talk.example"), ("X-Forwarded-Host", "inner:80")], "http://talk.example"),
    ([("X-Forwarded-Host", "talk.example"), ("X-Forwarded-Port", "8081")], "http://talk.example:8081"),
    ([("X-Forwarded-Host", "[2001:db8::1]:8443"), ("X-Forwarded-Proto", "https")], "https://[2001:db8::1]:8443"),
    ([("X-Forwarded-Host", "a b, https://x/")], "http://news.test"),
    ([("Forwarded", 'for=192.0.2.1;proto=https;host="talk.example:8443"')], "https://talk.example:8443"),
    ([("Forwarded", "proto=HTTPS;host=talk.example, proto=http;host=inner")], "https://talk.example"),
    ([("Forwarded", "proto=https;host=talk.example"), ("Forwarded", "for=10.0.0.3")], "https://talk.example"),
    ([("Forwarded", "proto=javascript")], "http://news.test"),
]


@pytest.mark.parametrize(("headers", "expected"), BEHIND)
async def test_pages_of_the_server_are_its_own_behind_proxies(headers: list[tuple[str, str]], expected: str) -> None:
    assert _policy().base_url(_request("10.0.0.1", *headers)) == expected
    assert await _admits(_policy(), _request("10.0.0.1", *headers, ("Origin", expected)), "default") is None
    foreign = _request("10.0.0.1", *headers, ("Origin", "https://hostile.example"))
    assert await _admits(_policy(), foreign, "default") is ErrorCode.origin_not_allowed
    assert _policy().base_url(_request("192.0.2.1", *headers)) == "http://news.test", "strangers are not believed"


@pytest.mark.parametrize("origin", ["https://news.test", "https://news.test:8080", "https://talk.example"])
async def test_a_port_or_a_host_that_proxies_see_differently_makes_no_page_foreign(origin: str) -> None:
    """An inner proxy tells of its own port, and of two names both may be the page's."""
    headers = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "8080")]
    headers += [("X-Forwarded-Host", "talk.example")] if "talk" in origin else []
    assert await _admits(_policy(), _request("10.0.0.1", *headers, ("Origin", origin)), None) is None


# ---- what is said of a refusal -----------------------------------------------------------------------------


async def _refused(policy: OriginPolicy, request: HTTPConnection, site: str | None = "default") -> Problem:
    with pytest.raises(Problem) as caught:
        await (policy.admit_any(request) if site is None else policy.admit(request, site))
    return caught.value


async def test_a_page_of_the_servers_own_name_is_told_the_setting(caplog: pytest.LogCaptureFixture) -> None:
    problem = await _refused(_policy(), _request("10.0.0.1", ("Origin", "https://news.test")))
    assert "--public-url" in problem.detail
    assert "https://news.test" in problem.detail
    assert "TERTULIA_PUBLIC_URL=https://news.test" in vars(caplog.records[0])["advice"]


@pytest.mark.parametrize(
    ("origin", "site", "advice"),
    [
        ("https://shop.example", "default", "add https://shop.example to TERTULIA_ALLOWED_ORIGINS (--allowed-origins)"),
        ("https://shop.example", "second", "tertulia site add second"),
        ("https://shop.example", None, "TERTULIA_ALLOWED_ORIGINS"),
        ("null", "default", "sandboxed"),
        ("file://x", "default", "no origin"),
    ],
)
async def test_a_refused_origin_is_one_line_that_says_what_to_add(
    caplog: pytest.LogCaptureFixture, origin: str, site: str | None, advice: str
) -> None:
    policy = _policy()
    for _ in range(3):
        problem = await _refused(policy, _request("192.0.2.1", ("Origin", origin)), site)
        assert problem.code is ErrorCode.origin_not_allowed
    [record] = caplog.records
    assert vars(record)["origin"] == origin
    assert advice in vars(record)["advice"]


async def test_made_up_origins_do_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    policy = _policy()
    for number in range(300):
        await _refused(policy, _request("192.0.2.1", ("Origin", f"https://{number}{'x' * 500}.example")))
    assert len(caplog.records) == REFUSALS_A_MINUTE
    assert all(len(vars(record)["origin"]) <= ORIGIN_CHARACTERS for record in caplog.records)


def test_origins_are_kept_in_one_form() -> None:
    assert checked_origins(("HTTPS://Good.Example:443", "http://a.example:8080/")) == (
        "https://good.example",
        "http://a.example:8080",
    )
