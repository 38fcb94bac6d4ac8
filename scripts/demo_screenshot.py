"""Makes docs/demo.png: the live cluster after a kill and a frozen Redis, while another instance is away."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

PORT = 8770
ADDRESS = f"http://127.0.0.1:{PORT}"
OUT = Path(__file__).parent.parent / "docs" / "demo.png"


def snapshot() -> dict[str, Any]:
    with urllib.request.urlopen(f"{ADDRESS}/snapshot") as answer:
        return json.load(answer)


def until(holds: Callable[[dict[str, Any]], bool]) -> None:
    for _ in range(600):
        try:
            if holds(snapshot()):
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("the demonstration does not get there")


def commented(count: int) -> None:
    wanted = snapshot()["counts"]["comments"] + count
    until(lambda shown: shown["counts"]["comments"] >= wanted)


def action(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    page.mouse.move(0, 0)


def main() -> None:
    command = [sys.executable, "-m", "tertulia", "demo", "cluster", "--port", str(PORT)]
    with sync_playwright() as playwright, subprocess.Popen(command) as demonstration:
        try:
            until(lambda shown: shown["counts"]["comments"] > 0)
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = chromium.new_context(viewport={"width": 1440, "height": 940}).new_page()
            page.goto(ADDRESS)
            commented(40)
            action(page, "Kill: Instance 2")
            until(lambda shown: all(service["state"] == "up" for service in shown["services"]))
            commented(10)
            action(page, "Freeze: Redis")
            until(lambda shown: all(service["state"] == "up" for service in shown["services"]))
            commented(10)
            action(page, "Kill: Instance 1")
            commented(4)
            page.screenshot(path=OUT)
        finally:
            demonstration.send_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
