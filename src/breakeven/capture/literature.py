"""The four snippets that the literature argues with, and what a trace's graph holds of each."""

import inspect
import textwrap
import warnings
from functools import partial
from typing import Any

import torch

from breakeven.capture import targets
from breakeven.capture.cells import LIBRARIES
from breakeven.core.errors import Failed, Unsupported, UserError, WrongOutput
from breakeven.core.files import temporary_folder
from breakeven.core.toolchain_errors import telling_line
from breakeven.engine.isolated import IsolatedCalls

SNIPPETS = {
    "branch_on_sum": "a branch on a value",
    "loop_over_item": "a loop over `.item()`",
    "two_return_types": "two return types",
    "numpy_inside": "numpy inside",
}
TIMEOUT_S = 60.0


def source_of(idiom: str) -> str:
    """Return the source of an idiom's `forward`."""
    model, _ = targets.of_idiom(f"{targets.IDIOMS}.{idiom}", "Model")
    return textwrap.dedent(inspect.getsource(type(model).forward)).strip()


def traced(idioms: list[str]) -> dict[str, str]:
    """Return idiom -> the code that `torch.jit.trace` keeps of it, or why there is none."""
    found = {}
    with temporary_folder() as scratch, IsolatedCalls(LIBRARIES, scratch, TIMEOUT_S) as calls:
        for idiom in idioms:
            try:
                found[idiom] = calls.call(partial(code_of_trace, idiom))
            except (UserError, Failed, Unsupported, WrongOutput) as error:
                found[idiom] = f"# no graph: {telling_line(str(error))}"
    return found


def code_of_trace(idiom: str) -> str:
    """Return the code of an idiom's trace, in TorchScript. It changes this process."""
    model, example = targets.of_idiom(f"{targets.IDIOMS}.{idiom}", "Model")
    trace: Any = torch.jit.trace
    warnings.simplefilter("ignore")  # what it warns of is what the page shows
    graph = trace(model.eval(), example.args, check_trace=False)
    code: str = graph.code
    return code.strip()
