"""The benchmark counts what arrives: a run in which something is missing or doubled has no figure."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench.__main__ import main
from bench.kinds import TERTULIA
from bench.load import Missing, Readers, Subject
from bench.measures import Plan, storm, wire
from bench.plots import Bars, drawn
from bench.report import Findings, Row, table, written


@pytest.fixture
def subject() -> Iterator[Subject]:
    started = Subject(TERTULIA)
    yield started
    started.end()


def test_a_small_run_measures_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--smoke"]) == 0
    printed = capsys.readouterr().out
    for what in (
        *("deliveries/s", "connects/s", "cut off readers", "hostile connections", "one address attacks"),
        *("while Redis is", "bytes of", "open a discussion", "exchanges of a token", "words of a site"),
    ):
        assert what in printed


def test_a_message_too_many_ends_the_run(subject: Subject) -> None:
    readers = Readers(subject, 3, mark=b'"kind":"comment')  # as many as there are
    assert readers.fan_out(5, 5) > 0
    readers.mark = b"{"  # more than there are
    with pytest.raises(Missing, match="5 were sent"):
        readers.fan_out(5, 5)
    readers.close()


@pytest.mark.parametrize(("sent", "says"), [((21, 23), "at 21 got event 23"), ((21, 21), "at 21 got event 21")])
def test_an_event_out_of_turn_ends_the_run(sent: tuple[int, ...], says: str) -> None:
    events = b"".join(b'{"seq":%d,"kind":"comment.created"}' % seq for seq in sent)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def serve() -> None:
            one, _ = listener.accept()
            with one:
                one.recv(4096)
                one.sendall(events)
                one.recv(4096)

        serving = threading.Thread(target=serve)
        serving.start()
        back = storm.Returning(port, "/", 20)
        with pytest.raises(Missing, match=says):
            back.all_have(1, 22)
        back.close()
        serving.join()


def test_a_busy_frame_is_small_on_the_wire() -> None:
    findings = Findings()
    wire.measure(Plan(1, 1, lambda text: None), findings)
    assert findings.rows[0].reached


def test_the_table_says_what_was_reached() -> None:
    rows = [Row("a", "1", "2", "0.5 ×", "1 ×", reached=False), Row("b", "2", "1", "2 ×")]
    assert table(rows).splitlines()[2:] == [
        "| a | 1 | 2 | 0.5 × | 1 × | not reached |",
        "| b | 2 | 1 | 2 × |  |  |",
    ]


def test_the_report_replaces_the_one_before(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("Before.\n<!-- measured -->\nold\n<!-- end -->\nAfter.\n")
    bars = Bars(
        "Deliveries", "a second", [("1 <on> their way", [("Tertulia", 1_000_000.0), ("C & D", 90.0)])], log=True
    )
    findings = Findings([Row("a", "1", "2", "0.5 ×")], {"fan-out": bars}, {"A profile": "50 %  send"})
    written(findings, tmp_path)
    written(findings, tmp_path)
    text = page.read_text()
    assert text.startswith("Before.\n<!-- measured -->\nMeasured on ")
    assert text.endswith("\n<!-- end -->\nAfter.\n")
    assert "old" not in text
    assert text.count("![Deliveries](benchmarks/fan-out.svg)") == 1
    assert "### A profile\n\n```text\n50 %  send\n```" in text
    picture = ElementTree.fromstring((tmp_path / "benchmarks" / "fan-out.svg").read_text())
    assert "C & D" in "".join(picture.itertext())


@pytest.mark.parametrize("log", [True, False])
def test_a_bar_is_longer_where_the_value_is_greater(log: bool) -> None:
    text = drawn(Bars("A", "b", [("group", [("x", 5.0), ("y", 50.0), ("z", 900_000.0)])], log=log))
    bars = [one for one in ElementTree.fromstring(text).iter() if one.get("rx")]
    widths = [float(one.get("width", "")) for one in bars]
    assert widths == sorted(widths)
    assert max(widths) < 500
    assert min(widths) >= 1
