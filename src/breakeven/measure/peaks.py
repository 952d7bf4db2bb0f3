"""The most that a hardware computes and moves, by a small probe: the roofline (Williams et al., 2009)."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from breakeven import option
from breakeven.errors import Unsupported

SIDES = (512, 1024, 2048)  # of the matrices: which is fastest differs between processors
NUMBERS = 2**25  # in the array that is copied: more than caches hold
SECONDS = 0.15  # of each trial
BYTES = {"fp32": 4, "bf16": 2, "int8": 1}  # of a number


def probe(hardware: Mapping[str, Any]) -> dict[str, float]:
    """Operations a second by precision ("fp32", "bf16", "int8"), and "bytes" of memory a second.

    Each is the best of several short trials, by torch, in a process of its own. What torch cannot compute on
    this hardware is left out.

    Raises:
        Unsupported: the hardware cannot be used here.
    """
    environment = {**os.environ, **option.load("hardware", hardware, "hardware").environment()}
    command = [sys.executable, "-m", "breakeven.measure.peaks", json.dumps(dict(hardware))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unsupported(f"the probe of its peaks failed: {done.stderr.strip().splitlines()[-1][:300]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def roofline_ms(
    peaks: Mapping[str, float], precision: str, macs: int, weights: int, activations: int, batch: int
) -> float | None:
    """The least time for a batch, if all is computed at the peak, or all is moved at the peak; milliseconds.

    Weights are read once, activations written and read once; everything else is taken to be fused away.

    Args:
        precision: in which all is computed and held.
        activations: numbers that layers read and write, for one image.
    """
    if precision not in peaks:
        return None
    compute_s = 2 * macs * batch / peaks[precision]
    memory_s = BYTES[precision] * (weights + activations * batch) / peaks["bytes"]
    return 1000 * max(compute_s, memory_s)


def _measure(hardware: Any) -> dict[str, float]:
    import torch

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

    found: dict[str, float] = {}
    types = {"fp32": torch.float32, "bf16": torch.bfloat16, "int8": torch.int8}
    with torch.inference_mode():
        for precision, dtype in types.items():
            product = torch._int_mm if dtype == torch.int8 else torch.mm
            for side in SIDES:
                # The second one by columns, as a layer's weights are.
                one, other = (torch.ones(side, side, device=place).to(dtype) for _ in range(2))
                try:
                    speed = rate(2.0 * side**3, lambda p=product, a=one, b=other: p(a, b.T))  # type: ignore[misc]
                except (RuntimeError, NotImplementedError):
                    continue
                found[precision] = max(found.get(precision, 0.0), speed)
        source = torch.ones(NUMBERS, device=place)
        target = torch.empty_like(source)
        found["bytes"] = rate(2.0 * 4 * NUMBERS, lambda: target.copy_(source))
    return found


if __name__ == "__main__":
    print(json.dumps(_measure(option.load("hardware", json.loads(sys.argv[1]), "hardware"))))
