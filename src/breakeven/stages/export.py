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
    options = {key: study.option("runtimes", key) for key in study.runtimes}
    wanted = making.wanted(study, {key: (option.precision, key) for key, option in options.items()})
    with (
        atomic_folder(paths.artifacts("export", name)) as folder,
        making.maker(
            test,
            making.tolerance(study),
            study.measure.timeout_s,
            f"export {name}",
            sum(map(len, wanted.values())),
            study.export.builds,
        ) as maker,
    ):
        for recipe, keys in wanted.items():
            reference = Reference(paths.model(name, recipe), test, study.export.preprocessing)
            for key in keys:
                draft = making.draft(study, reference, key)
                known = making.key_of(study, reference, draft, {"data": digest})
                maker.obtain(folder, draft, options[key].export, reference, known)


if __name__ == "__main__":
    run(export)
