"""Requests that wait for a model: those that come at about the same time may be answered by one call."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.serving.metrics import Metrics
from breakeven.serving.predictor import Answered, Predictor
from breakeven.serving.settings import ServiceSettings


class Crowded(Exception):
    """Too many requests wait already."""


@dataclass
class _Waiting:
    samples: NDArray[Any]
    answer: "asyncio.Future[Answered]"


class Batcher:
    """A queue in front of predictors, each of which takes the next batch when it is free."""

    def __init__(self, predictors: Sequence[Predictor], settings: ServiceSettings, metrics: Metrics) -> None:
        """Start nothing yet; `start` needs a running event loop."""
        self._predictors, self._settings, self._metrics = predictors, settings, metrics
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(settings.queue)
        metrics.queue.set_function(self._queue.qsize)
        self._threads = ThreadPoolExecutor(len(predictors), "model")
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin to answer."""
        self._tasks = [asyncio.create_task(self._serve(predictor)) for predictor in self._predictors]

    async def stop(self) -> None:
        """End; what has not been answered by now is not answered."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    @property
    def is_full(self) -> bool:
        """Return whether another request would be told to come again."""
        return self._queue.full()

    async def answer(self, samples: NDArray[Any]) -> Answered:
        """Return the outputs for the samples of one request.

        Raises:
            Crowded: the queue is full.
            Unavailable: nobody gives an answer.
        """
        waiting = _Waiting(samples, asyncio.get_running_loop().create_future())
        try:
            self._queue.put_nowait(waiting)
        except asyncio.QueueFull:
            raise Crowded from None
        return await waiting.answer

    async def _serve(self, predictor: Predictor) -> None:
        held: _Waiting | None = None  # came too late for the last batch
        while True:
            batch, held = await self._next(held)
            await self._settle(predictor, batch)

    async def _settle(self, predictor: Predictor, batch: list[_Waiting]) -> None:
        """Give each request of a batch its answer, or the error that it alone causes."""
        try:
            await self._answer(predictor, batch)
        except Exception as error:
            if len(batch) > 1:
                for waiting in batch:
                    await self._settle(predictor, [waiting])
            elif not batch[0].answer.done():
                batch[0].answer.set_exception(error)

    async def _next(self, first: _Waiting | None) -> tuple[list[_Waiting], _Waiting | None]:
        """Return requests of samples of one shape for one call, and one that does not fit beside them."""
        batch = [first or await self._queue.get()]
        room = self._settings.max_batch - len(batch[0].samples)
        until = asyncio.get_running_loop().time() + self._settings.max_wait_ms / 1e3
        while room > 0:
            try:
                new = self._queue.get_nowait()
            except asyncio.QueueEmpty:
                try:
                    async with asyncio.timeout_at(until):
                        new = await self._queue.get()
                except TimeoutError:
                    break
            if len(new.samples) > room or not _alike(new.samples, batch[0].samples):
                return batch, new
            batch.append(new)
            room -= len(new.samples)
        return batch, None

    async def _answer(self, predictor: Predictor, batch: list[_Waiting]) -> None:
        samples = np.concatenate([waiting.samples for waiting in batch]) if batch[1:] else batch[0].samples
        most = self._settings.max_batch
        answers = [
            await self._call(predictor, samples[begin : begin + most])
            for begin in range(0, len(samples), most)
        ]
        outputs = np.concatenate([each.outputs for each in answers]) if answers[1:] else answers[0].outputs
        fallback = next((each.fallback for each in answers if each.fallback), None)
        first = 0
        for waiting in batch:
            last = first + len(waiting.samples)
            if not waiting.answer.done():
                waiting.answer.set_result(Answered(outputs[first:last], fallback))
            first = last

    async def _call(self, predictor: Predictor, samples: NDArray[Any]) -> Answered:
        """Call the model with as many samples as it was warmed with, at most."""
        self._metrics.batches.observe(len(samples))
        with self._metrics.calls.time():
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, predictor.answer, samples)


def _alike(one: NDArray[Any], other: NDArray[Any]) -> bool:
    return one.shape[1:] == other.shape[1:] and one.dtype == other.dtype
