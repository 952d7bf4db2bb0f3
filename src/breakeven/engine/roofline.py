"""The roofline of a hardware (Williams et al., 2009): a short probe of its peak speed and bandwidth."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from breakeven.core import plugin
from breakeven.core.errors import Unsupported

MATRIX_SIDES = (512, 1024, 2048)  # the fastest size differs between processors
WORKING_SETS = tuple(2**power for power in range(18, 29))  # bytes; caches move small ones faster
TRIAL_SECONDS = 0.08
SLOW_S = 0.5  # skip larger products once the next one would take longer than this
BYTES_PER_NUMBER = {"fp32": 4, "bf16": 2, "int8": 1}
TIMEOUT_S = 120


@dataclass(frozen=True)
class HardwarePeaks:
    """The peak speed and bandwidth of one hardware."""

    operations: dict[str, float]  # precision -> operations a second
    bytes: dict[str, float]  # working set in bytes -> bytes a second

    def rate(self, size: float) -> float:
        """Return the bandwidth for a working set of `size` bytes, bytes a second.

        Uses the next smaller set that was probed, because its bandwidth is at least as high.
        """
        sets = sorted(map(int, self.bytes), reverse=True)
        return self.bytes[str(next((set_size for set_size in sets if set_size <= size), sets[-1]))]

    def roofline_ms(
        self, precision: str, macs: int, weights: int, activations: int, batch: int
    ) -> float | None:
        """Return the least time for a batch, milliseconds; None if the precision has no known peak.

        It is the larger of two times: to compute at the peak speed, and to move all data at the peak
        bandwidth. The formula assumes that each weight is read once, each activation is written and read
        once, and all other operations are fused into the layers.

        Args:
            precision: the precision of all weights, activations and operations.
            macs: multiplications with addition for one image, two operations each.
            weights: the number of weights.
            activations: the numbers that layers read and write for one image.
            batch: the number of images.
        """
        if precision not in self.operations:
            return None
        moved = BYTES_PER_NUMBER[precision] * (weights + activations * batch)
        return 1000 * max(2 * macs * batch / self.operations[precision], moved / self.rate(moved))


def probe(hardware: Mapping[str, Any]) -> HardwarePeaks:
    """Return the peaks of a hardware: the best of several short trials with torch, in a separate process.

    Leaves out a precision if torch cannot compute it on this hardware, or computes it slower than fp32.

    Raises:
        Unsupported: the probe fails or does not answer, for example because this machine lacks the hardware.
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
        error_lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Unsupported(f"the probe of its peaks failed: {error_lines[-1][:300]}")
    return HardwarePeaks(**json.loads(done.stdout.splitlines()[-1]))


def _measure(hardware: Any) -> HardwarePeaks:
    import torch

    from breakeven.plugins.runtimes._torch_private import int8_product

    hardware.pin()
    torch.set_num_threads(hardware.threads)
    device = hardware.device

    def rate(amount: float, run: Callable[[], Any]) -> float:
        """Return `amount` over the shortest time of the calls that fit into `TRIAL_SECONDS`."""
        run()
        best, clock = float("inf"), hardware.clock_ns
        end = clock() + TRIAL_SECONDS * 1e9
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
            for side in MATRIX_SIDES:
                # Transposed below, because a layer's weights are.
                left, right = (torch.ones(side, side, device=device).to(dtype) for _ in range(2))
                try:
                    speed = rate(2.0 * side**3, lambda p=product, a=left, b=right: p(a, b.T))  # type: ignore[misc]
                except (RuntimeError, NotImplementedError):
                    continue
                operations[precision] = max(operations.get(precision, 0.0), speed)
                if 2.0 * (2 * side) ** 3 / speed > SLOW_S:  # the next side
                    break
        for size in WORKING_SETS:
            whole = torch.ones(size // 4, device=device)
            source, target = whole.chunk(2)
            copied = rate(size, lambda s=source, t=target: t.copy_(s))  # type: ignore[misc]
            read = rate(size, lambda w=whole: w.sum())  # type: ignore[misc]
            moved[str(size)] = max(copied, read)
    # A precision slower than fp32 runs without the processor's own instructions for it: its peak is unknown.
    peak_operations = {name: speed for name, speed in operations.items() if speed >= operations["fp32"]}
    return HardwarePeaks(peak_operations, moved)


if __name__ == "__main__":
    print(json.dumps(asdict(_measure(plugin.load("hardware", json.loads(sys.argv[1]), "hardware")))))
