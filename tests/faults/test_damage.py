"""Each kind of file that the project writes is damaged: it is told, or made again."""

import random
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from recovery import Trial, copied, finished, sentences
from snapshots import Snapshots

pytestmark = [pytest.mark.faults, pytest.mark.timeout(3600)]
NOT_OURS = (".git", ".dvc/cache", ".dvc/tmp", "mlartifacts", "src", "conf", "tests")


def truncate(path: Path) -> None:
    """Cut the file in the middle."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flip(path: Path) -> None:
    """Flip one bit, at the same place in each run."""
    content = bytearray(path.read_bytes() or b"\0")
    content[random.Random(path.name).randrange(len(content))] ^= 4
    path.write_bytes(content)


def replace_by_folder(path: Path) -> None:
    """Put an empty folder in the place of the file."""
    path.unlink()
    path.mkdir()


def replace_by_garbage(path: Path) -> None:
    """Put bytes that are no text, no JSON and no archive in the place of those in the file."""
    path.write_bytes(random.Random(path.name).randbytes(500))


DAMAGES: dict[str, Callable[[Path], None]] = {
    "truncated": truncate,
    "bit-flipped": flip,
    "a folder": replace_by_folder,
    "garbage": replace_by_garbage,
}


def written(folder: Path) -> list[Path]:
    """Return one file of each kind that a study writes: its folder's folder and its name make a kind."""
    tracked = set(
        subprocess.run(["git", "ls-files"], cwd=folder, capture_output=True, text=True).stdout.split()
    )
    kinds: dict[tuple[str, ...], Path] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        ours = not any(name.is_relative_to(each) for each in NOT_OURS) and "__pycache__" not in name.parts
        made = (
            f"{name}" not in tracked or name.parts[0] == "results" or f"{name}" in ("params.yaml", "dvc.lock")
        )
        if path.is_file() and ours and made:
            kind = (*name.parts[:2], name.suffix) if "files" in name.parts else (*name.parts[:2], name.name)
            kinds.setdefault(kind, name)
    return [*kinds.values()]


@pytest.mark.parametrize("damage", DAMAGES)
def test_every_kind_of_file_is_told_or_made_again(snapshots: Snapshots, tmp_path: Path, damage: str) -> None:
    names = written(snapshots.before("done"))
    assert len(names) > 25, names
    expected, wrong, trial = snapshots.expected, [], None
    for number, name in enumerate(names):
        trial = trial or Trial(copied(snapshots.before("done"), tmp_path / f"{number}"), f"{damage}-{number}")
        DAMAGES[damage](trial.project.folder / name)
        if fault := fault_of(trial, name):
            wrong.append(f"{name}: {fault}")
            trial = None
            continue
        restore(snapshots, trial, name)
        code, printed = trial.run("dvc", "repro")
        if code or finished(trial.project) != expected:
            wrong.append(f"{name}: not finished afterwards: {printed[-1500:]}")
            trial = None
    assert not wrong, "\n\n".join(wrong)


def fault_of(trial: Trial, name: Path) -> str:
    """Return what is wrong with what the commands do about a damaged file; empty if nothing is."""
    commands = [["breakeven", "table"], ["dvc", "repro"]]
    if name.parts[0] == ".breakeven":  # the cache is asked only by a stage that runs
        commands = [["breakeven", "cache"], ["dvc", "repro", "-f", "--glob", "-s", "[!b]*@*"]]
    if name.name.startswith("mlflow"):
        commands = [["breakeven", "sync"], ["breakeven", "recommend"]]
    for command in commands:
        code, printed = trial.run(*command)
        if "Traceback" in printed:
            return f"{command}: traceback: {printed[-1500:]}"
        if code and not sentences(printed):
            return f"{command}: exit code {code}, and no sentence: {printed[-1500:]}"
    return ""


GIVEN = ("params.yaml", "dvc.lock", "mlflow.db", "results/composed/overrides.json")


def restore(snapshots: Snapshots, trial: Trial, name: Path) -> None:
    """Put a file back that nobody can make again, as a user does from git or a backup."""
    path = trial.project.folder / name
    if path.is_dir():
        shutil.rmtree(path)
    if f"{name}" in GIVEN:
        shutil.copy2(snapshots.before("done") / name, path)
