"""A simple loop around ONNX Runtime, without Breakeven, which prints the median call in milliseconds."""

import sys
import time
from statistics import median

import numpy as np
import onnxruntime


def main(path: str, seconds: float) -> None:
    """Run the ONNX model in `path` on one thread for a time, and print the median call, milliseconds."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    (model_input,) = session.get_inputs()
    images = {model_input.name: np.random.default_rng(0).random([1, *model_input.shape[1:]], np.float32)}
    for _ in range(50):
        session.run(None, images)
    times = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        started = time.perf_counter()
        session.run(None, images)
        times.append(time.perf_counter() - started)
    print(1000 * median(times))


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
