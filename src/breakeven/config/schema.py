"""The study in `params.yaml`: it is read, and checked before any work starts."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from breakeven.artifacts.artifact import BASELINE, runtime_name
from breakeven.config.credentials import require_no_credentials
from breakeven.config.sections import Family, Settings
from breakeven.config.stage_names import require_distinct_stages
from breakeven.config.study import OPTION_GROUPS, Study
from breakeven.config.yaml_file import read_mapping
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json
from breakeven.core.plugin import MANDATORY_MESSAGE, check, did_you_mean

OVERRIDES_REMEDY = (
    f"`git checkout {paths.OVERRIDES}` brings the committed one back; otherwise delete it, and run "
    "`breakeven compose` with the overrides that you had given"
)


def overrides(folder: Path = Path()) -> list[str]:
    """Return the overrides that `params.yaml` of the project in a folder was composed with.

    Raises:
        UserError: the file that holds them is damaged.
    """
    if not (folder / paths.OVERRIDES).exists():
        return []
    overrides = read_json(folder / paths.OVERRIDES, OVERRIDES_REMEDY)
    if not isinstance(overrides, list) or not all(isinstance(each, str) for each in overrides):
        raise UserError(f"{paths.OVERRIDES} is no list of overrides: {OVERRIDES_REMEDY}.")
    return overrides


def validate(settings: Settings) -> Study:
    """Return the checked configuration.

    Raises:
        UserError: one sentence for each fault.
    """
    if not isinstance(settings, dict):
        raise UserError(f"The settings should be a mapping, not a {type(settings).__name__}.")
    require_no_credentials(settings)
    if unset := list(_unset(settings)):
        raise UserError("\n".join(MANDATORY_MESSAGE.format(key=key) for key in unset))
    if not (families := settings.get("families")):
        study = settings.get("study")
        raise UserError(
            f"families={families}: study={study} names none. A sweep is run by "
            f"`breakeven-sweep study={study}`; what `dvc repro` runs lists its families."
        )
    config = check(Study, settings)
    for section in OPTION_GROUPS:
        for key in getattr(config, section):
            config.option(section, key)
    config.recipes()
    for key, family in config.families.items():
        _require_trainable(key, family, config.task(key), config)
        _require_sizes(key, family)
    if config.measure.min_replicates > config.measure.max_replicates:
        raise UserError(
            f"measure.min_replicates={config.measure.min_replicates}: should be at most "
            f"max_replicates={config.measure.max_replicates}."
        )
    sections = ("families", "compressions", *OPTION_GROUPS)
    require_distinct_stages({section: getattr(config, section).keys() for section in sections})
    _require_distinct(config)
    _require_existing(config)
    _require_baseline(config)
    for key, family in config.families.items():
        if family.data not in config.datasets:
            raise UserError(
                f"families.{key}.data={family.data}: {did_you_mean(family.data, config.datasets)}"
            )
        if family.train is None:
            _require_measured_only(key, family, config)
        elif family.train.patience >= family.train.epochs:
            raise UserError(
                f"families.{key}.train.patience={family.train.patience}: should be less than "
                f"epochs={family.train.epochs}, or 0 for no early stopping."
            )
    return config


def _require_baseline(config: Study) -> None:
    """Raise a UserError unless the runtime `eager` is PyTorch's eager mode in fp32."""
    if "eager" not in config.runtimes or config.option("runtimes", "eager").precision != "fp32":
        raise UserError(
            f"runtimes={sorted(config.runtimes)}: 'eager' must be among them, in fp32, as the baseline."
        )
    if (name := config.runtimes["eager"]["name"]) != "eager":
        raise UserError(
            f"runtimes.eager.name={name}: the baseline's name must be 'eager': give {name} a key of its own."
        )


def _require_measured_only(key: str, family: Family, config: Study) -> None:
    """Raise a UserError if the study compresses a family that has no settings for fine-tuning."""
    if config.compressions:
        raise UserError(
            f"families.{key}.train=null: does not say how to fine-tune, and compressions="
            f"{list(config.compressions)} need that. Give it a recipe (conf/train), or leave the "
            "compressions out."
        )


def _require_trainable(key: str, family: Family, task: Any, config: Study) -> None:
    """Raise a UserError if the task has no loss, or the training would move images and not their targets."""
    scored = family.model.get("_output_")
    if isinstance(scored, list) and len(scored) != 1 and task.name != "custom":
        raise UserError(
            f"families.{key}.model._output_={scored}: the task {task.name} scores one output: name one, or "
            "take the task custom, whose score gets all of them."
        )
    if family.pretrained and (family.checkpoint or not family.train):
        rival = "checkpoint" if family.checkpoint else "train=null"
        raise UserError(
            f"families.{key}.pretrained={family.pretrained}: a training begins with these weights, and "
            f"families.{key}.{rival} takes its place: leave one of them out."
        )
    if not family.train:
        return
    if getattr(task, "train_loss", "") is None and (config.compressions or not family.checkpoint):
        raise UserError(
            f"families.{key}.task.train_loss=null: a training needs the function that it minimizes: name it "
            f"as MODULE:FUNCTION, or set families.{key}.train=null and compression=[]."
        )
    if not task.maps:
        return
    train = family.train
    moved = {"flip": train.flip, "crop": train.crop, "cutout": train.cutout, "sides": train.sides != [1.0]}
    if odd := [name for name, is_on in moved.items() if is_on]:
        raise UserError(
            f"families.{key}.train.{odd[0]}={getattr(train, odd[0])}: the task {task.name} has a target for "
            f"each pixel, which this setting does not move: set it to "
            f"{'[1.0]' if odd[0] == 'sides' else 'false or 0'}."
        )


def _require_sizes(key: str, family: Family) -> None:
    """Raise a UserError if a dimension that varies has no sizes."""
    for name, one in family.varying.items():
        place = f"families.{key}.varying.{name}"
        if not name.isidentifier() or name == "batch":
            raise UserError(f"{place}: choose a name of letters, digits and _, which is not `batch`.")
        if one.least >= one.most:
            raise UserError(f"{place}.least={one.least}: should be less than most={one.most}.")
        if odd := [bound for bound in ("least", "most") if getattr(one, bound) % one.step]:
            raise UserError(
                f"{place}.{odd[0]}={getattr(one, odd[0])}: should be a multiple of step={one.step}."
            )


def _unset(settings: Any, dotted_key: str = "") -> Iterator[str]:
    """Yield the keys whose value is still `???`."""
    if isinstance(settings, dict):
        for key, value in settings.items():
            yield from _unset(value, f"{dotted_key}.{key}" if dotted_key else str(key))
    elif settings == "???":
        yield dotted_key


def _options_by_variant(config: Study) -> dict[str, list[str]]:
    """Return precision/runtime -> the keys of the options that make it, of a recipe without `only`."""
    variants: dict[str, list[str]] = {}
    for key in config.runtimes:
        precision = config.option("runtimes", key).precision
        variants.setdefault(f"{precision}/{runtime_name(key, precision)}", []).append(f"runtimes.{key}")
    for key in config.quantizations:
        toolchain = config.option("quantizations", key)
        variants.setdefault(f"{toolchain.precision}/{toolchain.runtime}", []).append(f"quantizations.{key}")
    return variants


def _require_distinct(config: Study) -> None:
    """Raise a UserError if the variants of two options would have the same name."""
    for variant, keys in _options_by_variant(config).items():
        if len(keys) > 1:
            precision, _, runtime = variant.partition("/")
            raise UserError(f"{' and '.join(keys)} both make {precision} for {runtime}: choose one of them.")


def _require_existing(config: Study) -> None:
    """Raise a UserError if `export.only` names a recipe or variant that does not exist.

    Otherwise a misspelt name would leave variants out without a message. Omitting the baseline is an error as
    well.
    """
    recipes, variants = ["none", *config.compressions], _options_by_variant(config)
    for recipe, patterns in config.export.only.items():
        dotted_key = f"export.only.{recipe}"
        if recipe not in recipes:
            raise UserError(
                f"{dotted_key}: {did_you_mean(recipe, recipes)} Leave it out with `~{dotted_key}`."
            )
        for pattern in patterns:
            if not any(fnmatchcase(variant, pattern) for variant in variants):
                raise UserError(
                    f"{dotted_key}={pattern}: no precision/runtime matches it; it is "
                    f"{did_you_mean(pattern, variants)}"
                )
    if not config.export.wants(BASELINE):
        raise UserError(f"export.only.none: leaves out the baseline, {BASELINE}.")


def read_study(path: Path = paths.PARAMS, checked: bool = False) -> Study:
    """Return the configuration in `params.yaml`.

    Args:
        path: the file to read.
        checked: whether the guard has checked the file already. In that case no plugin is imported here, and
            a stage imports only the plugins that it needs.

    Raises:
        UserError: the file is missing or has faults; the message has a line for each fault.
    """
    settings = read_mapping(path, "write it with `breakeven compose`")
    return check(Study, settings) if checked else validate(settings)
