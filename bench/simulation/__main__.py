"""Prints the tables; ``--write`` puts them into docs/scaling.md."""

from __future__ import annotations

import sys

from bench.simulation.page import PAGE, TABLES, filled


def main() -> int:
    if "--write" in sys.argv:
        PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
    else:
        for name, made in TABLES.items():
            print(f"{name}\n\n{made()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
