"""Two commits side by side, in the same rounds: did anything become slower?"""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from breakeven.artifacts import dataset, variants
from breakeven.artifacts.artifact import MANIFEST
from breakeven.config import schema
from breakeven.config.schema import Study
from breakeven.core import machine_lock, paths
from breakeven.core.errors import UserError
from breakeven.core.plugin import did_you_mean
from breakeven.core.progress import counted
from breakeven.engine.measure import Measurement, measure_artifacts
from breakeven.engine.samples import FAILED, UNSUPPORTED
from breakeven.engine.statistics import FASTER, SAME, SLOWER, UNDECIDED, Interval
from breakeven.pipeline.compare.restore import restored

MISSING = "missing"  # the first has it, the second has not, or cannot execute it
Name = tuple[str, str]  # family, variant


@dataclass(frozen=True)
class Change:
    """One variant of one family, in both."""

    family: str
    variant: str
    verdict: str
    reason: str = ""
    gain: Interval | None = None  # time of the first over that of the second: above 1, the second is faster

    @property
    def worse(self) -> bool:
        """Whether it became slower, or does not run any more."""
        return self.verdict in (SLOWER, FAILED, UNSUPPORTED, MISSING)

    def unknown(self, tolerance: float) -> bool:
        """Whether it may have become slower by more than the tolerance, a fraction of its time."""
        ruled_out = self.gain is not None and self.gain.low >= 1 / (1 + tolerance)
        return not self.worse and self.verdict not in (FASTER, SAME) and bool(self.reason or not ruled_out)


def paired(first: str, second: str, hardware: str, pattern: str) -> list[Change]:
    """Measure what both commits have in the same rounds, with today's code.

    Args:
        pattern: of the variants, as "*/int8-*/*".

    Raises:
        UserError: there is nothing that both have.
    """
    study = schema.read_study()
    if hardware not in study.hardware:
        raise UserError(f"--hardware {hardware}: {did_you_mean(hardware, study.hardware)}")
    with restored(first, "export", "quantize") as a, restored(second, "export", "quantize") as b:
        there, here = (_artifacts(root, study, pattern) for root in (a, b))
        common = [name for name in there if name in here]
        if not common:
            raise UserError(f"{first} and {second} have no variant like {pattern} in common.")
        known = [name for name in common if name[0] in study.families]
        budget = study.measure.budget(study.seed)
        # Each is a run of its own: what a run does not know of is corrected for here, by Bonferroni's rule.
        budget = replace(budget, confidence=1 - (1 - budget.confidence) / len(common))
        images = {
            family: dataset.load_split(paths.prepared(study.family(family).data), "test").images
            for family in {family for family, _ in known}
        }
        changes = []
        with machine_lock.exclusive(), counted("compare", len(known), every_s=0) as count:
            for name in known:
                count.begin(" ".join(name))
                pair = {"first": there[name], "second": here[name]}
                measured = measure_artifacts(pair, study.hardware[hardware], budget, images[name[0]])
                count.end()
                changes.append(judged(name, measured, first))
    foreign = "the study here has no such family"
    changes += [Change(*name, UNDECIDED, foreign) for name in common if name not in known]
    return changes + [Change(*name, MISSING) for name in there if name not in here]


def judged(name: Name, measured: Measurement, first: str) -> Change:
    """What the pair of `first` and `second` says; if the first does not run here, then nothing."""
    before, after = measured["first"], measured["second"]
    if before.verdict in (FAILED, UNSUPPORTED):
        return Change(*name, UNDECIDED, f"{first} does not run here: {before.reason}")
    return Change(*name, after.verdict, after.reason, after.speedup)


def _artifacts(root: Path, study: Study, pattern: str) -> dict[Name, Path]:
    """Those that can be executed; of what lies here the study's, since earlier ones leave theirs behind."""
    cards = (root / paths.ARTIFACTS).glob(f"*/[!.]*/*/{MANIFEST}")
    families = sorted({card.parent.parent.name for card in cards})
    return {
        (family, variant): folder
        for family in families
        if root != Path.cwd() or family in study.families
        for variant, (folder, card) in variants.read_variants(family, root).items()
        if card.status == "ok" and fnmatchcase(variant, pattern)
    }
