"""A meter of the processor time that other programs use."""

import os
import time

import psutil

PROCESS_TIME_FIELDS = ("user", "system", "children_user", "children_system")  # fields of os.times


class BackgroundLoad:
    """The processor time of other programs, from the construction of this object on.

    Other programs are all but this process and the children that it has waited for.
    """

    def __init__(self) -> None:
        self._began, self._used = time.monotonic(), _used_s()

    @property
    def percent(self) -> float:
        """Return the share of all cores' time that other programs used, percent.

        A child of this process that still runs counts as another program.
        """
        there = (time.monotonic() - self._began) * (psutil.cpu_count() or 1)
        return 100 * max(_used_s() - self._used, 0.0) / there


def _used_s() -> float:
    """Return the time that other programs used so far, seconds summed over cores.

    It excludes the time that the hypervisor gave to other machines.
    """
    machine, process = psutil.cpu_times(), os.times()
    return float(
        machine.user
        + machine.nice
        + machine.system
        - sum(getattr(process, name) for name in PROCESS_TIME_FIELDS)
    )
