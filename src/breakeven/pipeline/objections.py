"""Why an artifact is too far from eager, in words."""

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from breakeven.artifacts import records
from breakeven.artifacts.artifact import Artifact
from breakeven.config.study import Study

# With random weights, the classes are almost ties and their agreement means nothing. Other models give
# numbers, and no classes. The outputs of both are therefore compared in every precision.
UNDECIDED_RELATIVE_ERROR = 0.5


@dataclass(frozen=True)
class Tolerance:
    """The limits on an artifact's difference from eager mode."""

    relative_error: float  # at most, for artifacts in floating point
    agreement: float  # at least, for quantized artifacts

    @classmethod
    def of(cls, study: Study) -> "Tolerance":
        """Return the study's own limits."""
        return cls(study.export.max_relative_error, study.export.min_agreement)


def not_comparable(logits: NDArray[Any], expected: NDArray[Any], scored: int) -> str:
    """Return why outputs cannot be compared with eager's; empty if they can."""
    if reason := other_shapes(logits, expected):
        return reason
    if records.is_finite(records.leading(logits, scored)):
        return ""
    return "its outputs are not finite, eager's are"


def other_shapes(logits: NDArray[Any], expected: NDArray[Any]) -> str:
    """Return in words that outputs have other shapes than eager's; empty if they have the same."""
    shapes = [[array.shape for array in records.fields_of(outputs)] for outputs in (logits, expected)]
    if shapes[0] == shapes[1]:
        return ""
    given, asked = (" and ".join(map(str, each)) for each in shapes)
    return f"its outputs have the shape {given}, eager's {asked}"


def objection_to(scored: Artifact, tolerance: Tolerance) -> str:
    """Return why an artifact is too far from eager; empty if it is not."""
    relative, agreement = scored.relative_error, scored.agreement
    assert relative is not None
    allowed, required = tolerance.relative_error, tolerance.agreement
    if scored.precision == "fp32" and not relative <= allowed:
        return f"its outputs differ from eager's by {relative:.2g} of the largest, allowed {allowed:g}"
    undecided = agreement is None or not scored.trained
    if undecided and not relative <= UNDECIDED_RELATIVE_ERROR:
        return f"its outputs differ from eager's by {relative:.2g} of the largest"
    if not undecided and scored.precision != "fp32" and not (agreement or 0.0) >= required:
        return f"agrees with eager in {agreement:.1%} of its decisions, {required:.0%} asked"
    return ""
