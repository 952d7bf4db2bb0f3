"""Datasets are read as they are, split the same way every time, and refused by name when damaged."""

import shutil

import numpy as np
import pytest
import torch
from image_datasets import dataset, draw, make, refusal

from breakeven.artifacts import dataset as dataset_files
from breakeven.artifacts.dataset import Images
from breakeven.core.errors import UserError
from breakeven.core.files import write_json
from breakeven.pipeline import prepare_dataset
from breakeven.pipeline.training.batches import Batches


@pytest.fixture
def pets(tmp_path):
    return draw(tmp_path / "pets")


@pytest.fixture(scope="module")
def digits(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prepared") / "digits"
    return make(dataset("digits"), [], folder), folder


def test_digits_has_1797_images_of_8x8_pixels_in_ten_classes(digits):
    found = digits[0]
    assert sum(sum(counts.values()) for counts in found.counts.values()) == 1797
    assert (*found.inputs.values(), len(found.classes)) == (1, 8, 8, 10)


def test_larger_digits_are_the_same_images_with_each_pixel_repeated():
    small, large = dataset("digits").read([]).train.images, dataset("digits", size=32)
    images = large.read([]).train.images
    assert images.shape == (1797, 1, 32, 32) and large.facts()["height"] == large.facts()["width"] == 32
    for row, column in ((0, 0), (3, 1)):
        assert np.array_equal(images[:, :, row::4, column::4], small)
    with pytest.raises(UserError, match=r"size=12: .*multiple of 8"):
        dataset("digits", size=12)


def test_each_class_has_its_share_in_each_split(digits):
    for part, share in (("test", 0.2), ("val", 0.8 * 0.1), ("train", 0.8 * 0.9)):
        for label, count in digits[0].counts[part].items():
            total = sum(counts[label] for counts in digits[0].counts.values())
            assert count == pytest.approx(share * total, abs=1.5), (part, label)


def test_no_image_is_in_two_splits_or_lost(digits):
    parts = [dataset_files.load_split(digits[1], part) for part in dataset_files.SPLITS]
    found = sorted((i.tobytes(), int(label)) for part in parts for i, label in zip(*part, strict=True))
    source = dataset("digits").read([]).train
    assert found == sorted((i.tobytes(), int(label)) for i, label in zip(*source, strict=True))


@pytest.mark.parametrize(("seed", "same"), [(0, True), (1, False)])
def test_the_split_follows_from_its_seed_alone(digits, tmp_path, seed, same):
    again = make(dataset("digits", split_seed=seed), [], tmp_path / "again")
    assert (again.sha256 == digits[0].sha256) is same


def test_channel_statistics_are_numpy_s_mean_and_std():
    images = np.random.default_rng(0).integers(0, 200, (50, 3, 7, 5), np.uint8)
    mean, std = prepare_dataset.statistics(images)
    assert mean == pytest.approx((images / 255).mean((0, 2, 3)))
    assert std == pytest.approx((images / 255).std((0, 2, 3)))


def test_statistics_are_those_of_train_alone(digits):
    train = dataset_files.load_split(digits[1], "train").images / 255
    assert (digits[0].mean, digits[0].std) == (pytest.approx([train.mean()]), pytest.approx([train.std()]))


def test_weights_that_were_trained_with_other_statistics_get_theirs(tmp_path):
    found = make(dataset("digits", mean=[0.5], std=[0.25]), [], tmp_path / "digits")
    assert (found.mean, found.std) == ([0.5], [0.25])


@pytest.mark.parametrize("own", [{"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2, 0.2]}, {"mean": [0.5]}])
def test_statistics_of_the_wrong_number_of_channels_are_refused(tmp_path, own):
    assert "should have 1 values, one a channel" in refusal(
        make, dataset("digits", **own), [], tmp_path / "digits"
    )


def test_prepared_images_become_batches_of_tensors(digits):
    images, labels = next(iter(Batches(dataset_files.load_split(digits[1], "val"), 4)))
    assert (images.dtype, labels.dtype, images.shape) == (torch.uint8, torch.int64, (4, 1, 8, 8))


@pytest.mark.parametrize("part", dataset_files.SPLITS)
def test_a_changed_tensor_file_is_refused_by_name(digits, tmp_path, part):
    folder = shutil.copytree(digits[1], tmp_path / "digits")
    with (folder / f"{part}.labels.npy").open("r+b") as file:
        file.seek(-1, 2)
        file.write(b"\x7f")
    assert f"{part}.labels.npy was changed" in refusal(dataset_files.load_split, folder, part)


@pytest.mark.parametrize("part", dataset_files.SPLITS)
def test_the_digest_of_a_dataset_changes_with_each_of_its_splits(digits, tmp_path, part):
    folder = shutil.copytree(digits[1], tmp_path / "digits")
    values = vars(dataset_files.manifest(folder))
    values["sha256"] = values["sha256"] | {f"{part}.images.npy": "0" * 64}
    write_json(folder / "manifest.json", values)
    assert dataset_files.manifest(folder).digest != digits[0].digest


def test_a_prepare_that_fails_leaves_the_earlier_folder_as_it_was(pets, tmp_path):
    data, folder = dataset("image_folder", path="pets"), tmp_path / "prepared"
    before = make(data, [tmp_path], folder)
    (pets / "train/cat/03.png").write_bytes(b"no image")
    refusal(make, data, [tmp_path], folder)
    assert vars(dataset_files.manifest(folder)) == vars(before)
    assert len(dataset_files.load_split(folder, "train").labels) == sum(before.counts["train"].values())


def test_a_source_that_changes_between_fetch_and_prepare_is_refused_by_name(pets, tmp_path):
    data = dataset("image_folder", path="pets")
    fetched = data.digests([tmp_path])
    shutil.copy(pets / "train/dog/00.png", pets / "train/cat/03.png")
    line = refusal(prepare_dataset.prepare, "own", data, [tmp_path], fetched, tmp_path / "prepared")
    assert "train/cat/03.png changed" in line and "dvc repro" in line


def test_a_class_that_is_too_small_to_split_is_refused_with_the_cause():
    images = Images(np.zeros((11, 1, 2, 2), np.uint8), np.array([0] * 10 + [1]))
    line = refusal(prepare_dataset.split, images, 0.2, 0, ["cat", "dog"])
    assert "11 images of 2 classes cannot be split" in line and "'dog', has 1" in line


@pytest.mark.parametrize("name", ["fashion_mnist", "cifar10"])
def test_a_dataset_that_is_nowhere_offline_says_what_where_and_both_remedies(name, tmp_path, monkeypatch):
    def offline(self, root):
        raise OSError("Network is unreachable")

    data, roots = dataset(name), [tmp_path / "raw", tmp_path / "mine"]
    monkeypatch.setattr(type(data), "download", offline)
    line = refusal(data.digests, roots)
    assert all(name in line for name in data.known) and all(str(root) in line for root in roots)
    assert "Network is unreachable" in line and "Put the files there" in line and "BREAKEVEN_DATA" in line


def test_a_dataset_is_found_in_the_second_folder_when_the_first_has_only_a_part_of_it(tmp_path):
    data, roots = dataset("cifar10"), [tmp_path / "raw", tmp_path / "mine"]
    for root, names in zip(roots, (list(data.known)[:1], data.known), strict=True):
        for name in names:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).touch()
    assert data.root(roots) == roots[1]


def test_a_flipped_bit_in_fashion_mnist_is_refused_by_name(shared_data, tmp_path):
    data, root = dataset("fashion_mnist"), tmp_path / "raw"
    for name in data.known:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(shared_data / name, root / name)
    labels = root / "FashionMNIST/raw/t10k-labels-idx1-ubyte"
    content = bytearray(labels.read_bytes())
    content[5000] ^= 1
    labels.write_bytes(content)
    assert f"{labels} is damaged" in refusal(data.digests, [root])


def test_fashion_mnist_is_read_whole_and_split_within_train_alone(shared_data, tmp_path):
    found = make(dataset("fashion_mnist"), [shared_data], tmp_path / "prepared")
    assert {part: sum(c.values()) for part, c in found.counts.items()} == {
        "train": 54_000,
        "val": 6_000,
        "test": 10_000,
    }
    # The figures that most recipes for Fashion-MNIST normalize by.
    assert (found.mean, found.std) == (pytest.approx([0.286], abs=2e-3), pytest.approx([0.353], abs=2e-3))
