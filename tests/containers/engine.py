"""Docker or Podman, whichever is there: `python -m tests.containers.engine` says in a line why neither can be used."""

from __future__ import annotations

import json
import os
import re
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PULL_SECONDS = 300


class Unavailable(Exception):
    """No container can be run here; says why."""


@dataclass(frozen=True, slots=True)
class Engine:
    """``command`` runs containers, ``compose`` reads compose files."""

    command: str
    compose: tuple[str, ...]
    environment: Mapping[str, str]

    @property
    def is_podman(self) -> bool:
        return self.command == "podman"

    def __call__(self, *arguments: str, check: bool = True, stdin: str | None = None) -> str:
        """What the command printed on both channels; raises AssertionError with it where the command fails."""
        return self._run((self.command, *arguments), {}, check, stdin)

    def composed(self, *arguments: str, variables: Mapping[str, str]) -> str:
        return self._run((*self.compose, *arguments), variables, True, None)

    def shell(self, command: str, folder: Path, variables: Mapping[str, str]) -> str:
        """A line for the shell that says `docker`, whatever engine is here. Raises AssertionError."""
        said = command
        if self.is_podman:
            compose = shlex.join(self.compose)
            said = re.sub(r"^docker compose\b", lambda _: compose, command)
            said = re.sub(r" run --rm\b", " run --no-deps --rm", said)  # Podman starts nothing that depends on an end
        done = subprocess.run(
            ["sh", "-e", "-c", said],
            cwd=folder,
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}"
        return done.stdout

    def _run(self, command: Sequence[str], variables: Mapping[str, str], check: bool, stdin: str | None) -> str:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={**self.environment, **variables},
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        said = "\n".join(line for line in done.stdout.splitlines() if not _NOISE.search(line))
        assert not check or done.returncode == 0, f"{' '.join(command)}\n{said}"
        return said

    def succeeds(self, *arguments: str) -> bool:
        done = subprocess.run((self.command, *arguments), env=self.environment, capture_output=True, cwd=ROOT)
        return done.returncode == 0

    def inspect(self, kind: str, name: str) -> Any:
        return json.loads(self(kind, "inspect", name))[0]


# Podman's checks run by systemd's timers; without it the tests run them
_NOISE = re.compile("unable to get systemd connection|failed to connect to syslog|Ignored .* condition check")


@cache
def engine() -> Engine:
    """The first of Docker and Podman that answers. Raises Unavailable."""
    if _works("docker", "info") and _works("docker", "compose", "version"):
        return Engine("docker", ("docker", "compose"), os.environ)
    if shutil.which("podman") is None:
        raise Unavailable("neither a Docker engine with compose nor Podman is here")
    if find_spec("podman_compose") is None:
        raise Unavailable("Podman is here, but podman-compose is not")
    found = Engine("podman", (sys.executable, "-m", "podman_compose", "--in-pod=false"), _podman_environment())
    if not found.succeeds("info"):
        raise Unavailable("Podman is here, but `podman info` fails")
    return found


def _works(*command: str) -> bool:
    return shutil.which(command[0]) is not None and subprocess.run(command, capture_output=True).returncode == 0


def _podman_environment() -> dict[str, str]:
    environment = {**os.environ, "BUILDAH_FORMAT": "docker"}  # the other format has no HEALTHCHECK
    if "CONTAINERS_CONF" not in environment and not Path("/run/systemd/system").exists():
        environment["CONTAINERS_CONF"] = _without_systemd()
    return environment


def _without_systemd() -> str:
    """Podman's settings for a machine that systemd does not run, where limits may be below Podman's defaults."""
    files = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 20_000)
    ulimits = f'"nofile={files}:{files}", "nproc=4096:4096"'
    runtime = "crun" if shutil.which("crun") else "runc"
    text = (
        f"[containers]\ndefault_ulimits = [{ulimits}]\n"
        f'[engine]\ncgroup_manager = "cgroupfs"\nruntime = "{runtime}"\nevents_logger = "file"\n'
    )
    path = Path(tempfile.mkdtemp(prefix="tertulia-podman-")) / "containers.conf"
    path.write_text(text)
    return str(path)


def require() -> Engine:
    """The engine, with every image that is needed. Raises Unavailable."""
    found = engine()
    python_version()
    for image in re.findall(r"image: \$\{\w+:-(docker\.io/[^}]+)\}", (ROOT / "docker-compose.yml").read_text("utf-8")):
        if not _is_there(found, image):
            raise Unavailable(f"the image {image} is not here and cannot be pulled")
    return found


@cache
def python_version() -> str:
    """The variable PYTHON_VERSION, or the Dockerfile's, or that of this Python: the first with an image."""
    default = re.search(r"ARG PYTHON_VERSION=(\S+)", (ROOT / "Dockerfile").read_text("utf-8"))
    assert default
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    given = os.environ.get("PYTHON_VERSION")
    for version in [given] if given else [default[1], own]:
        if _is_there(engine(), f"docker.io/library/python:{version}-slim"):
            return version
    raise Unavailable(f"the image python:{given or default[1]}-slim is not here and cannot be pulled")


def _is_there(found: Engine, image: str) -> bool:
    return found.succeeds("image", "inspect", image) or _pulled(found, image)


def _pulled(found: Engine, image: str) -> bool:
    try:
        done = subprocess.run(
            (found.command, "pull", "--quiet", image), env=found.environment, capture_output=True, timeout=PULL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> int:
    try:
        require()
    except Unavailable as reason:
        print(reason)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
