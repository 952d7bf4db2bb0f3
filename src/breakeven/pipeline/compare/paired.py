"""The paired comparison of two commits: it measures both in the same rounds to find regressions."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

from breakeven.artifacts import dataset, variants
from breakeven.artifacts.artifact import MANIFEST
from breakeven.config import lock_check, schema
from breakeven.config.study import Study
from breakeven.core import machine_lock, paths, plugin
from breakeven.core.errors import UserError
from breakeven.core.plugin import did_you_mean
from breakeven.core.progress import counted
from breakeven.engine import duet
from breakeven.engine.interpreter import THIS_PYTHON, Interpreter
from breakeven.engine.measure import Measurement, measure_artifacts
from breakeven.engine.samples import UNTIMED
from breakeven.engine.settings import SINGLE_STREAM
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
    no_duet: str = ""  # why it was measured in turns, although a duet was asked for

    @property
    def worse(self) -> bool:
        """Return whether the variant became slower or stopped running."""
        return self.verdict in (SLOWER, *UNTIMED, MISSING)

    def unknown(self, tolerance: float) -> bool:
        """Return whether a slowdown by more than the tolerance, a fraction of the time, is not ruled out."""
        ruled_out = self.gain is not None and self.gain.low >= 1 / (1 + tolerance)
        return not self.worse and self.verdict not in (FASTER, SAME) and bool(self.reason or not ruled_out)


def paired(first: str, second: str, hardware: str, pattern: str, in_duet: bool = False) -> list[Change]:
    """Measure the artifacts that both commits have in the same rounds, with the current code.

    Args:
        pattern: selects variants, as "*/int8-*/*".
        in_duet: as of `measured_changes`.

    Raises:
        UserError: there is nothing that both have.
    """
    study = schema.read_study()
    if WORKSPACE in (first, second):
        lock_check.require_current(study)
    require_hardware(study, hardware)
    with restored(first, "export", "quantize") as a, restored(second, "export", "quantize") as b:
        there, here = (artifacts(root, study, pattern) for root in (a, b))
        common = [name for name in there if name in here]
        if not common:
            raise UserError(f"{first} and {second} have no variant like {pattern} in common.")
        known_names = [name for name in common if name[0] in study.families]
        pairs = {name: (there[name], here[name]) for name in known_names}
        changes = measured_changes(study, hardware, pairs, first, in_duet=in_duet)
    foreign = "the study here has no such family"
    changes += [Change(*name, UNDECIDED, foreign) for name in common if name not in known_names]
    return changes + [Change(*name, MISSING) for name in there if name not in here]


def require_hardware(study: Study, hardware: str) -> None:
    """Raise a `UserError` if the study has no such hardware."""
    if hardware not in study.hardware:
        raise UserError(f"--hardware {hardware}: {did_you_mean(hardware, study.hardware)}")


def measured_changes(
    study: Study,
    hardware: str,
    pairs: Mapping[Name, tuple[Path, Path]],
    first: str,
    interpreters: tuple[Interpreter, Interpreter] = (THIS_PYTHON, THIS_PYTHON),
    in_duet: bool = False,
) -> list[Change]:
    """Measure the artifacts of each pair in the same rounds, and return how the second differs.

    Args:
        first: what to call the first of each pair in a message.
        interpreters: the Python that runs the first of each pair, and the one that runs the second. If they
            differ, the outputs are checked: they must be those of the artifact's scoring.
        in_duet: run both at the same time, on a core each. A pair whose guard fails is measured in turns.
    """
    budget = study.measure.budget(study.seed)
    # Each pair is a separate run. A run cannot correct for the number of runs, so Bonferroni's rule does it
    # here.
    confidence = 1 - (1 - budget.confidence) / max(len(pairs), 1)
    budget = replace(budget, confidence=confidence, min_blocks=0)  # p99 is not compared
    images = {
        family: dataset.load_split(paths.prepared(study.family(family).data), "test").images
        for family in {family for family, _ in pairs}
    }
    scored = interpreters[0] != interpreters[1]
    option = plugin.load("hardware", study.hardware[hardware], f"hardware.{hardware}")
    changes = []
    with machine_lock.exclusive(), counted("compare", len(pairs), every_s=0) as count:
        for name, folders in pairs.items():
            count.begin(" ".join(name))
            sides = ("first", "second")
            settings = study.hardware[hardware], budget, images[name[0]]
            pythons = dict(zip(sides, interpreters, strict=True))
            pair = dict(zip(sides, folders, strict=True))
            no_duet = duet.why_not(option, SINGLE_STREAM, *folders) if in_duet else ""
            measure = duet.measure_in_duet if in_duet and not no_duet else measure_artifacts
            measured = measure(pair, *settings, scored=scored, interpreters=pythons)
            if measured.doubt:
                no_duet = measured.doubt
                measured = measure_artifacts(pair, *settings, scored=scored, interpreters=pythons)
            count.end()
            changes.append(replace(judged(name, measured, first), no_duet=no_duet))
    return changes


def judged(name: Name, measured: Measurement, first: str) -> Change:
    """Return the change of a variant as measured; undecided if the first commit's variant fails here."""
    before, after = measured["first"], measured["second"]
    if before.verdict in UNTIMED:
        return Change(*name, UNDECIDED, f"{first} does not run here: {before.reason}")
    return Change(*name, after.verdict, after.reason, after.speedup)


def artifacts(root: Path, study: Study, pattern: str) -> dict[Name, Path]:
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
