"""Pictures beside a sweep's page: its Pareto fronts, and combinations against the product of their parts."""

from pathlib import Path
from typing import Any

from breakeven.core.svg import drawn
from breakeven.report.curves import COLOURS, MARKS
from breakeven.report.pareto_charts import ON
from breakeven.report.vega import Point
from breakeven.results.interaction import LESS, MORE, SAME, Interaction


def front(path: Path, data: list[Point]) -> None:
    """Write an SVG: accuracy against speedup, filled where no other variant is as good in all three."""
    with drawn(path, 9, 4.5) as figure:
        axis: Any = figure.subplots()
        largest = max(point["mb"] for point in data)
        best = [point["variant"] for point in data if point["front"] == ON]
        for point in data:
            on = point["front"] == ON
            area = 20 + 180 * point["mb"] / largest
            colour = COLOURS[0] if on else COLOURS[-1]
            face = {"facecolor": colour} if on else {"facecolor": "none"}
            number = best.index(point["variant"]) + 1 if on else 0
            label = f"{number}  {point['variant']}" if on else None
            place = (point["speedup"], point["accuracy"])
            axis.scatter(*place, s=area, edgecolor=colour, alpha=0.7, label=label, **face)
            if on:
                above = 8 if number % 2 else -14  # or neighbours in speed would be written over each other
                axis.annotate(
                    f"{number}", place, (0, above), textcoords="offset points", ha="center", fontsize=8
                )
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter(lambda value, position: f"{value:g}x")
        axis.margins(x=0.15, y=0.15)
        axis.set_xlabel("speedup over eager fp32 (area: size of the artifact; filled: on the Pareto front)")
        axis.set_ylabel("accuracy, %")
        axis.grid(alpha=0.3)
        figure.legend(loc="outside right upper", frameon=False, fontsize=7, markerscale=0.4)


def combinations(path: Path, found: list[Interaction]) -> None:
    """Write an SVG: the speedup of each combination against the product of what its parts gain."""
    with drawn(path, 8, 5.5) as figure:
        axis: Any = figure.subplots()
        ends = [end(each.product for each in found) for end in (min, max)]
        axis.plot(ends, ends, color="black", linewidth=0.8, linestyle="--")
        for verdict, colour, mark in zip(
            (MORE, LESS, SAME), (*COLOURS[:2], COLOURS[-1]), MARKS, strict=False
        ):
            mine = [each for each in found if each.verdict == verdict]
            for each in mine:
                bounds = [each.product * each.ratio.low, each.product * each.ratio.high]
                axis.plot([each.product] * 2, bounds, color=colour, alpha=0.4)
            gains = [each.row.speedup for each in mine]
            axis.plot([each.product for each in mine], gains, mark, color=colour, label=verdict)
        for scale in ("x", "y"):
            getattr(axis, f"set_{scale}scale")("log", base=2)
            getattr(axis, f"{scale}axis").set_major_formatter(lambda value, position: f"{value:g}x")
        axis.set_xlabel("product of the gains of the parts")
        axis.set_ylabel("speedup of the combination")
        axis.grid(alpha=0.3)
        figure.legend(loc="outside lower center", ncols=3, frameon=False, fontsize=8)
