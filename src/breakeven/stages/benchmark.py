"""Measure every variant of a family on one hardware, side by side."""

import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from breakeven import config, paths, prepared, turns
from breakeven.artifact import BASELINE, CONTROL, Artifact
from breakeven.config import Config
from breakeven.errors import Unsupported, UserError
from breakeven.files import digests, read_json
from breakeven.judge import Judge
from breakeven.kept import Kept
from breakeven.measure.engine import measure
from breakeven.measure.findings import Finding
from breakeven.measure.peaks import Peaks, probe
from breakeven.measure.plan import Progress
from breakeven.measure.samples import FAILED, UNSUPPORTED
from breakeven.progress import Shown, shown, time_left
from breakeven.result import Benchmark, Part, Record
from breakeven.stages.run import run
from breakeven.variants import read as variants_of


def stage(name: str, hardware: str) -> None:
    """Measure once: what is run again, by `dvc repro -f`, is measured anew."""
    benchmark(name, hardware).forget()


def benchmark(name: str, hardware: str) -> Kept:
    """Benchmark the family `name` on `hardware`; returns what it kept, to be forgotten when all is done."""
    started = time.monotonic()
    study = config.read()
    settings = study.measure
    device = study.option("hardware", hardware)
    data = paths.prepared(study.family(name).data)
    test = prepared.load(data, "test")
    machine = read_json(paths.MACHINE)
    artifacts = variants_of(name)
    variants = {key: folder for key, (folder, card) in artifacts.items() if card.status == "ok"}
    if BASELINE not in variants:
        raise UserError(f"{name}: the baseline {BASELINE} is not there ({artifacts[BASELINE][1].reason}).")
    made_from = [name, hardware, study.model_dump(), machine, _digests(artifacts), digests(paths.PROGRAMS)]
    kept = Kept(paths.private() / "benchmark", made_from)
    executions = {key: {"kernels": card.kernels, **card.facts} for key, (_, card) in artifacts.items()}
    parts: list[Part] = []
    with turns.measuring():
        peaks = _peaks(study.hardware[hardware])
        scenarios = settings.scenarios()
        for number, scenario in enumerate(scenarios, 1):
            title = f"{name} on {hardware}, {scenario.title}"
            if part := kept.read(scenario.title):
                print(f"{title}: measured before the interruption", file=sys.stderr)
                parts.append(part)
                continue
            budget = settings.budget(study.seed)
            with shown(title, budget.time_s(len(variants))) as told:
                whole = f"scenario {number} of {len(scenarios)}, " if len(scenarios) > 1 else ""
                told.tell(0, f"{whole}{len(variants)} variants and the twin")
                measured = measure(
                    variants,
                    study.hardware[hardware],
                    budget,
                    test.images,
                    scenario,
                    scored=True,
                    progress=partial(_tell, told),
                )
            found = measured.findings
            # If it is unsupported, then so is the hardware here, and every row says why.
            if found.of[BASELINE].verdict == FAILED:
                raise UserError(f"{title}: the baseline failed: {found.of[BASELINE].reason}.")
            place = (hardware, device.device, machine["name"], device.threads)
            judge = Judge(*place, scenario, settings.confidence, peaks, _controlled(study))
            records = [
                Record(
                    row,
                    [asdict(replicate) for replicate in finding.replicates],
                    executions.get(row.variant, {}),
                )
                for row in judge.rows(artifacts, found, test.labels)
                for finding in [found.of.get(row.variant, Finding(row.verdict))]
            ]
            warnings = [asdict(warning) for warning in measured.warnings]
            part = Part(scenario.title, measured.stopped, warnings, records)
            kept.write(part)
            parts.append(part)
    records = [record for part in parts for record in part.records]
    commit, dirty = paths.commit()
    result = Benchmark(
        family=name,
        hardware=hardware,
        title=prepared.manifest(data).title,
        test_images=len(test.labels),
        settings=study.measured_with(hardware),
        machine=machine,
        affinity=next((r["affinity"] for record in records for r in record.replicates), {}),
        peaks=asdict(peaks) if peaks else {},
        commit=commit,
        dirty=dirty,
        seconds=round(time.monotonic() - started, 1),
        stopped={part.scenario: part.stopped for part in parts},
        warnings=[{"scenario": part.scenario, **warning} for part in parts for warning in part.warnings],
        records=records,
    )
    result.write(paths.benchmark(name, hardware))
    count = Counter(record.row.verdict for record in records)
    faults = f"{count[FAILED]} failed, {count[UNSUPPORTED]} unsupported"
    print(f"{name} on {hardware}: {len(records)} rows, {faults}, {result.seconds:.0f} s")
    return kept


def _tell(told: Shown, step: Progress) -> None:
    told.tell(step.spent_s, str(step), time_left(step.left_s, at_most=True) if step.left_s else "")


def _peaks(hardware: Mapping[str, Any]) -> Peaks | None:
    """None for a hardware that is not there: every row will say why."""
    try:
        return probe(hardware)
    except Unsupported as error:
        print(error, file=sys.stderr)
        return None


def _controlled(study: Config) -> set[str]:
    """The recipes that are trained just as long as the control, and as fast."""
    tuned = {
        name: (sum(step.epochs for step in steps), steps[-1].lr) for name, steps in study.recipes().items()
    }
    control = CONTROL.partition("/")[0]
    return {name for name in tuned if name != control and tuned[name] == tuned.get(control)}


def _digests(artifacts: Mapping[str, tuple[Path, Artifact]]) -> list[Any]:
    return [[name, card.status, card.files] for name, (_, card) in artifacts.items()]


if __name__ == "__main__":
    run(stage)
