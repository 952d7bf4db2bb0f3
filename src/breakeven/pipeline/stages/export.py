"""Every recipe of a family x every runtime, in floating point."""

from breakeven.artifacts import dataset
from breakeven.config import schema
from breakeven.core import paths
from breakeven.core.files import atomic_folder
from breakeven.pipeline import build
from breakeven.pipeline.build import Reference
from breakeven.pipeline.stages._main import run


def export(name: str) -> None:
    """Export the family `name`."""
    study = schema.read_study()
    data = paths.prepared(study.family(name).data)
    test, digest = dataset.load_split(data, "test"), dataset.manifest(data).digest
    options = {key: study.option("runtimes", key) for key in study.runtimes}
    wanted = build.wanted(study, {key: (option.precision, key) for key, option in options.items()})
    with (
        atomic_folder(paths.artifacts("export", name)) as folder,
        build.maker(
            test,
            build.tolerance(study),
            study.measure.timeout_s,
            f"export {name}",
            sum(map(len, wanted.values())),
            study.export.builds,
        ) as maker,
    ):
        for recipe, keys in wanted.items():
            reference = Reference(paths.model(name, recipe), test, study.export.preprocessing)
            for key in keys:
                draft = build.draft(study, reference, key)
                known = build.key_of(study, reference, draft, {"data": digest})
                maker.obtain(folder, draft, options[key].export, reference, known)


if __name__ == "__main__":
    run(export)
