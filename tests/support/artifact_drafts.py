"""Records of artifacts that a test is about to make, and what it allows them to differ by."""

from dataclasses import replace

from shipped_options import RUNTIMES

from breakeven.artifacts.artifact import Artifact
from breakeven.pipeline.eager_reference import Reference
from breakeven.pipeline.objections import Tolerance

TOLERANCE = Tolerance(1e-3, 0.9)


def draft(reference: Reference, runtime: str, **changes: object) -> Artifact:
    """Return the record of an artifact of `reference` for a runtime of `conf/`."""
    card = reference.card
    made = Artifact(
        family="cnn",
        recipe=card.recipe,
        precision=RUNTIMES[runtime].get("precision", "fp32"),
        quantization="",
        runtime=runtime,
        settings=RUNTIMES[runtime],
        preprocessing=reference.preprocessing,
        mean=card.mean,
        std=card.std,
        parameters=card.parameters,
        macs=card.macs,
        varying=card.varying,
    )
    return replace(made, **changes)
