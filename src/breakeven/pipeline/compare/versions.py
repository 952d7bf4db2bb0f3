"""The paired comparison of two Pythons, or two versions of a library: the same artifacts, the same rounds."""

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from breakeven.config import lock_check, schema
from breakeven.core.errors import UserError
from breakeven.core.files import temporary_folder
from breakeven.engine.interpreter import THIS_PYTHON, Interpreter
from breakeven.pipeline.compare.paired import Change, artifacts, measured_changes, require_hardware

NOTHING_DIFFERS = "nothing that pip knows of"  # of what differs between two Pythons
REQUIREMENT = r"[A-Za-z0-9][\w.-]*(\[[\w,.-]*\])?\s*([=<>!~]=|[<>@])"  # a package with a version
MOST_NAMED = 6  # differences in the title


def versions(
    first: Interpreter,
    second: Interpreter,
    names: tuple[str, str],
    hardware: str,
    pattern: str,
    in_duet: bool = False,
) -> list[Change]:
    """Measure the artifacts of the workspace with both Pythons in the same rounds.

    Args:
        names: what to call the two in a message.
        pattern: selects variants, as "*/int8-*/*".
        in_duet: as of `measured_changes`.

    Raises:
        UserError: there is no such artifact, or it is not up to date.
    """
    study = schema.read_study()
    lock_check.require_current(study)
    require_hardware(study, hardware)
    here = artifacts(Path.cwd(), study, pattern)
    if not here:
        raise UserError(f"there is no artifact of a variant like {pattern} here: run `dvc repro`.")
    pairs = {name: (folder, folder) for name, folder in here.items()}
    return measured_changes(study, hardware, pairs, names[0], (first, second), in_duet)


def differences(first: Interpreter, second: Interpreter) -> str:
    """Return in words which installed versions differ between two Pythons.

    Raises:
        UserError: one of them cannot run a worker.
    """
    before, after = first.versions(), second.versions()
    changed = [
        f"{name} {after.get(name, 'missing')} (was {before.get(name, 'missing')})"
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]
    if not changed:
        return NOTHING_DIFFERS
    more = len(changed) - MOST_NAMED
    return ", ".join(changed[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def python_at(text: str) -> Interpreter:
    """Return the Python with this path: its program, or the folder of a virtual environment.

    Raises:
        UserError: there is none.
    """
    path = Path(text).expanduser()
    if path.is_dir():
        path = path / "bin" / "python"
    if not path.is_file():
        raise UserError(f"--python {text}: there is no such Python: give its path, as .venv-new/bin/python.")
    return Interpreter(str(path.absolute()))  # not resolved: a virtual environment is where its link lies


@contextmanager
def with_packages(given: Sequence[str]) -> Iterator[Interpreter]:
    """Yield this Python with other versions of some packages, which pip installs in a temporary folder.

    Args:
        given: requirements, as "onnxruntime==1.22.0", wheels, or folders that hold packages.

    Raises:
        UserError: pip cannot install them.
    """
    with temporary_folder() as scratch:
        folders = [str(Path(each).resolve()) for each in given if each and Path(each).is_dir()]
        wanted = [each for each in given if not each or not Path(each).is_dir()]
        if odd := [each for each in wanted if not re.match(REQUIREMENT, each) and not _is_wheel(each)]:
            raise UserError(
                f"--with {odd[0]}: it is neither a folder nor a requirement with a version, as "
                "onnxruntime==1.22.0."
            )
        if wanted:
            _install(wanted, scratch)
            folders.append(str(scratch))
        yield Interpreter(THIS_PYTHON.executable, tuple(folders))


def _is_wheel(text: str) -> bool:
    return text.endswith(".whl") and Path(text).is_file()


def _install(wanted: Sequence[str], folder: Path) -> None:
    """Install packages without their dependencies, so that nothing but these changes."""
    print(f"Installing {', '.join(wanted)} beside this Python's own packages.", file=sys.stderr)
    command = [
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--target",
        str(folder),
    ]
    done = subprocess.run(
        [sys.executable, "-m", *command, *wanted], capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["pip says nothing"]
        errors = [line for line in lines if line.startswith("ERROR: ")]  # notes and hints may follow them
        raise UserError(f"--with {' '.join(wanted)}: pip cannot install it: {(errors or lines)[-1]}")
