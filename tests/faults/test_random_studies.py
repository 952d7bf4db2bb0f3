"""Studies with random settings run to their end, on 64 images; those that cannot are refused before."""

import csv
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from project import Project, copy_project
from recovery import Trial
from shipped_options import options

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1200)]
STUDIES, SEED, IMAGES = 40, 7, 64
STUDY = """\
# @package _global_
defaults:
  - /data@datasets.few: image_folder
  - /family@families.net: {family}
  - override /runtime: {runtimes}
  - override /quantization: {quantizations}
  - override /compression: {compressions}
  - override /hardware: [{hardware}]
study: drawn
datasets: {{few: {{title: few, path: few, size: {size}}}}}
families: {{net: {{data: few, train: {{epochs: 1, batch_size: 16}}}}}}
export: {{min_agreement: 0.1, calibration_images: 8, builds: 1}}
measure: {{seconds: 0, seconds_per_variant: 0, min_replicates: 2, rounds: 3, block_ms: 2, settle_ms: 2}}
"""
# Key -> values that are allowed for themselves, and may not go together
TRAINING = {
    "lr": [0.001, 0.05],
    "weight_decay": [0, 0.01],
    "label_smoothing": [0, 0.2],
    "flip": ["true", "false"],
    "crop": [0, 2],
    "cutout": [0, 4],
    "clip_norm": [0, 1],
    "ema": [0, 0.9],
    "patience": [0, 2],
    "precision": ["auto", "fp32", "bf16"],
}
OTHERS = {
    "seed": [0, 123456789],
    "export.preprocessing": ["inside", "outside"],
    "measure.batch_sizes": ["[1]", "[1,4]"],
    "measure.margin": [0.01, 0.2],
    "measure.server.threads": ["[]", "[1,2]"],
    "recommend.max_size_mb": ["null", 1],
}
UNTIMED = {"unsupported", "wrong"}  # verdicts of a row that is no fault of ours


def draw_study(draw: random.Random) -> tuple[str, list[str]]:
    """Return a study's file, and overrides to compose it with."""

    def some(group: str, most: int) -> str:
        return f"[{', '.join(draw.sample(sorted(options(group)), draw.randint(0, most)))}]"

    runtimes = [name for name in sorted(options("runtime")) if name != "eager"]
    text = STUDY.format(
        family=draw.choice(["cnn", "resnet18"]),
        runtimes=f"[eager, {', '.join(draw.sample(runtimes, draw.randint(1, 2)))}]",
        quantizations=some("quantization", 2),
        compressions=some("compression", 2),
        hardware=draw.choice(["cpu1", "cpu2"]),
        size=draw.choice([16, 32]),
    )
    settings = {f"families.net.train.{key}": values for key, values in TRAINING.items()} | OTHERS
    chosen = draw.sample(sorted(settings), 5)
    return text, [f"{key}={draw.choice(settings[key])}" for key in chosen]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with an image folder of 64 images of two classes."""
    project = copy_project(tmp_path / "project")
    generator = np.random.default_rng(0)
    for number in range(IMAGES):
        split, label = ("train", "test")[number % 4 == 3], number // 4 % 2
        folder = project.folder / f"data/raw/few/{split}/{'dark' if label else 'light'}"
        folder.mkdir(parents=True, exist_ok=True)
        pixels = generator.integers(0, 128, (32, 32, 3), np.uint8) + np.uint8(0 if label else 120)
        Image.fromarray(pixels).save(folder / f"{number}.png")
    return project


@pytest.mark.parametrize("number", range(STUDIES))
def test_a_random_study_runs_to_its_end(project: Project, number: int) -> None:
    draw = random.Random(SEED * 1000 + number)
    trial = Trial(project, f"study-{number}")
    while True:
        text, overrides = draw_study(draw)
        (project.folder / "conf/study/drawn.yaml").write_text(text)
        code, printed = trial.run("breakeven", "compose", "study=drawn", *overrides)
        if not code:
            break
        assert all(line.startswith("breakeven: ") for line in printed.splitlines()[:1]), printed
    code, printed = trial.run("dvc", "repro")
    assert code == 0, f"{text}\n{overrides}\n{printed[-4000:]}"
    with (project.folder / "results/summary.csv").open(encoding="utf-8") as file:
        rows = [*csv.DictReader(file)]
    untimed = {
        row["variant"]: f"{row['verdict']}: {row['reason']}" for row in rows if not row["latency_ms_p50"]
    }
    assert {text.partition(":")[0] for text in untimed.values()} <= UNTIMED, f"{overrides}\n{untimed}"
    assert len(rows) - len(untimed) >= 2, "eager and its twin at least"
    trial.require_no_orphan()
    trial.require_clean()
