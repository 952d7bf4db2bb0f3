"""The stage `fetch`: it finds or downloads inputs, and notes digests and the machine. It always runs."""

import shutil
from pathlib import Path

from breakeven.artifacts.model_manifest import MANIFEST
from breakeven.config import schema
from breakeven.config.study import Study
from breakeven.core import paths
from breakeven.core.digests import digest_of
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json
from breakeven.core.source_digest import AT_START
from breakeven.core.system_info import collect
from breakeven.pipeline.failed_rows import ATTEMPT, attempts
from breakeven.pipeline.stage_code import stage_code
from breakeven.pipeline.stages._main import run
from breakeven.results import extra_files, sweep_results


def fetch() -> None:
    """Write what other stages depend on: the machine, and digests of data, checkpoints, sweeps and source.

    Unchanged files trigger no stage. A stage in whose output a row failed gets another file, and so runs
    again.
    """
    study = schema.read_study(checked=True)
    remove_dropped(study)
    tried = attempts(study)
    shutil.rmtree(paths.FETCHED, ignore_errors=True)  # may hold stages of another study
    note_inputs(study)
    swept = {sweep.name: sweep.version for sweep in sweep_results.newest()}
    write_json(paths.fetched("sweeps"), {**swept, **extra_files.versions()})
    for stage, digests in stage_code(study):
        attempt = {ATTEMPT: str(tried[stage])} if stage in tried else {}
        write_json(paths.fetched(f"code/{stage}"), {**digests, **attempt})
    AT_START.memory.save()


def remove_dropped(study: Study) -> None:
    """Remove models, benchmarks, profiles and services of other studies, which DVC's cache keeps.

    Later stages depend on their folders as a whole. With files of another study in them, their digests would
    be those of this machine alone, and a colleague would run all again.
    """
    recipes = {"none", *study.compressions}
    for card in paths.MODELS.glob(f"*/*/{MANIFEST}"):
        model = card.parent
        if not _is_ours(card):
            continue
        if model.parent.name not in study.families or model.name not in recipes:
            shutil.rmtree(model)
            if not any(model.parent.iterdir()):
                model.parent.rmdir()
    for folder in paths.served("").glob("*"):
        if folder.name not in study.families:
            shutil.rmtree(folder)
    places = [(family, hardware) for family in study.families for hardware in study.hardware]
    for path_of in (paths.benchmark, paths.profile, paths.explained):
        kept = {path_of(*place) for place in places}
        for record in path_of(*places[0]).parent.glob("*"):
            if record.is_dir() and record not in kept:
                shutil.rmtree(record)
            elif record.suffix == ".json" and record not in kept:
                record.unlink()


def _is_ours(card: Path) -> bool:
    """Return whether a manifest is of a model that a stage made; a user's own file may have the same name."""
    try:
        return bool({"family", "recipe", "made", "key"} <= read_json(card).keys())
    except (UserError, AttributeError):
        return False


def note_inputs(study: Study) -> None:
    """Write the digests of datasets' files and of checkpoints, and the description of this machine."""
    write_json(paths.MACHINE, collect())
    for name, digests in input_digests(study).items():
        write_json(paths.fetched(name), digests)


def input_digests(study: Study) -> dict[str, dict[str, str]]:
    """Return name -> file -> digest, for each dataset and each family's weights.

    Raises:
        UserError: weights are not there, or a dataset can neither be found nor downloaded.
    """
    roots = paths.raw_roots()
    inputs = {f"datasets/{name}": study.option("datasets", name).digests(roots) for name in study.datasets}
    for name, family in study.families.items():
        inputs[f"checkpoints/{name}"] = {}
        for key, given in {"checkpoint": family.checkpoint, "pretrained": family.pretrained}.items():
            if not given:
                continue
            path = paths.checkpoint(given)
            if not path.is_file():
                raise UserError(f"families.{name}.{key}={given}: {path} is not a file.")
            inputs[f"checkpoints/{name}"][given] = digest_of(path)
    return inputs


if __name__ == "__main__":
    run(fetch)
