"""What a checkpoint says of itself: the architecture, the classes, the epoch (`breakeven new`)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torch import Tensor

from breakeven.artifacts.checkpoint_file import read_checkpoint

ARCHITECTURE = ("arch", "architecture", "model_name", "model_arch", "backbone", "name")
CLASSES = ("classes", "class_names", "class_to_idx", "labels", "id2label")
OTHERS = (
    "epoch",
    "num_classes",
    "image_size",
    "img_size",
    "input_size",
    "mean",
    "std",
    "pytorch-lightning_version",
)
SHOWN = 5  # classes in a line


@dataclass(frozen=True)
class CheckpointFacts:
    """What was found in a checkpoint, beside its tensors."""

    architecture: str | None  # as the script that wrote it calls it
    lines: list[str]  # for people


def read(path: Path) -> CheckpointFacts:
    """Return what a checkpoint says of itself, without executing anything in it.

    Raises:
        UserError: it cannot be read, or only as a pickle that executes code.
    """
    content = read_checkpoint(path)
    said = dict(_said(content))
    tensors = [*_tensors(content)]
    numbers = sum(tensor.numel() for _, tensor in tensors)
    lines = [f"{len(tensors)} tensors, {numbers:,} numbers"]
    if heads := [(name, tensor) for name, tensor in tensors if name.endswith("weight") and tensor.ndim == 2]:
        name, head = heads[-1]
        lines.append(f"its last linear layer, {name}, gives {head.shape[0]} numbers")
    named = next((said[key] for key in ARCHITECTURE if isinstance(said.get(key), str)), None)
    lines += [f"{key}: {_short(said[key])}" for key in (*ARCHITECTURE, *CLASSES, *OTHERS) if key in said]
    return CheckpointFacts(named, lines)


def _said(content: Any, depth: int = 3) -> Iterator[tuple[str, Any]]:
    """Yield key and value of what is no tensor, the innermost last, so that the outermost counts less."""
    if not isinstance(content, Mapping) or not depth:
        return
    for key, value in content.items():
        if isinstance(value, Mapping) and str(key) not in CLASSES:
            yield from _said(value, depth - 1)
        elif isinstance(key, str) and not isinstance(value, Tensor):
            yield key, value


def _tensors(content: Any, depth: int = 3) -> Iterator[tuple[str, Tensor]]:
    if not isinstance(content, Mapping) or not depth:
        return
    for key, value in content.items():
        if isinstance(value, Tensor):
            yield str(key), value
        else:
            yield from _tensors(value, depth - 1)


def _short(value: Any) -> str:
    if isinstance(value, Mapping):
        value = [*value.values()] if all(isinstance(item, str) for item in value.values()) else [*value]
    if isinstance(value, Sequence) and not isinstance(value, str):
        more = f" and {len(value) - SHOWN} more" if len(value) > SHOWN else ""
        return ", ".join(map(str, value[:SHOWN])) + more
    return str(value)[:100]
