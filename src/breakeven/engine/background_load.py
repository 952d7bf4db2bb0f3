"""How much of the processors other programs use."""

import os
import time

import psutil

OWN = ("user", "system", "children_user", "children_system")  # fields of os.times


class BackgroundLoad:
    """The programs that are neither this process nor what it has started and waited for, from now on."""

    def __init__(self) -> None:
        self._began, self._used = time.monotonic(), _used_s()

    @property
    def percent(self) -> float:
        """Of the time of all cores, as long as nothing that was started is still running."""
        there = (time.monotonic() - self._began) * (psutil.cpu_count() or 1)
        return 100 * max(_used_s() - self._used, 0.0) / there


def _used_s() -> float:
    """By others, seconds of all cores; what the hypervisor gave to other machines is not among it."""
    everyone, own = psutil.cpu_times(), os.times()
    return float(everyone.user + everyone.nice + everyone.system - sum(getattr(own, name) for name in OWN))
