"""What a quantization toolchain is: it makes an int8 artifact for one runtime."""

import platform
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationInfo, field_validator

from breakeven.core.plugin import Plugin
from breakeven.core.system_info import features

X86 = ("x86_64", "AMD64")
# Flags of processors that add products of int8 in 32 bits: on x86, and on ARM
INT8 = ("avx512_vnni", "avx_vnni", "amx_int8", "asimddp", "i8mm")


@dataclass(frozen=True)
class CalibrationData:
    """What a toolchain may see of the data, as the artifact will get it: never the test set."""

    calibration: NDArray[Any]  # (N, C, H, W) images of the training split
    validation: NDArray[Any]  # (M, C, H, W) images of the validation split
    labels: NDArray[np.int64]  # (M,) of those


class Exporter(Protocol):
    """The runtime that executes the result, as far as a toolchain sees it."""

    def export(self, source: Any, folder: Path) -> None:
        """Write an artifact."""


class Quantization(Plugin, ABC):
    """Settings of one toolchain."""

    runtime: str  # a key of `runtimes`
    scheme: Literal["dynamic", "static"]

    @field_validator("calibration", check_fields=False)  # of those toolchains that leave a choice
    @classmethod
    def _has_what_to_calibrate(cls, value: Any, info: ValidationInfo) -> Any:
        if info.data.get("scheme") == "dynamic":
            raise ValueError("a dynamic scheme finds ranges at run time, and calibrates nothing")
        return value

    @property
    def precision(self) -> str:
        """As it stands in a variant's name."""
        return f"int8-{self.scheme}"

    @abstractmethod
    def quantize(self, examples: CalibrationData, runtime: Exporter, source: Any, folder: Path) -> None:
        """Write the int8 artifact of `source` (a runtime's `Source`) into `folder`.

        Args:
            runtime: what will execute it.

        Raises:
            Unsupported: the toolchain cannot take this model, or is not installed.
        """


def use_reduced_range(asked: bool | None) -> bool:
    """Whether to leave a bit of one factor unused, by default where sums of two products would saturate.

    Without VNNI they are added in 16 bits: of eager's classes Inductor's ResNet-18 kept 85%, with 7 bits 99%.
    """
    if asked is not None:
        return asked
    return platform.machine() in X86 and not set(INT8) & set(features())
