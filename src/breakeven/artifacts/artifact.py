"""An artifact: the files that a runtime executes, with what vouches for them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.operators import OperatorTime
from breakeven.core import paths
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, require_sha256, sha256, write_json

MANIFEST, LOGITS = "artifact.json", "scores.npy"
EAGER = "fp32/eager"
BASELINE = f"none/{EAGER}"
PROFILED_ON = "cpu"  # the device on which artifacts are scored


@dataclass(frozen=True)
class Artifact:
    """One variant of a family, ready to be executed, or the reason why it is not."""

    family: str
    recipe: str  # "none": not compressed
    precision: str  # "fp32", "bf16", "int8-static", "int8-dynamic"
    quantization: str  # key of the toolchain, "" for none
    runtime: str  # key of the runtime
    settings: dict[str, Any]  # of the runtime
    preprocessing: str  # "inside": takes uint8 images
    mean: list[float]
    std: list[float]
    parameters: int
    macs: int
    activations: int = 0  # see card.Card
    key: str = ""  # of all that it is made from (store.Key)
    train_s: float = 0.0  # of the compression
    trained: bool = True  # otherwise its weights are random, and accuracy says nothing
    status: str = "ok"  # or "unsupported", "failed"
    reason: str = ""
    refused: bool = False  # it failed for what it tells, and would again
    build_s: float = 0.0  # to make the artifact from the model: the median of some builds,
    build_s_low: float = 0.0  # the shortest,
    build_s_high: float = 0.0  # and the longest
    max_abs_error: float | None = None  # of the logits, against eager's
    relative_error: float | None = None  # the same over the largest logit
    agreement: float | None = None  # share of test images with eager's class
    accuracy: float | None = None  # on the whole test set, through this artifact
    accuracy_top5: float | None = None
    kernels: list[dict[str, Any]] = field(default_factory=list)  # what it executes (operators.OperatorTime)
    kernels_reason: str = ""  # why they are not known
    facts: dict[str, str] = field(default_factory=dict)  # what else is known of how it executes
    files: dict[str, str] = field(default_factory=dict)  # name -> sha256
    megabytes: float = 0.0  # of all files, 10**6 bytes

    @property
    def variant(self) -> str:
        """compression/precision/runtime."""
        return variant_name(self.recipe, self.precision, self.runtime)

    @property
    def folder(self) -> str:
        """The variant as the name of a folder."""
        return paths.variant(self.variant)

    def scored_by(self, batch: int) -> int:
        """Images at once when it is scored, in a runtime that takes `batch`.

        Dynamic quantization takes its scales from all that it is given at once: an image's logits depend on
        the others of its batch, and in any but a batch of one they would not be repeatable.
        """
        return 1 if self.precision == "int8-dynamic" else batch

    def executed(self) -> list[OperatorTime]:
        """What it executes, the longest first; nothing where that is not known."""
        return [OperatorTime(**kernel) for kernel in self.kernels]

    def inputs(self, images: NDArray[np.generic]) -> NDArray[Any]:
        """(N, C, H, W) uint8 images in the form that the artifact takes."""
        return model_inputs(images, self.preprocessing, self.mean, self.std)


def variant_name(recipe: str, precision: str, runtime: str) -> str:
    """compression/precision/runtime, from the runtime's key."""
    return f"{recipe}/{precision}/{runtime_name(runtime, precision)}"


def runtime_name(key: str, precision: str) -> str:
    """A runtime in a variant's name: its key, which may end with the precision that the name says already."""
    return key.removesuffix(f"_{precision}")


def model_inputs(
    images: NDArray[np.generic], preprocessing: str, mean: list[float], std: list[float]
) -> NDArray[Any]:
    """Images as they are ("inside"), or scaled and normalized to float32 ("outside"); tokens as they are."""
    if preprocessing == "inside" or not mean:
        return images
    scale = (1 / (255 * np.asarray(std, np.float32))).reshape(1, -1, 1, 1)
    shift = (-np.asarray(mean, np.float32) / np.asarray(std, np.float32)).reshape(1, -1, 1, 1)
    return images.astype(np.float32) * scale + shift


def seal(folder: Path, artifact: Artifact) -> Artifact:
    """Note digest and size of each file that the runtime wrote into `folder`."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in (MANIFEST, LOGITS))
    digests = {str(p.relative_to(folder)): sha256(p) for p in files}
    size = sum(p.stat().st_size for p in files) / 1e6
    return replace(artifact, files=digests, megabytes=round(size, 6))


def save(folder: Path, artifact: Artifact) -> None:
    """Write the card into `folder`."""
    write_json(folder / MANIFEST, asdict(artifact))


def read(folder: Path) -> Artifact:
    """The card in `folder`.

    Raises:
        UserError: another version of Breakeven wrote it.
    """
    try:
        return Artifact(**read_json(folder / MANIFEST))
    except TypeError:
        raise UserError(f"{folder / MANIFEST} is of another version of Breakeven: run `dvc repro`.") from None


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Refuse files that are missing or were changed.

    Raises:
        UserError: by name.
    """
    for name, digest in files.items():
        require_sha256(folder / name, digest)
