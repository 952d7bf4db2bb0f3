"""Arrays that lie in files: a dataset may be larger than the memory."""

import math
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

IN_MEMORY = 2**26  # bytes of an array that needs no file
CHUNK = 2**25  # bytes that are copied at once


def new_array(shape: tuple[int, ...], dtype: DTypeLike, folder: Path) -> NDArray[Any]:
    """Return an array to be filled: a large one lies in a file of `folder`, which nobody else sees.

    The file is gone when the array is.
    """
    if math.prod(shape) * np.dtype(dtype).itemsize <= IN_MEMORY:
        return np.empty(shape, dtype)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder) as file:
        os.posix_fallocate(
            file.fileno(), 0, math.prod(shape) * np.dtype(dtype).itemsize
        )  # or the disk is full
        return np.memmap(file, dtype, "w+", shape=shape)


def save_rows(path: Path, array: NDArray[Any], rows: NDArray[np.intp] | None = None) -> None:
    """Write rows of an array as a .npy file, a part at a time; all of them by default."""
    shape = array.shape if rows is None else (len(rows), *array.shape[1:])
    facts = {"descr": np.lib.format.dtype_to_descr(array.dtype), "fortran_order": False, "shape": shape}
    with path.open("wb") as file:
        np.lib.format.write_array_header_2_0(file, facts)
        for part in parts(shape[0], array):
            file.write(np.ascontiguousarray(array[part] if rows is None else array[rows[part]]).data)


def load(path: Path) -> NDArray[Any]:
    """Return the array of a .npy file, of which only the pages that are read are in memory.

    Who changes the array changes no file.
    """
    array: NDArray[Any] = np.load(path, mmap_mode="c")
    return array


def parts(count: int, array: NDArray[Any]) -> Iterable[slice]:
    """Yield slices of `count` rows, each of a size that is copied at once."""
    size = max(1, CHUNK // max(1, array.dtype.itemsize * math.prod(array.shape[1:])))
    return (slice(start, start + size) for start in range(0, count, size))
