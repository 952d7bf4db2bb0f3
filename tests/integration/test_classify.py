"""The C++ program that classifies an image file, on a real image and a trained model."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from artifact_drafts import TOLERANCE, draft
from PIL import Image
from project import Project

from breakeven.artifacts import dataset
from breakeven.artifacts.dataset import Images
from breakeven.core import plugin
from breakeven.core.errors import Unsupported
from breakeven.pipeline import build
from breakeven.pipeline.build import ArtifactBuilder
from breakeven.pipeline.eager_reference import Reference
from breakeven.plugins.runtimes.libtorch import program

pytestmark = pytest.mark.timeout(300)
NAMES = [f"digit {number}" for number in range(10)]
SETTINGS = {"name": "libtorch", "of": {"name": "torchscript", "method": "trace"}}


@pytest.fixture(scope="module")
def digits(reproduced: tuple[Project, str]) -> Images:
    return dataset.load_split(reproduced[0].folder / "data/prepared/digits", "test")


@pytest.fixture(scope="module")
def maker(digits: Images) -> Iterator[ArtifactBuilder]:
    with build.open_builder(digits, TOLERANCE, 120) as made:
        yield made


def classify(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(program().with_name("classify")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("preprocessing", ["outside", "inside"])
@pytest.mark.slow
def test_it_gives_eagers_class_for_an_image_file(
    reproduced: tuple[Project, str],
    digits: Images,
    maker: ArtifactBuilder,
    preprocessing: str,
    tmp_path: Path,
) -> None:
    reference = Reference(reproduced[0].folder / "models/cnn/none", digits, preprocessing)
    runtime = plugin.load("runtimes", SETTINGS, "libtorch")
    made = maker.make(tmp_path, draft(reference, "libtorch_torchscript"), runtime.export, reference)
    assert (made.status, made.reason) == ("ok", "")
    (tmp_path / "names.txt").write_text("\n".join(NAMES))
    for number in range(5):
        Image.fromarray(digits.images[number, 0]).save(tmp_path / "image.png")
        done = classify(tmp_path / made.folder, tmp_path / "image.png", tmp_path / "names.txt")
        assert done.returncode == 0, done.stderr
        lines = done.stdout.splitlines()
        assert lines[0].endswith(NAMES[int(reference.logits[number].argmax())])
        assert len(lines) == 5
    done = classify(tmp_path / made.folder, tmp_path / "image.png", tmp_path / "nowhere.txt")
    assert done.returncode != 0 and "nowhere.txt: there is no such file" in done.stderr


def test_a_wrong_file_gives_one_sentence(tmp_path: Path) -> None:
    for arguments in ((), (tmp_path,), (tmp_path, tmp_path / "image.png")):
        done = classify(*arguments)
        assert done.returncode != 0 and len(done.stderr.strip().splitlines()) == 1
        assert done.stderr.startswith("classify")


def test_without_cmake_the_row_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    monkeypatch.setattr("breakeven.core.paths.private", lambda: tmp_path)
    program.cache_clear()
    with pytest.raises(Unsupported, match="there is no cmake: install it"):
        program()
    program.cache_clear()
