"""Note the machine, every time: the same one writes the same file, and nothing is measured again."""

from breakeven import paths
from breakeven.files import write_json
from breakeven.machine import describe
from breakeven.stages.run import run


def machine() -> None:
    """Write `results/machine.json`."""
    write_json(paths.MACHINE, describe())


if __name__ == "__main__":
    run(machine)
