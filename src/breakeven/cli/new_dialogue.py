"""The questions of `breakeven new`, for what no option has said."""

import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.plugin import names
from breakeven.pipeline.new_family_files import TABLES, Wish, kind_of, model_section

NO_WEIGHTS = "train it here"
USUAL_LIMIT = "1 point, and none on a score that is no percentage"
TASKS = names("tasks")
ASKED = {
    "model": "Model (MODULE:CONSTRUCTOR, or a name of torchvision or timm)",
    "data": "Data (a folder with train/CLASS, a .csv or .parquet, or MODULE:FUNCTION)",
    "target": "Column to predict",
    "task": f"Task ({', '.join(TASKS)})",
    "score": "Your score of each sample (MODULE:FUNCTION)",
    "metric": "Its name in tables",
    "better": "Is a larger one better? (yes or no)",
    "weights": "File of the model's weights",
    "limit": "What a variant may lose, in percentage points of the score, or in its unit",
}


def ask(chosen: Namespace) -> None:
    """Ask for what no option has said.

    Raises:
        UserError: nobody can answer.
    """
    missing = next(key for key in ("model", "data") if not getattr(chosen, key))
    if not sys.stdin.isatty():
        raise UserError(f"--{missing} is missing: {ASKED[missing]}.")
    chosen.model = chosen.model or _answer("model", refused=_fault_of_model)
    chosen.data = chosen.data or _answer("data", refused=_fault_of_data)
    if chosen.data.endswith(TABLES) and not chosen.target:
        chosen.target = [_answer("target")]
    chosen.task = chosen.task or (
        "custom" if chosen.score else _answer("task", "classification", _fault_of_task)
    )
    if chosen.task == "custom":
        chosen.score, chosen.metric = chosen.score or _answer("score"), chosen.metric or _answer("metric")
        chosen.lower_is_better = chosen.lower_is_better or not _answer("better", "yes").startswith("y")
    if not (chosen.weights or chosen.pretrained or chosen.from_checkpoint):
        answer = _answer("weights", NO_WEIGHTS, _fault_of_weights)
        chosen.weights = None if answer == NO_WEIGHTS else answer
    if chosen.limit is None:
        answer = _answer("limit", USUAL_LIMIT, _fault_of_limit)
        chosen.limit = None if answer == USUAL_LIMIT else float(answer)


def _answer(what: str, otherwise: str = "", refused: Callable[[str], str] = lambda answer: "") -> str:
    """Ask until there is an answer; Enter alone means `otherwise`, which the question shows.

    Args:
        refused: returns why an answer cannot be taken; empty if it can.

    Raises:
        UserError: the input has ended.
    """
    shown = f"{ASKED[what]} [{otherwise}]: " if otherwise else f"{ASKED[what]}: "
    while True:
        try:
            answer = input(shown).strip()
        except EOFError:
            raise UserError("nothing was written: the questions were not answered to their end.") from None
        if not answer and otherwise:
            return otherwise
        if answer and not (fault := refused(answer)):
            return answer
        if answer:
            print(fault)


def _fault_of_model(answer: str) -> str:
    try:
        model_section(Wish("new", answer, ""))
    except UserError as error:
        return str(error)
    return ""


def _fault_of_data(answer: str) -> str:
    known = kind_of(answer, paths.CONF) not in ("", "file")
    return "" if known else f"{answer}: there is no such folder, table, MODULE:FUNCTION or packaged dataset."


def _fault_of_task(answer: str) -> str:
    return "" if answer in TASKS else f"{answer}: is none of these."


def _fault_of_weights(answer: str) -> str:
    return "" if Path(answer).expanduser().is_file() else f"{answer}: there is no such file."


def _fault_of_limit(answer: str) -> str:
    try:
        float(answer)
    except ValueError:
        return f"{answer}: is no number."
    return ""
