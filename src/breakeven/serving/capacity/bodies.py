"""The requests of a load test: samples of the test set, as clients send them."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from breakeven.artifacts.model_manifest import ImageInput, Input
from breakeven.artifacts.records import named

PICTURES = (1, 3)  # channels that an image file may have


def write(samples: NDArray[Any], shape: Input, folder: Path) -> list[Path]:
    """Write a file for each sample: an image file for images, JSON for anything else."""
    files = []
    for number, (suffix, content) in enumerate(_contents(samples, shape)):
        file = folder / f"sample-{number}.{suffix}"
        file.write_bytes(content)
        files.append(file)
    return files


def _contents(samples: NDArray[Any], shape: Input) -> Iterator[tuple[str, bytes]]:
    for sample in samples:
        if isinstance(shape, ImageInput) and shape.channels in PICTURES:
            pixels = sample[0] if shape.channels == 1 else np.ascontiguousarray(sample.transpose(1, 2, 0))
            file = io.BytesIO()
            Image.fromarray(pixels).save(file, "PNG")
            yield "png", file.getvalue()
        else:
            yield "json", _json(sample[None])


def write_together(samples: NDArray[Any], folder: Path) -> Path:
    """Write one file with all samples, as JSON, which holds one input or several."""
    (file := folder / "together.json").write_bytes(_json(samples))
    return file


def _json(samples: NDArray[Any]) -> bytes:
    values = named(samples)
    inputs = (
        {name: array.tolist() for name, array in values.items()}
        if isinstance(values, dict)
        else values.tolist()
    )
    return json.dumps({"inputs": inputs}).encode()
