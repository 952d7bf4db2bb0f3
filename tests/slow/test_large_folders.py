"""Folders of images that are large: more bytes than the memory would hold, and many files."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

pytestmark = [pytest.mark.slow, pytest.mark.timeout(2400)]

CLASSES = 10
LARGE, LARGE_SIDE = 54_000, 224  # 8.1 GB of pixels
MANY, MANY_SIDE = 100_000, 32
MOST_GB = 2.0  # of anonymous resident memory, in any process
MOST_S = 180  # to note and prepare many images, on two cores
DISK_GB = 30  # pixels as they are read, as they are split, and in DVC's cache

MODEL = """\
from torch import nn


class Patches(nn.Module):
    def __init__(self, in_channels, num_classes):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d(in_channels, 16, 16, stride=16), nn.ReLU(),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, num_classes))

    def forward(self, x):
        return self.net(x)
"""


def draw(folder: Path, side: int, kind: str, number: int) -> None:
    random = np.random.default_rng(number)
    few = random.integers(0, 256, (4 + side // 32, 4 + side // 32, 3), dtype=np.uint8)
    image = Image.fromarray(few).resize((side, side), Image.Resampling.BILINEAR)
    image.save(folder / f"train/c{number % CLASSES}/{number:06}.{kind}")


def draw_all(folder: Path, count: int, side: int, kind: str) -> None:
    for number in range(CLASSES):
        (folder / f"train/c{number}").mkdir(parents=True)
    with ProcessPoolExecutor() as pool:
        list(pool.map(partial(draw, folder, side, kind), range(count), chunksize=500))


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    if shutil.disk_usage(tmp_path).free < DISK_GB * 1e9:
        pytest.skip(f"the disk has less than {DISK_GB} GB free")
    typed(tmp_path, "breakeven", "init")
    (tmp_path / "my_model.py").write_text(MODEL)
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)  # tens of gigabytes


def typed(folder: Path, *command: str) -> dict[str, float]:
    """Type a command, and return the largest anonymous memory of each of its processes, in GB."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    own = {name: value for name, value in os.environ.items() if not name.startswith("DVC_")}
    peaks: dict[str, float] = {}
    with subprocess.Popen(
        command,
        cwd=folder,
        env={**own, "PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        watched = psutil.Process(process.pid)
        while process.poll() is None:
            for each in [watched, *children(watched)]:
                name = " ".join(words(each)[-3:])
                peaks[name] = max(peaks.get(name, 0.0), anonymous_gb(each.pid))
            time.sleep(0.2)
        assert process.stdout is not None
        assert process.returncode == 0, process.stdout.read()
    return peaks


def children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def anonymous_gb(number: int) -> float:
    try:
        lines = Path(f"/proc/{number}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1e6 for line in lines if line.startswith("RssAnon")), 0.0)


def test_more_pixels_than_the_memory_would_hold(project: Path) -> None:
    draw_all(project / "photos", LARGE, LARGE_SIDE, "jpg")
    peaks = typed(
        project,
        "breakeven",
        "new",
        "large",
        "--model",
        "my_model:Patches",
        "--data",
        "photos",
        "--epochs",
        "1",
    )
    small = ["runtime=[eager,onnxruntime]", "quantization=[onnxruntime_static]", "compression=[]"]
    typed(project, "breakeven", "compose", "study=large", *small, "export.calibration_images=64")
    for stage in ("train@large", "export@large", "quantize@large"):
        peaks |= {f"{stage}: {name}": peak for name, peak in typed(project, "dvc", "repro", stage).items()}
    print({name: f"{peak:.2f}" for name, peak in peaks.items()})
    assert max(peaks.values()) < MOST_GB, max(peaks, key=lambda name: peaks[name])


def test_many_images_are_prepared_in_minutes(project: Path) -> None:
    draw_all(project / "photos", MANY, MANY_SIDE, "png")
    typed(project, "breakeven", "new", "many", "--model", "my_model:Patches", "--data", "photos")
    typed(project, "breakeven", "compose", "study=many")
    began = time.monotonic()
    typed(project, "dvc", "repro", "prepare@many")
    seconds = time.monotonic() - began
    print(f"{seconds:.0f} s")
    assert seconds <= MOST_S  # with several times what it takes on an idle machine
