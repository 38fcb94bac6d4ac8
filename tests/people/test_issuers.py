"""Issuers from the operator's command to a comment of a member, and to the end of their session."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, update

from tertulia.cli import main
from tertulia.identity.keys import Algorithm
from tertulia.protocol import API
from tertulia.store import schema
from tertulia.store.commands import CommandResult
from tests.api.app import bearer
from tests.people.commands import ISS, Instance, claims, instance
from tests.support.issuers import SigningServer, private_key
from tests.support.store_actions import Custom
from tests.support.waiting import until


@pytest.fixture
async def one(database: str, tmp_path: Path) -> AsyncIterator[Instance]:
    async with instance(database, tmp_path / "one") as found:
        yield found


@pytest.mark.parametrize("algorithm", Algorithm)
async def test_from_the_command_to_a_comment_of_a_member_and_the_end_at_another_instance(
    database: str, tmp_path: Path, algorithm: Algorithm
) -> None:
    """E1, the good ones: HS256, RS256, PS256, ES256, EdDSA → 201; and section 4: ended at one instance, over at all."""
    signer = SigningServer(algorithm)
    async with instance(database, tmp_path / "a") as here, instance(database, tmp_path / "b") as there:
        added = await here.add_issuer(signer, tmp_path)
        assert (added.exit_code, added.output) == (0, f"default takes tokens of {ISS}, signed with {algorithm}.\n")
        opened = await here.exchange(signer.token(claims(name="Nguyễn Thị Lan")))
        assert opened.status_code == 201, opened.text
        session = opened.json()["token"]
        said = await there.say(session)
        assert said.status_code == 201
        assert said.json()["comment"]["author"]["name"] == "Nguyễn Thị Lan"
        assert (await there.client.get(f"{API}/me", headers=bearer(session))).json()["kind"] == "member"
        ended = await there.client.delete(f"{API}/sessions/current", headers=bearer(session))
        assert ended.json() == {"ended": 1}
        assert (await here.say(session)).status_code == 401


async def test_a_running_server_knows_an_issuer_within_seconds_and_forgets_one(one: Instance, tmp_path: Path) -> None:
    """A secret is changed without a moment in which no token is good."""
    old, new = SigningServer(Algorithm.HS256), SigningServer(Algorithm.HS256)
    assert (await one.exchange(old.token(claims()))).status_code == 401, "nothing is known yet"
    await one.add_issuer(old, tmp_path, name="old")

    async def is_taken(signer: SigningServer) -> bool:
        return (await one.exchange(signer.token(claims()))).status_code == 201

    await until(lambda: is_taken(old), "the first issuer")
    await one.add_issuer(new, tmp_path, name="new")
    await until(lambda: is_taken(new), "the second secret")
    assert await is_taken(old)
    removed = await one.command("issuer", "remove", "default", "old")
    assert removed.output == "default takes no tokens of old any more.\n"

    async def is_refused() -> bool:
        return not await is_taken(old)

    await until(is_refused, "the end of the first secret")
    assert await is_taken(new)


async def test_whoever_a_lost_secret_let_in_is_put_out(one: Instance, tmp_path: Path) -> None:
    lost, other = SigningServer(Algorithm.HS256), SigningServer(Algorithm.ES256)
    await one.add_issuer(lost, tmp_path)
    await one.add_issuer(other, tmp_path, "--iss", "https://other.example", name="other")
    theirs = (await one.exchange(lost.token(claims()))).json()["token"]
    ours = (await one.exchange(other.token(claims(iss="https://other.example")))).json()["token"]
    stays = await one.command("issuer", "remove", "default", "website")
    assert stays.exit_code == 0
    assert (await one.say(theirs)).status_code == 201, "without --sign-out a session goes on"
    await one.add_issuer(lost, tmp_path)
    put_out = await one.command("issuer", "remove", "default", "website", "--sign-out")
    assert put_out.output.splitlines()[1:] == ["1 session ended."]
    assert (await one.say(theirs)).status_code == 401
    assert (await one.say(ours)).status_code == 201


async def test_what_an_issuer_may_give_and_how_long_a_token_may_be_good(one: Instance, tmp_path: Path) -> None:
    signer = SigningServer(Algorithm.HS256)
    await one.add_issuer(signer, tmp_path, "--trust", "2", "--max-age", "86400", "--role", "host")
    now = int(str(claims()["iat"]))
    good = signer.token(claims(trust=2, role="host", exp=now + 86_400))
    assert (await one.exchange(good)).status_code == 201
    [author] = await one.rows(schema.author)
    assert author["trust"] == 2
    for more in ({"exp": now + 86_500}, {"role": "staff"}, {"badge": "author"}):
        assert (await one.exchange(signer.token(claims(**more)))).status_code == 401


async def test_the_list_says_what_there_is_and_no_secret(one: Instance, tmp_path: Path) -> None:
    shared, signing = SigningServer(Algorithm.HS256, key=secrets.token_hex(32).encode()), SigningServer(Algorithm.EdDSA)
    await one.add_issuer(shared, tmp_path, "--badge", "author", "--trust", "1")
    await one.add_issuer(signing, tmp_path, "--picture-host", "img.news.example", name="apps")
    listed = (await one.command("issuer", "list")).output.splitlines()
    assert listed == [
        f"default\tapps\t{ISS}\tEdDSA\tkeys from a file\tpictures at img.news.example",
        f"default\twebsite\t{ISS}\tHS256\tsecret\tbadge author, trust 1",
    ]
    stored = repr(await one.rows(schema.issuer))
    assert shared.key.decode() not in stored


async def test_the_last_line_end_of_a_secret_is_the_editors(one: Instance, tmp_path: Path) -> None:
    signer = SigningServer(Algorithm.HS256, key=secrets.token_hex(32).encode())
    file = tmp_path / "secret"
    file.write_bytes(signer.key + b"\r\n")
    added = await one.command(
        "issuer", "add", "default", "website", "--iss", ISS, "--alg", "HS256", "--secret-file", str(file)
    )
    assert added.exit_code == 0
    assert (await one.exchange(signer.token(claims()))).status_code == 201


HS256, ES256 = ("--alg", "HS256"), ("--alg", "ES256")
REFUSED: dict[str, tuple[bytes, tuple[str, ...], str]] = {
    "a short secret": (
        b"x" * 31,
        (*HS256, "--secret-file", "FILE"),
        "has 31 bytes and needs at least 32. Make another",
    ),
    "a short secret and the end of its line": (b"x" * 31 + b"\n", (*HS256, "--secret-file", "FILE"), "has 31 bytes"),
    "a private key for a secret": (
        b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 64,
        (*HS256, "--secret-file", "FILE"),
        "This is a key of a pair",
    ),
    "PEM": (b"-----BEGIN PUBLIC KEY-----\n", (*ES256, "--jwks-file", "FILE"), "This is PEM"),
    "no JSON": (b"keys", (*ES256, "--jwks-file", "FILE"), "cannot be read"),
    "no key for it": (b'{"keys": []}', (*ES256, "--jwks-file", "FILE"), "no public key for ES256"),
    "a private JWK": (
        json.dumps({"keys": [{"kty": "EC", "crv": "P-256", "d": "AAAA", "x": "AA", "y": "AA"}]}).encode(),
        (*ES256, "--jwks-file", "FILE"),
        "has private parts",
    ),
    "a large file": (b" " * 70_000, (*ES256, "--jwks-file", "FILE"), "has more than 65,536 bytes"),
    "no file": (b"", (*ES256, "--jwks-file", "missing"), "Cannot use missing: No such file"),
    "HS256 without a secret": (b"", HS256, "openssl rand -base64 48"),
    "HS256 with public keys": (b"", (*HS256, "--jwks-file", "FILE"), "HS256 has a secret"),
    "ES256 with a secret": (b"x" * 32, (*ES256, "--secret-file", "FILE"), "has public keys and no secret"),
    "keys in two places": (
        b"",
        (*ES256, "--jwks-file", "FILE", "--jwks-url", "https://news.example/keys"),
        "give either --jwks-file or --jwks-url",
    ),
    "keys nowhere": (b"", ES256, "give either --jwks-file or --jwks-url"),
    "keys over http": (b"", (*ES256, "--jwks-url", "http://news.example/keys"), "--jwks-url begins with https://"),
    "an empty iss": (b"x" * 32, (*HS256, "--secret-file", "FILE", "--iss", ""), "--iss has 1 to 255 characters"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_cannot_be_used_is_refused_with_what_to_do(one: Instance, tmp_path: Path, name: str) -> None:
    content, arguments, sentence = REFUSED[name]
    file = tmp_path / "given"
    file.write_bytes(content)
    given = [str(file) if one_of == "FILE" else one_of for one_of in arguments]
    result = await one.command("issuer", "add", "default", "website", "--iss", ISS, *given)
    assert (result.exit_code, sentence in result.output) == (1, True), result.output
    assert len(result.output.splitlines()) == 1
    assert await one.rows(schema.issuer) == []


async def test_names_and_sites_are_checked(one: Instance, tmp_path: Path) -> None:
    signer = SigningServer(Algorithm.HS256)
    assert "1 to 64 of a-z" in (await one.add_issuer(signer, tmp_path, name="Web site")).output
    await one.add_issuer(signer, tmp_path)
    assert "has an issuer website already" in (await one.add_issuer(signer, tmp_path)).output
    for arguments in (("nowhere", "website"), ("default", "other")):
        removed = await one.command("issuer", "remove", *arguments)
        assert removed.exit_code == 1
        assert "There is no such site" in removed.output or "see: tertulia issuer list" in removed.output


async def test_an_address_that_gives_no_keys_is_told_at_once(one: Instance) -> None:
    """It is kept, since the site's server may come later."""
    address = "https://127.0.0.1/keys"
    result = await one.command("issuer", "add", "default", "website", "--iss", ISS, *ES256, "--jwks-url", address)
    assert result.exit_code == 0
    assert f"{address} gave no keys just now" in result.output
    assert "private network" in result.output


async def test_without_the_key_of_the_server_no_secret_is_sealed(one: Instance, tmp_path: Path) -> None:
    """One that the command made would be another than the server's."""
    file = tmp_path / "secret"
    file.write_bytes(private_key(Algorithm.HS256))
    folder = tmp_path / "elsewhere"
    environment = {"TERTULIA_DATABASE_URL": one.database, "TERTULIA_DATA_DIR": str(folder)}
    arguments = ["issuer", "add", "default", "website", "--iss", ISS, *HS256, "--secret-file", str(file)]
    result = await asyncio.to_thread(CliRunner().invoke, main, arguments, env=environment)
    assert result.exit_code == 1
    assert "Cannot read the secret key file" in result.output
    assert not folder.exists()
    assert await one.rows(schema.issuer) == []


async def test_a_row_of_a_later_version_stops_no_other(one: Instance, tmp_path: Path) -> None:
    signer = SigningServer(Algorithm.HS256)
    await one.add_issuer(signer, tmp_path)
    await one.add_issuer(SigningServer(Algorithm.ES256), tmp_path, name="later")

    def change(connection: Connection) -> CommandResult[None]:
        later = update(schema.issuer).where(schema.issuer.c.name == "later")
        connection.execute(later.values(config={"iss": ISS, "alg": "ML-DSA-44"}))
        return CommandResult(None)

    await one.running.store.write(Custom(change))
    assert (await one.exchange(signer.token(claims()))).status_code == 201
    assert "default\tlater\tcannot be read" in (await one.command("issuer", "list")).output
