"""What the settings name: database, disk, origins, Redis."""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path

from sqlalchemy import Connection, text

from tertulia import settings as settings_module
from tertulia.bus.opening import open_bus
from tertulia.doctor.finding import Finding
from tertulia.errors import StartupError
from tertulia.settings import Settings
from tertulia.store import Store, queries
from tertulia.web.origins import normal_origin

LEAST_FREE = 0.1
"""Of a disk; with less TertuliaDisk warns, too."""
FULL_BYTES = 100 * 1024 * 1024
SKEW_SECONDS = 5.0
REDIS_SECONDS = 5.0
_LOOK_SECONDS = 0.05


def known_secret(settings: Settings) -> bytes | None:
    """The secret key, if there is one already; asking makes none."""
    path = settings.secret_key_file or settings.data_dir / settings_module.KEY_FILE
    if settings.secret_key is None and not path.is_file():
        return None
    with suppress(StartupError):
        return settings_module.secret_key(settings)
    return None


async def examine_settings(settings: Settings) -> AsyncIterator[Finding]:
    """One finding a trial."""
    sites: dict[str, list[str]] = {}
    try:
        store = await Store.open(settings.database, timeouts=False, opening="read")
    except StartupError as error:
        yield Finding("database", "fail", str(error), "give doctor the settings of the server, and start the database")
    else:
        try:
            sites = dict(await store.read(queries.sites))
            yield Finding("database", "ok", "It answers and has the newest schema.")
            for finding in await store.database.read.run(_database):
                yield finding
        finally:
            await store.close()
    for folder in _folders(settings):
        yield _disk(folder)
    sites["default"] = [*settings.allowed_origins, *sites.get("default", [])]
    for finding in _origins(settings.public_url, sites):
        yield finding
    async for finding in _redis(settings):
        yield finding


def _database(connection: Connection) -> list[Finding]:
    """Whether it could be written, and its clock; a file has the clock of this machine."""
    if connection.dialect.name != "postgresql":
        [(_, _, file)] = [row for row in connection.exec_driver_sql("PRAGMA database_list") if row[1] == "main"]
        may = os.access(file, os.W_OK) and os.access(Path(file).parent, os.W_OK)
        advice = "" if may else "let the server's user write the file and its folder, or run doctor as that user"
        return [Finding("database writable", "ok" if may else "fail", f"{file}: {'yes' if may else 'no'}.", advice)]
    standby, may, now = connection.execute(
        text(
            "SELECT pg_is_in_recovery(), has_table_privilege('comment', 'INSERT'), "
            "extract(epoch FROM clock_timestamp())::float"
        )
    ).one()
    writable = Finding("database writable", "ok", "The role may write.")
    if standby:
        writable = Finding("database writable", "fail", "It is a standby.", "name the primary")
    elif not may:
        writable = Finding("database writable", "fail", "The role may not write.", "grant it INSERT on all tables")
    return [writable, clock("database clock", now - time.time())]


def clock(tried: str, ahead: float) -> Finding:
    """Whether a clock that is ``ahead`` of this machine's, in seconds, is right enough."""
    if abs(ahead) <= SKEW_SECONDS:
        return Finding(tried, "ok", f"Within {SKEW_SECONDS:g} s of this machine's.")
    found = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} this machine's."
    return Finding(tried, "fail" if abs(ahead) > 60 else "warn", found, "keep clocks synchronised (NTP)")


def _folders(settings: Settings) -> Iterable[Path]:
    return [folder for folder in (settings.data_dir,) if folder.is_dir()]


def _disk(folder: Path) -> Finding:
    usage = shutil.disk_usage(folder)
    found = f"{folder}: {usage.free / 2**30:.1f} GiB free of {usage.total / 2**30:.1f}."
    if usage.free < FULL_BYTES:
        return Finding("disk", "fail", found, "make room before the database has none")
    is_low = usage.free < LEAST_FREE * usage.total
    return Finding("disk", "warn" if is_low else "ok", found, "make room" if is_low else "")


def _origins(public_url: str | None, sites: dict[str, list[str]]) -> Iterable[Finding]:
    if public_url is None:
        advice = "set TERTULIA_PUBLIC_URL to the address that readers use"
        yield Finding("public address", "warn", "It is taken from each request.", advice)
    own = None if public_url is None else normal_origin(public_url)
    for site, origins in sorted(sites.items()):
        tried, before = f"origins of {site}", set[str]()
        faults = []
        for origin in origins:
            normal = normal_origin(origin)
            if normal is None:
                faults.append(Finding(tried, "fail", f"{origin!r} is no origin.", "write it as https://news.example"))
                continue
            if normal in before:
                faults.append(Finding(tried, "warn", f"{origin} is there twice.", "once is enough"))
            if normal == own:
                faults.append(Finding(tried, "warn", f"{origin} is the server's own.", "leave it out: it may anyway"))
            if normal.startswith("http:") and own is not None and own.startswith("https:"):
                advice = "name the https:// origin if its pages are served by TLS"
                faults.append(Finding(tried, "warn", f"{origin} is without TLS.", advice))
            before.add(normal)
        yield from faults or [Finding(tried, "ok", ", ".join(origins) or "None besides the server itself.")]


async def _redis(settings: Settings) -> AsyncIterator[Finding]:
    try:
        url = settings.redis
    except StartupError as error:
        yield Finding("redis", "fail", str(error), "let this user read it")
        return
    if url is None:
        if settings.workers > 1:
            yield Finding("redis", "fail", "Several workers need one.", "set TERTULIA_REDIS_URL")
        return
    try:
        yield await _round_trip(url)
        yield await _eviction(url)
    except StartupError as error:
        yield Finding("redis", "fail", str(error), "mend TERTULIA_REDIS_URL")


async def _round_trip(url: str) -> Finding:
    """The bus sends itself probes on every connection, and is sure once they have come back."""
    loop = asyncio.get_running_loop()
    async with open_bus(url, b"the doctor's, for probes alone") as bus:
        begun = loop.time()
        for _ in range(round(REDIS_SECONDS / _LOOK_SECONDS)):
            if not bus.is_degraded:
                break
            await asyncio.sleep(_LOOK_SECONDS)
        if bus.is_degraded:
            advice = "start it, or look at its address, its password and its rights (docs/settings.md)"
            return Finding("redis", "fail", f"What was published did not come back in {REDIS_SECONDS:g} s.", advice)
        return Finding("redis", "ok", f"What was published came back, {(loop.time() - begun) * 1000:.0f} ms after.")


async def _eviction(url: str) -> Finding:
    from redis.exceptions import RedisError  # here, as redis-py is needed only where there is a Redis

    from tertulia.bus.redis import clients

    client = clients.from_url(url, REDIS_SECONDS)
    try:
        # one server answers with its fields, a cluster with those of each of its servers
        answers = [dict(await client.info(section)) for section in ("server", "memory")]
    except (RedisError, OSError) as error:
        found = f"It does not tell its version and memory ({type(error).__name__}), which an ACL may forbid."
        return Finding("redis memory", "ok", found)
    finally:
        await clients.close(client)
    fields: dict[str, object] = {}
    for answer in answers:
        first = next(iter(answer.values()), None)
        fields |= first if isinstance(first, dict) else answer
    version = fields.get("valkey_version") or fields.get("redis_version")
    policy, bound = str(fields.get("maxmemory_policy", "")), fields.get("maxmemory")
    found = f"Version {version}, maxmemory {bound or 'unbounded'}, {policy}."
    if bound and policy.startswith("allkeys"):
        return Finding(
            "redis memory", "warn", found, "choose noeviction or volatile-ttl, or posting limits are forgotten"
        )
    return Finding("redis memory", "ok", found)
