"""Makes docs/screenshot.png from the running demo: one article in two windows, on a desk and on a phone."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ADDRESS = "http://127.0.0.1:8765"
ARTICLE = f"{ADDRESS}/articles/the-night-market-moves-to-the-river"
OUT = Path(__file__).parent.parent / "docs" / "screenshot.png"


def wait_for_server() -> None:
    for _ in range(100):
        try:
            urllib.request.urlopen(f"{ADDRESS}/healthz")
            return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("the server did not start")


def live(page: Page) -> None:
    page.goto(ARTICLE)
    page.locator("tertulia-discussion").scroll_into_view_if_needed()
    page.get_by_text("reader").wait_for()


def main() -> None:
    with tempfile.TemporaryDirectory() as data, sync_playwright() as playwright:
        server = subprocess.Popen(
            [sys.executable, "-m", "tertulia", "serve", "--with-samples", "--port", "8765", "--data-dir", data]
        )
        try:
            wait_for_server()
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            desk = chromium.new_context(viewport={"width": 980, "height": 860}).new_page()
            phone = chromium.new_context(viewport={"width": 390, "height": 860}, color_scheme="dark").new_page()
            live(phone)
            live(desk)
            phone.locator("textarea").last.scroll_into_view_if_needed()
            form = desk.locator("tertulia-discussion form").last
            form.get_by_label("Name").fill("Nguyễn Thị Ánh Tuyết")
            form.locator("textarea").fill("Tôi vừa ở bến sông về: **đông vui**, và có chỗ ngồi!")
            form.get_by_role("button", name="Post comment").click()
            phone.get_by_text("đông vui").wait_for()
            desk.evaluate("scrollTo(0, 0)")
            phone.get_by_text("đông vui").scroll_into_view_if_needed()
            phone.wait_for_timeout(3000)  # the highlight of the arrival fades
            board = chromium.new_page(viewport={"width": 1440, "height": 920})
            board.set_content(
                "<style>body{margin:0;padding:30px;display:flex;gap:30px;background:#cfc8ba}"
                "img{border-radius:8px;box-shadow:0 4px 24px #0006}</style>"
            )
            for shot in (desk.screenshot(), phone.screenshot()):
                board.evaluate(
                    "data => new Promise(done => {const i = new Image; i.onload = done; i.src = data; document.body.append(i)})",
                    "data:image/png;base64," + base64.b64encode(shot).decode(),
                )
            board.screenshot(path=OUT)
        finally:
            server.terminate()
            server.wait()


if __name__ == "__main__":
    main()
