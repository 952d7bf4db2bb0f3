"""Run a stage of the pipeline, with its arguments: `python -m breakeven.pipeline train cnn`."""

import runpy
import sys

from breakeven.core import interrupts
from breakeven.core.child_process import end_with_dvc

if __name__ == "__main__":
    # Before the stage's imports, which take seconds
    interrupts.handle("interrupted; run `dvc repro` to go on")
    end_with_dvc()
    try:
        runpy.run_module(f"breakeven.pipeline.stages.{sys.argv.pop(1)}", run_name="__main__", alter_sys=True)
    except (ImportError, MemoryError, OSError) as error:  # of its imports: `_main.run` tells of the rest
        # Imported here, because no output depends on it.
        from breakeven.core.machine_errors import machine_fault

        if not (fault := machine_fault(error)):
            raise
        sys.exit(f"breakeven: {fault}, then run `dvc repro` to go on.")
