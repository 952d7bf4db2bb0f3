"""The paths of the project, relative to the folder that a stage runs in."""

import os
import sys
from functools import cache
from pathlib import Path

from breakeven.core.errors import UserError

# Environment variable: the main repository, for the process of a sweep's job
HOME_VARIABLE = "BREAKEVEN_HOME"
CONF = Path("conf")
PARAMS = Path("params.yaml")
PROGRAMS = Path("cpp")  # the C++ sources
STAGES_GUARD = Path("results/composed/ok")  # root stages depend on it; its content never changes
MODEL_CARD = "model.json"  # in a model's folder, and in an artifact's that runs the model's own code
OVERRIDES = Path("results/composed/overrides.json")  # the overrides of the last composition
FETCHED = Path("data/fetched")  # digests of inputs from outside the repository and of source, and the machine
PROFILE_FILE, TRACE_FILE = "profile.json", "trace.json"  # in a profile's folder
CALLERS_FILE = "callers.json"  # in the folder of what was served, beside a file for each hardware
MACHINE = FETCHED / "machine.json"
PREPARED = Path("data/prepared")
MODELS = Path("models")
ARTIFACTS = Path("artifacts")
RESULTS = Path("results")
BENCHMARKS = RESULTS / "benchmark"
SUMMARY = RESULTS / "summary.csv"
METRICS = RESULTS / "metrics"
PLOTS = RESULTS / "plots"
SELFTEST = RESULTS / "selftest.json"
SELFTEST_PICTURE = Path("docs/images/selftest.svg")
PICTURE = RESULTS / "speedup.svg"
REPORT = RESULTS / "report.html"


def fetched(name: str) -> Path:
    """Return the file with the digests of one input.

    Args:
        name: "datasets/NAME", "checkpoints/FAMILY", "code/STAGE" or "sweeps".
    """
    return FETCHED / f"{name}.json"


def prepared(dataset: str) -> Path:
    """Return the folder of a dataset's tensors and manifest."""
    return PREPARED / dataset


def model(family: str, recipe: str = "none") -> Path:
    """Return the folder of a trained or compressed model."""
    return MODELS / family / recipe


def artifacts(stage: str, family: str) -> Path:
    """Return the folder of a family's artifacts, which holds one folder for each variant.

    Args:
        stage: the stage that makes them, "export" or "quantize".
        family: the name of the family.
    """
    return ARTIFACTS / stage / family


def variant(name: str) -> str:
    """Return the name of a variant's folder below `artifacts`."""
    return name.replace("/", "--")


def benchmark(family: str, hardware: str) -> Path:
    """Return the file with the benchmark's records of one family on one hardware."""
    return BENCHMARKS / f"{family}-{hardware}.json"


def profile(family: str, hardware: str) -> Path:
    """Return the folder with the profile of one family on one hardware, before anything is optimized."""
    return RESULTS / "profile" / f"{family}-{hardware}"


def explained(family: str, hardware: str) -> Path:
    """Return the file that says why the chosen variant takes another time than the baseline."""
    return RESULTS / "explain" / f"{family}-{hardware}.json"


def served(family: str) -> Path:
    """Return the folder with what a service of one family, and several callers, were seen to do."""
    return RESULTS / "served" / family


@cache
def home() -> Path:
    """Return the main repository, also within a queued DVC experiment's worktree or a sweep's job.

    MLflow's store, checkpoints to resume from and raw data lie there, because a worktree is temporary.
    """
    if job := os.environ.get(HOME_VARIABLE):
        return Path(job)
    root = Path(os.environ.get("DVC_ROOT", "."))
    for parent in [root.resolve(), *root.resolve().parents]:
        # DVC runs queued experiments in <repository>/.dvc/tmp/exps/<name>
        if parent.name == "exps" and parent.parent.name == "tmp" and parent.parent.parent.name == ".dvc":
            return parent.parent.parent.parent
    return root.resolve()


def raw_roots() -> list[Path]:
    """Return the folders to search for source data, in the order of the search."""
    roots = [home() / "data/raw"]
    if extra := os.environ.get("BREAKEVEN_DATA"):
        roots.append(home() / Path(extra).expanduser())
    return roots


def checkpoint(path: str) -> Path:
    """Return the path of a user's checkpoint. A relative path begins at the main repository."""
    return home() / Path(path).expanduser()


def shipped(name: str) -> Path:
    """Return "conf", "cpp" or "dvc.yaml" of this code, in the wheel or in the checkout."""
    package = Path(__file__).parents[1]
    inside = package / name
    return inside if inside.exists() else package.parents[1] / name


def import_from_here() -> None:
    """Let this process import modules from the current folder.

    The stages run as `python -m`, which does so by itself. A command has to ask for it.
    """
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)


def require_project() -> None:
    """Raise an error unless the current folder is a project.

    Raises:
        UserError: it holds neither dvc.yaml, nor settings. The message names the project above it, if any.
    """
    if is_project():
        return
    above = next((each for each in Path.cwd().parents if (each / "dvc.yaml").exists()), None)
    where = f"the project is in {above}" if above else "run this where dvc.yaml is"
    raise UserError(f"There is no project in {Path.cwd()}, neither dvc.yaml nor params.yaml: {where}.")


def is_project() -> bool:
    """Return whether the current folder is a project."""
    return any(path.exists() for path in (Path("dvc.yaml"), CONF, PARAMS))


def private() -> Path:
    """Return the folder for state that is neither an output nor a result: the cache, checkpoints, locks."""
    return home() / ".breakeven"


def unfinished_job(job: str) -> Path:
    """Return the folder of a sweep's job that has not finished.

    Args:
        job: the digest of the job's key.
    """
    return private() / "jobs" / job


def store() -> Path:
    """Return the folder of the cache (see `core/cache.py`)."""
    return private() / "store"
