"""A job of a sweep: all stages of its study, one after another, in this process and folder."""

from pathlib import Path

from breakeven import turns
from breakeven.processes import end_with_parent

if __name__ == "__main__":
    end_with_parent()  # a sweep that was killed leaves no job behind

with turns.making():  # these imports take seconds of the processor, beside what may be measured now
    from breakeven import config, store
    from breakeven.files import write_json
    from breakeven.stages.benchmark import benchmark
    from breakeven.stages.compress import compress
    from breakeven.stages.export import export
    from breakeven.stages.fetch import note
    from breakeven.stages.machine import machine
    from breakeven.stages.prepare import prepare
    from breakeven.stages.quantize import quantize
    from breakeven.stages.run import run
    from breakeven.stages.train import train


def job() -> None:
    """What `dvc repro` would do with the study here, up to its records."""
    study = config.read()
    machine()
    note(study)
    for name in study.datasets:
        prepare(name)
    for name in study.families:
        train(name)
        for recipe in study.recipes():
            compress(name, recipe)
        export(name)
        quantize(name)
        for hardware in study.hardware:
            benchmark(name, hardware)
    write_json(Path(store.USED), sorted(map(list, store.used)))


if __name__ == "__main__":
    run(job, "the same command")
