"""A variant of a study, ready to be profiled."""

import numpy as np

from breakeven.artifacts import dataset
from breakeven.artifacts.variants import read_variants
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.diagnosis.in_process import ProfiledArtifact


def profiled_variant(study: Study, family: str, hardware: str, variant: str, inputs: int) -> ProfiledArtifact:
    """Return a variant with the first test samples as the inputs of a call.

    Args:
        inputs: how many.
    """
    folder, card = read_variants(family)[variant]
    test = dataset.load_split(paths.prepared(study.family(family).data), "test")
    return ProfiledArtifact(
        name=variant,
        runtime=study.option("runtimes", card.runtime),
        folder=folder,
        preprocessing=card.preprocessing,
        images=card.inputs(np.ascontiguousarray(test.images[:inputs])),
        hardware=study.option("hardware", hardware),
    )
