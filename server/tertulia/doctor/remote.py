"""The address that readers use: TLS, clock, what proxies write, compression, and live connections."""

from __future__ import annotations

import asyncio
import http.client
import json
import secrets
import socket
import ssl
import time
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from tertulia.doctor.finding import Finding
from tertulia.doctor.local import clock, known_secret
from tertulia.protocol import API, HEARTBEAT_SECONDS
from tertulia.settings import Settings
from tertulia.web import seen

ANSWER_SECONDS = 5.0
"""For an answer, and for the first word of a stream: a proxy that holds it back longer buffers."""
IDLE_SECONDS = HEARTBEAT_SECONDS + ANSWER_SECONDS
"""Until a quiet stream has said something: a proxy that ends it before is too impatient."""
QUIET_SECONDS = HEARTBEAT_SECONDS * 0.8
"""What is said before belongs to the beginning of a stream; what comes after it came through silence."""
CERTIFICATE_DAYS = 14


class _Site:
    """Requests to one address, in threads; each has a connection of its own."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self.is_tls = parts.scheme == "https"
        self.host, self.port = parts.hostname or "", parts.port or (443 if self.is_tls else 80)

    def connection(self, timeout: float = ANSWER_SECONDS) -> http.client.HTTPConnection:
        if self.is_tls:
            return http.client.HTTPSConnection(self.host, self.port, timeout=timeout)
        return http.client.HTTPConnection(self.host, self.port, timeout=timeout)

    def get(self, path: str, **headers: str) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = self.connection()
        try:
            connection.request("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()


async def examine_url(settings: Settings, url: str, *, quick: bool) -> AsyncIterator[Finding]:
    """One finding a trial; where nothing answers no more is tried."""
    site = _Site(url)
    if site.is_tls:
        for finding in await asyncio.to_thread(_tls, site):
            yield finding
    try:
        status, headers, body = await asyncio.to_thread(site.get, "/readyz")
    except (OSError, http.client.HTTPException) as error:
        advice = "start the server and its proxy, or name the address that readers use: tertulia doctor URL"
        yield Finding("address", "fail", f"{site.url} does not answer: {error}", advice)
        return
    yield _ready(status, body)
    if headers["Date"]:
        yield clock("clock", parsedate_to_datetime(headers["Date"]).timestamp() - time.time())
    yield await asyncio.to_thread(_proxies, settings, site)
    yield await asyncio.to_thread(_compression, site)
    for finding in await asyncio.gather(_websocket(site, quick=quick), asyncio.to_thread(_events, site, quick=quick)):
        yield finding


def _tls(site: _Site) -> list[Finding]:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["h2", "http/1.1"])
    try:
        with (
            socket.create_connection((site.host, site.port), ANSWER_SECONDS) as plain,
            context.wrap_socket(plain, server_hostname=site.host) as secured,
        ):
            certificate: dict[str, Any] = dict(secured.getpeercert() or {})
            spoken = secured.selected_alpn_protocol()
    except ssl.SSLError as error:
        return [Finding("certificate", "fail", f"It is not accepted: {error}", "renew it, with its whole chain")]
    except OSError:
        return []  # told with the address
    days = (ssl.cert_time_to_seconds(certificate["notAfter"]) - time.time()) / 86400
    is_late = days < CERTIFICATE_DAYS
    advice = "look why it is not renewed by itself" if is_late else ""
    found = [Finding("certificate", "warn" if is_late else "ok", f"It ends in {days:.0f} days.", advice)]
    if spoken == "h2":
        return [*found, Finding("HTTP/2", "ok", "It is offered.")]
    advice = "turn HTTP/2 on: with HTTP/1.1 six event streams use up the connections of a browser"
    return [*found, Finding("HTTP/2", "warn", "It is not offered.", advice)]


def _ready(status: int, body: bytes) -> Finding:
    try:
        said = str(json.loads(body)["status"])
    except (ValueError, KeyError, TypeError):
        return Finding(
            "address", "fail", f"/readyz is answered {status}, not by Tertulia.", "look where the proxy leads"
        )
    if status != 200:
        return Finding("address", "fail", f"The server is not ready: {said}.", "see docs/operating.md and its log")
    return Finding(
        "address", "ok" if said == "ok" else "warn", f"The server says: {said}.", "" if said == "ok" else "see its log"
    )


def _proxies(settings: Settings, site: _Site) -> Finding:
    """What arrives of this very request, told by the server to who holds its secret key."""
    tried, secret = "proxies", known_secret(settings)
    if secret is None:
        return Finding(
            tried, "warn", "There is no secret key here to ask with.", "run doctor with the server's settings"
        )
    asked = seen.question(secret, time.time())
    status, _, body = site.get(seen.PATH, Authorization=asked)
    if status != 200:
        advice = "run doctor with the server's settings and secret key, and let the proxy pass Authorization"
        return Finding(tried, "warn", f"The server did not say what it saw ({status}).", advice)
    return judged(json.loads(body), site.url)


def judged(answer: dict[str, Any], url: str) -> Finding:
    """What the server saw of a request to this address."""
    tried, names = "proxies", {name for name, _ in answer["headers"]}
    headers = (
        "; ".join(f"{name}: {value}" for name, value in answer["headers"] if name != "host") or "no header of a proxy"
    )
    saw = f"It saw {answer['peer']}{' (trusted)' if answer['is_trusted'] else ''} with {headers}"
    if answer["is_trusted"] and answer["known"] != "told":
        advice = {
            "silent": "let the proxy set X-Forwarded-For to the reader's address",
            "unreadable": "let the proxy write the address alone",
            "contradictory": "let the proxy remove the one of X-Forwarded-For and Forwarded that it does not set",
        }[answer["known"]]
        return Finding(tried, "fail", f"{saw}: readers cannot be told apart.", advice)
    if not answer["is_trusted"] and names & {"forwarded", "via", "x-real-ip", "x-forwarded-for", "x-forwarded-proto"}:
        advice = f"add {answer['peer']} or its network to TERTULIA_TRUSTED_PROXIES"
        return Finding(tried, "fail", f"{saw}: a proxy that is not trusted, so all readers look like one.", advice)
    if answer["base_url"].lower() != url.lower():
        advice = f"set TERTULIA_PUBLIC_URL={url}, or let the proxy keep Host and set X-Forwarded-Proto"
        return Finding(tried, "fail", f"{saw}, and takes itself for {answer['base_url']}.", advice)
    return Finding(tried, "ok", f"{saw}; the reader is {answer['address']}.")


def _compression(site: _Site) -> Finding:
    _, headers, _ = site.get("/embed.js", Accept_Encoding="gzip, br")
    coding = headers["Content-Encoding"]
    if coding:
        return Finding("compression", "ok", f"/embed.js comes with {coding}.")
    return Finding("compression", "warn", "/embed.js comes uncompressed.", "let the proxy pass Accept-Encoding")


def _stream(path: str) -> str:
    # a discussion that nobody has written in: reading it stores nothing
    return f"{API}/{path}?{urlencode({'key': f'doctor-{secrets.token_hex(8)}'})}"


async def _websocket(site: _Site, *, quick: bool) -> Finding:
    from websockets.asyncio.client import connect
    from websockets.exceptions import WebSocketException

    tried, address = "WebSocket", f"ws{site.url[4:]}{_stream('live')}"
    try:
        async with connect(address, open_timeout=ANSWER_SECONDS, ping_interval=None, proxy=None) as socket_:
            async with asyncio.timeout(ANSWER_SECONDS):
                await socket_.recv()
            if quick:
                return Finding(tried, "ok", "It opens and speaks.")
            try:
                begun = time.monotonic()
                while time.monotonic() - begun < QUIET_SECONDS:
                    async with asyncio.timeout(IDLE_SECONDS):
                        await socket_.recv()
            except (TimeoutError, WebSocketException):
                return _impatient(tried)
            return Finding(tried, "ok", f"It opens, and stays open for {HEARTBEAT_SECONDS:g} s of silence.")
    except (OSError, TimeoutError, WebSocketException) as error:
        advice = "let the proxy pass Upgrade and Connection with HTTP/1.1; until then readers use event streams"
        return Finding(tried, "fail", f"It does not open: {type(error).__name__}: {error}".rstrip(": "), advice)


def _events(site: _Site, *, quick: bool) -> Finding:
    tried, connection = "event stream", site.connection()
    try:
        connection.request("GET", _stream("events"), headers={"Accept": "text/event-stream"})
        socket_ = connection.sock
        answer = connection.getresponse()
        if answer.status != 200:
            return Finding(tried, "fail", f"It is answered {answer.status}.", "look at the proxy's log")
        for _ in range(2):
            _read_block(answer)
        if quick:
            return Finding(tried, "ok", "It speaks at once.")
    except TimeoutError:
        advice = "turn the proxy's buffering of answers off (nginx: proxy_buffering off)"
        return Finding(tried, "fail", f"Nothing came in {ANSWER_SECONDS:g} s: it is held back.", advice)
    except (OSError, http.client.HTTPException) as error:
        return Finding(tried, "fail", f"It breaks off: {error}", "look at the proxy's log")
    else:
        return _idle(tried, socket_, answer)
    finally:
        connection.close()


def _idle(tried: str, socket_: socket.socket, answer: http.client.HTTPResponse) -> Finding:
    try:
        socket_.settimeout(IDLE_SECONDS)
        begun = time.monotonic()
        while time.monotonic() - begun < QUIET_SECONDS:
            _read_block(answer)
    except (OSError, http.client.HTTPException):
        return _impatient(tried)
    return Finding(tried, "ok", f"It speaks at once, and stays open for {HEARTBEAT_SECONDS:g} s of silence.")


def _read_block(answer: http.client.HTTPResponse) -> None:
    """An event and the empty line after it; a stream begins with two, how to come back and where it stands."""
    while line := answer.readline():
        if not line.strip():
            return
    raise http.client.IncompleteRead(b"")


def _impatient(tried: str) -> Finding:
    advice = "give the proxy more than 45 s of patience (nginx: proxy_read_timeout 75s)"
    return Finding(tried, "fail", f"It is ended while nothing is said for {HEARTBEAT_SECONDS:g} s.", advice)
