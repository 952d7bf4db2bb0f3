"""All measurements of costs, one after the other; finished ones are kept."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from breakeven.capture.costs import breaks, guards, segments, shapes
from breakeven.core import machine_lock, paths
from breakeven.core.digests import fingerprint
from breakeven.core.files import read_json, write_json
from breakeven.core.progress import counted
from breakeven.core.source_digest import digests_of_modules
from breakeven.core.system_info import collect

SECONDS = 60.0  # to measure for, in each piece
SHORT_S = 25.0  # likewise, of two variants

Figures = dict[str, Any]


def pieces() -> dict[str, Callable[[], Figures]]:
    """Return the name of each measurement, and the function that makes it."""
    of_guards = [*map(str, guards.WIDTHS), *segments.MODELS]
    return {
        **{f"breaks-{name}": partial(breaks.per_break, name, SECONDS) for name in segments.MODELS},
        **{f"tools-{name}": partial(breaks.tools, name, SECONDS) for name in segments.MODELS},
        **{f"guards-{name}": partial(guards.share, name, SHORT_S) for name in of_guards},
        **{
            f"shapes-{name}": partial(shapes.changing_batches, name, SECONDS)
            for name in ("cnn", "transformer")
        },
    }


def measured(*, again: bool = False) -> dict[str, Figures]:
    """Return the figures of each measurement; make those that are not kept.

    Nothing else of Breakeven measures meanwhile.

    Args:
        again: whether to measure again what is kept.
    """
    folder = paths.private() / "capture" / "costs" / _version()
    found = {}
    work = pieces()
    with counted("costs", len(work), every_s=0) as count:
        for name, make in work.items():
            file = folder / f"{name}.json"
            if missing := again or not file.exists():
                count.begin(name)
                with machine_lock.exclusive():
                    figures = make()
                write_json(file, {**figures, "machine": collect()["name"]})
            count.end(is_new=missing)
            found[name] = read_json(file)
    return found


def of_kind(found: Mapping[str, Figures], kind: str) -> list[Figures]:
    """Return the figures of the measurements whose names begin with this kind."""
    return [figures for name, figures in found.items() if name.partition("-")[0] == kind]


def _version() -> str:
    """Return a digest of the code and the versions that the figures depend on, and of the machine."""
    return fingerprint(digests_of_modules([__name__]), collect()["name"])
