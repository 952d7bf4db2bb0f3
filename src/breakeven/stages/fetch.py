"""Find or download what comes from outside the pipeline, and note its sha256. Runs every time."""

from breakeven import config, paths
from breakeven.errors import UserError
from breakeven.files import sha256, write_json
from breakeven.provenance import source
from breakeven.stages.run import run


def fetch() -> None:
    """Datasets' files, models' source, users' checkpoints: what depends on one runs again when it changes."""
    study = config.read()
    roots = paths.raw_roots()
    for name in study.datasets:
        write_json(paths.fetched(f"datasets/{name}"), study.option("datasets", name).digests(roots))
    for name, family in study.families.items():
        write_json(paths.fetched(f"models/{name}"), source(str(family.model.get("_target_"))))
        digests = {}
        if family.checkpoint:
            path = paths.checkpoint(family.checkpoint)
            if not path.is_file():
                raise UserError(f"families.{name}.checkpoint={family.checkpoint}: {path} is not a file.")
            digests = {family.checkpoint: sha256(path)}
        write_json(paths.fetched(f"checkpoints/{name}"), digests)


if __name__ == "__main__":
    run(fetch)
