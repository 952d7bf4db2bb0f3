"""Find or download what comes from outside the pipeline, and note its digest. Runs every time."""

from breakeven.config import schema
from breakeven.config.schema import Study
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import digest_of, write_json
from breakeven.core.source_digest import own, source
from breakeven.pipeline.stages._main import run
from breakeven.results import sweep_results

OPTIONS = (
    "datasets",
    "compressions",
    "runtimes",
    "quantizations",
    "hardware",
)  # of which any may be a user's own


def fetch() -> None:
    """Datasets' files, users' source and checkpoints, sweeps: what depends on one runs again with it."""
    note(schema.read_study())
    write_json(paths.fetched("sweeps"), {sweep.name: sweep.version for sweep in sweep_results.newest()})


def note(study: Study) -> None:
    """Write down what a study is made from."""
    for name, digests in outside(study).items():
        write_json(paths.fetched(name), digests)


def outside(study: Study) -> dict[str, dict[str, str]]:
    """Name -> what stands for each of its files.

    Raises:
        UserError: a checkpoint is not there, or a dataset can neither be found nor downloaded.
    """
    roots = paths.raw_roots()
    found = {f"datasets/{name}": study.option("datasets", name).digests(roots) for name in study.datasets}
    for name, family in study.families.items():
        found[f"models/{name}"] = source(str(family.model.get("_target_")))
        digests = {}
        if family.checkpoint:
            path = paths.checkpoint(family.checkpoint)
            if not path.is_file():
                raise UserError(f"families.{name}.checkpoint={family.checkpoint}: {path} is not a file.")
            digests = {family.checkpoint: digest_of(path)}
        found[f"checkpoints/{name}"] = digests
    found["own"] = own([getattr(study, group) for group in OPTIONS])
    return found


if __name__ == "__main__":
    run(fetch)
