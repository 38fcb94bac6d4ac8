"""What the doctor finds on a page that embeds discussions: mistyped attributes, and what keeps its comments away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tertulia.cli import main
from tertulia.doctor import Finding
from tertulia.doctor.page import OTHERS, VALUES, examine_page
from tests.browser.hosts import Host
from tests.support.server import ServerProcess

CLIENT = Path(__file__).parents[1] / "client/src"


@pytest.fixture(scope="module")
def host() -> Iterator[Host]:
    opened = Host()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, host: Host) -> Iterator[ServerProcess]:
    opened = ServerProcess(tmp_path_factory.mktemp("doctor-page"), ("--allowed-origins", host.url))
    yield opened
    opened.end()


async def _found(host: Host, server: ServerProcess, html: str) -> list[Finding]:
    host.answers["/page"] = ("text/html", html, {})
    return [finding async for finding in examine_page(f"{host.url}/page?a=b", server.url)]


def _script(server: ServerProcess) -> str:
    return f'<script src="{server.url}/embed.js" defer></script>'


async def test_a_page_that_is_written_rightly(host: Host, server: ServerProcess) -> None:
    own, others = 'discussion="x" sort="top" no-shadow faces max="7"', 'id="c" class="a b" data-dates="dd/mm/yy"'
    found = await _found(host, server, f"{_script(server)}<tertulia-discussion {own} {others}>")
    assert [(one.verdict, one.advice) for one in found] == [("ok", ""), ("ok", "")]
    assert f'{server.url} lets it read discussions of the site "default"' in found[1].found


@pytest.mark.parametrize(
    ("attributes", "found", "advice"),
    [
        ('sort="newst"', 'sort="newst" is not understood', "newest, oldest or top"),
        ('sort="Newest"', 'sort="Newest" is not understood', "newest, oldest or top"),
        ("theme=drak", 'theme="drak" is not understood', "light, dark or auto"),
        ('LIVE="offf"', 'live="offf" is not understood', "on or off"),
        ('no-shadow="false"', 'no-shadow="false" is not understood', "left out where it shall not"),
        ('max="500"', 'max="500" is not understood', "a number from 1 to 100"),
        ('heading-level="h3"', 'heading-level="h3" is not understood', "from 2 to 6"),
        ('them="dark"', 'them="dark" is no attribute of it', "write theme"),
        ('token_endpoint="/t"', 'token_endpoint="/t" is no attribute of it', "write token-endpoint"),
        ('timezon="Asia/Tokyo"', "is no attribute of it", "write timezone"),
        ('key="{{ page.url }}"', '"{{ page.url }}" names no discussion', "write the page's address"),
        ('discussion="undefined"', '"undefined" names no discussion', "write the page's address"),
    ],
)
async def test_a_mistake_is_named(host: Host, server: ServerProcess, attributes: str, found: str, advice: str) -> None:
    [finding, reading] = await _found(host, server, f"{_script(server)}<tertulia-discussion {attributes}>")
    assert (finding.verdict, finding.tried, reading.verdict) == ("warn", "page", "ok")
    assert found in finding.found
    assert advice in finding.advice


async def test_each_discussion_of_a_page_is_told_apart(host: Host, server: ServerProcess) -> None:
    right, wrong = '<tertulia-discussion sort="top"></tertulia-discussion>', '<tertulia-discussion time="ago">'
    html = f'<base href="/elsewhere/">{_script(server)}<!-- <tertulia-discussion> -->{right}{wrong}'
    found = await _found(host, server, html)
    assert [(one.tried, one.verdict) for one in found if "not understood" in one.found] == [
        ("page, discussion 2", "warn")
    ]
    assert {one.tried for one in found} == {"page, discussion 1", "page, discussion 2"}


async def test_what_keeps_comments_away_is_named(host: Host, server: ServerProcess, tmp_path: Path) -> None:
    def only(found: list[Finding]) -> tuple[str, str]:
        [failure] = [one for one in found if one.verdict == "fail"]
        return failure.found, failure.advice

    element = "<tertulia-discussion {}>"
    said, advice = only(await _found(host, server, _script(server) + element.format("site=elsewhere")))
    assert 'has no site "elsewhere"' in said
    assert advice == f"add it: tertulia site add elsewhere --origin {host.url}"
    said, _ = only(await _found(host, server, _script(server) + element.format("server=comments.example")))
    assert 'server="comments.example" has no scheme' in said
    said, _ = only(await _found(host, server, _script(server) + element.format('server="http://127.0.0.1:9"')))
    assert "http://127.0.0.1:9 does not answer" in said
    said, _ = only(await _found(host, server, _script(server) + element.format('server="http://[::1"')))
    assert "http://[::1 is no address" in said
    stranger = Host()
    said, advice = only(await _found(stranger, server, _script(server) + element))
    stranger.close()
    assert said == f"{server.url} does not allow pages of {stranger.url}."
    assert f"TERTULIA_ALLOWED_ORIGINS={stranger.url}" in advice


async def test_a_page_without_a_discussion_or_without_the_script(host: Host, server: ServerProcess) -> None:
    [nothing] = await _found(host, server, "<p>An article")
    assert (nothing.verdict, "no <tertulia-discussion>" in nothing.found) == ("warn", True)
    [no_script, *others] = await _found(host, server, "<tertulia-discussion>")
    assert (no_script.verdict, "no script embed.js" in no_script.found) == ("warn", True)
    assert {one.verdict for one in others} == {"ok"}, "the server that doctor was given is asked"


@pytest.mark.parametrize("address", ["http://127.0.0.1:9/a", "http://127.0.0.1:99999/", "http://[::1/"])
async def test_a_page_that_does_not_answer(address: str) -> None:
    [finding] = [one async for one in examine_page(address, None)]
    assert (finding.verdict, finding.tried) == ("fail", "page")


def test_the_command_looks_at_a_page_and_ends_with_1(host: Host, server: ServerProcess) -> None:
    host.answers["/typo"] = ("text/html", f"{_script(server)}<tertulia-discussion theme=drak>", {})
    data = ["--data-dir", str(server.data_dir)]
    done = CliRunner().invoke(main, ["doctor", "--page", f"{host.url}/typo", *data])
    assert 'warn  page: theme="drak" is not understood. To do: write light, dark or auto' in done.stdout
    assert "Nothing was asked" not in done.stderr
    done = CliRunner().invoke(main, ["doctor", "--page", "http://127.0.0.1:9/", *data])
    assert (done.exit_code, "does not answer" in done.stdout) == (1, True)
    done = CliRunner().invoke(main, ["doctor", "--page", "file:///etc/hostname", *data])
    assert (done.exit_code, "is not an address such as" in done.stderr) == (1, True)


def test_it_knows_what_the_client_knows() -> None:
    diagnosis = (CLIENT / "diagnosis/index.js").read_text("utf-8")
    told = re.findall(r"^  '?([a-z-]+)'?: \[/\^\((.*)\)\$/, '(.*)'\],$", diagnosis, re.MULTILINE)
    told += re.findall(r"^  '?([a-z-]+)'?: \[/\^(\[[^(]*\])\$/, '(.*)'\],$", diagnosis, re.MULTILINE)
    assert {name: (pattern, words) for name, pattern, words in told} == VALUES
    observed = re.search(r"observedAttributes = \[(.*?)\];", (CLIENT / "element.js").read_text("utf-8"), re.DOTALL)
    assert observed
    assert {*VALUES, *OTHERS} == {*re.findall(r"'([^']+)'", observed[1]), "faces"}
