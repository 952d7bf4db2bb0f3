"""The option files of a user's own model and data, and a trial of them (`breakeven new`)."""

import inspect
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from breakeven.config import conf_files
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import write_text
from breakeven.core.named_function import named_function
from breakeven.core.plugin import did_you_mean

TABLES = (".csv", ".parquet")
NAME = re.compile(r"[A-Za-z]\w*")
WORDS = ("on", "off", "yes", "no", "true", "false", "null", "y", "n")  # YAML takes them for values
# A training that rarely diverges: the default is made for classifiers of images, whose inputs are normalized
STEADY: dict[str, Any] = {"epochs": 60, "optimizer": "adamw", "lr": 0.01, "clip_norm": 1.0}
DIMENSIONS = 32  # of embeddings, as in conf/task/embedding.yaml
# Argument of a constructor -> the fact of the dataset that it usually takes
ARGUMENTS = {
    "num_classes": "classes",
    "num_labels": "classes",
    "out_features": "classes",
    "n_classes": "classes",
    "in_channels": "channels",
    "in_chans": "channels",
    "in_features": "features",
    "vocabulary": "vocabulary",
    "vocab_size": "vocabulary",
}


@dataclass(frozen=True)
class Wish:
    """What a user says of a new family."""

    name: str
    model: str  # MODULE:CONSTRUCTOR, or a name of a packaged option, of torchvision or of timm
    data: str  # a folder, a table, MODULE:FUNCTION, or the name of a packaged option
    weights: str | None = None  # a file; the model is measured with them as they are
    pretrained: str | None = None  # a file; the training begins with them
    size: int | None = None  # pixels, of images
    vocabulary: int = 0  # tokens, of data of one's own code
    targets: list[str] = field(default_factory=list)  # columns, of a table
    task: str = "classification"
    score: str | None = None  # MODULE:FUNCTION, of the task `custom`
    loss: str | None = None  # likewise
    metric: str | None = None
    better: str = "higher"
    output: str | None = None  # of several outputs, the one that is scored
    limit: float | None = None  # what a variant may lose
    epochs: int | None = None


def write(wish: Wish, conf: Path = paths.CONF) -> list[Path]:
    """Write the option files of a family and its study, and return them.

    Raises:
        UserError: a file exists, or the model or the data cannot be found.
    """
    if not NAME.fullmatch(wish.name) or wish.name.lower() in WORDS:
        raise UserError(f"{wish.name}: a name has letters, digits and _, and begins with a letter.")
    _require_used(wish, conf)
    data, data_text = _data(wish, conf)
    texts = {
        f"data/{wish.name}.yaml": data_text,
        f"family/{wish.name}.yaml": _family(wish, data, conf),
        f"study/{wish.name}.yaml": _study(wish, data),
    }
    files = {conf / name: text for name, text in texts.items() if text}
    if there := [file for file in files if file.exists()]:
        raise UserError(f"{there[0]} exists: choose another name than {wish.name}, or delete it.")
    if taken := [name for name in texts if conf_files.find(conf, name).is_file()]:
        raise UserError(f"{wish.name}: the package has an option of this name ({taken[0]}): choose another.")
    for file, text in files.items():
        write_text(file, text)
    return [*files]


def _require_used(wish: Wish, conf: Path) -> None:
    """Refuse what would be dropped: an option that the chosen data or task does not use."""
    kind = _kind(wish.data, conf)
    packaged = kind == "packaged"
    if packaged and Path(wish.data).exists():
        raise UserError(
            f"--data {wish.data}: is a dataset of the package, and a folder here: write ./{wish.data} for "
            "the folder."
        )
    name = "a packaged dataset" if packaged else f"the data {wish.data}"
    unused = {
        "--size": wish.size is not None and kind != "folder",
        "--target": wish.targets and kind != "table",
        "--vocabulary": wish.vocabulary and kind != "code",
    }
    if odd := [option for option, is_unused in unused.items() if is_unused]:
        raise UserError(f"{odd[0]}: does not go with {name}: leave it out.")
    if wish.task != "custom" and (wish.score or wish.metric or wish.loss):
        raise UserError(
            f"--task {wish.task}: has a score of its own: leave --score, --metric and --loss out."
        )


@contextmanager
def removed_on_error(files: list[Path]) -> Iterator[None]:
    """Remove the files if the block fails, so that the same command can be typed again."""
    try:
        yield
    except BaseException:
        for file in files:
            file.unlink(missing_ok=True)
            with suppress(OSError):  # it holds other files
                file.parent.rmdir()
        raise


def model_section(wish: Wish, conf: Path = paths.CONF) -> dict[str, Any]:
    """Return `_target_`, `_inputs_` and what else a family's section `model` needs; {} for a packaged option.

    An architecture of torchvision's counts before a packaged option of the same name: it is what people mean.

    Raises:
        UserError: nothing has this name.
    """
    name = wish.model
    if ":" in name:
        return {"_target_": name.replace(":", "."), "_inputs_": _inputs(named_function(name, "--model"))}
    import torchvision

    if name in torchvision.models.list_models():
        target = torchvision.models.get_model_builder(name)
        dotted = f"{target.__module__}.{target.__name__}"
        return {"_target_": dotted, "_inputs_": _inputs(target)}
    if name in conf_files.options(conf, "model"):
        return {}
    if "." in name:
        return {"_target_": name, "_inputs_": _inputs(named_function(name, "--model"))}
    known: list[str] = [*conf_files.options(conf, "model"), *torchvision.models.list_models()]
    try:
        import timm
    except ModuleNotFoundError:
        pass
    else:
        if timm.is_model(name):
            inputs = {"in_chans": "channels", "num_classes": "classes"}
            return {"_target_": "timm.create_model", "_inputs_": inputs, "model_name": name}
        known += timm.list_models()
    raise UserError(
        f"--model {name}: is neither MODULE:CONSTRUCTOR nor an architecture of torchvision or timm: "
        f"{did_you_mean(name, known).partition(' Allowed')[0]}"
    )


def _inputs(constructor: Callable[..., Any]) -> dict[str, str]:
    """Return which arguments of a constructor take which facts of the dataset, by their usual names."""
    parameters = inspect.signature(constructor).parameters
    takes_any = any(parameter.kind == parameter.VAR_KEYWORD for parameter in parameters.values())
    found = {name: fact for name, fact in ARGUMENTS.items() if name in parameters}
    return found or ({"num_classes": "classes"} if takes_any else {})


def _kind(data: str, conf: Path) -> str:
    """Return what data is: packaged, table, folder, code, another file, or "" for nothing."""
    given = Path(data).expanduser()
    if data in conf_files.options(conf, "data"):
        return "packaged"
    if given.suffix in TABLES:
        return "table"
    if given.is_dir() or (paths.home() / "data/raw" / given).is_dir():
        return "folder"
    if ":" in data:
        return "code"
    return "file" if given.is_file() else ""


def _data(wish: Wish, conf: Path) -> tuple[str, str]:
    """Return the name of the dataset's option, and the text of its file; "" for a packaged one."""
    given = Path(wish.data).expanduser()
    kind = _kind(wish.data, conf)
    if kind == "packaged":
        return wish.data, ""
    if kind == "table":
        if not wish.targets:
            raise UserError(f"--data {wish.data}: say with --target which column is to be predicted.")
        target = "classes" if wish.task in ("classification", "embedding") else "numbers"
        return wish.name, _lines(
            "# A table: each column but the targets is a feature.",
            "name: table",
            f"title: {wish.name}",
            f"path: {_plain(_path(given))} # absolute, or below data/raw",
            f"targets: {_plain(wish.targets)} # columns to predict",
            f"kind: {target} # or {'numbers' if target == 'classes' else 'classes'}",
        )
    if kind == "folder":
        return wish.name, _lines(
            "# Images, as train/CLASS/NAME.png; without val/ and test/, a share is split off.",
            "name: image_folder",
            f"title: {wish.name}",
            f"path: {_plain(_path(given))} # absolute, or below data/raw",
            f"size: {wish.size or 'null'} # pixels: crop to a square and resize; null: all have one size",
        )
    if kind == "code":
        named_function(wish.data, "--data")
        return wish.name, _lines(
            "# Samples of your own code: pairs of inputs and target.",
            "name: python",
            f"title: {wish.name}",
            f"train: {wish.data} # it returns the samples",
            "testing: null # likewise the test samples; null: a fifth is split off",
            f"vocabulary: {wish.vocabulary} # how many tokens there are; 0: none, or the largest one decides",
        )
    if kind == "file":
        raise UserError(
            f"--data {wish.data}: is a file, and no table ({', '.join(TABLES)}): give a folder of images, a "
            "table, or MODULE:FUNCTION, which returns samples."
        )
    raise UserError(
        f"--data {wish.data}: is no folder, no table ({', '.join(TABLES)}), no MODULE:FUNCTION and no "
        f"packaged dataset ({', '.join(conf_files.options(conf, 'data'))})."
    )


def _path(given: Path) -> str:
    """Return a path as a file in `conf/` should hold it."""
    return str(given.resolve()) if given.exists() else str(given)


def _family(wish: Wish, data: str, conf: Path) -> str:
    section = model_section(wish, conf)
    mounted = [] if section else [f"  - /model@model: {wish.model}"]
    if wish.output is not None:
        section["_output_"] = wish.output
    if wish.task == "embedding" and "classes" in section.get("_inputs_", {}).values():
        width = next(name for name, fact in section["_inputs_"].items() if fact == "classes")
        section["_inputs_"] = {name: fact for name, fact in section["_inputs_"].items() if name != width}
        section[width] = DIMENSIONS
    comments = {
        "_target_": "# what constructs the model",
        "_inputs_": "# its arguments <- facts of the dataset",
        "_output_": "# the output that is scored",
    }
    lines = [f"  {key}: {_plain(value)} {comments.get(key, '')}".rstrip() for key, value in section.items()]
    model = ["model:", *lines] if section else []
    task = [f"  metric: {wish.metric}", f"  better: {wish.better}", f"  score: {wish.score}"]
    task += [f"  train_loss: {wish.loss or 'null'}"]
    is_image = _kind(wish.data, conf) in ("packaged", "folder")
    usual = {} if wish.task == "classification" and wish.loss is None and is_image else STEADY
    settings = {**usual, **({} if wish.epochs is None else {"epochs": wish.epochs})}
    train = ["train:", *(f"  {key}: {value}" for key, value in settings.items())] if settings else []
    return _lines(
        f"# The model {wish.model} on {data}.",
        "defaults:",
        *mounted,
        "  - /train@train: sgd # the training, and the fine-tuning of compressed models",
        f"  - /task@task: {wish.task} # how its outputs are scored",
        "  - _self_",
        f"data: {data}",
        f"checkpoint: {_plain(wish.weights)} # the file of its weights; null: it is trained here",
        f"pretrained: {_plain(wish.pretrained)} # a file of weights that the training begins with",
        *model,
        *(["task:", *task] if wish.task == "custom" else []),
        *train,
    )


def _study(wish: Wish, data: str) -> str:
    in_percent = wish.task not in ("regression", "custom")
    key = "max_accuracy_drop" if in_percent else "max_score_loss"
    unit = "percentage points of the score" if in_percent else "in the unit of the score"
    limit = [] if wish.limit is None else ["recommend:", f"  {key}: {wish.limit:g} # {unit}"]
    return _lines(
        "# @package _global_",
        f"# What `dvc repro` makes after `breakeven compose study={wish.name}`.",
        "defaults:",
        f"  - /data@datasets.{data}: {data}",
        f"  - /family@families.{wish.name}: {wish.name}",
        f"study: {wish.name}",
        *limit,
    )


def _plain(value: Any) -> str:
    """Return a value as YAML has it in one line."""
    if isinstance(value, str):
        value = value.replace("${", "\\${")  # or OmegaConf would look for a key of that name
    text: str = yaml.safe_dump(value, default_flow_style=True, width=float("inf"), allow_unicode=True)
    return text.removesuffix("...\n").strip()


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
