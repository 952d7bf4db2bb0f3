"""The processes of a service: some that run the variant, and one that runs eager."""

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from breakeven.core.errors import UserError
from breakeven.serving.batching import Batcher
from breakeven.serving.metrics import Metrics
from breakeven.serving.model_process import Cause, ModelProcess
from breakeven.serving.predictor import Predictor
from breakeven.serving.served_model import ServedModel
from breakeven.serving.settings import ServiceSettings
from breakeven.serving.usable_cores import usable_cores


class Service:
    """A served model with its processes, its queue and its figures."""

    def __init__(self, model: ServedModel, settings: ServiceSettings) -> None:
        """Start nothing yet."""
        self.model, self.settings = model, settings
        warm_up = [model.example.repeat(size, axis=0) for size in range(1, settings.max_batch + 1)]
        limit_s = settings.start_limit_s
        self._variants = [
            ModelProcess(model.folder, settings.threads, warm_up, limit_s) for _ in range(settings.workers)
        ]
        self._eager = ModelProcess(model.eager, settings.threads, warm_up, limit_s)
        self.metrics = Metrics(self._processes)
        for cause in Cause:
            self.metrics.fallbacks.labels(cause.value)  # each counter is there from the start, at 0
        self._starters = ThreadPoolExecutor(settings.workers + 1, "starter")
        self._predictors = [
            Predictor(process, self._eager, settings, self._note, self._starters)
            for process in self._variants
        ]
        self.decoders = asyncio.Semaphore(2 * usable_cores())  # decoded images take memory
        self.batcher = Batcher(self._predictors, settings, self.metrics)

    @property
    def reasons(self) -> list[str]:
        """Return why eager answers at present, for each process of the variant that does not."""
        return [predictor.reason for predictor in self._predictors if predictor.reason]

    @property
    def is_ready(self) -> bool:
        """Return whether requests are answered, by whomever."""
        return self._eager.is_ready or not all(predictor.reason for predictor in self._predictors)

    def start(self) -> None:
        """Start all processes, and wait until each has answered its first call or has failed.

        Raises:
            UserError: eager itself cannot be loaded, so that nothing could be answered.
        """
        eager = self._starters.submit(self._eager.start)
        for started in [self._starters.submit(predictor.start) for predictor in self._predictors]:
            started.result()
        if not eager.result():
            raise UserError(f"{self.model.family}: eager cannot be loaded: {self._eager.reason}.")

    def stop(self) -> None:
        """End all processes."""
        for process in (*self._variants, self._eager):
            process.close()
        self._starters.shutdown()

    def _note(self, cause: Cause) -> None:
        self.metrics.fallbacks.labels(cause.value).inc()

    def _processes(self) -> Mapping[str, int]:
        named = {f"variant-{number}": process.pid for number, process in enumerate(self._variants)}
        return {"service": os.getpid(), "eager": self._eager.pid, **named}
