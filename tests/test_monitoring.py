"""The dashboard and the alerts speak of metrics and labels that exist, and of every metric."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector

from tertulia.cli import main
from tertulia.metrics.catalogue import CATALOGUE
from tertulia.protocol import BODY_LIMIT, HEARTBEAT_SECONDS
from tertulia.settings import PREFIX, Settings
from tertulia.web import forwarding

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
LEFT_OUT: set[str] = set()
"""Metrics that the dashboard does not show, on purpose."""
GIVEN = {"job", "instance", "worker", "le"}
"""Labels that Prometheus adds, that of several workers, and that of a histogram."""
METRIC = re.compile(r"\b(?:tertulia|process)_\w+|\bup\b")
SELECTED = re.compile(r"((?:tertulia|process)_\w+|\bup\b)\{([^}]*)\}")
GROUPED = re.compile(r"\b(?:by|without) \(([^)]*)\)")
LABELS = {metric.name: set(metric.labels) for metric in CATALOGUE}
KINDS = {metric.name: metric.kind for metric in CATALOGUE}
ALERTS: list[dict[str, Any]] = [
    rule for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"] for rule in group["rules"]
]


def process_metrics() -> set[str]:
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    return {sample.name for family in registry.collect() for sample in family.samples}


def without_ending(name: str) -> str:
    """The metric of a histogram's series."""
    base = re.sub("_(bucket|sum|count)$", "", name)
    return base if KINDS.get(base) == "histogram" else name


def metrics(expression: str) -> set[str]:
    return {without_ending(name) for name in METRIC.findall(expression)}


def panels() -> Iterator[dict[str, Any]]:
    document = json.loads((DEPLOY / "grafana/tertulia.json").read_text("utf-8"))
    yield from (panel for panel in document["panels"] if panel["type"] != "row")


EXPRESSIONS = {
    **{f"{panel['title']}: {target['refId']}": target["expr"] for panel in panels() for target in panel["targets"]},
    **{rule["alert"]: rule["expr"] for rule in ALERTS},
}


def test_the_dashboard_is_as_its_script_writes_it() -> None:
    command = [sys.executable, "scripts/dashboard.py", "--check"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expressions_are_of_metrics_and_labels_that_exist(name: str) -> None:
    expression = EXPRESSIONS[name]
    known = LABELS.keys() | process_metrics() | {"up"}
    named = metrics(expression)
    assert named
    assert named <= known
    here = GIVEN.union(*(LABELS.get(metric, set()) for metric in named))
    for selected, labels in SELECTED.findall(expression):
        for label in re.findall(r"(\w+)[=!]", labels):
            assert label in GIVEN | LABELS.get(without_ending(selected), set())
    for labels in GROUPED.findall(expression):
        assert set(labels.split(", ")) <= here
    for opening, closing in ("()", "[]", "{}"):
        assert expression.count(opening) == expression.count(closing)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_counters_are_shown_as_what_they_grow_by(name: str) -> None:
    for found in METRIC.finditer(EXPRESSIONS[name]):
        metric = found[0]
        grows = metric.endswith(("_total", "_bucket"))
        before = EXPRESSIONS[name][: found.start()]
        assert before.endswith(("rate(", "increase(")) == grows, metric


def test_the_dashboard_shows_every_metric() -> None:
    shown = set[str]().union(*(metrics(target["expr"]) for panel in panels() for target in panel["targets"]))
    assert LABELS.keys() - shown == LEFT_OUT


def test_lines_are_named_by_labels_that_they_have() -> None:
    for panel in panels():
        for target in panel["targets"]:
            grouped = GROUPED.findall(target["expr"])
            labels = (
                set(grouped[-1].split(", "))
                if grouped
                else GIVEN.union(*(LABELS.get(metric, set()) for metric in metrics(target["expr"])))
            )
            assert set(re.findall(r"{{(\w+)}}", target["legendFormat"])) <= labels, panel["title"]


def test_panels_lie_beside_each_other() -> None:
    document = json.loads((DEPLOY / "grafana/tertulia.json").read_text("utf-8"))
    taken: set[tuple[int, int]] = set()
    for panel in document["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells
    assert len({panel["id"] for panel in document["panels"]}) == len(document["panels"])


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: rule["alert"])
def test_alerts_are_whole(rule: dict[str, Any]) -> None:
    assert rule.keys() <= {"alert", "expr", "for", "labels", "annotations"}
    assert re.fullmatch(r"Tertulia[A-Z]\w+", rule["alert"])
    assert re.fullmatch(r"\d+[sm]", rule.get("for", "0s"))
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert "{{ $labels.instance }}" in rule["annotations"]["summary"]


def test_operators_read_what_to_do_about_every_alert() -> None:
    page = (ROOT / "docs/operating.md").read_text("utf-8")
    names = [rule["alert"] for rule in ALERTS]
    assert len(names) == len(set(names)) >= 5
    for name in names:
        assert f"`{name}`" in page


def test_prometheus_asks_the_address_of_the_readme_and_reads_the_alerts() -> None:
    document = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
    assert document["rule_files"] == ["alerts.yml"]
    (job,) = document["scrape_configs"]
    assert job["job_name"] == "tertulia"
    assert job["static_configs"] == [{"targets": ["127.0.0.1:8000"]}]
    asked = {name for rule in ALERTS for name in re.findall(r'job="(\w+)"', rule["expr"])}
    assert asked == {"tertulia"}


def test_the_service_starts_what_exists() -> None:
    unit = (DEPLOY / "tertulia.service").read_text()
    command = re.search(r"^ExecStart=\S+/tertulia (.*)$", unit, re.MULTILINE)
    assert command is not None
    name, *words = command[1].split()
    known = {flag for parameter in main.commands[name].params for flag in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= known
    default = Settings()
    limit = re.search(r"^LimitNOFILE=(\d+)$", unit, re.MULTILINE)
    stop = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert limit is not None
    assert stop is not None
    assert int(limit[1]) > 2 * default.connections
    assert int(stop[1]) > 1.5 * default.drain_seconds


def test_the_proxy_waits_longer_than_the_client_and_passes_what_is_read() -> None:
    given = (DEPLOY / "nginx.conf").read_text()
    for name in ("proxy_read_timeout", "proxy_send_timeout"):
        seconds = re.search(rf"{name} (\d+)s;", given)
        assert seconds is not None
        assert int(seconds[1]) > 1.8 * HEARTBEAT_SECONDS
    for header in ("Host", "X-Forwarded-For", "X-Forwarded-Proto", "Upgrade", "Connection"):
        assert re.search(rf"proxy_set_header {header} ", given)
    assert "proxy_buffering off;" in given
    size = re.search(r"client_max_body_size (\d+)k;", given)
    assert size is not None
    assert int(size[1]) * 1024 >= BODY_LIMIT
    assert given.count("{") == given.count("}")


def test_proxies_let_nothing_pass_that_a_stranger_says_of_the_way_here() -> None:
    """Each header that ``web.forwarding`` reads is set or removed by both, for no other proxy stands before them."""
    read = set(re.findall(r'"(forwarded|x-[a-z-]+|front-end-https)"', Path(forwarding.__file__).read_text()))
    assert len(read) == 11, "each is named where it is read"
    nginx = {name.lower() for name in re.findall(r"proxy_set_header ([\w-]+) ", (DEPLOY / "nginx.conf").read_text())}
    caddy = {name.lower() for name in re.findall(r"request_header -([\w-]+)", (DEPLOY / "Caddyfile").read_text())}
    assert read - nginx == set()
    assert read - caddy == {"x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"}, "these Caddy sets itself"


def test_variables_in_the_examples_exist() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields}
    for path in (DEPLOY / "nginx.conf", DEPLOY / "tertulia.service", DEPLOY / "alerts.yml", DEPLOY / "prometheus.yml"):
        assert set(re.findall(rf"{PREFIX}[A-Z_]*[A-Z]", path.read_text())) <= known
