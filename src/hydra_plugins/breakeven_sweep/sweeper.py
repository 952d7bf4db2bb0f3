"""The sweeper of `breakeven-sweep`, as Hydra finds it."""

import sys
from typing import Any

from hydra.plugins.sweeper import Sweeper
from hydra.types import HydraContext, TaskFunction
from omegaconf import DictConfig


class JobSweeper(Sweeper):
    """Run one job for each combination of choices, and record how each ended."""

    def __init__(self, max_batch_size: int | None = None, params: dict[str, Any] | None = None) -> None:
        self.max_batch_size, self.params = max_batch_size, params or {}

    def setup(self, *, hydra_context: HydraContext, task_function: TaskFunction, config: DictConfig) -> None:
        """Keep what Hydra hands over."""
        self.hydra_context, self.task_function, self.config = hydra_context, task_function, config

    def sweep(self, arguments: list[str]) -> None:
        """Run the sweep. End the process with exit code 1 if a job failed: Hydra hands no result back."""
        from breakeven.pipeline.sweep.run_sweep import run_sweep

        assert self.config is not None and self.hydra_context is not None
        chosen = [f"{key}={value}" for key, value in self.params.items()]
        complete = run_sweep(
            self.config, self.hydra_context, self.task_function, [*chosen, *arguments], self.max_batch_size
        )
        if not complete:
            sys.exit(1)
