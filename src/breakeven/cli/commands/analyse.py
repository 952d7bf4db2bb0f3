"""Write the results of a sweep as a page with CSV and pictures."""

from argparse import ArgumentParser, Namespace

GROUP = "understand"
EXAMPLE = "breakeven analyse docs/results/scaling.md --sweep scaling"


def arguments(parser: ArgumentParser) -> None:
    """Add the page and the sweep."""
    parser.add_argument("page", metavar="PAGE.md", help="as docs/results/scaling.md")
    parser.add_argument("--sweep", default="", help="its name or its study's; default: the newest")


def run(chosen: Namespace) -> None:
    """Write the page with its files, and store them with the sweep's run in MLflow."""
    from pathlib import Path
    from tempfile import TemporaryDirectory

    import yaml

    from breakeven.config import compose
    from breakeven.report import markdown, sweep_files
    from breakeven.results import sweep_results
    from breakeven.results.limits import Limits
    from breakeven.tracking import sweep_runs

    target = markdown.target_of(chosen.page)
    sweep = sweep_results.read_sweep(chosen.sweep)
    # Jobs do not store limits, so the recommendations use today's limits.
    limits = Limits(**yaml.safe_load(compose.compose([], name="base"))["recommend"])
    with TemporaryDirectory() as scratch:
        charts = Path(scratch, f"{target.stem}.html")
        files = sweep_files.write(sweep, target, charts, limits)
        sweep_runs.attach(sweep, [*files, charts])
    print(f"{sweep.name}: {', '.join(map(str, files))}")
