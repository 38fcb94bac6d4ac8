"""How the client's files are served, whatever its build wrote."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from tertulia.pages.assets import MAX_CODINGS, Assets, accepts
from tertulia.pages.client import client_assets, pinned_script

FIVE_MINUTES = "public, max-age=300"
FOREVER = "public, max-age=31536000, immutable"
FULL = b"// all in one\n"
PINNED = f"/embed.{hashlib.sha256(FULL).hexdigest()[:16]}.js"


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[httpx.AsyncClient]:
    app = Starlette(routes=Assets(client_assets(folder)).routes())
    transport = httpx.ASGITransport(app, raise_app_exceptions=True)
    async with httpx.AsyncClient(transport=transport, base_url="http://news.test") as client:
        yield client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What a build writes, with a package's own file among it."""
    for name in ("embed.js", "count.js", "embed-writing.4F2A9C01.js", "chunk-QWERTYUI.js", "embed-counters.js"):
        (tmp_path / name).write_text(f"// {name}\n" * 9, "utf-8")
        (tmp_path / f"{name}.map").write_text("{}", "utf-8")
    (tmp_path / "embed.full.js").write_bytes(FULL)
    (tmp_path / "embed.full.js.br").write_bytes(b"packed")
    (tmp_path / "embed.js.br").write_bytes(b"packed too")
    (tmp_path / "__init__.py").write_text("", "utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "cache"),
    [
        ("/embed.js", FIVE_MINUTES),
        ("/count.js", FIVE_MINUTES),
        ("/count.js.map", FIVE_MINUTES),
        ("/embed-counters.js", FIVE_MINUTES),
        ("/embed-writing.4F2A9C01.js", FOREVER),
        ("/embed-writing.4F2A9C01.js.map", FOREVER),
        ("/chunk-QWERTYUI.js", FOREVER),
        (PINNED, FOREVER),
    ],
)
async def test_a_file_may_be_kept_as_long_as_its_name_means_its_content(folder: Path, path: str, cache: str) -> None:
    async with served(folder) as client:
        answer = await client.get(path)
        again = await client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == cache
    kind = "application/json" if path.endswith(".map") else "text/javascript; charset=utf-8"
    assert answer.headers["content-type"] == kind
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize("path", ["/embed.full.js", "/embed.js.br", "/__init__.py", "/nothing.js"])
async def test_nothing_else_of_the_folder_is_served(folder: Path, path: str) -> None:
    async with served(folder) as client:
        assert (await client.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("br", "br"),
        ("GZIP;q=0.5, Br;q=0.1", "br"),
        ("gzip, br;q=0", "gzip"),
        ("gzip, br; q=0.000", "gzip"),
        ("gzip, brotli", "gzip"),
        ("br;q=0, gzip;q=0", None),
        ("identity", None),
        ("", None),
    ],
)
async def test_a_file_is_packed_as_the_client_can_read_it(folder: Path, accepted: str, coding: str | None) -> None:
    headers = {"Accept-Encoding": accepted}
    async with served(folder) as client, client.stream("GET", "/embed.js", headers=headers) as answer:
        content = b"".join([part async for part in answer.aiter_raw()])
    plain = (folder / "embed.js").read_bytes()
    assert answer.headers.get("content-encoding") == coding
    assert answer.headers["vary"] == "Accept-Encoding"
    if coding == "br":
        assert content == b"packed too"
    else:
        assert (gzip.decompress(content) if coding else content) == plain


async def test_a_file_without_brotli_beside_it_is_sent_with_gzip(folder: Path) -> None:
    async with served(folder) as client:
        answer = await client.get("/count.js", headers={"Accept-Encoding": "br, gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.content == (folder / "count.js").read_bytes()


@pytest.mark.skipif(pinned_script() is None, reason="the client is not built")
def test_each_file_names_the_next_by_its_content() -> None:
    """What is loaded later is served under that name, in brotli, too, and may be kept for ever."""
    assets = {asset.path: asset for asset in client_assets()}
    names = {"embed": "/embed.js"}
    for by, stem in (
        ("embed", "embed-actions"),
        ("embed-actions", "embed-about"),
        ("embed-actions", "embed-extras"),
        ("embed-actions", "embed-sharing"),
        ("embed-actions", "embed-threads"),
        ("embed-extras", "embed-letters"),
    ):
        [following] = re.findall(rf"\b{stem}\.[0-9a-f]{{16}}\.js\b", assets[names[by]].content.decode())
        name = names[stem] = f"/{following}"
        assert assets[name].cache == FOREVER
        assert assets[name].brotli is not None
        assert f"{name}.map" in assets
    assert not re.search(rb"\bembed-[a-z]+\.", assets[pinned_script()[0]].content), "one file is all"  # type: ignore[index]


async def test_a_strong_or_weak_tag_of_the_content_is_known(folder: Path) -> None:
    async with served(folder) as client:
        tag = (await client.get("/embed.js")).headers["etag"]
        for known in (tag, tag.removeprefix("W/"), f'"other", {tag}'):
            assert (await client.get("/embed.js", headers={"If-None-Match": known})).status_code == 304
        assert (await client.get("/embed.js", headers={"If-None-Match": '"other"'})).status_code == 200


@pytest.mark.parametrize("name", ["embed.full.js", "embed.full.A1B2C3D4.js"])
def test_what_is_pinned_has_its_own_integrity(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(FULL)
    integrity = base64.b64encode(hashlib.sha384(FULL).digest()).decode()
    assert pinned_script(tmp_path) == (PINNED, f"sha384-{integrity}")
    assert [(asset.path, asset.cache) for asset in client_assets(tmp_path)] == [(PINNED, FOREVER)]


def test_a_client_that_is_not_built_has_no_files(tmp_path: Path) -> None:
    assert pinned_script(tmp_path) is None
    assert list(client_assets(tmp_path)) == []


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("br", True),
        ("*", False),
        ("br;q=1.0", True),
        ("br;q=0.01", True),
        ("br;q=0.", False),
        ("a," * (MAX_CODINGS - 1) + "br", True),
        ("a," * MAX_CODINGS + "br", False),
    ],
)
def test_a_coding_is_accepted_by_name(header: str, accepted: bool) -> None:
    assert accepts(header, "br") is accepted
