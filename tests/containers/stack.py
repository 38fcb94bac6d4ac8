"""A compose file brought up under a name of its own, on ports of its own, and taken away with all it made."""

from __future__ import annotations

import os
import socket
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import yaml

from tests.containers.engine import ROOT, Engine, python_version
from tests.support.waiting import wait_until

START_SECONDS = 120.0
"""Until a container is healthy: its image may have to be built, its database to be migrated."""
PROBE = "import sys, urllib.request as r; print(r.urlopen(f'http://127.0.0.1:8000{sys.argv[1]}').read().decode())"


class Stack:
    """The containers of one project."""

    def __init__(self, engine: Engine, project: str, files: list[str]) -> None:
        self.engine = engine
        self.project = project
        self._files = files
        port, secure_port = _free_port(), _free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._variables = {
            "PYTHON_VERSION": python_version(),
            "TERTULIA_HTTP": f"127.0.0.1:{port}",
            "TERTULIA_HTTPS": f"127.0.0.1:{secure_port}",
            "TERTULIA_NETWORK": "10.84.0.0/24",
        }

    # ---- up and down ------------------------------------------------------------------------------------

    def build(self) -> None:
        """The image, of the code as it is; podman-compose keeps one that is there."""
        self._compose("build")

    def up(self, scale: int | None = None) -> None:
        flags = [] if scale is None else ["--scale", f"server={scale}"]
        if self.engine.is_podman:
            # Podman refuses to start what depends on a container that has done its work and ended
            self._compose("up", "--no-start", "--no-deps", *flags)
            self._start_in_order()
        else:
            self._compose("up", "--detach", *flags)
        wait_until(self._answers, f"{self.url}/readyz", START_SECONDS)

    def _start_in_order(self) -> None:
        """What Docker does with ``depends_on``."""
        services = self._services()
        started: list[str] = []
        while len(started) < len(services):
            for name, service in services.items():
                needs: dict[str, Any] = service.get("depends_on", {})
                if name in started or not all(need in started for need in needs):
                    continue
                for need, how in needs.items():
                    self._await(need, how["condition"])
                for container in self.containers(name):
                    self.engine("start", container)
                started.append(name)

    def _services(self) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / self._files[0]).read_text("utf-8"))["services"]
        return found

    def _await(self, service: str, condition: str) -> None:
        for container in self.containers(service):
            if condition == "service_completed_successfully":
                assert self.engine("wait", container).strip() == "0", self.logs(container)
            elif condition == "service_healthy":
                wait_until(partial(self.is_healthy, container), f"the health of {container}", START_SECONDS)

    def scale(self, count: int) -> None:
        """More servers or fewer; those that stay are left alone."""
        if not self.engine.is_podman:
            self._compose("up", "--detach", "--no-recreate", "--scale", f"server={count}", "server")
            return
        servers = self.containers("server")
        for server in servers[count:]:
            self.engine("stop", "--time", "30", server)
            self.engine("rm", server)
        if count > len(servers):
            self._compose("up", "--no-start", "--no-deps", "--no-recreate", "--scale", f"server={count}", "server")
        for server in set(self.containers("server")) - set(servers):
            self.engine("start", server)
            wait_until(partial(self.is_healthy, server), f"the health of {server}", START_SECONDS)

    def down(self, *, volumes: bool) -> None:
        if self.engine.is_podman:
            for container in self.containers():  # with the volumes that have no name
                self.engine("stop", "--ignore", "--time", "10", container)
                self.engine("rm", "--force", "--volumes", "--ignore", container)
        self._compose("down", *(["--volumes"] if volumes else []))

    def left(self) -> list[str]:
        """Containers, volumes and networks of the project that are still there."""
        kinds = {"container": ("ps", "-a"), "volume": ("volume", "ls"), "network": ("network", "ls")}
        form = {"container": "{{.Names}}", "volume": "{{.Name}}", "network": "{{.Name}}"}
        found = [
            f"{kind} {name}"
            for kind, command in kinds.items()
            for name in self.engine(*command, "--format", form[kind]).split()
        ]
        return [one for one in found if one.split()[1].startswith(self.project)]

    def _compose(self, *arguments: str) -> str:
        files = [part for file in self._files for part in ("-f", file)]
        return self.engine.composed("-p", self.project, *files, *arguments, variables=self._variables)

    # ---- one container ----------------------------------------------------------------------------------

    def containers(self, service: str | None = None) -> list[str]:
        """Their names, those that ended among them."""
        filters = [f"label=com.docker.compose.project={self.project}"]
        filters += [f"label=com.docker.compose.service={service}"] if service else []
        flags = [part for one in filters for part in ("--filter", one)]
        return sorted(self.engine("ps", "-a", *flags, "--format", "{{.Names}}").split())

    def container(self, service: str) -> str:
        [found] = self.containers(service)
        return found

    def is_healthy(self, container: str) -> bool:
        if self.engine.is_podman:
            return self.engine.succeeds("healthcheck", "run", container)
        return bool(self.engine.inspect("container", container)["State"]["Health"]["Status"] == "healthy")

    def logs(self, container: str) -> str:
        return self.engine("logs", container)

    def execute(self, container: str, *command: str, check: bool = True) -> str:
        return self.engine("exec", container, *command, check=check)

    def python(self, container: str, code: str, *arguments: str, check: bool = True) -> str:
        """What Python code prints that runs in a server's container."""
        return self.execute(container, "python", "-I", "-c", code, *arguments, check=check)

    def once(self, service: str, code: str, *arguments: str) -> str:
        """The same in a container of a service that runs once."""
        flags = ["--no-deps"] if self.engine.is_podman else []
        return self._compose("run", "--rm", "-T", *flags, "--entrypoint", "python", service, "-c", code, *arguments)

    def follow(self, commands: list[str], folder: Path) -> None:
        """Does what a page tells an operator of this project to paste, in a folder with the project's files."""
        for command in commands:
            if self.engine.is_podman and command.endswith(" up -d"):
                self.up()  # Podman needs an order; see docs/containers.md
            else:
                self.engine.shell(command, folder, {**self._variables, **self._named()})
        wait_until(self._answers, f"{self.url}/readyz", START_SECONDS)

    def _named(self) -> dict[str, str]:
        """What makes compose take this project where a command does not name it."""
        files = os.pathsep.join(str(ROOT / file) for file in self._files)
        servers = str(len(self.containers("server")))  # podman-compose knows of no more than the file says
        return {"COMPOSE_PROJECT_NAME": self.project, "COMPOSE_FILE": files, "TERTULIA_SERVERS": servers}

    def readers(self, server: str) -> int:
        """How many readers follow at this server, by its own count."""
        for line in self.python(server, PROBE, "/metrics").splitlines():
            if line.startswith("tertulia_readers "):
                return int(float(line.split()[1]))
        raise AssertionError("no metric tertulia_readers")

    def restart(self, server: str) -> None:
        """As an operator does, until it is ready again."""
        self.engine("restart", "--time", "30", server)
        wait_until(partial(self.is_healthy, server), f"the health of {server}", START_SECONDS)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False


def _free_port() -> int:
    with socket.socket() as tried:
        tried.bind(("127.0.0.1", 0))
        port: int = tried.getsockname()[1]
        return port


def here(name: str) -> str:
    return str((Path(__file__).parent / name).relative_to(ROOT))
