"""The sweeper of `breakeven-sweep`, in a place where Hydra finds it."""

import sys
from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class JobSweeper(Sweeper):
    """A sweeper that runs one job for each combination of choices, and records how each ended."""

    def __init__(self, **settings: Any) -> None:
        """Accept the settings of `conf/hydra/sweeper`, which the sweep reads from its configuration."""

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Store Hydra's context, task and configuration for `sweep`."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep. If a job failed, end the process with exit code 1, since Hydra returns no result."""
        from breakeven.pipeline.sweep.run_sweep import run_sweep

        assert self.config is not None and self.hydra_context is not None
        complete = run_sweep(self.config, self.hydra_context, self.task_function, arguments)
        if not complete:
            sys.exit(1)
