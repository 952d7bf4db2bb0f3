"""A job of a sweep: all stages of its study, one after another, in this process and folder."""

import ctypes
import signal
import sys

from breakeven import config
from breakeven.stages.benchmark import benchmark
from breakeven.stages.compress import compress
from breakeven.stages.export import export
from breakeven.stages.fetch import fetch
from breakeven.stages.machine import machine
from breakeven.stages.prepare import prepare
from breakeven.stages.quantize import quantize
from breakeven.stages.run import run
from breakeven.stages.train import train

PR_SET_PDEATHSIG = 1  # of linux/prctl.h


def job() -> None:
    """What `dvc repro` would do with the study here, up to its records."""
    if sys.platform == "linux":  # a sweep that was killed leaves no job behind
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    study = config.read()
    machine()
    fetch()
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


if __name__ == "__main__":
    run(job, "the same command")
