"""The composition root: from settings to a running application. Build, wire, run, undo in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from types import MappingProxyType

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import ASGIApp, Receive, Scope, Send

from tertulia import private
from tertulia.api import Api
from tertulia.api.bans import BansApi
from tertulia.api.desk import DeskApi
from tertulia.api.nudging import NudgeApi
from tertulia.api.openapi import Description
from tertulia.api.people import PeopleApi
from tertulia.api.search import SearchApi
from tertulia.api.signing_in import CodesApi, SignInApi
from tertulia.articles import Articles
from tertulia.bus import Bus
from tertulia.bus.opening import open_bus
from tertulia.desk import desk_use_cases, mending_reviews, removing
from tertulia.discussions import Discussions, Sites, publish_committed
from tertulia.discussions.closing import closing, forgetting
from tertulia.discussions.idempotency_keys import hash_stored_keys
from tertulia.discussions.search import Search, SearchFollower
from tertulia.discussions.site_rules import SiteRules
from tertulia.discussions.voting import VOTE_SECONDS
from tertulia.errors import Problem, StartupError
from tertulia.hooks import Akismet, Checking, Nudging, Secrets, Teaching, askers
from tertulia.identity import Tokens, derived_key
from tertulia.identity.issuers import Issuers
from tertulia.identity.sealing import Sealing
from tertulia.limits import PostingLimits, SharedCounter, open_shared_counter
from tertulia.live.hub import Hub
from tertulia.live.rate import Rates
from tertulia.live.tuning import DEFAULT, Tuning
from tertulia.metrics import Metrics, Sources, WorkerMetrics
from tertulia.outgoing import Outgoing
from tertulia.outgoing.key_sets import fetching
from tertulia.outgoing.mail import Mailer
from tertulia.pages import Pages, SiteDefaults
from tertulia.pages.account_pages import AccountPages
from tertulia.pages.comment_forms import CommentForms
from tertulia.pages.me import MyPage
from tertulia.pages.readers import AS_READER, COOKIE, COOKIE_LIFE, Readers, is_readers
from tertulia.pages.search_page import SearchPages
from tertulia.pages.sign_in import SignInPages
from tertulia.pages.way_in import WayIn
from tertulia.people import (
    EMAIL,
    PROVIDER_CODE,
    SITE_JWT,
    EmailCodes,
    Mailboxes,
    People,
    Providers,
    ProviderSignIns,
    SharedClock,
    SignInMethods,
    Staff,
    StaffWays,
    by_site_token,
    member_named,
    site_issuers,
    taking_names,
)
from tertulia.push import Push
from tertulia.push.desk import DeskStream
from tertulia.resolving import Resolver
from tertulia.serving.stats import ServerStats
from tertulia.settings import KEY_FILE, Settings, load, secret_key
from tertulia.staff import StaffPages
from tertulia.store import Store, queries
from tertulia.web import problems
from tertulia.web.client_address import ClientAddress
from tertulia.web.middleware import RequestMiddleware
from tertulia.web.operations import operations_of, routes
from tertulia.web.origins import OriginPolicy, checked_origins
from tertulia.web.readiness import Readiness
from tertulia.web.response_counts import ResponseCounts
from tertulia.web.same_origin import SameOrigin
from tertulia.web.seen import Seen
from tertulia.web.session_cookie import SessionCookie
from tertulia.work import Following, Workers, working_on


@dataclass(frozen=True, slots=True)
class Running:
    """A running application and the sources that whoever runs it needs."""

    asgi: ASGIApp
    store: Store
    hub: Hub
    bus: Bus
    articles: Articles
    metrics: Metrics
    workers: Workers


@asynccontextmanager
async def running(
    settings: Settings,
    server_stats: ServerStats | None = None,
    worker_metrics: WorkerMetrics | None = None,
    tuning: Tuning = DEFAULT,
    more_sign_in_methods: SignInMethods = MappingProxyType({}),
    outgoing: Outgoing | None = None,
    vote_seconds: float = VOTE_SECONDS,
) -> AsyncIterator[Running]:
    """Opens the store, starts the hub and gives the application; closes in reverse. Raises StartupError.

    ``server_stats``: of the server it will run on, if that is ours; ``worker_metrics``: those of its other workers;
    ``tuning``: the numbers of live delivery; for tests, ``more_sign_in_methods`` than the server's own, what makes its
    requests to others, and ``vote_seconds`` between two events of votes on one comment.
    """
    Resolver().install(asyncio.get_running_loop())
    secret = secret_key(settings)
    private.tighten((settings.data_dir, settings.data_dir / KEY_FILE))
    tokens = Tokens(secret)
    allowed_origins = checked_origins(settings.allowed_origins)
    store = await Store.open(settings.database)
    try:
        # what is said of another database, or of this one before it was brought back, is not believed either
        key = derived_key(secret, f"bus\0{store.epoch}")
        async with (
            open_bus(settings.redis, key) as bus,
            open_shared_counter(settings.redis, secret, lambda: bus.is_degraded) as counts,
            outgoing or Outgoing(settings.private_hosts) as asking,
            Issuers(site_issuers(store), Sealing(secret), fetching(asking)) as issuers,
        ):
            rates = Rates(settings.tick_rate, settings.summary_rate)
            hub = Hub(bus, store.epoch, store.bound(queries.events), store.bound(queries.latest_seqs), rates, tuning)
            limits = _posting_limits(settings, counts)
            window = timedelta(minutes=settings.edit_minutes)
            sealing = Sealing(secret)
            discussions = Discussions(
                store,
                hub,
                tokens,
                limits,
                edit_window=window,
                vote_seconds=vote_seconds,
                site_name=settings.site_name,
                sealing=sealing,
                keeps_origins=settings.origin_days > 0,
            )
            providers = Providers(store, sealing, asking)
            mailboxes = Mailboxes(sealing, derived_key(secret, "mailboxes"))
            sign_ins = ProviderSignIns(store, providers, sealing, mailboxes, limits)
            methods = {SITE_JWT: by_site_token(issuers, SharedClock(store).now), PROVIDER_CODE: sign_ins.by_code()}
            mailer = _mailer(settings)
            codes = None
            if mailer is not None:
                codes = EmailCodes(store, mailer, sealing, mailboxes, limits, settings.site_name)
            methods |= {} if codes is None else {EMAIL: codes.by_code()}
            methods |= more_sign_in_methods
            subjects = derived_key(secret, "subjects")
            people = People(store, subjects, limits, methods, tokens, settings.site_name)
            staff = Staff(store, limits, partial(member_named, store, mailboxes, subjects))
            staff_ways = StaffWays(store, limits, staff, sign_ins, codes, subjects)
            addresses = ClientAddress(settings.trusted_proxies)
            origins = OriginPolicy(Sites(store.bound(queries.sites), allowed_origins), addresses, settings.public_url)
            articles = Articles(settings.articles_dir, settings.language, settings.time_zone)
            defaults = SiteDefaults(settings.site_name, settings.language, settings.time_zone)
            following = Following(store, [SearchFollower()] if settings.search else [])
            queues = [
                *following.queues(),
                sign_ins.queue(),
                SiteRules(store).queue(),
                closing(store),
                forgetting(settings.origin_days),
                taking_names(store),
                mending_reviews(),
                removing(store),
                *Checking(store, askers(asking, sealing)).queues(),
                Teaching(store, Akismet(asking, Secrets(sealing), sealing)).queue(),
            ]
            queues += [] if codes is None else [codes.queue()]
            workers = Workers(store, working_on(settings.work, queues))
            responses = ResponseCounts()
            sources = Sources(
                hub,
                store.write_queue,
                workers,
                staff.stats,
                store.failures,
                responses,
                bus,
                counts,
                server_stats,
                issuers,
                sign_ins,
                codes,
            )
            metrics = Metrics(sources, settings.data_dir, addresses, settings.metrics_allow, worker_metrics)
            cookie = SessionCookie(origins, COOKIE, COOKIE_LIFE)
            readers = Readers(discussions.identify, sign_ins, cookie, has_email=codes is not None)
            pages = Pages(discussions, articles, origins, addresses, defaults, readers)
            account_pages = AccountPages(readers, pages.rendering, defaults)
            way_in = WayIn(account_pages, people, codes, origins, addresses)
            at_desk = desk_use_cases(store, limits, networks=settings.origin_days > 0)
            staff_pages = StaffPages(
                staff,
                staff_ways,
                at_desk,
                pages.rendering.extended("tertulia.staff"),
                origins,
                addresses,
                language=settings.language,
                time_zone=settings.time_zone,
                identify=discussions.identify,
            )
            ends = {AS_READER: way_in.enter, **staff_pages.ends()}
            sign_in_pages = SignInPages(sign_ins, pages.rendering, defaults, origins, addresses, ends)
            readiness = Readiness(store, hub, bus, counts, warning=lambda: addresses.warning)
            others: list[BaseRoute] = [
                *_health(readiness, hub),
                *metrics.routes(),
                *Seen(secret, addresses, origins).routes(),
            ]
            others += [*sign_in_pages.routes(), *way_in.routes()]
            others += MyPage(account_pages, people, sign_ins, edit_window=window).routes()
            others += CommentForms(account_pages, discussions, pages.where, origins, addresses).routes()
            others += _playground(pages) if settings.playground else []
            search = Search(store, limits) if settings.search else None
            others += [] if search is None else SearchPages(search, pages.rendering, defaults, addresses).routes()
            desk_stream = DeskStream(hub, bus, staff_pages.deciding, staff.standing)
            store.start(partial(publish_committed, bus, store.epoch))
            store.write_queue.on_tasks = workers.wake
            following.start()
            hub.start()
            workers.start()
            hashing = asyncio.create_task(hash_stored_keys(store, tokens), name="hash-stored-keys")
            try:
                edges: list[object] = [PeopleApi(people, discussions.identify, origins, addresses)]
                edges += [SignInApi(sign_ins, methods, origins), DeskApi(at_desk.desk, staff_pages.deciding)]
                nudging = Nudging(store, limits, asking, Secrets(sealing), discussions.suspect_words)
                edges.append(NudgeApi(nudging, origins, addresses))
                edges.append(BansApi(at_desk.banning, staff_pages.deciding))
                others += desk_stream.routes()
                edges += [] if codes is None else [CodesApi(codes, origins, addresses)]
                guards = [
                    staff_pages.middleware(),
                    Middleware(SameOrigin, origins=origins, guarded=is_readers, refuse=account_pages.foreign),
                ]
                others += staff_pages.routes()
                asgi = _asgi(discussions, edges, guards, hub, origins, addresses, pages, others, responses, search)
                yield Running(asgi, store, hub, bus, articles, metrics, workers)
            finally:
                await desk_stream.close()
                await workers.close()
                await providers.close()
                hashing.cancel()
                await asyncio.gather(hashing, return_exceptions=True)
                await discussions.close()
                await hub.close()
    finally:
        await store.close()


def create_app() -> ASGIApp:
    """The application for any ASGI server, configured by the environment; it opens in its lifespan."""
    return _Application(load())


class _Application:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._running: Running | None = None
        self._lifespan = Router(lifespan=self._run)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(scope, receive, send)
        elif self._running is not None:
            await self._running.asgi(scope, receive, send)
        else:
            raise RuntimeError("Tertulia opens in its lifespan: run it on a server that supports the lifespan protocol")

    @asynccontextmanager
    async def _run(self, _app: object) -> AsyncIterator[None]:
        async with running(self._settings) as self._running:
            yield
        self._running = None


def _posting_limits(settings: Settings, counts: SharedCounter | None) -> PostingLimits:
    return PostingLimits(
        settings.post_limit_guest,
        settings.post_limit_address,
        counts,
        changes=(settings.edit_limit_guest, settings.edit_limit_address),
        votes=(settings.vote_limit_guest, settings.vote_limit_address),
    )


def _mailer(settings: Settings) -> Mailer | None:
    """Raises StartupError where only half of what it needs is set."""
    url, sender = settings.smtp, settings.mail_from
    if url is None or sender is None:
        if url is not None:
            raise StartupError("TERTULIA_MAIL_FROM is needed with a mail server: 'News <comments@news.example>'")
        return None
    return Mailer(url, sender, settings.private_hosts)


def _asgi(
    discussions: Discussions,
    edges: Sequence[object],
    guards: Sequence[Middleware],
    hub: Hub,
    origins: OriginPolicy,
    addresses: ClientAddress,
    pages: Pages,
    others: list[BaseRoute],
    responses: ResponseCounts,
    search: Search | None,
) -> Starlette:
    push = Push(discussions, hub, origins, addresses)
    operations = [*operations_of(Api(discussions, origins, addresses)), *operations_of(push)]
    operations += [one for edge in edges for one in operations_of(edge)]
    if search is not None:
        operations += operations_of(SearchApi(search, origins, addresses))

    async def on_http_error(request: Request, error: Exception) -> Response:
        if request.url.path.startswith("/api/") and isinstance(error, HTTPException):
            return problems.of_http(error, request.method)
        return await pages.not_found(request, error)

    return Starlette(
        routes=[
            *push.routes(),  # first: ten thousand readers may come back at once
            *routes(operations),
            *Description(operations).routes(),
            *others,
            *pages.routes(),
        ],
        middleware=[
            Middleware(RequestMiddleware, origins=origins, addresses=addresses, responses=responses),
            *guards,
        ],
        exception_handlers={Problem: problems.on_problem, HTTPException: on_http_error},
    )


def _playground(pages: Pages) -> list[Route]:
    from tertulia.showcase.playground.page import Playground  # a server without it neither loads nor keeps it

    return Playground(pages.rendering).routes()


def _health(readiness: Readiness, hub: Hub) -> list[Route]:
    async def healthz(_request: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def acceptz(_request: Request) -> Response:
        """Whether a proxy should still send something here that it can send once only; asks nobody else."""
        return JSONResponse({"status": "draining"}, 503) if hub.draining else JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        code, status = await readiness.probe()
        return JSONResponse({"status": status}, code)

    return [Route("/healthz", healthz), Route("/acceptz", acceptz), Route("/readyz", readyz)]
