"""Connects a second, and resident memory of an idle reader, compression negotiated as browsers do."""

from __future__ import annotations

from bench.kinds import NAIVE, TERTULIA
from bench.load import Readers, Subject
from bench.measures import Plan, median
from bench.report import Findings, Row


def measure(plan: Plan, findings: Findings) -> None:
    rates: dict[str, float] = {}
    memory: dict[str, float] = {}
    for kind in (TERTULIA, NAIVE):
        found = []
        for number in range(plan.rounds):
            plan.say(f"{plan.readers:,} connections, round {number + 1}: {kind.label}")
            subject = Subject(kind)
            try:
                warm = Readers(subject, 50, deflate=True)
                before = subject.rss()
                crowd = Readers(subject, plan.readers, deflate=True)
                found.append((crowd.connects_per_second, (subject.rss() - before) / plan.readers / 1024))
                crowd.close()
                warm.close()
            finally:
                subject.end()
        rates[kind.label] = median([rate for rate, _ in found])
        memory[kind.label] = median([bytes_ for _, bytes_ in found])
    rate, stock = rates[TERTULIA.label], rates[NAIVE.label]
    ours, theirs = memory[TERTULIA.label], memory[NAIVE.label]
    findings.rows += [
        Row("connects/s", f"{rate:,.0f}", f"stock {stock:,.0f}", f"{rate / stock:.2f} ×", "1.5 ×", rate >= 1.5 * stock),
        Row("KiB an idle reader", f"{ours:.1f}", f"stock {theirs:.1f}", f"{ours / theirs:.2f} ×", "≤ 8 KiB", ours <= 8),
    ]
