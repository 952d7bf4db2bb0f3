"""What a cluster loses: a task that dies costs its own job, and the others are waited for."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

lost: dict[int, str] = {}  # number of a job -> why


@contextmanager
def each_alone(ended: Callable[[int], None]) -> Iterator[None]:
    """Inside the block, submitit's launcher goes on where a task was lost; by itself it ends at the first.

    Args:
        ended: is told the number of each that has ended well.
    """
    import submitit
    from hydra.core.utils import JobReturn, JobStatus
    from submitit.core.utils import FailedJobError, UncompletedJobError

    wait = submitit.Job.results

    def results(task: Any) -> list[Any]:
        number = task.submission().args[2]  # as the launcher calls itself
        try:
            found = wait(task)
            ended(number)
            return found
        except UncompletedJobError as error:
            lost[number] = _reason(error, isinstance(error, FailedJobError))
            return [JobReturn(status=JobStatus.COMPLETED)]

    with mock.patch.object(submitit.Job, "results", results):  # a launcher is a plugin: it cannot be ours
        yield


def _reason(error: RuntimeError, raised: bool) -> str:
    """Of a task that raised, the last line of its trace, which stands between two rules."""
    if raised:
        return re.split("-{8,}", str(error))[1].strip().splitlines()[-1]
    return " ".join(str(error).splitlines()[:2])
