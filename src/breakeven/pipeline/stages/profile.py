"""The stage `profile`: where the time of a family's model goes, before anything is optimized."""

import numpy as np

from breakeven.artifacts import artifact, dataset
from breakeven.artifacts.artifact import BASELINE
from breakeven.artifacts.model_manifest import read_card
from breakeven.config import schema
from breakeven.core import paths
from breakeven.core.errors import Failed, Unsupported
from breakeven.core.files import make_folder
from breakeven.diagnosis import bounds, in_process
from breakeven.diagnosis.in_process import ProfiledArtifact
from breakeven.pipeline.stages._main import run
from breakeven.results.time_profile import ProfileRecord, duration


def profile(name: str, hardware: str) -> None:
    """Profile the family `name` in eager mode on `hardware`, with as few inputs a call as the study has."""
    study = schema.read_study(checked=True)
    card = read_card(paths.model(name))
    test = dataset.load_split(paths.prepared(study.family(name).data), "test")
    inputs = min(study.measure.batch_sizes)
    images = np.ascontiguousarray(test.images[:inputs])
    preprocessing = study.export.preprocessing
    measured = ProfiledArtifact(
        name=BASELINE,
        runtime=study.option("runtimes", BASELINE.rpartition("/")[2]),
        folder=paths.model(name),
        preprocessing=preprocessing,
        images=artifact.model_inputs(images, preprocessing, card.mean, card.std),
        hardware=study.option("hardware", hardware),
    )
    folder = paths.profile(name, hardware)
    make_folder(folder)
    try:
        seconds = in_process.seconds_for(study.measure.seconds)
        found = in_process.profile(measured, seconds, folder / paths.TRACE_FILE)
        record = ProfileRecord(name, hardware, inputs, found, bounds.bounds(found))
        said = f"{duration(found.us)} a call, {found.unexplained_us / found.us:.1%} of it unexplained"
    except (Unsupported, Failed) as error:
        said = str(error).rstrip(".")
        record = ProfileRecord(name, hardware, inputs, None, [], said, isinstance(error, Failed))
    record.write(folder / paths.PROFILE_FILE)
    print(f"{name} on {hardware}: {said}")


if __name__ == "__main__":
    run(profile)
