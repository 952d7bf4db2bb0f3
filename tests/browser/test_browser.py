"""What a person sees, in a real browser: `make test-browser`."""

import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import CHROMIUM, DRAW, QUIET
from mlflow_pages import pages
from PIL import Image
from project import Project, fetched
from rows import BASELINE, TWIN, benchmark, job, row, sweep
from served import served_model, serving

from breakeven.report import html_page
from breakeven.results import summary
from breakeven.results.limits import Limits
from breakeven.results.study_results import StudyResults

playwright = pytest.importorskip("playwright.sync_api", reason="make test-browser installs it")
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.fixture(scope="session")
def browser() -> Iterator:
    assert CHROMIUM, "there is no Chromium: apt install chromium, or name one in $CHROMIUM"
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(
            executable_path=CHROMIUM, args=[*QUIET, "--disable-sync", "--no-first-run"]
        )
        yield found
        found.close()


@pytest.fixture
def opened(browser, tmp_path_factory):
    """Open an address; whatever the console says that is wrong fails the test."""
    contexts, wrong = [], []

    def see(address: str, width: int = 1280, theme: str = "light", touch: bool = False):
        context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=theme, has_touch=touch
        )
        contexts.append(context)
        page = context.new_page()
        page.on(
            "console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.set_default_timeout(10_000)
        page.goto(address)
        return page

    yield see
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page of 400 rows, half of them faster than the baseline, and of two sweeps, and its address."""
    return written(tmp_path_factory.mktemp("page"), 400)


@pytest.fixture(scope="session")
def small_report(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The same page with 10 rows."""
    return written(tmp_path_factory.mktemp("small"), 10)


def written(folder: Path, count: int) -> str:
    """Write a page into a folder, and return its address."""
    speeds = [2 ** ((number - (count - 1) / 2) / 60) for number in range(count)]
    rows = [
        row(
            f"none/fp32/r{number:03}",
            "faster" if speed > 1 else "slower",
            speedup=speed,
            latency_ms_p50=2 / speed,
        )
        for number, speed in enumerate(speeds)
    ]
    limits, found = Limits(max_accuracy_drop=1.0), StudyResults([], [benchmark([BASELINE, TWIN, *rows])])
    marked = summary.rows(found.benchmarks, limits)
    reason = f"killed (its output: /{'a-long-folder' * 9}/log.txt)"
    several = sweep([job(size) + job(size, "cpu2") for size in range(6, 11)], [reason])
    parts = {"prune50/fp32/eager": 2.0, "none/int8-static/openvino": 3.0, "prune50/int8-static/openvino": 9.0}
    chain = [BASELINE, *(row(variant, speedup=gain) for variant, gain in parts.items())]
    sections = [several, sweep([chain, job(6), job(7)], study="combos")]  # two models: no fitted line
    html_page.write(folder / "report.html", folder / "plots", "many", [], found, marked, limits, sections)
    return f"file://{folder / 'report.html'}"


def first_chart(page) -> None:
    """Scroll to the first chart, and wait until it is drawn."""
    page.locator(".chart").first.scroll_into_view_if_needed()
    page.locator(".chart svg").first.wait_for()


def test_it_opens_at_once(opened, report: str) -> None:
    began = time.monotonic()
    page = opened(report)
    page.locator(".answer .pick").first.wait_for()
    first_chart(page)
    # One second is asked of it on a machine of one's own; those that run tests are slow and shared.
    assert time.monotonic() - began < 5


def test_the_table_sorts_and_filters(opened, report: str) -> None:
    page = opened(report)
    first = page.locator("#rows tr[data-variant]:visible th").first
    assert "r399" in first.inner_text()  # before anybody sorts
    speedup = page.locator("#rows thead").get_by_role("button", name="speedup", exact=True)
    speedup.click()
    assert "r399" in first.inner_text()
    speedup.click()
    playwright.expect(first).to_contain_text("r000")  # the page may take a moment for so many rows
    page.select_option("select[data-column=verdict]", "slower")
    assert page.locator("#count").inner_text() == "200 of 402 rows"
    page.fill("#search", "r00")
    assert page.locator("#count").inner_text() == "10 of 402 rows"


def test_a_mark_of_a_line_tells_its_figures_and_the_line_none(opened, report: str) -> None:
    page = opened(report)
    chart = page.locator("[id$=-calls]").first
    chart.scroll_into_view_if_needed()
    chart.locator("svg .mark-symbol.role-mark path").last.hover()  # which no other covers
    page.locator("#vg-tooltip-element.visible").wait_for()
    assert "seconds" in page.locator("#vg-tooltip-element").inner_text()
    drawn = "drawings[document.querySelector('[id$=-calls]').id].layer.map((one) => !!one.encoding.tooltip)"
    assert page.evaluate(drawn) == [False, True, True, False]


def test_a_chart_shows_exact_values(opened, report: str) -> None:
    page = opened(report)
    first_chart(page)
    page.locator("[id$=-speedup] svg .mark-symbol path").first.hover(
        force=True
    )  # the star is below its point
    page.locator("#vg-tooltip-element.visible").wait_for()
    tip = page.locator("#vg-tooltip-element").inner_text()
    assert "speedup" in tip and "none/fp32/r" in tip


@pytest.mark.parametrize(
    ("chart", "told"),
    [
        ("scaling-macs-cpu1", ["net", "none/fp32/", "MACs", "speedup", "by the fit"]),
        ("scaling-calls-cpu2", ["net", "none/fp32/", "MACs", "calls", "from", "to"]),
        ("scaling-fastest", ["net", "cpu1, batch 1", "p50, ms"]),
        ("combos-combinations", ["prune50/int8-static/openvino", "more than the product", "ratio"]),
    ],
)
def test_a_chart_of_a_sweep_shows_exact_values(opened, report: str, chart: str, told: list[str]) -> None:
    page = opened(report)
    page.locator(f"#sweep-{chart}").scroll_into_view_if_needed()
    page.locator(f"#sweep-{chart} svg .mark-symbol.role-mark path").first.hover()
    page.locator("#vg-tooltip-element.visible").wait_for()
    tip = page.locator("#vg-tooltip-element").inner_text()
    assert [word for word in told if word not in tip] == []


def test_the_data_of_a_chart_can_be_saved(opened, report: str, tmp_path: Path) -> None:
    page = opened(report)
    with page.expect_download() as download:
        page.locator("button.data").first.click()
    download.value.save_as(tmp_path / "data.csv")
    assert len((tmp_path / "data.csv").read_text().splitlines()) == 402  # the twin and a header besides


@pytest.mark.parametrize("width", [320, 375, 768, 1440])
def test_it_fits(opened, report: str, width: int) -> None:
    page = opened(report, width)
    first_chart(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate(DRAW)
    assert page.evaluate(CUT) == []


# The legends that reach beyond their chart
CUT = """() => [...document.querySelectorAll(".chart")].filter((place) => {
  const whole = place.querySelector("svg").getBoundingClientRect();
  return [...place.querySelectorAll(".role-legend text")].map((text) => text.getBoundingClientRect())
    .some((text) => text.right > whole.right || text.top < whole.top);
}).map((place) => place.id)"""


CONTRAST = """() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  const behind = (node) => { for (; node; node = node.parentElement) {
    const colour = parse(getComputedStyle(node).backgroundColor);
    if (colour[3] !== 0) return colour; } return [255, 255, 255]; };
  const all = "h1, h2, h3, p, td, th button, dt, dd, a, small, label, summary, svg text";
  return [...document.querySelectorAll(all)]
    .filter((node) => node.textContent.trim() && node.getClientRects().length)
    .map((node) => { const style = getComputedStyle(node);
      const own = parse(node instanceof SVGElement ? style.fill : style.color), back = behind(node);
      const [a, b] = [light(own), light(back)].sort((x, y) => y - x);
      return [(a + 0.05) / (b + 0.05), node.tagName + ": " + node.textContent.trim().slice(0, 40)]; })
    .filter(([ratio]) => ratio < 4.5);
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_all_text_stands_out_in_both_themes(opened, report: str, theme: str) -> None:
    page = opened(report, theme=theme)
    page.evaluate(DRAW)
    assert page.locator(".chart svg").count() == page.locator(".chart").count()
    assert page.evaluate(CONTRAST) == []


WIDER = """() => [...document.querySelectorAll(".chart")].filter((place) =>
  place.querySelector("svg").getBoundingClientRect().width > place.clientWidth + 1)
  .map((place) => place.id)"""


def test_a_dark_page_is_printed_dark_on_light_and_as_wide_as_the_paper(opened, report: str) -> None:
    page = opened(report, theme="dark")
    page.evaluate(DRAW)  # for the screen
    page.emulate_media(media="print", color_scheme="dark")
    # A4 within its margins; a narrower window would have its charts drawn anew.
    page.evaluate("document.body.style.width = '718px'")
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(WIDER) == []
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


AXE = """() => axe.run().then(({ violations }) => violations
  .filter(({ impact }) => ["serious", "critical"].includes(impact))
  .map(({ id, nodes }) => id + ": " + nodes.slice(0, 5).map(({ html }) => html.slice(0, 150)).join(" | ")))"""


@pytest.fixture(scope="session")
def axe(request: pytest.FixtureRequest) -> str:
    """The accessibility engine axe, from npm's registry."""
    npm, folder = shutil.which("npm"), Path(request.config.cache.mkdir("axe"))
    if not npm:
        pytest.skip("npm is not installed")
    if not (folder / "package").is_dir():
        packed = subprocess.run(
            [npm, "pack", "axe-core@4", "--silent"], cwd=folder, check=True, capture_output=True, text=True
        )
        with tarfile.open(folder / packed.stdout.split()[-1]) as archive:
            archive.extractall(folder, filter="data")
    return (folder / "package/axe.min.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [375, 1440])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_nothing_keeps_anybody_from_reading_it(
    opened, small_report: str, axe: str, width: int, theme: str
) -> None:
    page = opened(small_report, width, theme)
    page.evaluate(DRAW)
    page.locator("details").evaluate_all("all => all.forEach((one) => { one.open = true; })")
    page.evaluate(axe)
    assert page.evaluate(AXE) == []
    page.check("#wide")
    assert page.evaluate(AXE) == []


def test_a_tap_on_a_mark_shows_its_figures(opened, report: str) -> None:
    page = opened(report, 375, touch=True)
    chart = page.locator("[id$=-accuracy]").first
    chart.scroll_into_view_if_needed()
    chart.locator("svg").wait_for()
    chart.locator("svg .mark-symbol.role-mark path").last.tap()
    page.locator("#vg-tooltip-element.visible").wait_for()
    assert "score" in page.locator("#vg-tooltip-element").inner_text()


def test_the_keyboard_reaches_the_sorting_the_columns_and_the_copy(opened, report: str) -> None:
    page = opened(report)
    page.locator("#rows thead button").nth(2).focus()
    page.keyboard.press("Enter")
    assert page.locator("#rows thead th").nth(2).get_attribute("aria-sort") == "descending"
    page.locator("#wide").focus()
    page.keyboard.press("Space")
    assert page.locator("#rows thead th:visible").count() == page.locator("#rows thead th").count()
    page.locator("button.copy").first.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name=re.compile("copied|selected")).wait_for()


def test_a_row_keeps_its_name_when_it_is_scrolled(opened, report: str) -> None:
    page = opened(report, 375)
    name = page.locator("#rows tr[data-variant] th").first
    name.scroll_into_view_if_needed()
    before = name.bounding_box()
    page.locator(".scroll:has(#rows)").evaluate("(box) => { box.scrollLeft = 200; }")
    assert name.bounding_box() == before


def test_names_beside_a_chart_are_whole_on_a_phone(opened, report: str) -> None:
    page = opened(report, 375)
    first_chart(page)
    chart = page.locator("[id$=-speedup]").first
    labels = chart.locator(".role-axis-label text").all_text_contents()
    assert labels and not [text for text in labels if "…" in text]
    assert any(text.endswith("r399") for text in labels)


@pytest.fixture(scope="session")
def served(reproduced: tuple[Project, str]) -> Iterator[str]:
    """MLflow's UI of the tiny study."""
    with reproduced[0].ui() as address:
        fetched(f"{address}/health")
        yield address


def test_what_was_not_scrolled_to_is_printed_too(opened, report: str, tmp_path: Path) -> None:
    page = opened(report)
    first_chart(page)
    assert page.locator(".chart svg").count() < page.locator(".chart").count()
    page.pdf(path=tmp_path / "report.pdf")
    assert page.locator(".chart svg").count() == page.locator(".chart").count()


# What is drawn on a page of MLflow, besides its text
DRAWN = dict.fromkeys(("mlflow-training", "mlflow-compare"), ".js-plotly-plot .main-svg")


def test_mlflow_shows_runs_curves_artifacts_and_two_side_by_side(
    browser, served: str, reproduced: tuple[Project, str]
) -> None:
    # MLflow draws the charts that are in sight: here all, whatever their order.
    context = browser.new_context(viewport={"width": 1280, "height": 2400})
    for name, (where, text) in pages(served, reproduced[0].folder).items():
        page = context.new_page()
        page.goto(where)
        page.get_by_text(text).first.wait_for()
        if name in DRAWN:
            page.locator(DRAWN[name]).first.wait_for()
        if name == "mlflow-artifacts":
            page.get_by_text(text).first.click()
            page.get_by_text("model.json").first.click()
            page.get_by_text("_target_").first.wait_for()  # as the file has it


def test_the_page_of_a_service_sends_an_image(opened, tmp_path: Path) -> None:
    file = tmp_path / "x.png"
    Image.new("L", (20, 30), 100).save(file)
    with serving(served_model(tmp_path)) as client:
        page = opened(f"{client.base_url}/docs")
        page.get_by_text("/predict").first.click()
        page.get_by_role("button", name="Try it out").click()
        page.set_input_files("input[type=file]", file)
        page.get_by_role("button", name="Execute").click()
        playwright.expect(page.locator(".live-responses-table")).to_contain_text('"answered_by"')
