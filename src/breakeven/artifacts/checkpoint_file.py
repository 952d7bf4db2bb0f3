"""The file of a user's checkpoint. Its content says what kind of file it is, whatever its name ends in."""

import argparse
import pickle
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from breakeven.core.errors import UserError

HEAD = 512  # bytes that tell the kind of a file
# The first bytes of files that are no weights -> what such a file is, and what to do
FOREIGN = {
    b"version https://git-lfs": "is a pointer of git-LFS, not the weights: run `git lfs pull`",
    b"<": "is a page of HTML or XML, not the weights: download the file itself",
    b"\x1f\x8b": "is compressed with gzip: unpack it with `gunzip`",
    b"\x89HDF": "is an HDF5 file, as Keras writes it: save the weights with torch.save or as safetensors",
    b"\x93NUMPY": "is an array of NumPy: save the weights with torch.save or as safetensors",
}
# A name in a zip archive -> what wrote the archive, and what to do
ARCHIVES = {
    r"/constants\.pkl$": (
        "is a TorchScript archive, which holds code: save its weights alone with "
        "`torch.save(torch.jit.load(PATH).state_dict(), NEW)`"
    ),
    r"(archive_format|serialized_exported_program\.json)$": (
        "is a program of torch.export: save its weights alone with "
        "`torch.save(torch.export.load(PATH).state_dict, NEW)`"
    ),
    r"\.npy$": "is an archive of NumPy: save the weights with torch.save or as safetensors",
}
NUMPY = ("numpy._core", "numpy.core")  # NumPy 2, and NumPy 1
# Classes that training scripts save beside the weights. Creating their objects runs no code of the file.
HARMLESS: list[Any] = [
    argparse.Namespace,
    np.dtype,
    np.ndarray,
    *((np.ones(1).__reduce__()[0], f"{module}.multiarray._reconstruct") for module in NUMPY),
    *((np.float64(0).__reduce__()[0], f"{module}.multiarray.scalar") for module in NUMPY),
    *{type(np.dtype(kind)) for kind in ("f2", "f4", "f8", "i4", "i8", "u1", "?")},
]


def read_checkpoint(path: Path) -> Any:
    """Return what a file holds that torch.save or safetensors wrote: tensors by name, perhaps in wrappers.

    Raises:
        UserError: the file is missing, empty, damaged, of another kind, or holds code.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError:
        raise UserError(f"checkpoint={path}: there is no such file.") from None
    except OSError as error:
        raise UserError(f"checkpoint={path}: cannot be read ({error.strerror}).") from None
    if not head:
        raise UserError(f"checkpoint={path}: is empty: copy or download it again.")
    for start, text in FOREIGN.items():
        if head.lstrip().startswith(start):
            raise UserError(f"checkpoint={path}: {text}.")
    if head[8:9] == b"{":  # after the length of its header
        return _read_safetensors(path)
    if _is_text(head):
        first = head.decode(errors="replace").split("\n")[0][:40]
        raise UserError(f"checkpoint={path}: cannot be read: it is text, and begins with {first!r}.")
    if head.startswith(b"PK"):
        _require_torch_archive(path)
    return _read_pickle(path)


def _is_text(head: bytes) -> bool:
    """Return whether a file begins as text does; a pickle begins with a byte that is none."""
    return all(byte >= ord(" ") or byte in b"\t\r\n" for byte in head) and head[0] < 0x80


def _read_safetensors(path: Path) -> Any:
    try:
        return load_file(path)
    except (SafetensorError, OSError, ValueError) as error:
        raise _damaged(path, error) from None


def _require_torch_archive(path: Path) -> None:
    """Refuse a zip archive that is damaged or that torch.save did not write.

    Raises:
        UserError: it names what wrote the archive, if that is known.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            for member in archive.infolist():
                if member.CRC:  # torch does not check it; 0: torch.save was told to write none
                    archive.read(member)
    except (zipfile.BadZipFile, OSError) as error:
        raise _damaged(path, error) from None
    for pattern, text in ARCHIVES.items():
        if any(re.search(pattern, name) for name in names):
            raise UserError(f"checkpoint={path}: {text}.")
    if not any(name.endswith("/data.pkl") for name in names):
        raise UserError(f"checkpoint={path}: is a zip archive that torch.save did not write: unpack it.")


def _read_pickle(path: Path) -> Any:
    try:
        # An open file, because torch.load takes what is named .safetensors for such a file.
        with path.open("rb") as file, torch.serialization.safe_globals(HARMLESS):
            return torch.load(file, "cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if not (classes := re.findall(r"GLOBAL (\S+)", str(error))):
            raise _damaged(path, error) from None
        raise UserError(
            f"checkpoint={path}: holds more than tensors ({classes[0]}), and is not run. If you trust the "
            f"file, load it with `torch.load(PATH, weights_only=False)`, and save its weights alone with "
            f"`torch.save(model.state_dict(), NEW)`."
        ) from None
    except Exception as error:  # a damaged pickle may raise anything
        raise _damaged(path, error) from None


def _damaged(path: Path, error: Exception) -> UserError:
    lines = [line for line in str(error).splitlines() if line and "weights_only" not in line]
    first = (lines or [type(error).__name__])[0][:120].rstrip(".")
    return UserError(
        f"checkpoint={path}: cannot be read: it is cut off or damaged, or neither torch.save nor safetensors "
        f"wrote it ({first})."
    )
