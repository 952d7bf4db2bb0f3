"""The most that a hardware computes and moves, by a small probe: the roofline (Williams et al., 2009)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from breakeven.core import plugin
from breakeven.core.errors import Unsupported

SIDES = (512, 1024, 2048)  # of the matrices: which is fastest differs between processors
SETS = tuple(2**power for power in range(18, 29))  # bytes in use: what fits into a cache is moved faster
SECONDS = 0.08  # of each trial
SLOW_S = 0.5  # a product that takes longer is of no fast kernel, and a larger one would only take longer
BYTES = {"fp32": 4, "bf16": 2, "int8": 1}  # of a number
TIMEOUT_S = 120


@dataclass(frozen=True)
class HardwarePeaks:
    """Of one hardware."""

    operations: dict[str, float]  # precision -> a second
    bytes: dict[str, float]  # working set in bytes -> bytes a second

    def rate(self, size: float) -> float:
        """Bytes a second, of a working set of `size` bytes: of the next smaller one, which is no slower."""
        sets = sorted(map(int, self.bytes), reverse=True)
        return self.bytes[str(next((known for known in sets if known <= size), sets[-1]))]

    def roofline_ms(
        self, precision: str, macs: int, weights: int, activations: int, batch: int
    ) -> float | None:
        """The least time for a batch, milliseconds: all is computed at the peak, or all is moved at it.

        Weights are read once, activations written and read once; everything else is taken to be fused away.
        None for a precision that the hardware was not probed for.

        Args:
            precision: in which all is computed and held.
            activations: numbers that layers read and write, for one image.
        """
        if precision not in self.operations:
            return None
        moved = BYTES[precision] * (weights + activations * batch)
        return 1000 * max(2 * macs * batch / self.operations[precision], moved / self.rate(moved))


def probe(hardware: Mapping[str, Any]) -> HardwarePeaks:
    """The best of several short trials each, by torch, in a process of its own.

    What torch cannot compute on this hardware, or not faster than fp32, is left out.

    Raises:
        Unsupported: the hardware cannot be used here.
    """
    environment = {**os.environ, **plugin.load("hardware", hardware, "hardware").environment()}
    command = [sys.executable, "-m", "breakeven.engine.roofline", json.dumps(dict(hardware))]
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise Unsupported(f"the probe of its peaks gave no answer in {TIMEOUT_S} s") from None
    if done.returncode:
        told = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Unsupported(f"the probe of its peaks failed: {told[-1][:300]}")
    return HardwarePeaks(**json.loads(done.stdout.splitlines()[-1]))


def _measure(hardware: Any) -> HardwarePeaks:
    import torch

    from breakeven.plugins.runtimes._torch_private import int8_product

    hardware.pin()
    torch.set_num_threads(hardware.threads)
    place = hardware.device

    def rate(amount: float, run: Callable[[], Any]) -> float:
        """The best of the calls that fit into the time."""
        run()
        best, clock = float("inf"), hardware.clock_ns
        end = clock() + SECONDS * 1e9
        while (started := clock()) < end:
            run()
            hardware.synchronize()
            best = min(best, (clock() - started) / 1e9)
        return amount / best

    operations: dict[str, float] = {}
    moved: dict[str, float] = {}
    types = {"fp32": torch.float32, "bf16": torch.bfloat16, "int8": torch.int8}
    with torch.inference_mode():
        for precision, dtype in types.items():
            product = int8_product() if dtype == torch.int8 else torch.mm
            for side in SIDES:
                # The second one by columns, as a layer's weights are.
                one, other = (torch.ones(side, side, device=place).to(dtype) for _ in range(2))
                try:
                    speed = rate(2.0 * side**3, lambda p=product, a=one, b=other: p(a, b.T))  # type: ignore[misc]
                except (RuntimeError, NotImplementedError):
                    continue
                operations[precision] = max(operations.get(precision, 0.0), speed)
                if 2.0 * (2 * side) ** 3 / speed > SLOW_S:  # the next one
                    break
        for size in SETS:
            whole = torch.ones(size // 4, device=place)
            source, target = whole.chunk(2)
            copied = rate(size, lambda s=source, t=target: t.copy_(s))  # type: ignore[misc]
            read = rate(size, lambda w=whole: w.sum())  # type: ignore[misc]
            moved[str(size)] = max(copied, read)
    # What is slower than fp32 is computed without this processor's instructions: its peak is not known so.
    known = {name: speed for name, speed in operations.items() if speed >= operations["fp32"]}
    return HardwarePeaks(known, moved)


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(plugin.load("hardware", json.loads(sys.argv[1]), "hardware")))))
