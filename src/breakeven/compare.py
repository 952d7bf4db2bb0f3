"""Two commits side by side: did anything become slower?"""

import math
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from tempfile import TemporaryDirectory

from scipy import stats

from breakeven import config, paths, prepared, result, turns, variants
from breakeven.artifact import CARD, Artifact
from breakeven.config import Config
from breakeven.errors import UserError
from breakeven.measure import statistics
from breakeven.measure.engine import measure
from breakeven.measure.statistics import Interval
from breakeven.option import choice
from breakeven.progress import counted
from breakeven.result import Row

WORKSPACE = "workspace"  # in the place of a commit: what lies here
MISSING = "missing"  # the first has it, the second has not, or cannot execute it


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
        return self.verdict in ("slower", "failed", "unsupported", MISSING)

    @property
    def sure(self) -> bool:
        """Whether the run that says so had no fault."""
        return self.gain is not None and not self.reason


@contextmanager
def restored(revision: str, *stages: str) -> Iterator[Path]:
    """The outputs of `stages` as a commit had them, in a folder that ends with the block.

    Raises:
        UserError: git does not know the commit, or DVC's cache lacks what it had.
    """
    if revision == WORKSPACE:
        yield Path.cwd()
        return
    _git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}", failed=f"{revision} is no commit here")
    with TemporaryDirectory() as scratch:
        tree = Path(scratch, "tree")
        _git("worktree", "add", "--quiet", "--detach", str(tree), revision, failed="git worktree")
        try:
            if not (tree / "dvc.lock").exists():
                raise UserError(f"{revision} has no results: it has no dvc.lock.")
            cache = _dvc(Path.cwd(), "cache", "dir").stdout.strip()
            local = tree / ".dvc/config.local"
            local.write_text(f"[cache]\n    dir = {cache}\n", encoding="utf-8")
            done = _dvc(tree, "checkout", "--quiet", *stages)
            if done.returncode:
                last = (done.stderr.strip().splitlines() or [""])[-1]
                raise UserError(
                    f"{revision}: DVC's cache lacks what it had ({last}): `dvc pull` brings "
                    f"it from a remote, `git checkout {revision} && dvc repro` makes it again."
                )
            yield tree
        finally:
            _git("worktree", "remove", "--force", str(tree), failed="git worktree")


def paired(first: str, second: str, hardware: str, pattern: str) -> list[Change]:
    """Measure what both commits have in the same rounds, with today's code.

    Args:
        pattern: of the variants, as "*/int8-*/*".

    Raises:
        UserError: there is nothing that both have.
    """
    study = config.read()
    if hardware not in study.hardware:
        raise UserError(f"--hardware {hardware}: {choice(hardware, study.hardware)}")
    with restored(first, "export", "quantize") as a, restored(second, "export", "quantize") as b:
        there, here = (_artifacts(root, study, pattern) for root in (a, b))
        common = [name for name in there if name in here]
        if not common:
            raise UserError(f"{first} and {second} have no variant like {pattern} in common.")
        budget = study.measure.budget(study.seed)
        # Each is a run of its own: what a run does not know of is corrected for here, by Bonferroni's rule.
        budget = replace(budget, confidence=1 - (1 - budget.confidence) / len(common))
        families = {family for family, _ in common}
        images = {
            name: prepared.load(paths.prepared(study.family(name).data), "test").images for name in families
        }
        changes = []
        with turns.measuring(), counted("compare", len(common), every_s=0) as count:
            for family, variant in common:
                count.begin(f"{family} {variant}")
                pair = {"first": there[family, variant], "second": here[family, variant]}
                found = measure(pair, study.hardware[hardware], budget, images[family])["second"]
                count.end()
                changes.append(Change(family, variant, found.verdict, found.reason, found.speedup))
    return changes + [Change(*name, MISSING) for name in there if name not in here]


def _artifacts(root: Path, study: Config, pattern: str) -> dict[tuple[str, str], Path]:
    """Those that can be executed, by family and variant."""
    found: dict[tuple[str, str], tuple[Path, Artifact]] = {
        (family, variant): entry
        for family in study.families
        if any(any((root / paths.artifacts(s, family)).glob(f"*/{CARD}")) for s in ("export", "quantize"))
        for variant, entry in variants.read(family, root).items()
    }
    return {
        name: folder
        for name, (folder, card) in found.items()
        if card.status == "ok" and fnmatchcase(name[1], pattern)
    }


def stored(first: str, second: str, hardware: str, pattern: str) -> list[Change]:
    """Compare what both commits measured, each at its time: unpaired, so with wider intervals.

    Raises:
        UserError: they were measured on different machines, or there is nothing that both have.
    """
    study = config.read()
    with restored(first, "benchmark") as a, restored(second, "benchmark") as b:
        there, here = (_rows(root, hardware, pattern) for root in (a, b))
    machines = {row.machine for row in [*there.values(), *here.values()]}
    if len(machines) > 1:
        listed = "; ".join(sorted(machines))
        raise UserError(f"{first} and {second} were measured on different machines, or versions: {listed}.")
    common = [name for name in there if name in here]
    if not common:
        raise UserError(f"{first} and {second} have no results like {pattern} on {hardware} in common.")
    confidence, margin = study.measure.confidence, study.measure.margin
    # By Bonferroni's rule, as a normal's quantiles widen
    alpha = (1 - confidence) / 2
    wider = float(stats.norm.ppf(1 - alpha / len(common)) / stats.norm.ppf(1 - alpha))
    changes = [unpaired(there[name], here[name], wider, margin) for name in common]
    return changes + [Change(*name, MISSING) for name in there if name not in here]


def _rows(root: Path, hardware: str, pattern: str) -> dict[tuple[str, str], Row]:
    """Single streams, by family and variant."""
    benchmarks = [result.read(path) for path in sorted((root / paths.BENCHMARKS).glob(f"*-{hardware}.json"))]
    rows = [record.row for benchmark in benchmarks for record in benchmark.records]
    return {
        (row.family, row.variant): row
        for row in rows
        if row.latency_ms_p50_ci_low
        and row.batch_size == row.callers == 1
        and row.verdict != "control"
        and fnmatchcase(row.variant, pattern)
    }


def unpaired(first: Row, second: Row, wider: float, margin: float) -> Change:
    """The two intervals are independent, so their half-widths add as a triangle's sides.

    Args:
        wider: factor for each half-width.
    """
    center = math.log((first.latency_ms_p50 or 1.0) / (second.latency_ms_p50 or 1.0))
    half = wider * math.hypot(_half(first), _half(second))
    gain = Interval(math.exp(center), math.exp(center - half), math.exp(center + half))
    return Change(second.family, second.variant, statistics.verdict(gain, margin), gain=gain)


def _half(row: Row) -> float:
    return math.log((row.latency_ms_p50_ci_high or 1.0) / (row.latency_ms_p50_ci_low or 1.0)) / 2


def _dvc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def _git(*arguments: str, failed: str) -> None:
    if not shutil.which("git"):
        raise UserError("git is not installed.")
    done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise UserError(f"{failed}{': ' + reason[-1] if reason else ''}.")
