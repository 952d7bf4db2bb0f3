"""The stage `machine`: it describes the machine. It always runs; an unchanged file triggers no stage."""

from breakeven.core import paths
from breakeven.core.files import write_json
from breakeven.core.system_info import collect
from breakeven.pipeline.stages._main import run


def machine() -> None:
    """Write the description of this machine to `results/machine.json`."""
    write_json(paths.MACHINE, collect())


if __name__ == "__main__":
    run(machine)
