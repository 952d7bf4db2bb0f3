"""The pictures in docs/, of the report and the runs that lie in this repository: `make screenshots`.

In a folder for each study.
"""

import yaml
from chromium import CHROMIUM, DRAW, QUIET
from mlflow_pages import pages
from playwright.sync_api import Browser, Page, sync_playwright
from project import ROOT, Project, fetched

IMAGES = ROOT / "docs/images" / str(yaml.safe_load((ROOT / "params.yaml").read_text())["study"])
# name -> width and height in pixels, theme, and what is scrolled to
REPORT = {
    "report": (1280, 1560, "light", "header"),
    "report-dark": (1280, 900, "dark", ".charts"),
    "report-phone": (375, 1200, "light", "header"),
    "report-phone-charts": (375, 1200, "light", ".charts"),
}


def report(browser: Browser) -> None:
    """Its head on a desk and on a phone, its charts at night and on a phone."""
    for name, (width, height, theme, place) in REPORT.items():
        page = browser.new_context(viewport={"width": width, "height": height}, color_scheme=theme).new_page()
        page.goto(f"file://{ROOT / 'results/report.html'}")
        page.evaluate(DRAW)
        page.evaluate("place => document.querySelector(place).scrollIntoView()", place)
        save(page, name)


def mlflow(browser: Browser, address: str) -> None:
    """The variants of a family, the curves of a training, and two variants side by side."""
    fetched(f"{address}/health")
    context = browser.new_context(viewport={"width": 1440, "height": 1400})
    for name in ("mlflow-variants", "mlflow-training", "mlflow-compare"):
        where, text = pages(address, ROOT)[name]
        page = context.new_page()
        page.goto(where)
        page.get_by_text(text).first.wait_for()
        if (assistant := page.get_by_role("button", name="Close", exact=True).first).is_visible():
            assistant.click()
        page.wait_for_timeout(6000)  # the page asks for its charts one by one
        save(page, name)


def save(page: Page, name: str) -> None:
    """Look at it afterwards: a picture proves nothing by being there."""
    page.screenshot(path=IMAGES / f"{name}.png")
    print(IMAGES / f"{name}.png")


IMAGES.mkdir(exist_ok=True)
with sync_playwright() as started, Project(ROOT).ui() as address:
    chromium = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
    report(chromium)
    mlflow(chromium, address)
