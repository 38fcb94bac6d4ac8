"""The servers that are compared: how each is started, where its readers go, and whether it is installed here."""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
NCHAN = Path("/usr/lib/nginx/modules/ngx_nchan_module.so")
_LIVE = "/api/v1/live?key=bench"


@dataclass(frozen=True, slots=True)
class Kind:
    """``command`` has PORT where the port belongs; ``opening`` is what a reader says once it is connected.

    ``mark`` is what each message holds once.
    """

    label: str
    command: tuple[str, ...]
    path: str = _LIVE
    opening: bytes = b""
    mark: bytes = b'"seq":'
    installed: Callable[[], bool] = lambda: True


def _module(name: str) -> Callable[[], bool]:
    return lambda: importlib.util.find_spec(name) is not None


def _node_has_ws() -> bool:
    if shutil.which("node") is None:
        return False
    found = subprocess.run(["node", "-e", "require.resolve('ws')"], cwd=HERE / "peers", capture_output=True)
    return found.returncode == 0


def _ours(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", "bench.subjects", name, "PORT")


def _peer(name: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"bench.peers.{name}", "PORT")


def _masked(text: bytes) -> bytes:
    """A client's text frame with a mask of zeros."""
    return struct.pack("!BB", 0x81, 0x80 | len(text)) + bytes(4) + text


TERTULIA = Kind("Tertulia", _ours("tertulia"))
NAIVE = Kind("naive Starlette", _ours("naive"))
INSTANCE = Kind("Tertulia", _ours("instance"))
GUARDED = Kind("Tertulia", _ours("guarded"))
DEFENDED = Kind("Tertulia", _ours("defended"))
PROFILED = Kind("Tertulia", _ours("profiled"))
UVLOOP = Kind("Tertulia on uvloop", _ours("uvloop"), installed=_module("uvloop"))
PEERS = (
    Kind("Nchan (nginx, C)", _peer("nchan"), "/sub", installed=lambda: NCHAN.exists() and bool(shutil.which("nginx"))),
    Kind("socketify (uWebSockets, C++)", _peer("uws"), installed=_module("socketify")),
    Kind("ws (Node)", ("node", str(HERE / "peers" / "ws.mjs"), "PORT"), installed=_node_has_ws),
    Kind(
        "python-socketio",
        _peer("socketio_"),
        "/socket.io/?EIO=4&transport=websocket",
        _masked(b"40"),
        b'\\"seq\\":',
        _module("socketio"),
    ),
)
