"""The charts as files: the same on every machine, and with everything inside."""

import re
from dataclasses import replace
from pathlib import Path

from rows import BASELINE, TWIN, job, row, sweep

from breakeven.engine.selftest import plot
from breakeven.engine.selftest.ablation import METHODS
from breakeven.engine.selftest.check import Check
from breakeven.report import size_charts, static_svg

ROWS = [BASELINE, TWIN, row("none/fp32/fast", speedup=2.0), row("none/fp32/slow", "slower", speedup=0.5)]


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one.svg", "two.svg"):
        static_svg.write_speedups(tmp_path / name, ROWS)
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_text_stays_text_and_nothing_comes_from_elsewhere(tmp_path: Path) -> None:
    static_svg.write_speedups(tmp_path / "speedup.svg", ROWS)
    svg = (tmp_path / "speedup.svg").read_text()
    texts = re.findall(r"<text[^>]*>([^<]*)</text>", svg)
    assert {"none/fp32/fast", "twin", "slower", "speedup over eager (log scale)"} <= set(texts)
    assert "cnn on cpu1, batch 1" in texts
    urls = set(re.findall(r'https?://[^"<\s]+', svg)) - {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert not urls and "@import" not in svg


def test_each_cell_has_a_panel_and_each_variant_an_interval(tmp_path: Path) -> None:
    rows = [*ROWS, replace(row("none/fp32/fast", speedup=3.0), family="resnet18")]
    static_svg.write_speedups(tmp_path / "speedup.svg", rows)
    svg = (tmp_path / "speedup.svg").read_text()
    assert svg.count(">cnn on cpu1, batch 1<") == svg.count(">resnet18 on cpu1, batch 1<") == 1
    assert "low: 1.9; variant: none/fp32/fast; high: 2.1" in svg  # for readers who cannot see the line


def test_a_dark_picture_shows_the_same_on_a_dark_ground(tmp_path: Path) -> None:
    static_svg.write_speedups(tmp_path / "light.svg", ROWS)
    static_svg.write_speedups(tmp_path / "dark.svg", ROWS, dark=True)
    light, dark = ((tmp_path / name).read_text() for name in ("light.svg", "dark.svg"))
    assert re.findall(r"<text[^>]*>([^<]*)<", light) == re.findall(r"<text[^>]*>([^<]*)<", dark)
    assert 'fill="white"' in light and f'fill="{static_svg.PAPER}"' in dark
    black = r'fill="(#000|black)"'
    assert re.search(black, light) and not re.search(black, dark)


def test_nothing_measured_makes_a_picture_that_says_so(tmp_path: Path) -> None:
    static_svg.write_speedups(tmp_path / "speedup.svg", [row("none/fp32/eager", "failed", speedup=None)])
    assert "nothing could be measured" in (tmp_path / "speedup.svg").read_text()


def test_a_trend_is_drawn_with_its_caption(tmp_path: Path) -> None:
    swept = sweep([job(size) for size in range(5, 11)]).swept
    chart = size_charts.speedups(swept, "cpu1")
    assert chart
    static_svg.write_chart(tmp_path / "macs.svg", chart)
    svg = (tmp_path / "macs.svg").read_text()
    assert chart.title in svg and "multiply-accumulates of one input" in svg
    assert chart.caption.split(".")[0] in " ".join(re.findall(r">([^<]+)<", svg))


def test_the_selftest_draws_each_method(tmp_path: Path) -> None:
    checks = [
        Check(name, f"cnn, quiet: {method}", 0.1, 0.05, 0.2, "", None)
        for method in METHODS
        for name in (plot.DIFFERENT, plot.ERROR, plot.LARGEST)
    ]
    plot.draw(tmp_path / "selftest.svg", checks)
    svg = (tmp_path / "selftest.svg").read_text()
    assert all(f">{method}<" in svg for method in METHODS) and svg.count(">cnn, quiet<") == 1
    assert svg.count(">\u00d7<") == len(METHODS)
