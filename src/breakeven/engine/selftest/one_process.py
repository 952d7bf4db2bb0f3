"""A process that times copies of an artifact in paired rounds, and prints the mean calls as JSON."""

import json
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from breakeven.engine.target import worker_spec
from breakeven.engine.worker_main import Worker


def main(folder: str, images: str, threads: int, copies: int, rounds: int) -> None:
    """Load `copies` copies of an artifact, and time them in `rounds` rounds of blocks of 20 ms.

    Print the mean call of each block, milliseconds, shape (copies, rounds).
    """
    workers = []
    for _ in range(copies):
        worker = Worker()
        with TemporaryDirectory() as cache:
            worker.start({"name": "cpu", "threads": threads}, worker_spec(Path(folder)), cache)
            worker.load(images, batch_size=1, compare=False)
        workers.append(worker)
    warm = [sorted(worker.warm_up(least=5, most=200, limit_ms=50.0)["calls_ms"]) for worker in workers]
    counts = [max(1, round(20 / times[len(times) // 2])) for times in warm]
    means: list[list[float]] = [[] for _ in workers]
    draw = random.Random(0)
    for _ in range(rounds):
        for index in draw.sample(range(copies), copies):
            calls = counts[index]
            block = workers[index].block(calls, settle=max(1, calls // 8), callers=1)
            means[index].append(block["wall_ms"] / calls)
    print(json.dumps(means))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
