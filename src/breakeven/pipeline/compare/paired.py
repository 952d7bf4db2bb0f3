"""The paired comparison of two commits: it measures both in the same rounds to find regressions."""

from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from breakeven.artifacts import dataset, variants
from breakeven.artifacts.artifact import MANIFEST
from breakeven.config import lock_check, schema
from breakeven.config.schema import Study
from breakeven.core import machine_lock, paths
from breakeven.core.errors import UserError
from breakeven.core.plugin import did_you_mean
from breakeven.core.progress import counted
from breakeven.engine.measure import Measurement, measure_artifacts
from breakeven.engine.samples import UNTIMED
from breakeven.engine.statistics import FASTER, SAME, SLOWER, UNDECIDED, Interval
from breakeven.pipeline.compare.restore import WORKSPACE, restored

MISSING = "missing"  # the first commit has the variant; the second lacks it or cannot execute it
Name = tuple[str, str]  # family, variant


@dataclass(frozen=True)
class Change:
    """The change of one variant of one family between two commits."""

    family: str
    variant: str
    verdict: str
    reason: str = ""
    gain: Interval | None = None  # time of the first commit / time of the second

    @property
    def worse(self) -> bool:
        """Return whether the variant became slower or stopped running."""
        return self.verdict in (SLOWER, *UNTIMED, MISSING)

    def unknown(self, tolerance: float) -> bool:
        """Return whether a slowdown by more than the tolerance, a fraction of the time, is not ruled out."""
        ruled_out = self.gain is not None and self.gain.low >= 1 / (1 + tolerance)
        return not self.worse and self.verdict not in (FASTER, SAME) and bool(self.reason or not ruled_out)


def paired(first: str, second: str, hardware: str, pattern: str) -> list[Change]:
    """Measure the artifacts that both commits have in the same rounds, with the current code.

    Args:
        pattern: selects variants, as "*/int8-*/*".

    Raises:
        UserError: there is nothing that both have.
    """
    study = schema.read_study()
    if WORKSPACE in (first, second):
        lock_check.require_current(study)
    if hardware not in study.hardware:
        raise UserError(f"--hardware {hardware}: {did_you_mean(hardware, study.hardware)}")
    with restored(first, "export", "quantize") as a, restored(second, "export", "quantize") as b:
        there, here = (_artifacts(root, study, pattern) for root in (a, b))
        common = [name for name in there if name in here]
        if not common:
            raise UserError(f"{first} and {second} have no variant like {pattern} in common.")
        known_names = [name for name in common if name[0] in study.families]
        budget = study.measure.budget(study.seed)
        # Each pair is a separate run. A run cannot correct for the number of runs, so Bonferroni's rule
        # does it here.
        budget = replace(budget, confidence=1 - (1 - budget.confidence) / len(common))
        images = {
            family: dataset.load_split(paths.prepared(study.family(family).data), "test").images
            for family in {family for family, _ in known_names}
        }
        changes = []
        with machine_lock.exclusive(), counted("compare", len(known_names), every_s=0) as count:
            for name in known_names:
                count.begin(" ".join(name))
                pair = {"first": there[name], "second": here[name]}
                measured = measure_artifacts(pair, study.hardware[hardware], budget, images[name[0]])
                count.end()
                changes.append(judged(name, measured, first))
    foreign = "the study here has no such family"
    changes += [Change(*name, UNDECIDED, foreign) for name in common if name not in known_names]
    return changes + [Change(*name, MISSING) for name in there if name not in here]


def judged(name: Name, measured: Measurement, first: str) -> Change:
    """Return the change of a variant as measured; undecided if the first commit's variant fails here."""
    before, after = measured["first"], measured["second"]
    if before.verdict in UNTIMED:
        return Change(*name, UNDECIDED, f"{first} does not run here: {before.reason}")
    return Change(*name, after.verdict, after.reason, after.speedup)


def _artifacts(root: Path, study: Study, pattern: str) -> dict[Name, Path]:
    """Return the artifacts below `root` that can be executed.

    From the workspace, only those of the current study count, because earlier studies leave artifacts there.
    """
    cards = (root / paths.ARTIFACTS).glob(f"*/[!.]*/*/{MANIFEST}")
    families = sorted({card.parent.parent.name for card in cards})
    return {
        (family, variant): folder
        for family in families
        if root != Path.cwd() or family in study.families
        for variant, (folder, card) in variants.read_variants(family, root).items()
        if card.status == "ok" and fnmatchcase(variant, pattern)
    }
