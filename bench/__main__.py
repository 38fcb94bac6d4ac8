"""``python -m bench``: measures, prints the table and ends with 1 where a promise was not reached.

--smoke    small and short: does it work
--full     longer runs, and 10,000 readers too
--report   writes docs/benchmarks.md and its pictures
--only A   one measure: fanout, connecting, storm, hostile, attacks, instances, cores, rooms, level, outage, wire,
           latency, writing, reading, identity, words, profile
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from bench import profiles
from bench.measures import (
    Plan,
    attacks,
    connecting,
    cores,
    fanout,
    hostile,
    identity,
    instances,
    latency,
    level,
    outage,
    reading,
    rooms,
    storm,
    wire,
    words,
    writing,
)
from bench.report import Findings, table, written

Measure = Callable[[Plan, Findings], None]


def _fan_out(plan: Plan, findings: Findings) -> None:
    fanout.measure(plan, findings)
    if plan.full:
        fanout.measure(Plan(10_000, plan.rounds, plan.say), findings)


def _profile(plan: Plan, findings: Findings) -> None:
    profiles.measure(plan.readers, 60 if plan.full else 10, findings)


MEASURES: dict[str, Measure] = {
    "fanout": _fan_out,
    "connecting": connecting.measure,
    "storm": storm.measure,
    "hostile": hostile.measure,
    "attacks": attacks.measure,
    "instances": instances.measure,
    "cores": cores.measure,
    "rooms": rooms.measure,
    "level": level.measure,
    "outage": outage.measure,
    "wire": wire.measure,
    "latency": latency.measure,
    "writing": writing.measure,
    "reading": reading.measure,
    "identity": identity.measure,
    "words": words.measure,
    "profile": _profile,
}


def smoke(findings: Findings) -> None:
    """Every way through the bench that needs no long run."""
    plan = Plan(50, 1, say)
    fanout.measure(plan, findings, peers=False)
    connecting.measure(plan, findings)
    wire.measure(plan, findings)
    storm.measure(plan, findings, readers=50)
    hostile.measure(plan, findings, connections=100)
    attacks.measure(plan, findings, seconds=0.5, names=("rooms",))
    instances.measure(plan, findings, readers=50)
    cores.measure(plan, findings)
    rooms.measure(plan, findings, rooms=100)
    level.measure(plan, findings, readers=50, seconds=1)
    outage.measure(plan, findings, kinds=("dead",))
    identity.measure(plan, findings, tokens=100, rounds=0)
    words.measure(plan, findings, entries=100, characters=1_000)


def say(text: str) -> None:
    print(f"  … {text}", file=sys.stderr, flush=True)


def main(given: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--only", choices=MEASURES, action="append")
    chosen = parser.parse_args(given)
    findings = Findings()
    if chosen.smoke:
        smoke(findings)
    else:
        plan = Plan(1_000, 5 if chosen.full else 3, say, chosen.full)
        for name in chosen.only or MEASURES:
            MEASURES[name](plan, findings)
    print(table(findings.rows))
    for title, text in findings.texts.items():
        print(f"\n{title}\n\n{text}")
    if chosen.report:
        written(findings)
    return 0 if chosen.smoke or all(row.reached is not False for row in findings.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
