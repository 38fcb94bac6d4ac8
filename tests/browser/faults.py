"""What is wrong with a page of the server: what axe finds, and what is cut on a phone or on a desk."""

from __future__ import annotations

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.browser.pictures import picture

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WIDTHS = (320, 360, 1100)


async def faults(page: Page, state: str) -> list[str]:
    """One line each, which names the ``state`` of the page; pictures are kept under that name, where wanted."""
    results = await Axe().run(page, options={"runOnly": {"type": "tag", "values": RULES}})
    found = [f"{state}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in results.response["violations"]]
    for width in WIDTHS:
        await page.set_viewport_size({"width": width, "height": 800})
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if wide > 0:
            found.append(f"{state}: {wide} px too wide at {width}")
        await picture(page, f"{state}-{width}", full_page=True)
    return found
