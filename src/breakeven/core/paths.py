"""Every path of the project, relative to the folder that a stage runs in."""

import os
import sys
from functools import cache
from pathlib import Path

HOME = "BREAKEVEN_HOME"  # variable of the environment: the main repository, for the process of a sweep's job
CONF = Path("conf")
PARAMS = Path("params.yaml")
PROGRAMS = Path("cpp")  # of C++
GUARD = Path("results/composed/ok")  # what root stages depend on: its content never changes
MODEL_CARD = "model.json"  # in the folder of a model, and of what runs a model's own code
OVERRIDES = Path("results/composed/overrides.json")  # of the last composition
FETCHED = Path("data/fetched")  # sha256 of whatever comes from outside the repository
PREPARED = Path("data/prepared")
MODELS = Path("models")
ARTIFACTS = Path("artifacts")
RESULTS = Path("results")
MACHINE = RESULTS / "machine.json"
BENCHMARKS = RESULTS / "benchmark"
SUMMARY = RESULTS / "summary.csv"
METRICS = RESULTS / "metrics.json"
PLOTS = RESULTS / "plots"
SELFTEST = RESULTS / "selftest.json"
SELFTEST_PICTURE = Path("docs/images/selftest.svg")
PICTURE = RESULTS / "speedup.svg"
REPORT = RESULTS / "report.html"


def fetched(name: str) -> Path:
    """Return the file with the digests of a dataset's files, a checkpoint, a stage's source, or sweeps."""
    return FETCHED / f"{name}.json"


def prepared(dataset: str) -> Path:
    """A dataset's tensors and manifest."""
    return PREPARED / dataset


def model(family: str, recipe: str = "none") -> Path:
    """A trained or compressed model: weights, structure, record."""
    return MODELS / family / recipe


def artifacts(stage: str, family: str) -> Path:
    """The folder in which `export` or `quantize` puts a family's artifacts, one folder each."""
    return ARTIFACTS / stage / family


def variant(name: str) -> str:
    """The folder among them for the variant of that name."""
    return name.replace("/", "--")


def benchmark(family: str, hardware: str) -> Path:
    """The records of one family on one hardware."""
    return BENCHMARKS / f"{family}-{hardware}.json"


@cache
def home() -> Path:
    """The main repository, also from a queued DVC experiment's temporary worktree and from a sweep's job.

    What must outlive such a worktree (MLflow's store, checkpoints to resume from, raw data) lives there.
    """
    if job := os.environ.get(HOME):
        return Path(job)
    root = Path(os.environ.get("DVC_ROOT", "."))
    for parent in [root.resolve(), *root.resolve().parents]:
        # DVC runs queued experiments in <repository>/.dvc/tmp/exps/<name>
        if parent.name == "exps" and parent.parent.name == "tmp" and parent.parent.parent.name == ".dvc":
            return parent.parent.parent.parent
    return root.resolve()


def raw_roots() -> list[Path]:
    """The folders in which source data is looked for, in this order."""
    roots = [home() / "data/raw"]
    if extra := os.environ.get("BREAKEVEN_DATA"):
        roots.append(home() / Path(extra).expanduser())
    return roots


def checkpoint(path: str) -> Path:
    """A user's checkpoint: a relative path is meant from the repository, wherever the stage runs."""
    return home() / Path(path).expanduser()


def shipped(name: str) -> Path:
    """Return the folder "conf" or "cpp" that belongs to this code, in the wheel or in the checkout."""
    package = Path(__file__).parents[1]
    inside = package / name
    return inside if inside.is_dir() else package.parents[1] / name


def import_from_here() -> None:
    """Find the user's own modules, as `python -m` does in the stages; a command looks in its own folder."""
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)


def private() -> Path:
    """The folder for state that is neither an output nor a result (checkpoints to resume, locks)."""
    return home() / ".breakeven"


def unfinished_job(job: str) -> Path:
    """The folder of a sweep's job that has not ended well, by its key."""
    return private() / "jobs" / job


def store() -> Path:
    """What was made once (see store.py)."""
    return private() / "store"
