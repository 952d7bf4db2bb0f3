"""Measure every variant of a family on one hardware, side by side."""

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from filelock import FileLock, Timeout

from breakeven import artifact, config, paths, prepared
from breakeven.artifact import Artifact
from breakeven.errors import UserError
from breakeven.files import read_json
from breakeven.judge import BASELINE, TWIN, Judge
from breakeven.measure.schedule import Plan, measure
from breakeven.result import Benchmark, Record
from breakeven.stages.run import run


def benchmark(name: str, hardware: str) -> None:
    """Benchmark the family `name` on `hardware`."""
    started = time.monotonic()
    study = config.read()
    settings = study.measure
    device = study.option("hardware", hardware)
    data = paths.prepared(study.family(name).data)
    test = prepared.load(data, "test")
    machine = read_json(paths.MACHINE)
    artifacts = _artifacts(name)
    variants = {key: folder for key, (folder, card) in artifacts.items() if card.status == "ok"}
    if BASELINE not in variants:
        raise UserError(f"{name}: the baseline {BASELINE} is not there ({artifacts[BASELINE][1].reason}).")
    variants[TWIN] = variants[BASELINE]
    plan = Plan(settings.replicates, settings.rounds, settings.block_ms, settings.timeout_s, study.seed)
    records: list[Record] = []
    with _alone(), TemporaryDirectory() as scratch:
        images = Path(scratch) / "images.npy"
        # A batch that is larger than the test set sees some images twice.
        largest = max(settings.batch_sizes)
        np.save(images, test.images[np.arange(largest) % len(test.images)])
        for size in settings.batch_sizes:
            title = f"{name} on {hardware}, batch {size}, {len(variants)} variants"
            samples = measure(
                variants,
                study.hardware[hardware],
                images,
                size,
                plan,
                # A bar that draws itself while a block is timed would be measured with it.
                lambda text, title=title: print(f"{title}: {text}", file=sys.stderr),  # type: ignore[misc]
            )
            if samples[BASELINE].status != "ok":
                raise UserError(f"{name} on {hardware}: the baseline failed: {samples[BASELINE].reason}.")
            judge = Judge(
                hardware, machine["name"], device.threads, size, settings.confidence, settings.margin
            )
            rows = judge.rows(artifacts, samples, test.labels)
            for row in rows:
                measured = samples[row.variant].replicates if row.variant in samples else []
                records.append(Record(row, [asdict(replicate) for replicate in measured]))
    commit, dirty = paths.commit()
    result = Benchmark(
        family=name,
        hardware=hardware,
        title=prepared.manifest(data).title,
        test_images=len(test.labels),
        settings={**settings.model_dump(), "seed": study.seed, "hardware": study.hardware[hardware]},
        machine=machine,
        affinity=records[0].replicates[0]["affinity"],
        commit=commit,
        dirty=dirty,
        seconds=round(time.monotonic() - started, 1),
        records=records,
    )
    result.write(paths.benchmark(name, hardware))
    failed = sum(row.row.verdict == "failed" for row in records)
    print(f"{name} on {hardware}: {len(records)} rows, {failed} failed, {result.seconds:.0f} s")


@contextmanager
def _alone() -> Iterator[None]:
    """Two benchmarks at once (queued experiments) would measure each other."""
    paths.private().mkdir(parents=True, exist_ok=True)
    lock = FileLock(paths.private() / "benchmark.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        print("waiting for another benchmark of this repository to end", file=sys.stderr)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _artifacts(name: str) -> Mapping[str, tuple[Path, Artifact]]:
    """Every artifact of a family, by variant; the baseline first."""
    folders = [
        card.parent
        for stage in ("export", "quantize")
        for card in sorted(paths.artifacts(stage, name).glob(f"*/{artifact.CARD}"))
    ]
    cards = {card.variant: (folder, card) for folder in folders for card in [artifact.read(folder)]}
    return {BASELINE: cards[BASELINE], **cards}


if __name__ == "__main__":
    run(benchmark)
