"""An image that is in two splits is told: in prepare, in the report's warnings, and in the rows."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from image_datasets import dataset, draw, make

from breakeven.artifacts import dataset as dataset_files
from breakeven.artifacts.dataset import DatasetManifest, Images
from breakeven.pipeline.shared_images import shared_images
from breakeven.plugins.datasets.base import RawDataset


def prepared(folder: Path, **settings: object) -> DatasetManifest:
    data = dataset("image_folder", path=folder.name, **settings)
    return make(data, [folder.parent], folder.parent / "prepared")


def test_a_test_set_that_is_the_training_set_is_told_by_number_and_name(tmp_path: Path) -> None:
    pets = draw(tmp_path / "pets", parts=["train"], count=20)
    shutil.copytree(pets / "train", pets / "test")
    (warning,) = prepared(pets).warnings
    assert warning["name"] == "same images"
    assert "40 of 40 test images are in train" in warning["text"]
    assert "(the first is test/cat/00.png)" in warning["text"]
    assert dataset_files.manifest(tmp_path / "prepared").warnings == [warning]


def test_a_copy_under_another_name_and_in_another_format_is_the_same_image(tmp_path: Path) -> None:
    from PIL import Image

    pets = draw(tmp_path / "pets", count=20)
    with Image.open(pets / "train/dog/07.png") as image:
        image.save(pets / "test/cat/other.bmp")
    warning, other = prepared(pets).warnings
    assert other["name"] == "several classes"
    assert "1 of 41 test images are in " in warning["text"] and "test/cat/other.bmp" in warning["text"]


def test_images_that_are_twice_in_the_only_folder_are_told_when_they_are_split(tmp_path: Path) -> None:
    pets = draw(tmp_path / "pets", parts=["train"], count=20)
    for label in ("cat", "dog"):
        for path in [*(pets / "train" / label).iterdir()]:
            shutil.copy(path, path.with_name(f"copy-of-{path.name}"))
    warnings = prepared(pets).warnings
    assert " test images are in train" in warnings[0]["text"] and "train/" in warnings[0]["text"]


def test_an_own_validation_split_that_is_the_test_set_is_told(tmp_path: Path) -> None:
    pets = draw(tmp_path / "pets", count=20)
    shutil.copytree(pets / "test", pets / "val")
    (warning,) = prepared(pets).warnings
    assert "40 of 40 test images are in val, too" in warning["text"]


def test_an_image_in_two_classes_is_told(tmp_path: Path) -> None:
    pets = draw(tmp_path / "pets", count=20)
    shutil.copy(pets / "train/dog/07.png", pets / "train/cat/also.png")
    warnings = {warning["name"]: warning["text"] for warning in prepared(pets, validation=0.5).warnings}
    assert warnings["several classes"].startswith("1 image in several classes (the first is train/")


def test_splits_that_share_nothing_give_no_warning(tmp_path: Path) -> None:
    assert prepared(draw(tmp_path / "pets", parts=["train", "val", "test"])).warnings == []


@pytest.mark.parametrize("shape", [(4, 1, 2, 2), (4, 6)])
def test_datasets_without_files_are_told_by_number(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, *shape))
    train, val, test = (Images(images, np.zeros(4, np.int64)) for images in pixels)
    test.images[2] = val.images[0]
    (warning,) = shared_images(RawDataset(train, test, ["a"]), {"train": train, "val": val, "test": test})
    assert "1 of 4 test images are in val, too (the first is number 2)" in warning["text"]


@pytest.mark.parametrize("quality", [60, 90])
def test_a_copy_that_was_saved_again_in_another_quality_is_told(quality: int, tmp_path: Path) -> None:
    from PIL import Image

    pets = draw(tmp_path / "pets", count=20, side=32)
    _draw_scene(7).save(pets / "train/dog/scene.png")
    _draw_scene(7).save(pets / "test/dog/again.jpg", quality=quality)
    _draw_scene(8).save(pets / "test/dog/other.jpg", quality=quality)
    Image.new("RGB", (34, 32), (90, 90, 90)).save(pets / "train/dog/flat.png")
    Image.new("RGB", (34, 32), (91, 90, 90)).save(pets / "test/dog/flat.png")
    (warning,) = prepared(pets).warnings
    assert warning["name"] == "nearly the same images"
    assert (
        "1 of 43 test images are nearly equal" in warning["text"] and "test/dog/again.jpg" in warning["text"]
    )


def _draw_scene(seed: int):  # type: ignore[no-untyped-def]
    """A smooth picture, as photographs are: noise does not survive JPEG."""
    from PIL import Image

    coarse = np.random.default_rng(seed).integers(0, 256, (4, 4, 3), np.uint8)
    return Image.fromarray(coarse).resize((34, 32), Image.Resampling.BICUBIC)
