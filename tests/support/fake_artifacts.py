"""Artifacts of fake runtimes by name, and the shortest measurement of them."""

from pathlib import Path

import fakes

from breakeven.engine.settings import Budget

# As little as there can be.
BUDGET = Budget(seconds=0, seconds_per_variant=0, min_replicates=2, rounds=3, block_ms=1, settle_ms=1)


def fake(folder: Path, *names: str, runtime: str = "faulty", **settings: object) -> dict[str, Path]:
    """Write an artifact for each name, of a runtime that does not fail unless its settings say so."""
    return {name: fakes.write(folder / name, runtime, **settings) for name in names}
