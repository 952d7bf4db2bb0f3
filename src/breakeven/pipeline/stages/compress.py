"""The stage `compress`: it applies the steps of a recipe to a trained model and fine-tunes after each."""

import functools
import shlex
from functools import partial
from pathlib import Path
from typing import Any

from breakeven.artifacts import dataset, saved_model
from breakeven.artifacts.model_manifest import ModelManifest, read_card, save_reason
from breakeven.config import schema
from breakeven.config.study import Study
from breakeven.core import cache, machine_lock, paths
from breakeven.core.cache import CacheKey
from breakeven.core.errors import Failed, NotInstalled, Unsupported, UserError
from breakeven.core.files import atomic_folder, temporary_folder
from breakeven.core.source_digest import digests_of, plugin_modules
from breakeven.engine.isolated import LONGER, IsolatedCalls
from breakeven.engine.samples import FAILED, UNSUPPORTED
from breakeven.pipeline.compress_model import MODULES, Application, ModelToCompress, apply
from breakeven.pipeline.fit_model import ModelJob, describe, obtain
from breakeven.pipeline.model_libraries import libraries
from breakeven.pipeline.option_code import option_modules
from breakeven.pipeline.stages._main import run
from breakeven.pipeline.training.distillation import Teacher
from breakeven.pipeline.training.sample_batches import training_batches
from breakeven.plugins.compression.base import Compression
from breakeven.tracking import live_run


def compress(name: str, recipe: str) -> None:
    """Apply the recipe `recipe` to the family `name`, and save the result in `models/NAME/RECIPE`.

    If the recipe cannot be applied, save the reason instead. Only the recipe's rows are then missing.

    Raises:
        UserError: what the recipe takes is not installed.
    """
    study = schema.read_study(checked=True)
    study.family(name)
    *first, last = study.recipe(recipe)
    folder, target = paths.model(name), paths.model(name, recipe)
    try:
        with temporary_folder() as scratch, _calls(study, name, recipe, scratch) as calls:
            for number, step in enumerate(first):
                folder = _step(study, calls, name, recipe, step, folder, scratch / str(number))
            _step(study, calls, name, recipe, last, folder, target)
    except NotInstalled as error:
        raise UserError(_advice(recipe, error)) from None
    except (Unsupported, Failed) as error:
        failed = isinstance(error, Failed)
        print(f"{name}/{recipe}: {FAILED if failed else UNSUPPORTED}: {error}")
        with atomic_folder(target) as model_folder:
            save_reason(model_folder, read_card(paths.model(name)), recipe, str(error), failed=failed)


def _calls(study: Study, name: str, recipe: str, scratch: Path) -> IsolatedCalls:
    own = [module for step in study.recipe(recipe) for module in step.imports]
    modules = [*MODULES, *libraries(name, ["none"]), *own]
    return IsolatedCalls(modules, scratch, LONGER * study.measure.timeout_s, study.measure.memory_mb)


def _step(
    study: Study,
    calls: IsolatedCalls,
    name: str,
    recipe: str,
    compression: Compression,
    start: Path,
    target: Path,
) -> Path:
    """Apply one step to the model in `start`, save the result in `target`, and return `target`.

    If an earlier run, a sweep or another recipe has made this model, restore it from the cache.

    Raises:
        Unsupported: the compression cannot be applied to the model.
        Failed: applying it broke its process, or took too long or too much memory.
    """
    family = study.family(name)
    assert family.train, "the configuration was checked"
    data = paths.prepared(family.data)
    before = read_card(start)
    if before.reason:
        raise (Failed if before.failed else Unsupported)(before.reason)
    tuning = family.train.model_copy(
        update={
            "epochs": max(1, round(compression.epochs * family.train.epochs)),
            "lr": compression.lr * family.train.lr,
            "sides": [1.0],
            "patience": 0,
        }
    )
    settings = {
        "compression": compression.model_dump(),
        "train": tuning.model_dump(),
        "task": family.task,
        "seed": study.seed,
    }
    spec = compression.architecture(before.model)
    plugins = [
        *plugin_modules("compression", settings["compression"]),
        *option_modules("tasks", family.task),
    ]
    digest = dataset.manifest(data).digest
    key = CacheKey(
        "model",
        {
            "settings": settings,
            "from": [before.key, before.sha256],
            "data": digest,
            "code": digests_of("compress", [str(spec.get("_target_")), *plugins]),
        },
    )
    start_model = ModelToCompress(start.absolute(), spec, study.seed, f"compressions.{recipe}")
    task = study.task(name)
    application = Application(
        start_model,
        compression,
        partial(training_batches, data, study.seed, task),
        before.output_shape,
    )
    compressed = functools.cache(partial(apply, application, calls))
    if not cache.find(key):
        calls.start()
        import breakeven.pipeline.training.fit  # noqa: F401  (takes seconds, as what the process imports)

        with machine_lock.shared():
            compressed()  # before a run in MLflow begins, since it may be unsupported
    teacher = saved_model.load(paths.model(name))[0] if compression.distil else None
    job = ModelJob(
        family=name,
        recipe=recipe,
        folder=target,
        spec=spec,
        build=lambda: compressed()[0],
        train=tuning,
        task=task,
        seed=study.seed,
        key=key,
        made=compression.name,
        pruning=lambda: [*start_model.past, *compressed()[1]],
        teacher=Teacher(teacher, compression.distil, compression.temperature) if teacher else None,
        finish=compression.finish,
        varying=before.varying,
        before_s=0.0 if before.recipe == "none" else before.train_s,
        details={"settings": settings, "data": digest, "from": before.key, "before": _past(before)},
    )
    called = recipe if target == paths.model(name, recipe) else compression.name
    tags = {"kind": "compression", "family": name, "recipe": called, "dataset.sha256": digest}
    card = obtain(job, data, lambda: live_run.run(f"{called} {name}", key.digest, tags, settings))
    print(f"{name}/{recipe}: {describe(card)}")
    print(f"  before: {describe(before)}")
    return target


def _past(card: ModelManifest) -> list[dict[str, Any]]:
    """Return the figures of all earlier steps, the uncompressed model first."""
    figures = ("made", "val_score", "test_score", "parameters", "macs", "megabytes", "train_s")
    return [*card.details.get("before", []), {figure: getattr(card, figure) for figure in figures}]


def _advice(recipe: str, error: NotInstalled) -> str:
    key = f"compressions.{recipe}"
    command = shlex.join(["breakeven", "compose", *schema.overrides(), f"~{key}"])
    return f"{key}: {error}, or leave the recipe out: `{command}`."


if __name__ == "__main__":
    run(compress)
