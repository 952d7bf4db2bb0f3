"""What we use of ExecuTorch without a promise that it stays: one place to look after an upgrade.

Tested with ExecuTorch 1.5.
"""

from pathlib import Path
from typing import Any


def set_threads(count: int) -> None:
    """Set the number of XNNPACK's threads; the public `executorch.runtime` has no function for it.

    Raises:
        ImportError: ExecuTorch is not installed.
    """
    from executorch.extension.pybindings import portable_lib

    portable_lib._unsafe_reset_threadpool(count)


def execution_plan(program: Path) -> Any:
    """Return the plan of a program's only method; no public function reads it from a file."""
    from executorch.exir._serialize._program import deserialize_pte_binary

    (plan,) = deserialize_pte_binary(program.read_bytes()).program.execution_plan
    return plan
