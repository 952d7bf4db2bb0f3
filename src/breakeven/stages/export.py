"""Every recipe of a family x every runtime, in floating point."""

from breakeven import config, making, paths, prepared
from breakeven.files import atomic_folder
from breakeven.making import Reference
from breakeven.stages.run import run


def export(name: str) -> None:
    """Export the family `name`."""
    study = config.read()
    data = paths.prepared(study.family(name).data)
    test, digest = prepared.load(data, "test"), prepared.manifest(data).digest
    made = []
    with (
        atomic_folder(paths.artifacts("export", name)) as folder,
        making.maker(test, making.tolerance(study), study.measure.timeout_s) as maker,
    ):
        for recipe in ["none", *study.recipes()]:
            reference = Reference(paths.model(name, recipe), test, study.export.preprocessing)
            for key in study.runtimes:
                draft = making.draft(study, reference, key)
                if study.export.wants(draft.variant):
                    write = study.option("runtimes", key).export
                    known = making.key_of(study, reference, draft, {"data": digest})
                    made.append(maker.obtain(folder, draft, write, reference, known))
    making.report(made)


if __name__ == "__main__":
    run(export)
