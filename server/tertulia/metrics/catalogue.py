"""Every metric: its name, type and meaning, and where its value is read. docs/metrics.md derives from it."""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Generic, Literal, TypeVar

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.core import Metric as Family

from tertulia import __version__
from tertulia.bus import NetworkBus
from tertulia.identity.issuers import Issuers
from tertulia.limits import SharedCounter
from tertulia.live.hub import Hub
from tertulia.live.rate import DeliveryMode
from tertulia.metrics.host import Host
from tertulia.people import EmailCodes, Failure, ProviderSignIns
from tertulia.people.staff import StaffStats
from tertulia.serving.stats import ServerStats
from tertulia.store.failures import FailureLog
from tertulia.store.stats import Histogram
from tertulia.store.write_queue import WriteQueue
from tertulia.web.response_counts import ResponseCounts
from tertulia.work import Workers

S = TypeVar("S")
Value = float | Histogram | Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Metric(Generic[S]):
    """``read`` gives a number; a histogram; or, where there are ``labels``, a number for each of their values."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    read: Callable[[S], Value]
    labels: tuple[str, ...] = ()

    def family(self, source: S) -> Family:
        """The metric as it is now."""
        value = self.read(source)
        if isinstance(value, Histogram):
            return HistogramMetricFamily(self.name, self.help, _buckets(value), value.total)
        family = _NUMBERS[self.kind](self.name, self.help, labels=self.labels)
        for labels, number in value.items() if isinstance(value, Mapping) else [((), value)]:
            family.add_metric(labels, number)
        return family


_NUMBERS: dict[str, type[CounterMetricFamily | GaugeMetricFamily]] = {
    "counter": CounterMetricFamily,
    "gauge": GaugeMetricFamily,
}


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    names = [*map(str, map(float, histogram.bounds)), "+Inf"]
    return list(zip(names, accumulate(histogram.counts), strict=True))


def _rooms(hub: Hub) -> Value:
    modes = Counter(room.rate.mode for room in hub.rooms.values())
    return {(mode.value,): modes[mode] for mode in DeliveryMode}


def _paused(hub: Hub) -> int:
    return sum(1 for room in hub.rooms.values() for reader in room.readers if reader.paused)


HUB_METRICS: tuple[Metric[Hub], ...] = (
    Metric(
        "tertulia_rooms",
        "gauge",
        "Discussions that have readers or had some a moment ago, by how their events are delivered.",
        _rooms,
        ("pace",),
    ),
    Metric(
        "tertulia_readers",
        "gauge",
        "Readers that follow a discussion.",
        lambda hub: sum(len(room.readers) for room in hub.rooms.values()),
    ),
    Metric("tertulia_readers_paused", "gauge", "Readers that are behind: their connection takes no more.", _paused),
    Metric(
        "tertulia_readers_evicted_total",
        "counter",
        "Readers ended with 4408, since their connection took nothing for too long.",
        lambda hub: hub.stats.too_slow,
    ),
    Metric(
        "tertulia_events_total",
        "counter",
        "Events of followed discussions, heard from the bus or read to fill a gap.",
        lambda hub: hub.stats.events,
    ),
    Metric(
        "tertulia_deliveries_total",
        "counter",
        "Messages of events written to readers, each counted once a reader.",
        lambda hub: hub.stats.deliveries,
    ),
    Metric(
        "tertulia_summaries_total",
        "counter",
        "Summaries made because a discussion was busy, each counted once for all its readers.",
        lambda hub: hub.stats.summaries,
    ),
    Metric(
        "tertulia_gaps_total",
        "counter",
        "Gaps for which a discussion's events were read from the database, by what found them: a message of the bus, "
        "or the watch that compares with the database.",
        lambda hub: {(found.value,): count for found, count in hub.stats.gaps.items()},
        ("found_by",),
    ),
    Metric(
        "tertulia_draining",
        "gauge",
        "1 while the server ends and tells readers to come back, else 0.",
        lambda hub: int(hub.draining),
    ),
    Metric(
        "tertulia_loop_lag_seconds",
        "gauge",
        "How late the event loop came to its last tick, of which there is one a second.",
        lambda hub: hub.lag,
    ),
    Metric(
        "tertulia_loop_longest_lag_seconds",
        "gauge",
        "How late the event loop came to a tick at most since the start.",
        lambda hub: hub.longest_lag,
    ),
)

WRITE_QUEUE_METRICS: tuple[Metric[WriteQueue], ...] = (
    Metric(
        "tertulia_commits_total",
        "counter",
        "Transactions of one or more commands that were committed.",
        lambda queue: queue.stats.commits,
    ),
    Metric(
        "tertulia_commits_failed_total",
        "counter",
        "Transactions that the database did not commit; none of their commands changed anything.",
        lambda queue: queue.stats.failed_commits,
    ),
    Metric(
        "tertulia_commit_seconds",
        "histogram",
        "Seconds that a transaction took, from its first command to the end of its commit.",
        lambda queue: queue.stats.seconds,
    ),
    Metric(
        "tertulia_commit_commands",
        "histogram",
        "Commands that were committed together, refused ones among them.",
        lambda queue: queue.stats.batches,
    ),
    Metric(
        "tertulia_commands_committed_total",
        "counter",
        "Commands that were committed: comments, edits, votes, decisions of moderators.",
        lambda queue: queue.stats.committed,
    ),
    Metric(
        "tertulia_commands_waiting",
        "gauge",
        "Commands that wait for the next transaction.",
        lambda queue: queue.waiting,
    ),
    Metric(
        "tertulia_commits_stuck",
        "gauge",
        "1 while the database was out of service for the last transaction, else 0.",
        lambda queue: int(queue.is_stuck),
    ),
    Metric(
        "tertulia_commands_unavailable_total",
        "counter",
        "Commands answered 503, by cause: too many waited, or the database did not commit.",
        lambda queue: {
            ("queue_full",): queue.stats.turned_away,
            ("commit_failed",): queue.stats.lost,
        },
        ("cause",),
    ),
)

WORK_METRICS: tuple[Metric[Workers], ...] = (
    Metric(
        "tertulia_tasks_due",
        "gauge",
        "Tasks of background work that are due and nobody has taken, in the whole database, by queue.",
        lambda workers: _by_queue(workers, {name: found.due for name, found in workers.stats.waiting.items()}),
        ("queue",),
    ),
    Metric(
        "tertulia_tasks_oldest_seconds",
        "gauge",
        "Seconds since the oldest task that is due became due, by queue.",
        lambda workers: _by_queue(
            workers, {name: found.oldest / 1_000 for name, found in workers.stats.waiting.items()}
        ),
        ("queue",),
    ),
    Metric(
        "tertulia_tasks_dead",
        "gauge",
        "Tasks that failed too often and wait for tertulia work retry, in the whole database, by queue.",
        lambda workers: _by_queue(workers, workers.stats.dead),
        ("queue",),
    ),
    Metric(
        "tertulia_tasks_done_total",
        "counter",
        "Tasks that were done, by queue.",
        lambda workers: _by_queue(workers, workers.stats.done),
        ("queue",),
    ),
    Metric(
        "tertulia_tasks_failed_total",
        "counter",
        "Attempts at a task that failed, by queue.",
        lambda workers: _by_queue(workers, workers.stats.failed),
        ("queue",),
    ),
)


def _by_queue(workers: Workers, numbers: Mapping[str, float]) -> Value:
    """Of each queue that this server works on, and of any other of which there is a number."""
    return {(name,): numbers.get(name, 0) for name in sorted(workers.queues | numbers.keys())}


STAFF_METRICS: tuple[Metric[StaffStats], ...] = (
    Metric(
        "tertulia_staff_sign_ins_total",
        "counter",
        "Attempts to sign in to the staff's pages, by what came of them.",
        lambda stats: {("opened",): stats.signed_in, ("refused",): stats.refused},
        ("result",),
    ),
    Metric(
        "tertulia_staff_foreign_requests_total",
        "counter",
        "Requests to change something on the staff's pages that came from no page of this server, and were refused.",
        lambda stats: stats.foreign,
    ),
)

DATABASE_METRICS: tuple[Metric[FailureLog], ...] = (
    Metric(
        "tertulia_database_failures_total",
        "counter",
        "Failed transactions and queries, by cause.",
        lambda failures: {(met.name,): count for met, count in failures.counts.items()},
        ("trouble",),
    ),
)

HTTP_METRICS: tuple[Metric[ResponseCounts], ...] = (
    Metric(
        "tertulia_http_answers_total",
        "counter",
        "HTTP answers by what was asked for, never by path, and by the class of their status; 429 and 503 by "
        "themselves, and none where the client left before.",
        lambda responses: responses.counts,
        ("kind", "status"),
    ),
)

ISSUER_METRICS: tuple[Metric[Issuers], ...] = (
    Metric(
        "tertulia_issuer_stale",
        "gauge",
        "Issuers the address of whose keys failed when this process last asked it; the keys it has go on for a day.",
        lambda issuers: issuers.stale,
    ),
)

BUS_METRICS: tuple[Metric[NetworkBus], ...] = (
    Metric(
        "tertulia_bus_in_doubt",
        "gauge",
        "1 while messages of other instances may be lost and discussions are compared with the database every second, "
        "else 0.",
        lambda bus: int(bus.is_degraded),
    ),
    Metric(
        "tertulia_bus_messages_sent_total",
        "counter",
        "Messages that Redis took from this instance.",
        lambda bus: bus.stats.sent,
    ),
    Metric(
        "tertulia_bus_messages_received_total",
        "counter",
        "Messages of other instances that Redis brought.",
        lambda bus: bus.stats.received,
    ),
    Metric(
        "tertulia_bus_messages_dropped_total",
        "counter",
        "Messages that went no further, by cause: too many waited, Redis did not take them, what arrived cannot be "
        "read or is signed by none of ours, or is a number of readers from another time.",
        lambda bus: {(cause.value,): count for cause, count in bus.stats.dropped.items()},
        ("cause",),
    ),
    Metric(
        "tertulia_bus_instances",
        "gauge",
        "Other instances of which something was heard lately.",
        lambda bus: bus.peer_count,
    ),
    Metric(
        "tertulia_bus_failures_total",
        "counter",
        "Failures of connections to Redis, by cause: it refused, was slow, or unreachable.",
        lambda bus: {(cause.value,): count for cause, count in bus.stats.failures.items()},
        ("cause",),
    ),
    Metric("tertulia_bus_messages_waiting", "gauge", "Messages that wait for Redis.", lambda bus: bus.pending),
    Metric(
        "tertulia_bus_connections_total",
        "counter",
        "Connections made to Redis: two at the start, in a cluster two a shard; further ones after failures.",
        lambda bus: bus.stats.connections,
    ),
    Metric(
        "tertulia_bus_round_trip_seconds",
        "gauge",
        "Seconds that the last probe took through Redis and back, of which there is one a second.",
        lambda bus: bus.stats.round_trip,
    ),
)

LIMIT_METRICS: tuple[Metric[SharedCounter], ...] = (
    Metric(
        "tertulia_limits_failures_total",
        "counter",
        "Posts that Redis did not count, by cause: it refused, was slow, or unreachable; this instance counted alone.",
        lambda counts: {(cause.value,): count for cause, count in counts.failures.items()},
        ("cause",),
    ),
)

SERVER_METRICS: tuple[Metric[ServerStats], ...] = (
    Metric("tertulia_connections", "gauge", "Connections that are open.", lambda stats: stats.limiter.count),
    Metric(
        "tertulia_connections_refused_total",
        "counter",
        "Connections answered 503, by bound: in all, or from one address.",
        lambda stats: {
            ("total",): stats.limiter.refused_in_all,
            ("address",): stats.limiter.refused_of_address,
        },
        ("bound",),
    ),
    Metric(
        "tertulia_unread_bytes",
        "gauge",
        "Bytes that wait for clients to read them, as of the last look.",
        lambda stats: stats.unread.bytes,
    ),
    Metric(
        "tertulia_connections_cut_off_total",
        "counter",
        "Connections cut off because too many bytes waited for clients that did not read.",
        lambda stats: stats.unread.cut,
    ),
    Metric(
        "tertulia_gc_pauses_total",
        "counter",
        "Garbage collections, in which everything waits.",
        lambda stats: stats.gc_pauses.count,
    ),
    Metric(
        "tertulia_gc_pause_seconds_total",
        "counter",
        "Seconds that garbage collections took in all.",
        lambda stats: stats.gc_pauses.seconds,
    ),
    Metric(
        "tertulia_gc_longest_pause_seconds",
        "gauge",
        "Seconds that the longest garbage collection since the start took.",
        lambda stats: stats.gc_pauses.longest,
    ),
)

SIGN_IN_METRICS: tuple[Metric[ProviderSignIns], ...] = (
    Metric(
        "tertulia_provider_sign_ins_begun_total",
        "counter",
        "Browsers that were sent to a sign-in provider.",
        lambda sign_ins: sign_ins.begun,
    ),
    Metric(
        "tertulia_provider_sign_ins_total",
        "counter",
        "Ways to a sign-in provider that came to an end, by outcome: done, or why not.",
        lambda sign_ins: {(outcome,): sign_ins.ended[outcome] for outcome in ("done", *Failure)},
        ("outcome",),
    ),
)

EMAIL_CODE_METRICS: tuple[Metric[EmailCodes], ...] = (
    Metric(
        "tertulia_email_codes_total",
        "counter",
        "Codes to sign in by e-mail, by what came of them: asked, sent, right, wrong.",
        lambda codes: {(outcome,): codes.counts[outcome] for outcome in ("asked", "sent", "right", "wrong")},
        ("outcome",),
    ),
)

BUILD_METRICS: tuple[Metric[None], ...] = (
    Metric(
        "tertulia_build_info",
        "gauge",
        "Always 1; the labels say which versions run.",
        lambda _: {(__version__, platform.python_version()): 1},
        ("version", "python"),
    ),
)

HOST_METRICS: tuple[Metric[Host], ...] = (
    Metric(
        "tertulia_data_disk_bytes",
        "gauge",
        "Bytes of the disk that holds the data folder: those that are free, and those of the whole.",
        lambda machine: {(part,): count for part, count in machine.disk().items()},
        ("part",),
    ),
    Metric(
        "tertulia_memory_limit_bytes",
        "gauge",
        "Bytes of memory that all processes of this server may have: those of its container, else of the machine.",
        lambda machine: machine.memory_limit,
    ),
    Metric(
        "tertulia_backup_timestamp_seconds",
        "gauge",
        "When the file `last-backup` in the data folder was touched, in seconds since 1970; left out without one.",
        lambda machine: {} if machine.backup is None else {(): machine.backup},
    ),
)

CATALOGUE: tuple[Metric[Any], ...] = (
    *HUB_METRICS,
    *WRITE_QUEUE_METRICS,
    *WORK_METRICS,
    *STAFF_METRICS,
    *DATABASE_METRICS,
    *HTTP_METRICS,
    *ISSUER_METRICS,
    *SIGN_IN_METRICS,
    *EMAIL_CODE_METRICS,
    *BUS_METRICS,
    *LIMIT_METRICS,
    *SERVER_METRICS,
    *BUILD_METRICS,
    *HOST_METRICS,
)
