"""Many models in many ways; finished cells are kept."""

from collections.abc import Generator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from breakeven.capture import way
from breakeven.capture.advice import advised
from breakeven.capture.cells import CODE, LIBRARIES, TIMEOUT_S, Cells, silence
from breakeven.capture.judge import Maker, rehearsed
from breakeven.capture.outcome import Outcome
from breakeven.capture.way import Break
from breakeven.core import paths
from breakeven.core.digests import fingerprint
from breakeven.core.errors import Failed, Unsupported, UserError, WrongOutput
from breakeven.core.files import read_json, temporary_folder
from breakeven.core.progress import counted
from breakeven.core.source_digest import digests_of_modules
from breakeven.engine.isolated import IsolatedCalls


@dataclass(frozen=True)
class Target:
    """A model to capture."""

    name: str
    make: Maker  # can be pickled
    version: str = ""  # of what it is made from: another model has another one, even under the same name
    advice: str = ""  # what to write instead; "" for the advice for its kind
    modules: tuple[str, ...] = ()  # that its processes begin with
    is_small: bool = False  # whether it is one of the few models of a large collection for slow ways


def outcomes(
    targets: Sequence[Target], ways: Sequence[str], *, is_kept: bool, again: bool = False
) -> Generator[Outcome]:
    """Yield the outcome of each model in each way, in this order: way by way, model by model.

    Args:
        is_kept: whether outcomes are kept, and those of an earlier run are taken.
        again: whether to try cells again whose outcome is kept.
    """
    cells = [(name, target) for name in ways for target in targets]
    with counted("capture", len(cells)) as count, ExitStack() as stack:
        root = paths.private() / "capture" if is_kept else stack.enter_context(temporary_folder())
        pool = stack.enter_context(Cells())
        folders = {name: root / _version(name) for name in ways}
        files = [folders[name] / f"{fingerprint(each.name, each.version)}.json" for name, each in cells]
        tried = {
            file: pool.submit(target.name, target.make, name, file, target.modules)
            for (name, target), file in zip(cells, files, strict=True)
            if again or not file.exists()
        }
        for (name, target), file in zip(cells, files, strict=True):
            if file in tried:
                count.begin(f"{way.load(name).title}: {target.name}")
                tried[file].result()
            count.end(is_new=file in tried)
            yield advised(read_outcome(file), target.advice)


def require_works(target: Target) -> None:
    """Make the model and call it with its example, in a process of its own.

    Raises:
        UserError: it cannot be made or called, or this takes too long, or ends the process.
    """
    with temporary_folder() as scratch, IsolatedCalls((*LIBRARIES, CODE), scratch, TIMEOUT_S) as calls:
        try:
            calls.call(partial(_rehearse, target.make))
        except UserError as error:
            raise UserError(f"{target.name}: {error}") from None
        except (Failed, Unsupported, WrongOutput) as error:
            raise UserError(f"{target.name}: the model itself fails with its example: {error}.") from None


def _rehearse(make: Maker) -> None:
    silence()
    rehearsed(make)


def read_outcome(file: Path) -> Outcome:
    """Return a kept outcome."""
    values = read_json(file)
    values["breaks"] = tuple(Break(**each) for each in values["breaks"])
    values["notes"] = tuple(values["notes"])
    return Outcome(**values)


def _version(name: str) -> str:
    """Return a digest of what the outcomes of a way depend on: this code, and the versions of libraries."""
    modules = [CODE, f"breakeven.capture.ways.{name}", *way.load(name).modules]
    return fingerprint(digests_of_modules(modules))
