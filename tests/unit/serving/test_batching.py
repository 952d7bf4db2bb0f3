"""Requests that share a call: a request that nobody can answer costs the others nothing."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import numpy as np
import pytest

from breakeven.serving.batching import Batcher
from breakeven.serving.metrics import Metrics
from breakeven.serving.model_process import Cause, NoAnswer
from breakeven.serving.predictor import Answered, Predictor, Unavailable
from breakeven.serving.settings import ServiceSettings

BAD = -1.0
SETTINGS = ServiceSettings(max_batch=8, max_wait_ms=20)


class Process:
    """A process that fails with a batch that has a bad sample."""

    is_ready = True

    def __init__(self, can: Callable[[Any], bool]) -> None:
        self.can, self.sizes = can, []

    def call(self, samples: Any, limit_s: float) -> Any:
        self.sizes.append(len(samples))
        if not self.can(samples):
            raise NoAnswer(Cause.RAISED, "no such kernel")
        return samples * 2


def answers(variant: Process, eager: Process, requests: list[Any]) -> list[Answered | BaseException]:
    """What requests that come at the same time get."""

    async def ask() -> list[Answered | BaseException]:
        predictor = Predictor(variant, eager, SETTINGS, lambda cause: None, Executor())
        batcher = Batcher([predictor], SETTINGS, Metrics(dict))
        asked = [asyncio.create_task(batcher.answer(samples)) for samples in requests]
        await asyncio.sleep(0)  # so that all of them wait
        batcher.start()
        found = await asyncio.gather(*asked, return_exceptions=True)
        await batcher.stop()
        return found

    return asyncio.run(ask())


def no_bad(samples: Any) -> bool:
    return bool((samples != BAD).all())


def test_the_innocent_requests_of_a_batch_that_nobody_answers_are_answered() -> None:
    variant, eager = Process(no_bad), Process(no_bad)
    requests = [np.full((2, 1), value) for value in (1.0, BAD, 3.0)]
    one, bad, other = answers(variant, eager, requests)
    assert isinstance(bad, Unavailable) and "no such kernel" in str(bad)
    for found, request in ((one, requests[0]), (other, requests[2])):
        assert isinstance(found, Answered) and (found.outputs == 2 * request).all()
        assert found.fallback is None
    assert variant.sizes == [6, 2, 2, 2]


def test_a_batch_that_eager_answers_is_not_asked_again() -> None:
    variant, eager = Process(no_bad), Process(lambda samples: True)
    found = answers(variant, eager, [np.full((1, 1), value) for value in (1.0, BAD)])
    assert [each.fallback for each in found if isinstance(each, Answered)] == [Cause.RAISED] * 2
    assert (variant.sizes, eager.sizes) == ([2], [2])


@pytest.mark.parametrize("count", [1, 3])
def test_where_nobody_answers_anything_each_request_is_told(count: int) -> None:
    dead = Process(lambda samples: False)
    found = answers(dead, dead, [np.ones((1, 1))] * count)
    assert [type(each) for each in found] == [Unavailable] * count
