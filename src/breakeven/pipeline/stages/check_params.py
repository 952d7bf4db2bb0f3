"""The stage `check_params`: it stops the pipeline if params.yaml differs from what conf/ composes to."""

import os
import shlex
from typing import TYPE_CHECKING

import yaml

from breakeven.config import compose, schema
from breakeven.config.schema import Settings, Study
from breakeven.core import paths
from breakeven.core.errors import Unsupported, UserError
from breakeven.core.files import write_json, write_text
from breakeven.pipeline.stages._main import run

if TYPE_CHECKING:
    from breakeven.artifacts.model_manifest import ImageInput, TextInput


def guard() -> None:
    """Compose the configuration again; if params.yaml differs, stop with the command that repairs it."""
    params = yaml.safe_load(paths.PARAMS.read_text(encoding="utf-8"))
    overrides = schema.overrides()
    if os.environ.get("DVC_EXP_NAME"):
        # In an experiment, DVC has just composed params.yaml with its -S overrides. It passes them to no
        # stage, so they are reconstructed from the result.
        overrides = recall(params)
    elif (composed := yaml.safe_load(compose.compose(overrides))) != params:
        changed = list(compose.differences(params, composed))
        command = shlex.join(["breakeven", "compose", *overrides])
        raise UserError(
            f"params.yaml is not what conf/ composes to ({len(changed)} keys differ, the first: "
            f"{changed[0].lstrip('+')}). Run `{command}`, then `dvc repro`."
        )
    require_models(schema.validate(params))
    write_json(paths.OVERRIDES, overrides)
    write_text(paths.STAGES_GUARD, "params.yaml is what conf/ composes to\n")


def recall(params: dict[str, object]) -> list[str]:
    """Return overrides that compose to these params: the study, and each value that differs from it."""
    composed = yaml.safe_load(compose.compose())
    study = []
    if params.get("study") != composed["study"]:
        study = [f"study={params['study']}"]
        composed = yaml.safe_load(compose.compose(study))
    return [*study, *compose.differences(composed, params)]


def require_models(config: Study) -> None:
    """Construct each model, so that a wrong argument stops the pipeline before any data is read."""
    from breakeven.artifacts.model_manifest import ImageInput, TextInput

    for name, family in config.families.items():
        texts = "vocabulary" in family.model.get("_inputs_", {}).values()
        if texts and family.train and (config.compressions or not family.checkpoint):
            raise UserError(
                f"families.{name}: texts are not trained, and so not compressed: "
                f"set families.{name}.train=null and compression=[]."
            )
        data = config.datasets[family.data]
        side = size if isinstance(size := data.get("size"), int) else 32
        channels = 1 if data.get("colour") == "grey" else 3
        shape = TextInput(128, 30_000, 10) if texts else ImageInput(channels, side, side, 10)
        _construct(family.model, shape, f"families.{name}.model")
        for recipe, steps in config.recipes().items():
            key, spec = f"compressions.{recipe}", dict(family.model)
            try:
                for step in steps:
                    spec = step.architecture(spec)
            except Unsupported as error:
                raise UserError(f"{key} does not fit families.{name}: {error}.") from None
            _construct(spec, shape, key)


def _construct(spec: Settings, shape: "ImageInput | TextInput", key: str) -> None:
    """Build the model without memory, if its constructor does not compute with tensors."""
    import torch

    from breakeven.artifacts.saved_model import build

    try:
        with torch.device("meta"):
            build(spec, shape, key)
    except UserError:
        build(spec, shape, key)  # raises again if an argument is wrong, not if the constructor needs memory


if __name__ == "__main__":
    run(guard)
