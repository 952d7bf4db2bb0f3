"""Load on an HTTP service: requests at times that do not depend on its answers, and how long it takes.

`run(LoadSettings(url, rate=100))` returns a `LoadResult`. `run_in_process` does the same in a process of its
own.
"""

from breakeven.serving.load.process import run_in_process
from breakeven.serving.load.result import LoadResult
from breakeven.serving.load.runner import run
from breakeven.serving.load.settings import LoadSettings

__all__ = ["LoadResult", "LoadSettings", "run", "run_in_process"]
