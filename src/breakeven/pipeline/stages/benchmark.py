"""The stage `benchmark`: it measures every variant of a family on one hardware, side by side."""

import time
from collections import Counter

from breakeven.artifacts import dataset
from breakeven.artifacts.artifact import BASELINE
from breakeven.artifacts.variants import read_variants as variants_of
from breakeven.config import schema
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json
from breakeven.engine.samples import UNTIMED
from breakeven.pipeline.benchmark import FamilyBenchmark
from breakeven.pipeline.stages._main import run
from breakeven.results import measurement_cache
from breakeven.results.records import BenchmarkResult


def benchmark(name: str, hardware: str) -> None:
    """Benchmark the family `name` on `hardware`, in each scenario once."""
    started = time.monotonic()
    study = schema.read_study(checked=True)
    measurement_cache.since()  # stop early if the variable is invalid
    data = paths.prepared(study.family(name).data)
    manifest, test = dataset.manifest(data), dataset.load_split(data, "test")
    artifacts = variants_of(name)
    if (base := artifacts[BASELINE][1]).status != "ok":
        raise UserError(f"{name}: the baseline {BASELINE} is not there ({base.reason}).")
    bench = FamilyBenchmark(name, hardware, study, artifacts, test, manifest.digest, manifest.warnings)
    parts = [bench.part(scenario) for scenario in study.measure.scenarios()]
    records = [record for part in parts for record in part.records]
    result = BenchmarkResult(
        family=name,
        hardware=hardware,
        title=manifest.title,
        test_images=len(test.labels),
        settings=study.measured_with(hardware),
        machine=read_json(paths.MACHINE),
        affinity=next((r["affinity"] for record in records for r in record.replicates), {}),
        peaks=parts[-1].peaks,
        commit=parts[-1].commit,
        dirty=parts[-1].dirty,
        seconds=round(sum(part.seconds for part in parts), 1),
        stopped={part.scenario: part.stopped for part in parts},
        warnings=[
            {"scenario": part.scenario, **warning}
            for part in parts
            for warning in [*bench.warnings, *part.warnings]
        ],
        records=records,
        measured={part.scenario: (part.at, part.seconds) for part in parts},
    )
    result.write(paths.benchmark(name, hardware))
    count = Counter(record.row.verdict for record in records)
    faults = ", ".join(f"{count[verdict]} {verdict}" for verdict in UNTIMED)
    print(f"{name} on {hardware}: {len(records)} rows, {faults}, {time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    run(benchmark)
