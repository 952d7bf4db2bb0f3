"""The stage `check_params`: it stops the pipeline if params.yaml differs from what conf/ composes to."""

import os
import shlex
from collections.abc import Mapping, Set
from dataclasses import asdict
from typing import TYPE_CHECKING

import yaml
from pydantic import ValidationError

from breakeven.config import choices, compose, conf_files, schema
from breakeven.config.sections import Settings
from breakeven.config.study import Study
from breakeven.config.yaml_file import read_mapping
from breakeven.core import paths, plugin
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.files import flatten, write_json, write_text
from breakeven.pipeline.stages._main import run

if TYPE_CHECKING:
    from breakeven.artifacts.model_manifest import Input

# What a dataset's facts are taken for that are not known before its files are read
AN_IMAGE = {"channels": 3, "height": 32, "width": 32, "classes": 10}
A_TEXT = {"length": 128, "vocabulary": 30_000, "classes": 10}
A_ROW = {"features": 8, "classes": 1}
# Errors of a constructor that have nothing to do with the sizes that it is given
ABOUT_NAMES = (TypeError, ImportError, AttributeError, UserError)


PARAMS_REMEDY = "write it again with `breakeven compose`"


def guard() -> None:
    """Compose the configuration again; if params.yaml differs, stop with the command that repairs it."""
    params = read_mapping(paths.PARAMS, PARAMS_REMEDY)
    overrides = schema.overrides()
    if os.environ.get("DVC_EXP_NAME"):
        # In an experiment, DVC has just composed params.yaml with its -S overrides. It passes them to no
        # stage, so they are reconstructed from the result.
        try:
            overrides = accept_experiment(params, overrides)
        except UserError:
            write_text(paths.PARAMS, compose.compose(overrides))  # as it was before the experiment
            raise
    elif (composed := yaml.safe_load(compose.compose(overrides))) != params:
        changed = list(compose.differences(params, composed))
        raise UserError(
            f"params.yaml is not what conf/ composes to ({len(changed)} keys differ, the first: "
            f"{changed[0].lstrip('+')}). Run `{_command(overrides)}`, then `dvc repro`."
        )
    else:
        require_models(schema.validate(params))
    write_json(paths.OVERRIDES, overrides)
    write_text(paths.STAGES_GUARD, "params.yaml is what conf/ composes to\n")


def accept_experiment(params: Settings, before: list[str]) -> list[str]:
    """Return overrides that compose to the params of an experiment, after all checks.

    Args:
        params: what DVC has composed, from conf/ and the experiment's own overrides.
        before: the overrides that params.yaml had been composed with.

    Raises:
        UserError: the params are wrong, or the experiment has lost earlier overrides.
    """
    choices.require_all_own_places(paths.CONF)
    overrides = recall(params)
    require_models(schema.validate(params))
    if lost := lost_settings(params, before):
        again = " ".join(f"-S {shlex.quote(each)}" for each in before)
        raise UserError(
            f"`dvc exp run` composes conf/ anew, and has lost what params.yaml was composed of "
            f"({shlex.join(before)}; the first lost setting: {lost}). params.yaml is as it was. Give these "
            f"again: `dvc exp run {again} ...`; or run `breakeven compose` first, which drops them."
        )
    return overrides


def lost_settings(params: Settings, before: list[str]) -> str:
    """Return the first setting of earlier overrides that has its plain value in `params`; "" if none has."""
    if not before:
        return ""
    plain, composed = (flatten(yaml.safe_load(compose.compose(each))) for each in ([], before))
    now = flatten(params)
    for key in [*composed, *(key for key in plain if key not in composed)]:
        set_by_overrides = composed.get(key) != plain.get(key)
        if set_by_overrides and now.get(key) != composed.get(key) and now.get(key) == plain.get(key):
            return f"{key}={composed.get(key, 'nothing')}"
    return ""


def recall(params: Settings) -> list[str]:
    """Return overrides that compose to these params: the study, and each value that differs from it.

    Raises:
        UserError: the study has no file here, or has another name than its file.
    """
    composed = yaml.safe_load(compose.compose())
    study = []
    if params.get("study") != composed["study"]:
        _require_study_file(str(params.get("study")))
        study = [f"study={params['study']}"]
        composed = yaml.safe_load(compose.compose(study))
    return [*study, *compose.differences(composed, params)]


def _require_study_file(study: str) -> None:
    """Raise a UserError if an experiment's study is in no file here, or in a file with another name."""
    file = paths.CONF / "study" / f"{study}.yaml"
    if conf_files.find(paths.CONF, f"study/{study}.yaml").is_file():
        return
    if other := choices.study_file(study, paths.CONF):
        raise UserError(f"{other}: `study: {study}` is not the file's name: write `study: {other.stem}`.")
    if (paths.home() / file).is_file():
        raise UserError(
            f"study={study}: git does not track {file}, and an experiment in the queue or in a temporary "
            f"folder takes only what git tracks: `git add {file}`."
        )


def _command(overrides: list[str]) -> str:
    return shlex.join(["breakeven", "compose", *overrides])


def require_models(config: Study) -> None:
    """Construct each model, so that a wrong argument stops the pipeline before any data is read."""
    from breakeven.artifacts.model_manifest import shape_from

    for name, family in config.families.items():
        given = family.model.get("_inputs_", {}).values()
        texts = "vocabulary" in given
        dataset = plugin.load("datasets", config.datasets[family.data], f"datasets.{family.data}")
        if not dataset.learnable and family.train and (config.compressions or not family.checkpoint):
            raise UserError(
                f"families.{name}: {family.data} has nothing that could be learned: set "
                f"families.{name}.train=null and compression=[], or give it other data."
            )
        facts = dataset.facts()
        guesses = A_TEXT if texts else A_ROW if "features" in given else AN_IMAGE
        shape = shape_from({name: facts.get(name, guess) for name, guess in guesses.items()})
        _construct(family.model, shape, facts, f"families.{name}.model")
        for recipe, steps in config.recipes().items():
            key, spec = f"compressions.{recipe}", dict(family.model)
            try:
                for step in steps:
                    spec = step.architecture(spec)
            except Unsupported as error:
                raise UserError(f"{key} does not fit families.{name}: {error}.") from None
            _construct(spec, shape, facts, key)


def _construct(spec: Settings, shape: "Input", facts: Mapping[str, int], key: str) -> None:
    """Build the model without memory, if its constructor does not compute with tensors.

    Args:
        shape: `facts`, and guesses in the place of what is not known before the data is read.
        facts: what is known of the dataset.
    """
    import torch

    from breakeven.artifacts.model_spec import inputs_of
    from breakeven.artifacts.saved_model import build

    sizes = asdict(shape)
    complete = facts.keys() >= sizes.keys()  # a lazy layer may only refuse the size that is a guess
    try:
        with torch.device("meta"):
            build(spec, shape, key, complete)
    except UserError:
        try:
            # raises again if an argument is wrong, not if the constructor needs memory
            build(spec, shape, key, complete)
        except UserError as error:
            # The constructor may only refuse a guess. Then it is called again before the training.
            inputs = inputs_of(spec, sizes, key)
            guessed = {name for name, fact in inputs.items() if fact not in facts}
            if not guessed or not _refuses_values(error.__context__, guessed):
                raise


def _refuses_values(error: BaseException | None, guessed: Set[str]) -> bool:
    """Return whether an error may be about the values of guessed arguments alone."""
    if isinstance(error, ValidationError):
        return all(fault["loc"] and fault["loc"][0] in guessed for fault in error.errors())
    return not isinstance(error, ABOUT_NAMES)


if __name__ == "__main__":
    run(guard)
