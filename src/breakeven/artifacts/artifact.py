"""Artifacts: the files that a runtime executes, with a manifest that holds their digests."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from breakeven.artifacts.operators import OperatorTime
from breakeven.core import paths
from breakeven.core.digests import require_sha256, sha256
from breakeven.core.errors import UserError
from breakeven.core.files import read_json, write_json
from breakeven.core.secrets import redact

MANIFEST, LOGITS = "artifact.json", "scores.npy"
EAGER = "fp32/eager"
BASELINE = f"none/{EAGER}"
PROFILED_ON = "cpu"  # the device on which artifacts are scored


@dataclass(frozen=True)
class Artifact:
    """One variant of a family, ready to run, or the reason why there is none."""

    family: str
    recipe: str  # "none": not compressed
    precision: str  # "fp32", "bf16", "int8-static", "int8-dynamic"
    quantization: str  # key of the toolchain, "" for none
    runtime: str  # key of the runtime
    settings: dict[str, Any]  # settings of the runtime
    preprocessing: str  # "inside": the artifact takes uint8 images; "outside": it takes floats
    mean: list[float]
    std: list[float]
    parameters: int
    macs: int
    activations: int = 0  # numbers that its layers read and write for one image (see ModelManifest)
    used_weights: int | None = None  # see ModelManifest; None: not counted
    used_macs: int | None = None
    key: str = ""  # digest of everything that it is made from (core.cache.CacheKey)
    train_s: float = 0.0  # seconds of fine-tuning after compression; 0 without compression
    trained: bool = True  # False: its weights are random, so that a score says nothing
    status: str = "ok"  # or "unsupported", "wrong", "failed"
    reason: str = ""
    build_s: float = 0.0  # seconds to make the artifact from the model: the median of its builds,
    build_s_low: float = 0.0  # the shortest,
    build_s_high: float = 0.0  # and the longest
    max_abs_error: float | None = None  # largest difference of a logit from eager's
    relative_error: float | None = None  # `max_abs_error` over the largest logit of eager
    agreement: float | None = None  # share of the decisions, as classes, that are eager's; None without any
    score: float | None = None  # by the task, on the whole test set, through this artifact
    further_scores: dict[str, float] = field(default_factory=dict)  # column -> value
    task: dict[str, Any] = field(default_factory=lambda: {"name": "classification"})
    kernels: list[dict[str, Any]] = field(default_factory=list)  # its operators (operators.OperatorTime)
    kernels_reason: str = ""  # why its operators are unknown
    facts: dict[str, str] = field(default_factory=dict)  # title -> text: more about how it runs
    input_names: list[str] = field(default_factory=list)  # of several, as the model's arguments
    varying: list[dict[str, Any]] = field(default_factory=list)  # open sizes (varying.VaryingDimension)
    notes: list[str] = field(default_factory=list)  # what a reader of its figures has to know
    files: dict[str, str] = field(default_factory=dict)  # name -> sha256
    megabytes: float = 0.0  # size of all files, 10**6 bytes

    @property
    def variant(self) -> str:
        """Return the variant's name, "compression/precision/runtime"."""
        return variant_name(self.recipe, self.precision, self.runtime)

    @property
    def folder(self) -> str:
        """Return the name of the variant's folder."""
        return paths.variant(self.variant)

    def scored_by(self, batch: int) -> int:
        """Return how many images to score at once.

        It is `batch`, but 1 for dynamic quantization. Dynamic quantization computes its scales from the whole
        batch, so that the logits of an image depend on the other images of its batch.

        Args:
            batch: the number that the runtime can take.
        """
        return 1 if self.precision == "int8-dynamic" else batch

    def executed(self) -> list[OperatorTime]:
        """Return its operators, the slowest first; an empty list if they are unknown."""
        return [OperatorTime(**kernel) for kernel in self.kernels]

    def inputs(self, images: NDArray[np.generic]) -> NDArray[Any]:
        """Return a dataset's inputs in the form that the artifact takes."""
        return model_inputs(images, self.preprocessing, self.mean, self.std)


def variant_name(recipe: str, precision: str, runtime: str) -> str:
    """Return the name of a variant, "compression/precision/runtime"; `runtime` is the runtime's key."""
    return f"{recipe}/{precision}/{runtime_name(runtime, precision)}"


def runtime_name(key: str, precision: str) -> str:
    """Return a runtime's name within a variant's: its key without a suffix that repeats the precision."""
    return key.removesuffix(f"_{precision}")


def model_inputs(
    images: NDArray[np.generic], preprocessing: str, mean: list[float], std: list[float]
) -> NDArray[Any]:
    """Return inputs in the form that an artifact takes.

    Args:
        images: (N, C, H, W) uint8 images, (N, L) tokens or (N, F) features.
        preprocessing: "inside" returns them as they are. "outside" scales images to 0..1, and normalizes
            images and features to float32.
        mean: mean of each channel, in units of 0..1, or of each feature. It is empty for tokens, which are
            returned as they are.
        std: standard deviation, in the same units.
    """
    if preprocessing == "inside" or not mean:
        return images
    shape = (1, -1, *[1] * (images.ndim - 2))
    unit = 255 if images.ndim == 4 else 1
    scale = (1 / (unit * np.asarray(std, np.float32))).reshape(shape)
    shift = (-np.asarray(mean, np.float32) / np.asarray(std, np.float32)).reshape(shape)
    return images.astype(np.float32) * scale + shift


def seal(folder: Path, artifact: Artifact) -> Artifact:
    """Return the artifact with the digests and the total size of the files that the runtime wrote."""
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in (MANIFEST, LOGITS))
    digests = {str(p.relative_to(folder)): sha256(p) for p in files}
    size = sum(p.stat().st_size for p in files) / 1e6
    return replace(artifact, files=digests, megabytes=round(size, 6))


def save(folder: Path, artifact: Artifact) -> None:
    """Write the manifest into `folder`."""
    write_json(folder / MANIFEST, asdict(replace(artifact, reason=redact(artifact.reason))))


def read(folder: Path) -> Artifact:
    """Return the artifact whose manifest is in `folder`.

    Raises:
        UserError: the manifest is missing, or another version of Breakeven wrote it.
    """
    values = read_json(folder / MANIFEST)
    try:
        values.pop("refused", None)  # earlier versions told `wrong` by it; `compare` reads their artifacts
        if "accuracy" in values:  # likewise
            values["score"], top5 = values.pop("accuracy"), values.pop("accuracy_top5", None)
            values["further_scores"] = {} if top5 is None else {"accuracy_top5": top5}
        return Artifact(**values)
    except (AttributeError, TypeError):
        raise UserError(f"{folder / MANIFEST} is of another version of Breakeven: run `dvc repro`.") from None


def verify(folder: Path, files: Mapping[str, str]) -> None:
    """Raise an error if a file is missing or was changed.

    Args:
        folder: the folder of the files.
        files: name -> sha256.

    Raises:
        UserError: it names the first such file.
    """
    for name, digest in files.items():
        require_sha256(folder / name, digest)
