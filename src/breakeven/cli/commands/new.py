"""Write the option files of your own model and data, and try them."""

import sys
from argparse import ArgumentParser, Namespace
from contextlib import suppress
from pathlib import Path

GROUP = "set up"
EXAMPLE = "breakeven new mine --model my_module:MyModel --data photos --weights weights.pt --limit 2"
USUAL_LIMIT = "1 point, and none on a score that is no percentage"
TASKS = "classification, regression, segmentation, embedding or custom"
ASKED = {
    "model": "Model (MODULE:CONSTRUCTOR, or a name of torchvision or timm)",
    "data": "Data (a folder with train/CLASS, a .csv or .parquet, or MODULE:FUNCTION)",
    "target": "Column to predict",
    "task": f"Task ({TASKS})",
    "score": "Your score of each sample (MODULE:FUNCTION)",
    "metric": "Its name in tables",
    "weights": "File of the model's weights",
    "limit": "What a variant may lose, in percentage points of the score, or in its unit",
}


def arguments(parser: ArgumentParser) -> None:
    """Add what can be said of a model, its data and its score."""
    parser.add_argument("name", help="the name of the new options, as `mine`")
    parser.add_argument(
        "--model", help="MODULE:CONSTRUCTOR, an architecture of torchvision or timm, or a packaged one"
    )
    parser.add_argument(
        "--data",
        help="a folder with train/CLASS/*, a .csv or .parquet, MODULE:FUNCTION, or a packaged dataset",
    )
    parser.add_argument(
        "--weights", metavar="FILE", help="the model's weights; without them it is trained here"
    )
    parser.add_argument(
        "--from-checkpoint",
        metavar="FILE",
        help="the model's weights, in a file that may say which architecture they are of",
    )
    parser.add_argument(
        "--pretrained",
        metavar="FILE",
        help="weights that a training here begins with; a head of another width begins anew",
    )
    parser.add_argument("--size", type=int, help="pixels: crop images to a square and resize them")
    parser.add_argument(
        "--vocabulary", type=int, default=0, help="how many tokens there are, in data of your own code"
    )
    parser.add_argument(
        "--target",
        action="append",
        default=[],
        metavar="COLUMN",
        help="a column of a table that is predicted",
    )
    parser.add_argument("--task", help=f"{TASKS}; the default is classification")
    parser.add_argument(
        "--score", metavar="MODULE:FUNCTION", help="your own score of each sample; needs --metric"
    )
    parser.add_argument("--metric", metavar="NAME", help="the name of your own score, as tables show it")
    parser.add_argument("--lower-is-better", action="store_true", help="of your own score")
    parser.add_argument(
        "--loss", metavar="MODULE:FUNCTION", help="what a training minimizes, with your own score"
    )
    parser.add_argument(
        "--output", metavar="KEY", help="of several outputs of the model, the one that is scored"
    )
    parser.add_argument(
        "--limit", type=float, help="what a variant may lose: points of a percentage, or the score's unit"
    )
    parser.add_argument("--epochs", type=int, help="of the training")


def run(chosen: Namespace) -> None:
    """Write the files, try them on a few samples, and print the two commands that follow."""
    from breakeven.core.errors import UserError
    from breakeven.pipeline import checkpoint_facts, new_family, trial
    from breakeven.pipeline.new_family_files import Wish

    if chosen.from_checkpoint and chosen.weights:
        raise UserError("--weights and --from-checkpoint: both name the weights: give one.")
    found = checkpoint_facts.read(Path(chosen.from_checkpoint)) if chosen.from_checkpoint else None
    if found:
        print("\n".join(f"checkpoint: {line}" for line in found.lines))
    chosen.model = chosen.model or (found.architecture if found else None)
    if not (chosen.model and chosen.data):
        _ask(chosen)
    weights = chosen.from_checkpoint or chosen.weights
    task = chosen.task or ("custom" if chosen.score else "classification")
    if task == "custom" and not (chosen.score and chosen.metric):
        raise UserError("--task custom: give --score MODULE:FUNCTION and --metric NAME, its name in tables.")
    wish = Wish(
        name=chosen.name,
        model=chosen.model,
        data=chosen.data,
        weights=weights,
        pretrained=chosen.pretrained,
        size=chosen.size,
        vocabulary=chosen.vocabulary,
        targets=chosen.target,
        task=task,
        score=chosen.score,
        loss=chosen.loss,
        metric=chosen.metric,
        better="lower" if chosen.lower_is_better else "higher",
        output=chosen.output,
        limit=chosen.limit,
        epochs=chosen.epochs,
    )
    files = new_family.write(wish)
    with new_family.removed_on_error(files):
        study = trial.study_of(wish.name)
        facts, samples = trial.read(study, wish.name)
        if wish.output is None and (names := trial.outputs_of(study, wish.name, facts, samples)):
            raise UserError(
                f"--model {wish.model}: gives {', '.join(names)}: say with --output which one is scored."
            )
        lines = trial.try_family(study, wish.name, facts, samples)
    for file in files:
        print(f"wrote {file}")
    print("\n".join(lines))
    print(f"Next:\n  breakeven compose study={wish.name}\n  dvc repro")


def _ask(chosen: Namespace) -> None:
    """Ask for what no option has said.

    Raises:
        UserError: nobody can answer.
    """
    from breakeven.core.errors import UserError
    from breakeven.pipeline.new_family_files import TABLES

    missing = next(key for key in ("model", "data") if not getattr(chosen, key))
    if not sys.stdin.isatty():
        raise UserError(f"--{missing} is missing: {ASKED[missing]}.")
    chosen.model = chosen.model or _answer("model")
    chosen.data = chosen.data or _answer("data")
    if chosen.data.endswith(TABLES) and not chosen.target:
        chosen.target = [_answer("target")]
    chosen.task = chosen.task or ("custom" if chosen.score else _answer("task", "classification"))
    if chosen.task == "custom":
        chosen.score, chosen.metric = chosen.score or _answer("score"), chosen.metric or _answer("metric")
    if not (chosen.weights or chosen.pretrained or chosen.from_checkpoint):
        answer = _answer("weights", "none: train it here")
        chosen.weights = None if answer.startswith("none") else answer
    while chosen.limit is None:
        if (answer := _answer("limit", USUAL_LIMIT)) == USUAL_LIMIT:
            break
        with suppress(ValueError):
            chosen.limit = float(answer)


def _answer(what: str, otherwise: str = "") -> str:
    """Ask until there is an answer; Enter alone means `otherwise`, which the question shows."""
    shown = f"{ASKED[what]} [{otherwise}]: " if otherwise else f"{ASKED[what]}: "
    while not (answer := input(shown).strip() or otherwise):
        pass
    return answer
