"""Every recipe of a family x every runtime, in floating point."""

from functools import partial

from breakeven import config, making, paths, prepared
from breakeven.artifact import Artifact
from breakeven.config import Config
from breakeven.files import atomic_folder
from breakeven.making import Reference, Tolerance
from breakeven.stages.run import run


def export(name: str) -> None:
    """Export the family `name`."""
    study = config.read()
    test = prepared.load(paths.prepared(study.family(name).data), "test")
    made = []
    with (
        atomic_folder(paths.artifacts("export", name)) as folder,
        making.maker(test, tolerance(study), study.measure.timeout_s) as maker,
    ):
        for recipe in ["none", *study.recipes()]:
            reference = Reference(paths.model(name, recipe), test, study.export.preprocessing)
            for key in study.runtimes:
                write = partial(study.option("runtimes", key).export, reference.source)
                made.append(maker.make(folder, draft(study, reference, key), write, reference))
    making.report(made)


def draft(study: Config, reference: Reference, runtime: str) -> Artifact:
    """The card of an artifact that is still to be made."""
    card = reference.card
    return Artifact(
        family=card.family,
        recipe=card.recipe,
        precision="fp32",
        quantization="",
        runtime=runtime,
        settings=study.runtimes[runtime],
        preprocessing=study.export.preprocessing,
        mean=card.mean,
        std=card.std,
        parameters=card.parameters,
        macs=card.macs,
    )


def tolerance(study: Config) -> Tolerance:
    """What artifacts are held to."""
    settings = study.export
    return Tolerance(settings.check_images, settings.max_relative_error, settings.min_agreement)


if __name__ == "__main__":
    run(export)
