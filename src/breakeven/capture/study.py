"""Many models in many ways: each cell runs in a process of its own, and finished cells are kept."""

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from breakeven.capture import way
from breakeven.capture.advice import advised
from breakeven.capture.judge import Maker, judge, rehearsed
from breakeven.capture.outcome import Outcome
from breakeven.capture.way import Break
from breakeven.core import paths
from breakeven.core.digests import fingerprint
from breakeven.core.errors import Failed, Unsupported, UserError, WrongOutput
from breakeven.core.files import read_json, temporary_folder, write_json
from breakeven.core.progress import counted
from breakeven.core.source_digest import digests_of_modules
from breakeven.core.toolchain_errors import telling_line
from breakeven.engine.isolated import IsolatedCalls

TIMEOUT_S = 120.0  # for one cell; five times as much for one that compiles
LIBRARIES = ("torch", "torch._dynamo", "torch.export", "torch.fx")  # that processes begin with
CODE = "breakeven.capture.judge"


@dataclass(frozen=True)
class Target:
    """A model to capture."""

    name: str
    make: Maker  # can be pickled
    version: str = ""  # of what it is made from: another model has another one, even under the same name
    advice: str = ""  # what to write instead; "" for the advice for its kind
    is_small: bool = False  # whether it is one of the few models of a large collection for slow ways


def outcomes(
    targets: Sequence[Target], ways: Sequence[str], *, is_kept: bool, again: bool = False
) -> Iterator[Outcome]:
    """Yield the outcome of each model in each way, in this order: way by way, model by model.

    Args:
        is_kept: whether outcomes are kept, and those of an earlier run are taken.
        again: whether to try cells again whose outcome is kept.
    """
    with counted("capture", len(targets) * len(ways)) as count, ExitStack() as stack:
        scratch = stack.enter_context(temporary_folder())
        servers: dict[tuple[str, ...], IsolatedCalls] = {}
        for name in ways:
            own = way.load(name)
            folder = paths.private() / "capture" / _version(name) if is_kept else scratch / name
            if own.modules not in servers:
                place = scratch / f"calls-{len(servers)}"
                place.mkdir()
                modules, limit_s = (*LIBRARIES, CODE, *own.modules), TIMEOUT_S * (5 if own.is_heavy else 1)
                servers[own.modules] = stack.enter_context(IsolatedCalls(modules, place, limit_s))
            for target in targets:
                file = folder / f"{fingerprint(target.name, target.version)}.json"
                if missing := again or not file.exists():
                    count.begin(f"{own.title}: {target.name}")
                    write_json(file, asdict(_outcome(servers[own.modules], target, name)))
                count.end(is_new=missing)
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
    _silence()
    rehearsed(make)


def read_outcome(file: Path) -> Outcome:
    """Return a kept outcome."""
    values = read_json(file)
    values["breaks"] = tuple(Break(**each) for each in values["breaks"])
    values["notes"] = tuple(values["notes"])
    return Outcome(**values)


def _outcome(calls: IsolatedCalls, target: Target, name: str) -> Outcome:
    try:
        return calls.call(partial(_cell, target.name, name, target.make))
    except (UserError, Unsupported, WrongOutput) as error:
        return Outcome(target.name, name, "refused", telling_line(str(error)))
    except Failed as error:
        return Outcome(target.name, name, "crash", telling_line(str(error)))


def _cell(model: str, name: str, make: Maker) -> Outcome:
    """Return the outcome of one cell; for its own process, whose tools may print what they like."""
    _silence()
    return judge(model, name, way.load(name), make, Path(tempfile.mkdtemp()))


def _silence() -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for descriptor in (1, 2):
        os.dup2(nowhere, descriptor)


def _version(name: str) -> str:
    """Return a digest of what the outcomes of a way depend on: this code, and the versions of libraries."""
    modules = [CODE, f"breakeven.capture.ways.{name}", *way.load(name).modules]
    return fingerprint(digests_of_modules(modules))
