"""Several callers of each uncompressed fp32 variant of a family, as threads and as processes."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.artifact import Artifact
from breakeven.core import machine_lock, system_info
from breakeven.core.errors import Failed
from breakeven.core.files import temporary_folder
from breakeven.core.progress import counted as progress
from breakeven.engine.callers import throughputs
from breakeven.engine.settings import ALONE, Arrangement
from breakeven.results.callers import CallersRecord, CallersRow

TOGETHER = (2, 4)  # callers
INPUTS = 64  # of which each round takes one


def arrangements(cores: int) -> Sequence[Arrangement]:
    """Return what is compared: 1, 2 and 4 callers as threads and as processes, and calls on all cores."""
    threads = [Arrangement(1, callers, False) for callers in TOGETHER]
    processes = [Arrangement(1, callers, True) for callers in TOGETHER]
    return [ALONE, *threads, *processes, Arrangement(cores), Arrangement(cores, cores, True)]


def measure(
    family: str,
    variants: Mapping[str, Path],
    samples: NDArray[np.uint8],
    cores: int,
    replicates: int,
    rounds: int,
) -> CallersRecord:
    """Measure each variant in turn; one that cannot be called so has a reason.

    Args:
        variants: name -> folder of the artifact.
        samples: of the test set.
        cores: that the callers share.
    """
    rows = []
    with (
        machine_lock.exclusive(),
        temporary_folder() as folder,
        progress("callers", len(variants)) as count,
    ):
        images = folder / "images.npy"
        np.save(images, samples[:INPUTS])
        for name, own in variants.items():
            count.begin(name)
            try:
                found = throughputs(own, images, arrangements(cores), cores, replicates, rounds)
                rows.append(CallersRow(name, [*found.items()]))
            except Failed as error:
                rows.append(CallersRow(name, reason=str(error)))
            count.end()
    return CallersRecord(family, str(system_info.collect()["name"]), cores, rows)


def plain_variants(found: Mapping[str, tuple[Path, Artifact]]) -> Mapping[str, Path]:
    """Return the folders of the uncompressed fp32 variants that were built: one for each runtime."""
    return {
        name: folder
        for name, (folder, card) in found.items()
        if card.status == "ok" and name.startswith("none/fp32/")
    }
