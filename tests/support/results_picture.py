"""The picture of the published study in the README, light and dark: `make screenshots`.

It is drawn from the CSV file of the published page, so it needs no results on this machine.
"""

import csv
from dataclasses import replace

from project import ROOT
from pydantic import TypeAdapter

from breakeven.report import speedup_chart, static_svg
from breakeven.results.result_row import ResultRow

STUDY, FAMILY = "reference", "resnet18"
RUNTIMES = ("onnxruntime", "openvino", "executorch", "torch_compile", "torchscript_frozen")
COMPRESSIONS, PRECISIONS = ("none", "half_hessian"), ("fp32", "int8-static")
HEADING = "ResNet-18 on CIFAR-10, one core, one image a call: speedup over eager PyTorch"
CAPTION = (
    "A name says compression/precision/runtime. none: not pruned; half_hessian: half of the work, "
    "without the channels that the loss depends on least. To the right of 1x is faster. Lines: intervals of "
    "95%; marks hide narrow ones. The twin is a second copy of eager. The star: the fastest that surely "
    "loses at most 1 point of accuracy (here +0.18, from -0.2 to +0.6)."
)
EMPTY = {"quantization": "", "reason": "", "executed_precision": ""}  # columns that a row may leave empty


def published_rows() -> list[ResultRow]:
    """Return the rows that the picture shows: few enough to read, from each runtime that the README names."""
    rows = TypeAdapter(ResultRow)
    with (ROOT / f"docs/results/{STUDY}.csv").open(encoding="utf-8") as file:
        table = [
            rows.validate_strings(EMPTY | {name: cell for name, cell in line.items() if cell})
            for line in csv.DictReader(file)
        ]
    return [row for row in table if row.family == FAMILY and (row.variant == "twin" or _is_shown(row))]


def _is_shown(row: ResultRow) -> bool:
    return row.runtime in RUNTIMES and row.compression in COMPRESSIONS and row.precision in PRECISIONS


def main() -> None:
    """Write both pictures."""
    chart = replace(speedup_chart.speedups(published_rows()), caption=CAPTION)
    for name, dark in (("speedup", False), ("speedup-dark", True)):
        path = ROOT / f"docs/images/{STUDY}/{name}.svg"
        static_svg.write_panels(path, [(HEADING, chart)], "", dark=dark)
        print(path)


if __name__ == "__main__":
    main()
