"""The command `breakeven`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from breakeven.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="breakeven", description=__doc__ or "")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    compose = commands.add_parser("compose", help="write params.yaml from conf/ (study=NAME, KEY=VALUE, ...)")
    compose.add_argument(
        "overrides", nargs="*", metavar="OVERRIDE", help="in Hydra's grammar: seed=1, study=reference"
    )
    commands.add_parser("sync", help="log the records on disk to MLflow; twice is as once")
    ui = commands.add_parser("ui", help="serve MLflow's UI on 127.0.0.1")
    ui.add_argument("--port", type=int, default=5000, help="default: 5000")
    explain = commands.add_parser("explain", help="what a variant executes, beside the baseline")
    explain.add_argument("variant", metavar="VARIANT", help="as in the table: none/int8-static/onnxruntime")
    explain.add_argument("--family", help="default: every family")
    commands.add_parser("table", help="print the table of the last results")
    publish = commands.add_parser("publish", help="write the last results as Markdown and CSV")
    publish.add_argument("page", metavar="PAGE.md", help="as docs/results/reference.md")
    analyse = commands.add_parser("analyse", help="what a sweep shows, as a page with CSV and pictures")
    analyse.add_argument("page", metavar="PAGE.md", help="as docs/results/scaling.md")
    analyse.add_argument("--sweep", default="", help="its name or its study's; default: the newest")
    cache = commands.add_parser("cache", help="what was made and is kept, and why something is not found")
    cache.add_argument("action", choices=["list", "why", "prune"], nargs="?", default="list")
    cache.add_argument("overrides", nargs="*", metavar="OVERRIDE", help="why: of a job, as breakeven-sweep's")
    cache.add_argument("--days", type=float, default=30.0, help="prune: what was not used for so long")
    chosen = parser.parse_args(arguments)
    try:
        globals()[f"_{chosen.command}"](chosen)
    except UserError as error:
        print(f"breakeven: {error}", file=sys.stderr)
        return 1
    return 0


def _compose(chosen: argparse.Namespace) -> None:
    import yaml

    from breakeven import compose, config, paths
    from breakeven.files import write_json, write_text

    text = compose.compose(chosen.overrides)
    settings = config.parse(yaml.safe_load(text))
    write_text(paths.PARAMS, text)
    write_json(paths.OVERRIDES, chosen.overrides)
    print(f"params.yaml: study {settings.study}, families {', '.join(settings.families)}. Next: dvc repro")


def _sync(chosen: argparse.Namespace) -> None:
    from breakeven import config, paths, records, sweeps, tracking
    from breakeven.sync import sync

    found = sweeps.every()
    for sweep in found:
        sweeps.log(sweep)
        print(f"sweep {sweep.name}: {len(sweep.jobs)} jobs")
    if found and not paths.BENCHMARKS.exists():
        return
    study = config.read()
    try:
        print(sync(study, records.read(study)))
    except tracking.Unreachable as error:
        raise UserError(f"MLflow at {tracking.address()} does not answer ({error}).") from None


def _table(chosen: argparse.Namespace) -> None:
    from breakeven import config, records
    from breakeven.report import summary, table

    found = records.read(config.read())
    table.show(found.benchmarks, summary.rows(found.benchmarks))


def _publish(chosen: argparse.Namespace) -> None:
    from breakeven import config, paths, records
    from breakeven.files import read_json, write_text
    from breakeven.report import page, summary

    target = _page(chosen.page)
    study = config.read()
    found = records.read(study)
    for benchmark in found.benchmarks:
        if benchmark.settings != study.measured_with(benchmark.hardware):
            raise UserError(
                f"{benchmark.family} on {benchmark.hardware} was measured otherwise: run `dvc repro`."
            )
    rows = summary.rows(found.benchmarks)
    overrides = read_json(paths.OVERRIDES) if paths.OVERRIDES.exists() else []
    write_text(target, page.render(study.study, overrides, found, rows))
    summary.write(target.with_suffix(".csv"), rows)
    print(f"{target} and {target.with_suffix('.csv')}: {len(rows)} rows")


def _page(name: str) -> Path:
    target = Path(name)
    if target.suffix != ".md" or not target.parent.is_dir():
        raise UserError(f"{target}: should be a file that ends in .md, in a folder that exists.")
    return target


def _analyse(chosen: argparse.Namespace) -> None:
    from breakeven import sweeps
    from breakeven.report import analysis

    target = _page(chosen.page)
    sweep = sweeps.read(chosen.sweep)
    files = analysis.write(sweep, target)
    sweeps.attach(sweep, files)
    print(f"{sweep.name}: {', '.join(map(str, files))}")


def _cache(chosen: argparse.Namespace) -> None:
    from breakeven.report import holdings

    if chosen.action == "list":
        holdings.show()
    elif chosen.action == "prune":
        holdings.prune(chosen.days)
    else:
        holdings.explain(chosen.overrides)


def _explain(chosen: argparse.Namespace) -> None:
    from breakeven import artifact, config, variants
    from breakeven.option import choice
    from breakeven.report import explain

    study = config.read()
    families = list(study.families) if chosen.family is None else [chosen.family]
    for name in families:
        study.family(name)  # which says what there is, if it is unknown
        cards = {variant: card for variant, (_, card) in variants.read(name).items()}
        if chosen.variant not in cards:
            raise UserError(f"{name}: {chosen.variant}: {choice(chosen.variant, cards)}")
        card = cards[chosen.variant]
        if card.status != "ok":
            raise UserError(f"{name}: {chosen.variant} is {card.status}: {card.reason}.")
        explain.show(card, cards[artifact.BASELINE])


def _ui(chosen: argparse.Namespace) -> None:
    import os

    from breakeven import tracking

    if not tracking.is_local():
        raise UserError(f"The runs are at {tracking.address()}: open that address.")
    print(f"MLflow's UI: http://127.0.0.1:{chosen.port} (Ctrl-C ends it)", flush=True)
    command = tracking.server(chosen.port)
    os.execv(command[0], command)  # so that a signal reaches the server itself
