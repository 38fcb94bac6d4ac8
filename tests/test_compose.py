"""The compose files and the Dockerfile keep what is promised of them; `make test-containers` runs them for real."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from tertulia import __version__
from tertulia.settings import Settings

ROOT = Path(__file__).parent.parent
FILES = ["docker-compose.yml", "deploy/compose.sqlite.yml"]
TOOLS = Path(sys.executable).parent
Service = dict[str, Any]


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / name).read_text("utf-8"))
    return found


SERVICES = [
    pytest.param(name, service, id=f"{file}-{name}")
    for file in FILES
    for name, service in _read(file)["services"].items()
]
LASTING = [one for one in SERVICES if one.values[0] not in ("secrets", "setup")]
BIG = _read("docker-compose.yml")


def test_the_files_say_what_compose_files_may_say() -> None:
    command = [str(TOOLS / "check-jsonschema"), "--builtin-schema", "vendor.compose-spec", *FILES]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_a_service_can_do_little_harm(name: str, service: Service) -> None:
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert set(service.get("cap_add", [])) <= {"secrets": {"CHOWN"}, "caddy": {"NET_BIND_SERVICE"}}.get(name, set())
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] <= 256
    assert re.fullmatch(r"(\$\{TERTULIA_[A-Z_]+:-)?\d+m\}?", service["mem_limit"])
    assert service["ulimits"]["nofile"] >= 20_000
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert "privileged" not in service
    assert "container_name" not in service, "a name of its own could not be scaled"
    assert all("noexec" in place and "nosuid" in place and "size=" in place for place in service.get("tmpfs", []))


@pytest.mark.parametrize(("name", "service"), LASTING)
def test_a_service_that_lasts_is_watched_and_restarted(name: str, service: Service) -> None:
    assert service["restart"] == "unless-stopped"
    # the image of the server has a check of its own
    assert service["image"].startswith("tertulia:") or {"test", "interval", "timeout"} <= service["healthcheck"].keys()


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_no_service_runs_as_root_but_the_one_that_gives_secrets_away(name: str, service: Service) -> None:
    user = service.get("user", "")
    if service["image"].startswith("tertulia:"):
        assert user == ("0:0" if name == "secrets" else ""), "the image has a user of its own"
    else:
        assert user.split(":")[0] not in ("", "0", "root")
    if name == "secrets":
        assert service["network_mode"] == "none"


@pytest.mark.parametrize(("name", "service"), SERVICES)
def test_images_have_a_version(name: str, service: Service) -> None:
    image, _, tag = service["image"].rpartition(":")
    assert image
    assert tag
    assert "latest" not in tag
    if image == "tertulia":
        assert tag == __version__


def test_every_image_of_others_can_be_named_by_digest() -> None:
    """By the variables that the page tells of, in both files and in the image's own."""
    told = set(
        re.findall(r"^\| `(TERTULIA_\w+_IMAGE)=docker\.io/", (ROOT / "docs/containers.md").read_text(), re.MULTILINE)
    )
    text = "".join((ROOT / file).read_text("utf-8") for file in FILES)
    images = re.findall(r"\bdocker\.io/\S+", text)
    named = re.findall(r"\$\{(TERTULIA_\w+_IMAGE):-docker\.io/", text)
    assert set(named) == told
    assert len(named) == len(images)
    assert set(re.findall(r"^FROM (\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)) == {"${PYTHON_IMAGE}"}


def test_only_the_proxy_has_ports_and_a_way_out() -> None:
    networks = BIG["networks"]
    outside = {name for name, network in networks.items() if not network.get("internal")}
    assert outside == {"outside"}
    for name, service in BIG["services"].items():
        assert ("ports" in service) == (name == "caddy"), name
        assert ("outside" in service.get("networks", [])) == (name == "caddy"), name
    assert "front" not in BIG["services"]["postgres"]["networks"] + BIG["services"]["redis"]["networks"]


@pytest.mark.parametrize("file", FILES)
def test_ports_are_for_this_machine_until_somebody_says_otherwise(file: str) -> None:
    for service in _read(file)["services"].values():
        for port in service.get("ports", []):
            assert re.match(r"\$\{TERTULIA_HTTPS?:-127\.0\.0\.1:\d+\}:", port)


def test_servers_believe_the_network_of_the_proxy_alone() -> None:
    subnet = BIG["networks"]["front"]["ipam"]["config"][0]["subnet"]
    assert BIG["services"]["server"]["environment"]["TERTULIA_TRUSTED_PROXIES"] == subnet
    members = {name for name, service in BIG["services"].items() if "front" in service.get("networks", [])}
    assert members == {"caddy", "server"}


def test_secrets_come_from_files_that_only_their_service_sees() -> None:
    text = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert not re.search(r"(?i)(password|secret_key|token)\s*[:=]", text)
    readers: dict[str, list[str]] = {}
    for name, service in BIG["services"].items():
        for volume in service.get("volumes", []):
            source, _, mode = volume.partition(":")
            if source.endswith("-secrets") and name != "secrets":
                assert mode == "/secrets:ro"
                readers.setdefault(source, []).append(name)
    assert readers == {f"{name}-secrets": [name] for name in ("setup", "server", "postgres", "redis")}


@pytest.mark.parametrize("file", FILES)
def test_an_end_has_time_for_the_drain(file: str) -> None:
    drain = Settings.model_fields["drain_seconds"].default
    grace = _read(file)["services"]["server"]["stop_grace_period"]
    assert int(grace.removesuffix("s")) >= drain + 10


def test_articles_are_written_by_setup_alone() -> None:
    mounts = {
        name: [volume for volume in service.get("volumes", []) if volume.startswith("articles:")]
        for name, service in BIG["services"].items()
    }
    assert mounts["server"] == ["articles:/articles:ro"]
    assert mounts["setup"] == ["articles:/articles"]


# ---- the image ------------------------------------------------------------------------------------------


def test_the_dockerfile_is_clean() -> None:
    checked = subprocess.run([TOOLS / "hadolint", "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_the_image_says_which_version_it_is() -> None:
    assert f"ARG VERSION={__version__}\n" in (ROOT / "Dockerfile").read_text("utf-8")


def test_sqlite_sorts_where_there_is_as_much_room_as_for_its_data() -> None:
    """To make indexes and for exports; /tmp has 16 MiB, too few for 200,000 comments."""
    said = (ROOT / "Dockerfile").read_text("utf-8")
    assert re.findall(r"(?:TERTULIA_DATA_DIR|SQLITE_TMPDIR)=(\S+)", said) == ["/data", "/data"]


def test_the_locked_requirements_are_what_the_project_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    text = (ROOT / "deploy" / "requirements.txt").read_text("utf-8")
    locked = dict(re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE))
    for line in project["dependencies"]:
        needed = Requirement(line)
        assert needed.name in locked, f"{needed.name} is not locked; run: make lock"
        assert needed.specifier.contains(locked[needed.name]), f"{needed} is not what is locked; run: make lock"
