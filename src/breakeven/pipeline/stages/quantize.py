"""The stage `quantize`: it quantizes every recipe of a family with every int8 toolchain."""

from dataclasses import replace
from functools import partial

import numpy as np

from breakeven.artifacts import dataset
from breakeven.artifacts.artifact import model_inputs
from breakeven.artifacts.model_manifest import number_scored
from breakeven.config import schema
from breakeven.core import machine_lock, paths
from breakeven.core.files import atomic_folder, temporary_folder
from breakeven.core.source_digest import plugin_modules
from breakeven.pipeline import build, keys
from breakeven.pipeline.calibration import CalibrationFiles, quantize_from
from breakeven.pipeline.eager_reference import Reference
from breakeven.pipeline.model_libraries import libraries
from breakeven.pipeline.objections import Tolerance
from breakeven.pipeline.stages._main import run


def quantize(name: str) -> None:
    """Quantize all recipes of the family `name`."""
    study = schema.read_study(checked=True)
    data = paths.prepared(study.family(name).data)
    digest = dataset.manifest(data).digest
    with machine_lock.shared():
        test, train, val = (dataset.load_split(data, split) for split in ("test", "train", "val"))
    # Calibration images come from the training split, never from the test set. They are drawn at random,
    # because a source may be sorted by class.
    indices = np.random.default_rng(study.seed).permutation(len(train.labels))[
        : study.export.calibration_images
    ]
    left_out = study.left_out()
    for phrase in left_out.values():
        print(f"  {phrase}")
    toolchains = {
        key: study.option("quantizations", key) for key in study.quantizations if key not in left_out
    }
    wanted = keys.wanted_artifacts(
        study, {key: (toolchain.precision, toolchain.runtime) for key, toolchain in toolchains.items()}
    )
    with (
        atomic_folder(paths.artifacts("quantize", name)) as folder,
        build.open_builder(
            test,
            Tolerance.of(study),
            study.measure.timeout_s,
            f"quantize {name}",
            sum(map(len, wanted.values())),
            study.export.builds,
            study.measure.memory_mb,
            [
                *libraries(name, wanted),
                *(module for toolchain in toolchains.values() for module in toolchain.imports),
                *(
                    module
                    for toolchain in toolchains.values()
                    for module in study.option("runtimes", toolchain.runtime).exporter
                ),
            ],
        ) as builder,
        temporary_folder() as scratch,
    ):
        files = CalibrationFiles(scratch, study.task(name), number_scored(study.family(name).model))
        files.write(train.images[indices], val)
        del train, val
        for recipe, options_of_recipe in wanted.items():
            reference = Reference(paths.model(name, recipe), test, study.export.preprocessing)
            card = reference.card
            inputs = partial(
                model_inputs, preprocessing=study.export.preprocessing, mean=card.mean, std=card.std
            )
            for key in options_of_recipe:
                toolchain = toolchains[key]
                runtime = study.option("runtimes", toolchain.runtime)
                artifact = replace(
                    keys.draft_artifact(study, reference, toolchain.runtime),
                    precision=toolchain.precision,
                    quantization=key,
                )
                write = partial(quantize_from, files, inputs, toolchain, runtime)
                more = {"data": digest, "seed": study.seed, "toolchain": study.quantizations[key]}
                plugins = plugin_modules("quantization", study.quantizations[key])
                cache_key = keys.artifact_key("quantize", study, reference, artifact, more, plugins)
                builder.obtain(folder, artifact, write, reference, cache_key)


if __name__ == "__main__":
    run(quantize)
