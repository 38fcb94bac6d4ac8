"""The page: a document, two panes that embed the discussion as any site would, snapshots, and buttons."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

import uvicorn
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tertulia.pages.assets import stylesheet
from tertulia.showcase.demo.cluster import ActionRefused, Cluster
from tertulia.showcase.demo.evening import CHECK, check
from tertulia.showcase.demo.load_balancer import LoadBalancer
from tertulia.showcase.demo.services import Action
from tertulia.showcase.demo.snapshots import Snapshots

PANES = 2
SNAPSHOT_SECONDS = 0.5
_POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src 'self'; style-src 'self'; "


@dataclass(frozen=True)
class Article:
    """The sample article that is discussed."""

    key: str
    title: str


ARTICLE = Article("the-night-market-moves-to-the-river", "The night market moves to the river")


class Page:
    """``serve`` listens until it is cancelled."""

    def __init__(self, snapshots: Snapshots, cluster: Cluster, balancers: Sequence[LoadBalancer]) -> None:
        self._snapshots = snapshots
        self._cluster = cluster
        self._balancers = balancers
        self._closing = asyncio.Event()
        self._templates = Environment(
            loader=PackageLoader("tertulia.showcase.demo"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )

    async def serve(self, listener: socket.socket, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            self._app(), loop="asyncio", http="h11", ws="none", lifespan="off", log_config=None, access_log=False,
            server_header=False, timeout_graceful_shutdown=2,
        )  # fmt: skip
        server = _Server(config, ready)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(serving)
        finally:
            self._closing.set()
            server.should_exit = True
            await serving

    def _app(self) -> Starlette:
        own, pages = files("tertulia.showcase.demo"), files("tertulia.pages")
        return Starlette(
            routes=[
                Route("/", self._document),
                Route("/panes/{number:int}", self._pane),
                _content("styles.css", stylesheet(), "text/css"),
                _file(pages / "favicon.svg", "image/svg+xml"),
                _file(own / "demo.css", "text/css"),
                _file(own / "demo.js", "text/javascript"),
                _file(own / "pane.js", "text/javascript"),
                Route("/snapshot", self._answer_snapshot),
                Route("/snapshots", self._stream_snapshots),
                Route(CHECK, check, methods=["POST"]),
                Route("/parts/{name}/{action}", self._perform, methods=["POST"]),
            ],
            # a foreign host name that resolves to this address is an attack: DNS rebinding
            middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
        )

    async def _document(self, request: Request) -> Response:
        policy = _POLICY + "script-src 'self'; connect-src 'self'; frame-src 'self'; frame-ancestors 'none'"
        return self._rendered("cluster.html", policy, balancers=self._balancers[:PANES], article=ARTICLE)

    async def _pane(self, request: Request) -> Response:
        number = request.path_params["number"]
        if not 1 <= number <= len(self._balancers):
            return Response(status_code=404)
        balancer = self._balancers[number - 1]
        there = f"http://{balancer.address}"
        policy = _POLICY + (
            f"script-src 'self' {there}; connect-src {there} ws://{balancer.address}; frame-ancestors 'self'; "
            "require-trusted-types-for 'script'"
        )
        return self._rendered("pane.html", policy, server=there, balancer=balancer, article=ARTICLE)

    def _rendered(self, template: str, policy: str, **context: object) -> Response:
        headers = {"Content-Security-Policy": policy, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
        return HTMLResponse(self._templates.get_template(template).render(**context), headers=headers)

    async def _answer_snapshot(self, _request: Request) -> Response:
        return JSONResponse(self._snapshots.take(), headers={"Cache-Control": "no-store"})

    async def _stream_snapshots(self, _request: Request) -> Response:
        return StreamingResponse(self._events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})

    async def _events(self) -> AsyncIterator[str]:
        while not self._closing.is_set():
            yield f"data: {json.dumps(self._snapshots.take())}\n\n"
            try:
                async with asyncio.timeout(SNAPSHOT_SECONDS):
                    await self._closing.wait()
            except TimeoutError:
                pass

    async def _perform(self, request: Request) -> Response:
        # browsers say where a request comes from; only this page has the buttons
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return JSONResponse({"detail": "Only the page itself may do that."}, 403)
        service, action = self._cluster.service(request.path_params["name"]), request.path_params["action"]
        if service is None or action not in list(Action):
            return JSONResponse({"detail": "There is no such service or action."}, 404)
        try:
            await self._cluster.perform(service, Action(action))
        except ActionRefused as refused:
            return JSONResponse({"detail": str(refused)}, 409)
        return Response(status_code=204)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """The demonstration handles signals: it has more to stop than this server."""
        yield


def _file(file: Traversable, media_type: str) -> Route:
    return _content(file.name, file.read_bytes(), media_type)


def _content(name: str, content: bytes, media_type: str) -> Route:
    async def answer(_request: Request) -> Response:
        return Response(content, media_type=media_type, headers={"Cache-Control": "no-cache"})

    return Route(f"/{name}", answer)
