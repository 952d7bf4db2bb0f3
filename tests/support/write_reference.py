"""Write what is made from the code in the documentation: `make reference`."""

import csv
import json
import re
from collections.abc import Callable

from code_pages import api_page, commands_page
from project import ROOT

from breakeven.config import reference
from breakeven.results import columns

TABLE = re.compile(r"\| column \| unit \|[^\n]*\n(?:\|[^\n]*\n)*")


def with_columns(page: str) -> str:
    """Return a page with the table of all columns as it is now."""
    return TABLE.sub(lambda _: columns.markdown_table() + "\n", page)


EXAMPLE = re.compile(r"\| column \| the row \| it says \|\n(?:\|[^\n]*\n)*")


def with_example(page: str) -> str:
    """Return a page with the row of ResNet-18's int8 variant in the committed summary, explained."""
    with (ROOT / "results/summary.csv").open(encoding="utf-8") as file:
        (row,) = (
            row
            for row in csv.DictReader(file)
            if (row["family"], row["variant"]) == ("resnet18", "none/int8-static/onnxruntime")
        )

    def points(name: str, form: str) -> str:
        return f"{100 * float(row[name]):{form}}"

    low, high = points("accuracy_delta_ci_low", "+.1f"), points("accuracy_delta_ci_high", "+.1f")
    calls = [
        f"{int(row[name]):,}" for name in ("breakeven_calls", "breakeven_calls_low", "breakeven_calls_high")
    ]
    times, ms = f"{float(row['speedup']):.2f}", f"{float(row['latency_ms_p50']):.3f}"
    bounds = f"{float(row['speedup_ci_low']):.2f} to {float(row['speedup_ci_high']):.2f}"
    over, over_low, over_high = (
        float(row[f"speedup_in_runtime{end}"]) for end in ("", "_ci_low", "_ci_high")
    )
    accuracy, size = f"{float(row['accuracy']):.2%}", f"{float(row['artifact_mb']):.2f}"
    lines = [
        ("column", "the row", "it says"),
        ("---", "---", "---"),
        (
            "variant",
            row["variant"],
            "The model is not pruned, its numbers are int8, and ONNX Runtime runs it.",
        ),
        ("speedup", f"{times}x", f"It is {times} times as fast as eager PyTorch."),
        ("interval", bounds, "With 95% confidence, the true speedup is between these two."),
        (
            "over fp32 in its runtime",
            f"{over:.2f}x ({over_low:.2f} to {over_high:.2f})",
            "What int8 gains within ONNX Runtime.",
        ),
        ("verdict", row["verdict"], "The whole interval is above 1, and above what the twin shows as noise."),
        ("p50 ms", ms, f"Half of its calls take {ms} ms or less."),
        ("accuracy", accuracy, f"It classifies {accuracy} of the test images right."),
        (
            "change, points",
            f"{points('accuracy_delta', '+.2f')} ({low} to {high})",
            "The accuracy minus the baseline's. On other images the change may be anything from "
            f"{low} to {high}.",
        ),
        ("MB", size, f"Its files have {size} MB."),
        (
            "break-even calls",
            f"{calls[0]} ({calls[1]} to {calls[2]})",
            f"After some {calls[0]} calls it has saved the time that its build and its start take.",
        ),
    ]
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return EXAMPLE.sub(lambda _: table, page)


PARTS: dict[str, Callable[[str], str]] = {
    "docs/numbers.md": lambda page: with_example(with_columns(page)),
    "docs/reference/configuration.md": lambda _: reference.markdown_page(),
    "docs/reference/commands.md": lambda _: commands_page(),
    "docs/reference/api.md": lambda _: api_page(),
    "docs/reference/params.schema.json": lambda _: json.dumps(reference.json_schema(), indent=1) + "\n",
}


def main() -> None:
    """Write all of them."""
    for name, render in PARTS.items():
        path = ROOT / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(render(path.read_text(encoding="utf-8") if path.exists() else ""), encoding="utf-8")


if __name__ == "__main__":
    main()
