"""The main program of a sweep's job: it runs all stages of the job's study in this process and folder."""

from pathlib import Path

from breakeven.core import interrupts, machine_lock
from breakeven.core.child_process import end_with_parent

if __name__ == "__main__":
    end_with_parent()  # if the sweep is killed, its jobs end as well
    interrupts.handle("interrupted; run the same command to go on")

with machine_lock.shared():  # these imports take seconds of processor time, which would disturb a measurement
    from breakeven.config import schema
    from breakeven.core import cache
    from breakeven.core.files import write_json
    from breakeven.pipeline.stages._main import run
    from breakeven.pipeline.stages.benchmark import benchmark
    from breakeven.pipeline.stages.compress import compress
    from breakeven.pipeline.stages.export import export
    from breakeven.pipeline.stages.fetch import note_inputs
    from breakeven.pipeline.stages.prepare import prepare
    from breakeven.pipeline.stages.quantize import quantize
    from breakeven.pipeline.stages.train import train


def job() -> None:
    """Run the stages of the study in this folder, from fetching to benchmarks, as `dvc repro` would."""
    study = schema.read_study()
    note_inputs(study)
    for name in study.datasets:
        prepare(name)
    for name in study.families:
        train(name)
        for recipe in study.compressions:
            compress(name, recipe)
        export(name)
        quantize(name)
        for hardware in study.hardware:
            benchmark(name, hardware)
    write_json(Path(cache.USED_ENTRIES_FILE), sorted(map(list, cache.used)))


if __name__ == "__main__":
    run(job, "the same command")
