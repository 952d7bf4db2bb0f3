"""The stage `profile`: where the time of a family's model goes, before anything is optimized."""

import numpy as np

from breakeven.artifacts import artifact, dataset
from breakeven.artifacts.artifact import BASELINE
from breakeven.artifacts.model_manifest import read_card
from breakeven.config import schema
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.errors import Failed, Unsupported
from breakeven.core.files import make_folder
from breakeven.diagnosis import bounds, in_process
from breakeven.diagnosis.in_process import ProfiledArtifact
from breakeven.pipeline.stages._main import run
from breakeven.results.time_profile import ProfileRecord, duration

SWITCHED_OFF = "profile=false"


def profile(name: str, hardware: str) -> None:
    """Profile the family `name` in eager mode on `hardware`, with as few inputs a call as the study has."""
    study = schema.read_study(checked=True)
    folder, inputs = paths.profile(name, hardware), min(study.measure.batch_sizes)
    make_folder(folder)
    if not study.profile:
        record, said = ProfileRecord(name, hardware, inputs, None, [], SWITCHED_OFF), SWITCHED_OFF
    else:
        record, said = _profiled(study, name, hardware, inputs)
    record.write(folder / paths.PROFILE_FILE)
    print(f"{name} on {hardware}: {said}")


def _profiled(study: Study, name: str, hardware: str, inputs: int) -> tuple[ProfileRecord, str]:
    """Return the record of a family, and a summary of it."""
    card = read_card(paths.model(name))
    test = dataset.load_split(paths.prepared(study.family(name).data), "test")
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
    try:
        seconds = in_process.seconds_for(study.measure.seconds)
        found = in_process.profile(measured, seconds, paths.profile(name, hardware) / paths.TRACE_FILE)
    except (Unsupported, Failed) as error:
        said = str(error).rstrip(".")
        return ProfileRecord(name, hardware, inputs, None, [], said, isinstance(error, Failed)), said
    said = f"{duration(found.us)} a call, {found.unexplained_us / found.us:.1%} of it unexplained"
    return ProfileRecord(name, hardware, inputs, found, bounds.bounds(found)), said


if __name__ == "__main__":
    run(profile)
