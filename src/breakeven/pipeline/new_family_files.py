"""The texts of the option files of a user's own model and data: dataset, family and study."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from breakeven.config import conf_files
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.named_function import named_function
from breakeven.core.plugin import did_you_mean

TABLES = (".csv", ".parquet")
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


def kind_of(data: str, conf: Path) -> str:
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


def data_file(wish: Wish, conf: Path) -> tuple[str, str]:
    """Return the name of the dataset's option, and the text of its file; "" for a packaged one."""
    given = Path(wish.data).expanduser()
    kind = kind_of(wish.data, conf)
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
            f"path: {_plain(_path(given))} # absolute, or below data/raw or this project",
            f"targets: {_plain(wish.targets)} # columns to predict",
            f"kind: {target} # or {'numbers' if target == 'classes' else 'classes'}",
        )
    if kind == "folder":
        return wish.name, _lines(
            "# Images, as train/CLASS/NAME.png; without val/ and test/, a share is split off.",
            "name: image_folder",
            f"title: {wish.name}",
            f"path: {_plain(_path(given))} # absolute, or below data/raw or this project",
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
    """Return a path as a file in `conf/` should hold it: within the project, a relative one."""
    if not given.exists():
        return str(given)  # below data/raw
    found, project = given.resolve(), paths.home()
    if not found.is_relative_to(project):
        return str(found)
    inside = found.relative_to(project)
    # The same name below data/raw would be taken instead.
    return str(found) if any((root / inside).exists() for root in paths.raw_roots()) else str(inside)


def _weights(file: str | None) -> str:
    return _plain(file and _path(Path(file).expanduser()))


def family_file(wish: Wish, data: str, conf: Path) -> str:
    """Return the text of the family's file; `data` is the name of its dataset."""
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
    is_image = kind_of(wish.data, conf) in ("packaged", "folder")
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
        f"checkpoint: {_weights(wish.weights)} # the file of its weights; null: it is trained here",
        f"pretrained: {_weights(wish.pretrained)} # a file of weights that the training begins with",
        "varying: {} # sizes of inputs that differ from call to call, such as length: {least: 4, most: 128}",
        *model,
        *(["task:", *task] if wish.task == "custom" else []),
        *train,
    )


def study_file(wish: Wish, data: str) -> str:
    """Return the text of the study's file."""
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
