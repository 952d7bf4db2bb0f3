"""A test of the comparison of two versions of a library: one is slower by a known share, or none is."""

import textwrap
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from breakeven.engine.interpreter import Interpreter
from breakeven.engine.measure import measure_artifacts
from breakeven.engine.selftest.aa_copies import MODELS
from breakeven.engine.selftest.models import made
from breakeven.engine.settings import Budget

SECONDS_PER_VARIANT = 5.0
SLOWED_ONNXRUNTIME = '''
"""ONNX Runtime as it is installed, but each call takes longer by a share of itself."""

import sys
import time
from pathlib import Path

_own = Path(__file__).parent
_found = (Path(entry, "onnxruntime") for entry in sys.path)
_real = next(each for each in _found if (each / "__init__.py").is_file() and each.resolve() != _own.resolve())
__path__ = [str(_real)]
exec(compile((_real / "__init__.py").read_text(encoding="utf-8"), str(_real / "__init__.py"), "exec"))
_Session = InferenceSession


class InferenceSession(_Session):
    def run(self, *given, **more):
        began = time.perf_counter_ns()
        result = super().run(*given, **more)
        now = time.perf_counter_ns()
        end = now + {share} * (now - began)
        while time.perf_counter_ns() < end:
            pass
        return result
'''


def slowed_onnxruntime(folder: Path, share: float) -> Path:
    """Write a folder whose ONNX Runtime is slower by this share of a call's time."""
    package = folder / "onnxruntime"
    package.mkdir(parents=True)
    text = textwrap.dedent(SLOWED_ONNXRUNTIME).replace("{share}", repr(share))
    (package / "__init__.py").write_text(text, encoding="utf-8")
    return folder


@dataclass(frozen=True)
class Versions:
    """One run of the engine on one artifact with two versions of ONNX Runtime.

    Attributes:
        share: the share of a call's time that the second version takes longer; 0 runs the same version.
    """

    model: str
    share: float

    def run(self, folder: Path, seed: int) -> dict[str, Any]:
        """Measure both versions, and return the verdict on the second.

        Args:
            folder: a folder for the artifact.
            seed: the seed of the engine's random order.
        """
        model, overlay = MODELS[self.model], folder / f"overlay-{self.share:g}"
        artifact = made(model, "onnxruntime", folder / f"versions-{self.model}")
        if self.share and not overlay.exists():
            slowed_onnxruntime(overlay, self.share)
        overlay.mkdir(exist_ok=True)
        second = Interpreter(folders=(str(overlay),))
        budget = replace(Budget(seed=seed), seconds_per_variant=SECONDS_PER_VARIANT)
        pair, hardware = {"first": artifact, "second": artifact}, {"name": "cpu", "threads": 1}
        measured = measure_artifacts(pair, hardware, budget, model.images(1), interpreters={"second": second})
        return {
            "condition": f"{self.model} in onnxruntime, 1 thread, slower by {self.share:.0%}",
            "slower": self.share,
            "verdict": measured["second"].verdict,
            "seconds": measured.seconds,
        }
