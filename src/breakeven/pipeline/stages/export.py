"""The stage `export`: it exports every recipe of a family to every runtime, in floating point."""

from breakeven.artifacts import dataset
from breakeven.config import schema
from breakeven.core import paths
from breakeven.core.files import atomic_folder
from breakeven.pipeline import build, keys
from breakeven.pipeline.eager_reference import Reference
from breakeven.pipeline.model_libraries import libraries
from breakeven.pipeline.objections import Tolerance
from breakeven.pipeline.stages._main import run


def export(name: str) -> None:
    """Export all recipes of the family `name`."""
    study = schema.read_study(checked=True)
    data = paths.prepared(study.family(name).data)
    test, digest = dataset.load_split(data, "test"), dataset.manifest(data).digest
    options = {key: study.option("runtimes", key) for key in study.runtimes}
    wanted = keys.wanted_artifacts(study, {key: (option.precision, key) for key, option in options.items()})
    with (
        atomic_folder(paths.artifacts("export", name)) as folder,
        build.open_builder(
            test,
            Tolerance.of(study),
            study.measure.timeout_s,
            f"export {name}",
            sum(map(len, wanted.values())),
            study.export.builds,
            study.measure.memory_mb,
            [
                *libraries(name, wanted),
                *(module for option in options.values() for module in option.exporter),
            ],
        ) as builder,
    ):
        for recipe, options_of_recipe in wanted.items():
            reference = Reference(paths.model(name, recipe), test, study.export.preprocessing)
            for key in options_of_recipe:
                draft = keys.draft_artifact(study, reference, key)
                cache_key = keys.artifact_key("export", study, reference, draft, {"data": digest})
                builder.obtain(folder, draft, options[key].export, reference, cache_key)


if __name__ == "__main__":
    run(export)
