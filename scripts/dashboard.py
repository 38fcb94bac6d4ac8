"""Writes deploy/grafana/tertulia.json from the list below; `--check` only says whether it is up to date."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent.parent / "deploy/grafana/tertulia.json"
SCHEMA = 42
WIDTH, HEIGHT = 24, 7
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
HERE = '{job=~"$job",instance=~"$instance"}'


@dataclass(frozen=True, slots=True)
class Panel:
    """``lines`` maps what a line is called to its expression, in which HERE stands for the chosen instances."""

    title: str
    lines: dict[str, str]
    unit: str = "short"
    kind: str = "timeseries"
    help: str = ""


def rate(metric: str, by: str = "instance, worker") -> str:
    return f"sum by ({by}) (rate({metric}HERE[$__rate_interval]))"


def quantile(share: float, metric: str) -> str:
    return f"histogram_quantile({share}, sum by (le) (rate({metric}_bucketHERE[$__rate_interval])))"


ROWS: dict[str, tuple[Panel, ...]] = {
    "Readers and connections": (
        Panel("Readers", {"{{instance}} {{worker}}": "tertulia_readersHERE", "all": "sum(tertulia_readersHERE)"}),
        Panel("Connections", {"{{instance}} {{worker}}": "tertulia_connectionsHERE"}),
        Panel("Discussions with readers", {"{{pace}}": "sum by (pace) (tertulia_roomsHERE)"}),
        Panel("Readers that are behind", {"{{instance}} {{worker}}": "tertulia_readers_pausedHERE"}),
    ),
    "Deliveries": (
        Panel("Messages to readers a second", {"{{instance}} {{worker}}": rate("tertulia_deliveries_total")}),
        Panel("Events a second", {"{{instance}} {{worker}}": rate("tertulia_events_total")}),
        Panel(
            "Summaries a second",
            {"{{instance}} {{worker}}": rate("tertulia_summaries_total")},
            help="Made while a discussion has more than TERTULIA_SUMMARY_RATE events a second.",
        ),
    ),
    "Lag": (
        Panel(
            "Event loop",
            {
                "{{instance}} {{worker}} now": "tertulia_loop_lag_secondsHERE",
                "{{instance}} {{worker}} most": "tertulia_loop_longest_lag_secondsHERE",
            },
            "s",
            help="How late the loop comes to a tick: near 0 while there is time to spare.",
        ),
        Panel(
            "Share of time in garbage collections",
            {"{{instance}} {{worker}}": rate("tertulia_gc_pause_seconds_total")},
            "percentunit",
        ),
        Panel("Garbage collections a second", {"{{instance}} {{worker}}": rate("tertulia_gc_pauses_total")}),
        Panel("Longest collection", {"{{instance}} {{worker}}": "tertulia_gc_longest_pause_secondsHERE"}, "s"),
    ),
    "Gaps": (
        Panel(
            "Gaps filled from the database",
            {"{{instance}} {{worker}} {{found_by}}": "increase(tertulia_gaps_totalHERE[$__rate_interval])"},
            help="No reader sees one. Found by the bus: a message came before an earlier one. Found by the watch: a message "
            "never came.",
        ),
    ),
    "Bus": (
        Panel("Other instances", {"{{instance}} {{worker}}": "tertulia_bus_instancesHERE"}),
        Panel("In doubt", {"{{instance}} {{worker}}": "tertulia_bus_in_doubtHERE"}, kind="state-timeline"),
        Panel("Round trip through Redis", {"{{instance}} {{worker}}": "tertulia_bus_round_trip_secondsHERE"}, "s"),
        Panel(
            "Messages a second",
            {
                "sent": rate("tertulia_bus_messages_sent_total", "job"),
                "received": rate("tertulia_bus_messages_received_total", "job"),
            },
        ),
        Panel(
            "Dropped messages a second",
            {
                "{{instance}} {{worker}} {{cause}}": rate(
                    "tertulia_bus_messages_dropped_total", "instance, worker, cause"
                )
            },
        ),
        Panel("Messages that wait", {"{{instance}} {{worker}}": "tertulia_bus_messages_waitingHERE"}),
        Panel(
            "New connections to Redis",
            {"{{instance}} {{worker}}": "increase(tertulia_bus_connections_totalHERE[$__rate_interval])"},
        ),
    ),
    "Write queue": (
        Panel("Commits a second", {"{{instance}} {{worker}}": rate("tertulia_commits_total")}),
        Panel("Commands a second", {"{{instance}} {{worker}}": rate("tertulia_commands_committed_total")}),
        Panel(
            "Time of a commit",
            {f"p{round(share * 100)}": quantile(share, "tertulia_commit_seconds") for share in (0.5, 0.99)},
            "s",
        ),
        Panel(
            "Commands in a commit",
            {f"p{round(share * 100)}": quantile(share, "tertulia_commit_commands") for share in (0.5, 0.99)},
        ),
        Panel(
            "Sign-ins at providers a second",
            {
                "begun": rate("tertulia_provider_sign_ins_begun_total"),
                "{{outcome}}": rate("tertulia_provider_sign_ins_total", "outcome"),
            },
        ),
        Panel("Codes by e-mail a second", {"{{outcome}}": rate("tertulia_email_codes_total", "outcome")}),
        Panel(
            "Staff who sign in, a second",
            {
                "{{result}}": rate("tertulia_staff_sign_ins_total", "result"),
                "foreign requests": rate("tertulia_staff_foreign_requests_total"),
            },
        ),
        Panel("Commands that wait", {"{{instance}} {{worker}}": "tertulia_commands_waitingHERE"}),
        Panel(
            "Background work a second",
            {
                "{{queue}} done": rate("tertulia_tasks_done_total", "queue"),
                "{{queue}} failed": rate("tertulia_tasks_failed_total", "queue"),
            },
        ),
        Panel(
            "Background work that waits",
            {
                "{{queue}} due": "tertulia_tasks_dueHERE",
                "{{queue}} seconds": "tertulia_tasks_oldest_secondsHERE",
                "{{queue}} given up": "tertulia_tasks_deadHERE",
            },
        ),
        Panel("Issuers whose keys are not answered", {"{{instance}} {{worker}}": "tertulia_issuer_staleHERE"}),
        Panel(
            "Failures a second",
            {
                "{{instance}} {{worker}} commits": rate("tertulia_commits_failed_total"),
                "{{instance}} {{worker}} 503: {{cause}}": rate(
                    "tertulia_commands_unavailable_total", "instance, worker, cause"
                ),
            },
        ),
    ),
    "Answers and failures": (
        Panel(
            "Answers a second",
            {"{{kind}} {{status}}": rate("tertulia_http_answers_total", "kind, status")},
            help="429 and 503 by themselves; none is a client that left before its answer.",
        ),
        Panel(
            "Failures of the database a second",
            {
                "{{instance}} {{worker}} {{trouble}}": rate(
                    "tertulia_database_failures_total", "instance, worker, trouble"
                )
            },
        ),
        Panel("Cannot write", {"{{instance}} {{worker}}": "tertulia_commits_stuckHERE"}, kind="state-timeline"),
        Panel(
            "Failures of Redis a second",
            {
                "{{instance}} {{worker}} bus: {{cause}}": rate(
                    "tertulia_bus_failures_total", "instance, worker, cause"
                ),
                "{{instance}} {{worker}} limits: {{cause}}": rate(
                    "tertulia_limits_failures_total", "instance, worker, cause"
                ),
            },
        ),
    ),
    "Refusals and ends": (
        Panel(
            "Connections refused a second",
            {
                "{{instance}} {{worker}} {{bound}}": rate(
                    "tertulia_connections_refused_total", "instance, worker, bound"
                )
            },
        ),
        Panel(
            "Readers ended as too slow a second", {"{{instance}} {{worker}}": rate("tertulia_readers_evicted_total")}
        ),
        Panel("Waits for clients that do not read", {"{{instance}} {{worker}}": "tertulia_unread_bytesHERE"}, "bytes"),
        Panel(
            "Clients cut off a second, since too much waited",
            {"{{instance}} {{worker}}": rate("tertulia_connections_cut_off_total")},
        ),
        Panel("Draining", {"{{instance}} {{worker}}": "tertulia_drainingHERE"}, kind="state-timeline"),
    ),
    "Process": (
        Panel("Share of a core", {"{{instance}} {{worker}}": rate("process_cpu_seconds_total")}, "percentunit"),
        Panel(
            "Resident memory",
            {
                "{{instance}} {{worker}}": "process_resident_memory_bytesHERE",
                "{{instance}} may have": "max by (instance) (tertulia_memory_limit_bytesHERE)",
            },
            "bytes",
        ),
        Panel(
            "Disk of the data folder",
            {"{{instance}} {{part}}": "max by (instance, part) (tertulia_data_disk_bytesHERE)"},
            "bytes",
        ),
        Panel(
            "Age of the last backup",
            {"{{instance}}": "time() - max by (instance) (tertulia_backup_timestamp_secondsHERE)"},
            "s",
        ),
        Panel(
            "Share of the file descriptors that may be open",
            {"{{instance}} {{worker}}": "process_open_fdsHERE / process_max_fdsHERE"},
            "percentunit",
        ),
        Panel(
            "Versions",
            {"{{version}}, Python {{python}}": "count by (version, python) (tertulia_build_infoHERE)"},
            kind="stat",
        ),
    ),
}

_LOOKS: dict[str, dict[str, Any]] = {
    "state-timeline": {
        "mappings": [
            {
                "type": "value",
                "options": {"0": {"text": "no", "color": "green"}, "1": {"text": "yes", "color": "orange"}},
            }
        ]
    },
}


def dashboard() -> dict[str, Any]:
    return {
        "uid": "tertulia",
        "title": "Tertulia",
        "tags": ["tertulia"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": [_datasource(), _variable("job", ""), _variable("instance", 'job=~"$job"')]},
        "panels": list(_panels()),
    }


def _datasource() -> dict[str, Any]:
    return {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _variable(label: str, of: str) -> dict[str, Any]:
    return {
        "name": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": f"label_values(tertulia_build_info{{{of}}},{label})", "refId": label},
        "refresh": 2,
        "multi": True,
        "includeAll": True,
        "current": {"text": ["All"], "value": ["$__all"]},
    }


def _panels() -> Iterator[dict[str, Any]]:
    number, top = 0, 0
    for title, panels in ROWS.items():
        number += 1
        yield {
            "id": number,
            "type": "row",
            "title": title,
            "collapsed": False,
            "panels": [],
            "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1},
        }
        top += 1
        across = min(len(panels), 4 if len(panels) % 3 else 3)
        width = WIDTH // across
        for place, panel in enumerate(panels):
            number += 1
            left, down = place % across, place // across
            yield _panel(number, panel, {"x": left * width, "y": top + down * HEIGHT, "w": width, "h": HEIGHT})
        top += -(-len(panels) // across) * HEIGHT


def _panel(number: int, panel: Panel, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.help,
        "datasource": SOURCE,
        "gridPos": place,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, **_LOOKS.get(panel.kind, {})}, "overrides": []},
        "options": {},
        "targets": [
            {
                "refId": chr(ord("A") + which),
                "datasource": SOURCE,
                "expr": line.replace("HERE", HERE),
                "legendFormat": name,
            }
            for which, (name, line) in enumerate(panel.lines.items())
        ],
    }


def written() -> str:
    return json.dumps(dashboard(), ensure_ascii=False, indent=1) + "\n"


def main() -> int:
    if "--check" not in sys.argv:
        FILE.parent.mkdir(parents=True, exist_ok=True)
        FILE.write_text(written(), "utf-8")
    elif FILE.read_text("utf-8") != written():
        print("Out of date: deploy/grafana/tertulia.json; run: make docs")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
