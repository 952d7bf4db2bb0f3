"""Write the option files of your own model and data, and try them."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

GROUP = "set up"
EXAMPLE = "breakeven new mine --model my_module:MyModel --data photos --weights weights.pt --limit 2"


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
    parser.add_argument(
        "--task", help="classification (the default), regression, segmentation, embedding or custom"
    )
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
    from breakeven.cli.new_dialogue import ask
    from breakeven.core.errors import UserError
    from breakeven.core.plugin import did_you_mean, names
    from breakeven.pipeline import checkpoint_facts, new_family, trial
    from breakeven.pipeline.new_family_files import Wish

    if chosen.from_checkpoint and chosen.weights:
        raise UserError("--weights and --from-checkpoint: both name the weights: give one.")
    found = checkpoint_facts.read(Path(chosen.from_checkpoint)) if chosen.from_checkpoint else None
    if found:
        print("\n".join(f"checkpoint: {line}" for line in found.lines))
    chosen.model = chosen.model or (found.architecture if found else None)
    if not (chosen.model and chosen.data):
        ask(chosen)
    weights = chosen.from_checkpoint or chosen.weights
    task = chosen.task or ("custom" if chosen.score else "classification")
    if task not in (tasks := names("tasks")):
        raise UserError(f"--task {task}: {did_you_mean(task, tasks)}")
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
        if wish.output is None and (outputs := trial.outputs_of(study, wish.name, facts, samples)):
            raise UserError(
                f"--model {wish.model}: gives {', '.join(outputs)}: say with --output which one is scored."
            )
        lines = trial.try_family(study, wish.name, facts, samples)
    for file in files:
        print(f"wrote {file}")
    print("\n".join(lines))
    print(f"Next:\n  breakeven compose study={wish.name}\n  dvc repro")
