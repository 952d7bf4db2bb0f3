"""Note the machine, every time: the same one writes the same file, and nothing is measured again."""

from breakeven.core import paths
from breakeven.core.files import write_json
from breakeven.core.system_info import collect
from breakeven.pipeline.stages._main import run


def machine() -> None:
    """Write `results/machine.json`."""
    write_json(paths.MACHINE, collect())


if __name__ == "__main__":
    run(machine)
