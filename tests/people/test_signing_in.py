"""Signing in at a provider: the good way with a real one, and everything that a hostile one or a stranger could try."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Any
from urllib.parse import unquote_plus

import httpx
import pytest

from tertulia.identity import utc_now
from tertulia.identity.keys import Algorithm
from tertulia.people import signing_in
from tertulia.people.providers.provider import challenge_of
from tertulia.protocol import API
from tertulia.store import administration, schema
from tertulia.store.sign_ins import SweepSignIns
from tests.api.app import add_moderator, new_key
from tests.people.signing_in import (
    HERE,
    PAGE,
    PAGE_ORIGIN,
    Browser,
    Server,
    config,
    failure,
    handed,
    host_of,
    oauth,
    serving,
)
from tests.support.databases import new_sqlite
from tests.support.issuers import SigningServer, hmac_signer, signed
from tests.support.providers import SECRET, HostileProvider

SIGN_IN_COOKIE = "__Host-tertulia-signin"


@dataclass
class House:
    """A server, its provider, and a browser."""

    server: Server
    provider: HostileProvider
    browser: Browser

    async def go(self, **more: str) -> dict[str, str]:
        """To the provider; what it is told there."""
        sent = await self.browser.begin(**more)
        assert sent.status_code == 303, sent.text
        return self.provider.went(sent.headers["location"])

    async def sign_in(self) -> httpx.Response:
        """There and back again."""
        told = await self.go()
        return await self.browser.come_back(code="a-code", state=told["state"])


@pytest.fixture
async def provider() -> AsyncIterator[HostileProvider]:
    async with HostileProvider() as found:
        yield found


@asynccontextmanager
async def opened(database: str, folder: Path, provider: HostileProvider, **more: Any) -> AsyncIterator[House]:
    async with serving(database, folder, provider.host, **more) as (server,):
        await server.add("house", config(provider.issuer), SECRET)
        yield House(server, provider, server.browser())


@pytest.fixture
async def house(tmp_path: Path, provider: HostileProvider) -> AsyncIterator[House]:
    async with opened(new_sqlite(tmp_path / "store.db"), tmp_path, provider) as found:
        yield found


@pytest.fixture
async def stored(database: str, tmp_path: Path, provider: HostileProvider) -> AsyncIterator[House]:
    """The same on each kind of database, for what the store decides."""
    async with opened(database, tmp_path, provider) as found:
        yield found


# ---- the good way ---------------------------------------------------------------------------------------


@pytest.fixture
def real() -> Iterator[str]:
    """The issuer of a provider that somebody else wrote, on this machine."""
    with warnings.catch_warnings(action="ignore"):  # what it imports says of itself that it is deprecated
        import oidc_provider_mock  # type: ignore[import-untyped]

    person = oidc_provider_mock.User(sub="lan@example.com", claims={"name": "Nguyễn Thị Lan"})
    with oidc_provider_mock.run_server_in_thread(require_nonce=True, user_claims=[person]) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_reader_signs_in_at_a_real_provider_begun_here_and_finished_at_another_instance(
    database: str, tmp_path: Path, real: str
) -> None:
    async with serving(database, tmp_path, host_of(real), count=2) as (first, second):
        await first.add("house", config(real), "any secret")
        here = first.browser()
        there = Browser(second.browser().client, here.state, here.verifier)
        sent = await here.begin()
        there.client.cookies = here.client.cookies
        async with httpx.AsyncClient() as elsewhere:
            back = await elsewhere.post(sent.headers["location"], data={"sub": "lan@example.com"})
        address = back.headers["location"]
        assert address.startswith(f"{HERE}/signin/house/callback?")
        given = handed(await there.client.get(address))
        assert given["state"] == here.state
        answer = await here.exchange(given["code"])
        assert answer.status_code == 201, answer.text
        viewer = answer.json()["viewer"]
        assert (viewer["name"], viewer["kind"]) == ("Nguyễn Thị Lan", "member")
        (session,) = await second.rows(schema.session)
        assert (session["via"], session["scope"]) == ("house", "reader")
        said = {"key": "talk", "body": "Good evening."}
        headers = {"Authorization": f"Bearer {answer.json()['token']}", "Idempotency-Key": new_key()}
        posted = await there.client.post(f"{API}/comments", json=said, headers=headers)
        assert (posted.status_code, posted.json()["comment"]["author"]["id"]) == (201, viewer["id"])


@pytest.mark.parametrize("algorithm", [Algorithm.RS256, Algorithm.PS256, Algorithm.ES256, Algorithm.EdDSA])
async def test_who_comes_again_is_the_same_person(house: House, algorithm: Algorithm) -> None:
    house.provider.server = SigningServer(algorithm, key_id="first")
    house.provider.published = [house.provider.server.jwk()]
    ids = set()
    for _ in range(2):
        code = handed(await house.sign_in())["code"]
        ids.add((await house.browser.exchange(code)).json()["viewer"]["id"])
    assert len(ids) == 1


async def test_what_the_provider_is_asked(house: House) -> None:
    told = await house.go(lang="vi")
    assert {name: told[name] for name in ("response_type", "client_id", "redirect_uri", "scope", "tenant")} == {
        "response_type": "code",
        "client_id": "us",
        "redirect_uri": f"{HERE}/signin/house/callback",
        "scope": "openid profile email",
        "tenant": "1",
    }
    assert told["code_challenge_method"] == "S256"
    answer = await house.browser.come_back(code="a code/of+theirs", state=told["state"])
    assert 'lang="vi"' in answer.text
    ((method, _, headers, fields),) = [asked for asked in house.provider.asked if asked[1] == "/token"]
    assert (method, fields["grant_type"], fields["code"]) == ("POST", "authorization_code", "a code/of+theirs")
    assert fields["redirect_uri"] == told["redirect_uri"]
    assert challenge_of(fields["code_verifier"]) == told["code_challenge"]
    scheme, _, given = headers["authorization"].partition(" ")
    user, _, secret = base64.b64decode(given).decode().partition(":")
    assert scheme == "Basic"
    assert (unquote_plus(user), unquote_plus(secret)) == ("us", SECRET)
    assert "client_secret" not in fields


async def test_a_provider_that_takes_the_secret_in_the_body_alone_gets_it_there(house: House) -> None:
    house.provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"]}
    handed(await house.sign_in())
    ((_, _, headers, fields),) = [asked for asked in house.provider.asked if asked[1] == "/token"]
    assert (fields["client_id"], fields["client_secret"]) == ("us", SECRET)
    assert "authorization" not in headers


async def test_a_name_that_the_token_does_not_say_is_asked_for(house: House) -> None:
    house.provider.claims = {"name": None, "preferred_username": "   "}
    code = handed(await house.sign_in())["code"]
    assert (await house.browser.exchange(code)).json()["viewer"]["name"] == "Lan of userinfo"


async def test_who_has_no_name_there_says_one_here_and_the_code_is_still_good(house: House) -> None:
    house.provider.claims, house.provider.person = {"name": None}, {"sub": "4711"}
    code = handed(await house.sign_in())["code"]
    needed = await house.browser.exchange(code)
    assert (needed.status_code, needed.json()["code"]) == (409, "name_needed")
    named = await house.browser.exchange(code, name="Lan")
    assert (named.status_code, named.json()["viewer"]["name"]) == (201, "Lan")


async def test_a_provider_of_oauth_says_who_it_is_when_it_is_asked(
    database: str, tmp_path: Path, provider: HostileProvider
) -> None:
    async with serving(database, tmp_path, provider.host) as (server,):
        await server.add("house", oauth(provider.issuer), SECRET)
        house = House(server, provider, server.browser())
        provider.given, provider.person = {"id_token": None}, {"id": 4711, "name": None, "login": "lan"}
        code = handed(await house.sign_in())["code"]
        assert (await house.browser.exchange(code)).json()["viewer"]["name"] == "lan"
        assert provider.paths() == ["/token", "/person"]
        assert provider.asked[1][2]["authorization"] == "Bearer an-access-token"
        # GitHub says with the status 200 that a code is wrong
        provider.given = {"id_token": None, "access_token": None, "error": "bad_verification_code"}
        assert failure(await house.sign_in()) == "refused"


# ---- a hostile provider (and a careless one) ------------------------------------------------------------

NOW = int(time())
"""When this file was read: a run of all tests may come to it many minutes later."""
DAY = 86_400
CLAIMS: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://elsewhere.example"},
    "the issuer with a slash": {"iss": "http://127.0.0.1/"},
    "no issuer": {"iss": None},
    "another audience": {"aud": "them"},
    "no audience": {"aud": None},
    "an audience that is a number": {"aud": 7},
    "several audiences without azp": {"aud": ["us", "them"]},
    "several audiences given to another": {"aud": ["us", "them"], "azp": "them"},
    "given to another": {"azp": "them"},
    "another nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "a nonce that is a number": {"nonce": 7},
    "expired": {"iat": NOW - 500, "exp": NOW - 200},
    "no end": {"exp": None},
    "an end as a text": {"exp": str(NOW + 300)},
    "made in the future": {"iat": NOW + DAY, "exp": NOW + DAY + 300},
    "made long ago": {"iat": NOW - 5_000},
    "no time": {"iat": None},
    "not yet good": {"nbf": NOW + DAY},
    "nobody": {"sub": None},
    "nobody at all": {"sub": ""},
    "a subject that is a number": {"sub": 4711},
    "a long subject": {"sub": "s" * 256},
}


@pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS)
async def test_an_id_token_with_one_claim_that_is_not_right_signs_nobody_in(
    house: House, claims: dict[str, Any]
) -> None:
    house.provider.claims = claims
    answer = await house.sign_in()
    assert (answer.status_code, failure(answer)) == (400, "refused")
    assert await house.server.is_empty()


async def test_several_audiences_are_taken_where_it_was_given_to_us(house: House) -> None:
    house.provider.claims = {"aud": ["us", "them"], "azp": "us"}
    handed(await house.sign_in())


def _unsigned(house: House) -> str:
    _, payload, _ = house.provider.id_token().split(".")
    return signed({"alg": "none"}, {}, lambda _: b"").split(".")[0] + f".{payload}."


def _with_our_secret(house: House) -> str:
    payload = house.provider.id_token().split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    return signed({"alg": "HS256", "kid": "first"}, claims, hmac_signer(SECRET.encode()))


def _with_another_key(house: House) -> str:
    house.provider.server = SigningServer(Algorithm.ES256, key_id="first")
    return house.provider.id_token()


def _cut(house: House) -> str:
    return house.provider.id_token()[:-8]


TOKENS: dict[str, Callable[[House], Any]] = {
    "none": lambda _: None,
    "empty": lambda _: "",
    "a number": lambda _: 7,
    "not signed": _unsigned,
    "signed with our secret": _with_our_secret,
    "signed with a key that is not published": _with_another_key,
    "with half a signature": _cut,
    "large": lambda house: house.provider.id_token() + "A" * 20_000,
    "not ASCII": lambda _: "é.é.é",
}


@pytest.mark.parametrize("made", TOKENS.values(), ids=TOKENS)
async def test_a_token_of_somebody_else_signs_nobody_in(house: House, made: Callable[[House], Any]) -> None:
    told = await house.go()
    house.provider.given = {"id_token": made(house)}
    answer = await house.browser.come_back(code="a-code", state=told["state"])
    assert failure(answer) == "refused"
    assert await house.server.is_empty()


ANSWERS: dict[str, tuple[str, int, bytes, str]] = {
    "no code of ours": ("/token", 400, b'{"error": "invalid_grant"}', "refused"),
    "a redirect": ("/token", 302, b"", "refused"),
    "garbage": ("/token", 200, b"\xff\xfe<html>", "refused"),
    "no object": ("/token", 200, b"[]", "refused"),
    "a name twice": ("/token", 200, b'{"id_token": "a", "id_token": "b"}', "refused"),
    "a megabyte": ("/token", 200, b'"' + b"x" * 1_000_000 + b'"', "unreachable"),
    "a failure": ("/token", 503, b"", "unreachable"),
    "no keys": ("/keys", 500, b"", "unreachable"),
    "a megabyte of keys": ("/keys", 200, b" " * 1_000_000, "unreachable"),
    "keys with private parts": ("/keys", 200, b'{"keys": [{"kty": "oct", "k": "AAAA"}]}', "refused"),
}


@pytest.mark.parametrize(("path", "status", "body", "word"), ANSWERS.values(), ids=ANSWERS)
async def test_whatever_a_provider_answers_is_a_page_with_a_way_back(
    house: House, path: str, status: int, body: bytes, word: str
) -> None:
    told = await house.go()
    house.provider.answers[path] = (status, body)
    house.provider.headers = {"Location": "/person"} if status == 302 else {}
    answer = await house.browser.come_back(code="a-code", state=told["state"])
    assert failure(answer) == word
    assert f'<a href="{PAGE}"' in answer.text
    assert "/person" not in house.provider.paths()
    assert await house.server.is_empty()


METADATA: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://elsewhere.example"},
    "the issuer with a slash": {"issuer": "http://127.0.0.1:1/"},
    "no place to be sent to": {"authorization_endpoint": None},
    "a script to be sent to": {"authorization_endpoint": "javascript:alert(1)"},
    "a fragment to be sent to": {"authorization_endpoint": "https://elsewhere.example/#a"},
    "no keys": {"jwks_uri": 7},
}


@pytest.mark.parametrize("metadata", METADATA.values(), ids=METADATA)
async def test_metadata_that_is_not_the_providers_sends_nobody_anywhere(house: House, metadata: dict[str, Any]) -> None:
    house.provider.metadata = metadata
    answer = await house.browser.begin()
    assert failure(answer) == "refused"
    assert "location" not in answer.headers
    assert f'<a href="{PAGE}"' in answer.text
    assert await house.server.is_empty()


async def test_a_provider_that_hangs_keeps_nobody_for_long(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_in, "ANSWER_SECONDS", 0.05)
    told = await house.go()
    house.provider.hangs = {"/token"}
    answer = await house.browser.come_back(code="a-code", state=told["state"])
    assert (answer.status_code, failure(answer)) == (502, "unreachable")
    assert await house.server.is_empty()


async def test_what_was_known_of_a_provider_goes_on_while_it_does_not_say_it(house: House) -> None:
    await house.go()
    house.provider.answers["/.well-known/openid-configuration"] = (500, b"")
    handed(await house.sign_in())


@pytest.mark.parametrize(
    ("error", "word"), [("access_denied", "denied"), ("server_error", "unreachable"), ("<b>x", "refused")]
)
async def test_what_a_provider_refuses_is_said_in_words_of_ours(house: House, error: str, word: str) -> None:
    told = await house.go()
    answer = await house.browser.come_back(error=error, error_description="<script>", state=told["state"])
    assert failure(answer) == word
    assert "<b>x" not in answer.text
    assert "<script>" not in answer.text
    assert house.provider.paths() == ["/.well-known/openid-configuration"]
    assert await house.server.is_empty()


async def test_userinfo_of_somebody_else_signs_nobody_in(house: House) -> None:
    house.provider.claims, house.provider.person = {"name": None}, {"sub": "4712", "name": "Minh"}
    assert failure(await house.sign_in()) == "refused"
    assert await house.server.is_empty()


# ---- which way, and whose -------------------------------------------------------------------------------


@pytest.mark.parametrize("said", ["http://elsewhere.example", "", None])
async def test_a_response_that_is_not_of_this_provider_is_refused(house: House, said: str | None) -> None:
    """RFC 9207: one that says whose it is has to say so each time."""
    house.provider.metadata = {"authorization_response_iss_parameter_supported": True}
    told = await house.go()
    more = {} if said is None else {"iss": said}
    assert failure(await house.browser.come_back(code="a-code", state=told["state"], **more)) == "refused"
    assert "/token" not in house.provider.paths()
    told = await house.go()
    handed(await house.browser.come_back(code="a-code", state=told["state"], iss=house.provider.issuer))


async def test_the_response_of_one_provider_is_none_at_the_address_of_another(
    stored: House,
) -> None:
    async with HostileProvider() as other:
        await stored.server.add("other", config(other.issuer), SECRET)
        told = await stored.go()
        answer = await stored.browser.come_back("other", code="a-code", state=told["state"])
        assert failure(answer) == "over"
        assert other.asked == []
    # nothing came of it: the way is still open
    handed(await stored.browser.come_back(code="a-code", state=told["state"]))


async def test_a_state_of_another_browser_is_nobodys(stored: House) -> None:
    told = await stored.go()
    stranger = stored.server.browser()
    assert failure(await stranger.come_back(code="a-code", state=told["state"])) == "over"
    stranger.client.cookies.set(SIGN_IN_COOKIE, "x" * 43)
    assert failure(await stranger.come_back(code="a-code", state=told["state"])) == "over"
    assert "/token" not in stored.provider.paths()
    handed(await stored.browser.come_back(code="a-code", state=told["state"]))


async def test_a_way_is_gone_once(stored: House) -> None:
    told = await stored.go()
    answers = await asyncio.gather(*(stored.browser.come_back(code="a-code", state=told["state"]) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 400, 400, 400]
    assert stored.provider.paths().count("/token") == 1
    assert failure(await stored.browser.come_back(code="a-code", state=told["state"])) == "over"


async def test_a_parameter_that_comes_twice_is_nobodys(house: House) -> None:
    told = await house.go()
    query = f"state={told['state']}&code=one&code=two"
    assert failure(await house.browser.client.get(f"/signin/house/callback?{query}")) == "over"


async def test_a_way_ends_after_ten_minutes(stored: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_in, "WAY_SECONDS", -1)
    told = await stored.go()
    assert failure(await stored.browser.come_back(code="a-code", state=told["state"])) == "over"
    assert len(await stored.server.rows(schema.signin)) == 1
    swept = await stored.server.running.store.write(SweepSignIns(utc_now()))
    assert swept == 1
    assert await stored.server.is_empty()


async def test_two_windows_of_one_browser_sign_in_side_by_side(house: House) -> None:
    first = await house.go()
    nonce = house.provider.nonce
    second = await house.go()
    handed(await house.browser.come_back(code="a-code", state=second["state"]))
    house.provider.nonce = nonce
    handed(await house.browser.come_back(code="a-code", state=first["state"]))


BEGINNINGS: dict[str, tuple[dict[str, str], int]] = {
    "a page of nobody": ({"return": "https://elsewhere.example/"}, 404),
    "a page that looks like ours": ({"return": "https://page.example.elsewhere.example/"}, 404),
    "a user in front": ({"return": "https://page.example@elsewhere.example/"}, 404),
    "a backslash": ({"return": "https://elsewhere.example\\@page.example/"}, 404),
    "plain http": ({"return": "http://page.example/"}, 404),
    "a script": ({"return": "javascript:alert(1)//https://page.example"}, 404),
    "a fragment": ({"return": f"{PAGE}#tertulia=x.y"}, 404),
    "a line": ({"return": f"{PAGE_ORIGIN}/\r\nLocation: x"}, 404),
    "nowhere": ({"return": "-"}, 404),
    "no challenge": ({"challenge": "-"}, 404),
    "a plain challenge": ({"challenge": "short"}, 404),
    "no state": ({"state": "-"}, 404),
    "a state that is a text": ({"state": "x" * 44}, 404),
    "no such site": ({"site": "nowhere"}, 404),
    "no site": ({"site": "No Site"}, 404),
}


@pytest.mark.parametrize(("query", "status"), BEGINNINGS.values(), ids=BEGINNINGS)
async def test_only_a_page_of_the_site_begins(house: House, query: dict[str, str], status: int) -> None:
    answer = await house.browser.begin(**query)
    assert answer.status_code == status
    assert "location" not in answer.headers
    assert "set-cookie" not in answer.headers
    assert "elsewhere.example" not in answer.text
    assert house.provider.asked == []
    assert await house.server.is_empty()


async def test_an_unknown_provider_is_a_page_with_a_way_back(house: House) -> None:
    answer = await house.browser.begin("nowhere")
    assert (answer.status_code, failure(answer)) == (404, "unknown")
    assert f'<a href="{PAGE}"' in answer.text


async def test_an_address_that_begins_too_often_waits(tmp_path: Path, provider: HostileProvider) -> None:
    database = new_sqlite(tmp_path / "store.db")
    async with opened(database, tmp_path, provider, post_limit_address="2/minute") as house:
        for _ in range(2):
            await house.go()
        answer = await house.browser.begin()
        assert (answer.status_code, failure(answer)) == (429, "limited")
        assert f'<a href="{PAGE}"' in answer.text
        assert len(await house.server.rows(schema.signin)) == 2


# ---- the code (E6) --------------------------------------------------------------------------------------

USES: dict[str, dict[str, Any]] = {
    "without a verifier": {"verifier": None},
    "with an empty verifier": {"verifier": ""},
    "with another verifier": {"verifier": "v" * 43},
    "with the challenge": {"verifier": "challenge"},
    "from another origin": {"origin": "https://elsewhere.example"},
    "from our own pages": {"origin": HERE},
    "from no page": {"origin": None},
    "for another site": {"site": "second"},
    "another code": {"code": "c" * 43},
    "no code": {"code": None},
}


@pytest.mark.parametrize("use", USES.values(), ids=USES)
async def test_a_code_is_for_the_page_that_began_alone(stored: House, use: dict[str, Any]) -> None:
    second = ("https://page.example", "https://elsewhere.example")
    await stored.server.running.store.write(administration.AddSite("second", second, utc_now()))
    code = handed(await stored.sign_in())["code"]
    use = dict(use)
    if use.get("verifier") == "challenge":
        use["verifier"] = challenge_of(stored.browser.verifier)
    refused = await stored.browser.exchange(use.pop("code", code), **use)
    expected = (403, "origin_not_allowed") if use.get("origin") == "https://elsewhere.example" else (410, "spent")
    assert (refused.status_code, refused.json()["code"]) == expected
    assert await stored.server.rows(schema.session) == []


async def test_a_code_is_good_once_however_many_come_with_it(stored: House) -> None:
    code = handed(await stored.sign_in())["code"]
    answers = await asyncio.gather(*(stored.browser.exchange(code) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 410, 410, 410]
    again = await stored.browser.exchange(code)
    assert (again.status_code, again.json()["code"]) == (410, "spent")
    assert len(await stored.server.rows(schema.session)) == 1


async def test_a_code_is_over_after_a_minute(stored: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing_in, "CODE_SECONDS", -1)
    code = handed(await stored.sign_in())["code"]
    late = await stored.browser.exchange(code)
    assert (late.status_code, late.json()["code"]) == (410, "spent")
    assert await stored.server.running.store.write(SweepSignIns(utc_now() + timedelta(seconds=1))) == 1


async def test_a_name_that_is_taken_can_be_tried_again_with_another(stored: House) -> None:
    await add_moderator(stored.server.running, "Lan")
    code = handed(await stored.sign_in())["code"]
    taken = await stored.browser.exchange(code)
    assert (taken.status_code, taken.json()["code"]) == (409, "name_taken")
    assert (await stored.browser.exchange(code, name="Lan from the hill")).status_code == 201


async def test_a_link_with_a_strangers_challenge_gives_the_stranger_nothing(house: House) -> None:
    """The victim follows it and signs in: the code goes to the page, whose storage has no such state."""
    stranger = Browser(house.server.browser().client)
    victim = Browser(house.server.browser().client, stranger.state, stranger.verifier)
    sent = await victim.begin()
    told = house.provider.went(sent.headers["location"])
    answer = await victim.come_back(code="a-code", state=told["state"])
    given = handed(answer)
    assert given["origin"] == PAGE_ORIGIN
    # all that leaves the victim's browser for elsewhere is the page's own address
    assert "set-cookie" not in answer.headers
    assert answer.headers["referrer-policy"] == "no-referrer"
    # and the stranger, who has the verifier, comes back with the same state
    assert failure(await stranger.come_back(code="a-code", state=told["state"])) == "over"
    # a code of the stranger's own, given to the victim's page, needs a verifier that the page does not have
    own = Browser(stranger.client)
    told = house.provider.went((await own.begin()).headers["location"])
    code = handed(await own.come_back(code="a-code", state=told["state"]))["code"]
    pages = Browser(victim.client)
    assert (await pages.exchange(code)).status_code == 410


# ---- pages, cookies, what is said ------------------------------------------------------------------------


async def test_the_cookie_is_for_these_addresses_of_this_browser(house: House) -> None:
    sent = await house.browser.begin()
    cookie = sent.headers["set-cookie"]
    assert cookie.startswith(f"{SIGN_IN_COOKIE}=")
    parts = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert parts == {"httponly", "max-age=600", "path=/", "samesite=lax", "secure"}
    transport = httpx.ASGITransport(house.server.running.asgi)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        plain = (await Browser(client).begin()).headers["set-cookie"]
    assert plain.startswith("tertulia-signin=")
    assert "secure" not in plain.lower()


async def test_what_no_page_of_a_sign_in_says(house: House) -> None:
    answers = [await house.browser.begin(), await house.browser.begin("nowhere"), await house.sign_in()]
    answers.append(await house.browser.come_back(code="x", state="y"))
    for answer in answers:
        assert "cross-origin-opener-policy" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
        policy = dict(part.strip().partition(" ")[::2] for part in answer.headers["content-security-policy"].split(";"))
        assert policy["default-src"] == "'none'"
        assert policy["frame-ancestors"] == "'none'"
        assert "unsafe" not in answer.headers["content-security-policy"]


async def test_the_page_at_the_end_names_a_way_back_with_the_code(house: House) -> None:
    answer = await house.sign_in()
    given = handed(answer)
    assert given["origin"] == PAGE_ORIGIN
    back = re.search(r'<a href="([^"]*#tertulia[^"]*)"', answer.text)
    assert back is not None
    address, _, fragment = back[1].partition("#")
    assert (address, fragment) == (PAGE, f"tertulia={given['code']}.{given['state']}")


async def test_nothing_that_is_kept_or_logged_signs_anybody_in(house: House, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    told = await house.go()
    (way,) = await house.server.rows(schema.signin)
    cookie = house.browser.client.cookies[SIGN_IN_COOKIE]
    for secret in (told["state"], told["nonce"], cookie, house.browser.verifier):
        assert secret not in str(way)
    code = handed(await house.browser.come_back(code="a-code", state=told["state"]))["code"]
    (kept,) = await house.server.rows(schema.signin_code)
    assert code not in str(kept)
    assert "4711" not in str(kept)
    house.provider.given = {"id_token": "x.y.z"}
    again = await house.go()
    await house.browser.come_back(code="secret-code", state=again["state"])
    said = " ".join(
        f"{record.getMessage()} {record.__dict__}" for record in caplog.records if "tertulia" in record.name
    )
    assert "Signing in failed" in said
    for secret in (code, again["state"], "secret-code", "an-access-token", SECRET, cookie, house.browser.state):
        assert secret not in said


# ---- what there is --------------------------------------------------------------------------------------


async def test_a_page_asks_which_ways_there_are(house: House) -> None:
    client = house.browser.client
    answer = await client.get(f"{API}/signin/options", headers={"Origin": PAGE_ORIGIN})
    assert answer.headers["access-control-allow-origin"] == PAGE_ORIGIN
    found = answer.json()
    assert "code" in found["grants"]
    assert found["providers"] == [{"name": "house", "label": "The House", "icon": "key"}]
    assert (await client.get(f"{API}/signin/options", params={"site": "nowhere"})).status_code == 404
    strange = await client.get(f"{API}/signin/options", headers={"Origin": "https://elsewhere.example"})
    assert strange.json()["code"] == "origin_not_allowed"


async def test_what_happened_is_counted(house: House) -> None:
    handed(await house.sign_in())
    await house.browser.come_back(code="x", state="y")
    text = (await house.browser.client.get("/metrics")).text
    assert "tertulia_provider_sign_ins_begun_total 1.0" in text
    for outcome, count in {"done": 1, "over": 1, "denied": 0}.items():
        assert f'tertulia_provider_sign_ins_total{{outcome="{outcome}"}} {count}.0' in text
