"""Datasets of the user's own Python: samples in any usual form, kept as they are."""

import sys
from pathlib import Path

import numpy as np
import pytest

from breakeven.artifacts.dataset import Images, load_split, manifest
from breakeven.artifacts.model_manifest import FieldsInput
from breakeven.artifacts.records import join
from breakeven.core import plugin
from breakeven.core.errors import UserError
from breakeven.pipeline.prepare_dataset import prepare
from breakeven.plugins.datasets._samples import token_count

OWN = """
import numpy as np
import torch
from PIL import Image

def pairs():
    return [(np.full((1, 4, 4), n / 40), n % 2) for n in range(40)]

def pictures():
    return [(Image.new("RGB", (5, 4), (n, 0, 0)), n % 2) for n in range(40)]

def mappings():
    mask = torch.ones(6, dtype=torch.bool)
    return [{"words": torch.arange(6), "mask": mask, "labels": n % 2} for n in range(40)]

class Sequence(torch.utils.data.Dataset):
    def __len__(self):
        return 40
    def __getitem__(self, n):
        return (np.arange(3, dtype=np.float64) + n, [1, 2]), float(n)

def uneven():
    return [(np.zeros(3 + n % 2), 0) for n in range(40)]

def failing():
    return [1 / 0]

def empty():
    return []

nothing = 3
"""


@pytest.fixture(autouse=True)
def own_module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_data.py").write_text(OWN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_data", raising=False)


def prepared(tmp_path: Path, name: str, **settings: object) -> Path:
    given = {"name": "python", "title": "mine", "train": f"own_data:{name}", **settings}
    dataset = plugin.load("datasets", given, "datasets.mine")
    prepare("mine", dataset, [tmp_path], dataset.digests([tmp_path]), tmp_path / "out")
    return tmp_path / "out"


def test_floats_stay_as_they_are(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "pairs")
    train, facts = load_split(folder, "train"), manifest(folder)
    assert train.images.dtype == np.float32 and train.images.shape[1:] == (1, 4, 4)
    assert facts.mean == [] and facts.classes == ["0", "1"]


def test_pictures_are_pixels_that_are_normalized(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "pictures")
    assert load_split(folder, "test").images.dtype == np.uint8
    assert manifest(folder).inputs == {"channels": 3, "height": 4, "width": 5} and manifest(folder).mean


def test_mappings_are_records_with_a_field_for_each_input(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "mappings", vocabulary=6)
    train, shape = load_split(folder, "train").images, manifest(folder).shape
    assert isinstance(shape, FieldsInput) and shape.vocabulary == 6
    assert shape.fields == {"words": ["int64", 6], "mask": ["bool", 6]}
    assert train["words"][0].tolist() == [*range(6)] and train["mask"].all()
    assert [tuple(tensor.shape) for tensor in shape.example(2)] == [(2, 6), (2, 6)]


def test_a_torch_dataset_of_tuples_and_numbers(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "Sequence")
    train = load_split(folder, "train")
    assert train.images.dtype.names == ("input0", "input1") and train.images["input0"].dtype == np.float32
    assert train.labels.dtype == np.float32 and not train.has_classes


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("uneven", r"train=own_data:uneven: samples differ in images \(.*\): pad or crop them to one shape"),
        ("failing", r"train=own_data:failing: it failed \(ZeroDivisionError: division by zero\)"),
        ("empty", "train=own_data:empty: gives no samples"),
        ("absent", r"datasets.train=own_data:absent: cannot be imported .*. Write MODULE:NAME"),
        ("nothing", "datasets.train=own_data:nothing: is of type int, which cannot be called"),
    ],
)
def test_what_cannot_be_kept_is_told(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        prepared(tmp_path, name)


def test_an_edit_in_a_file_that_it_reads_is_another_source(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("one")
    settings = {"name": "python", "title": "mine", "train": "own_data:pairs", "files": ["list.txt"]}
    dataset = plugin.load("datasets", settings, "datasets.mine")
    before = dataset.digests([tmp_path])
    (tmp_path / "list.txt").write_text("two")
    assert dataset.digests([tmp_path]) != before
    with pytest.raises(UserError, match=r"files: list\.txt is neither here nor in"):
        dataset.digests([tmp_path / "elsewhere"])


OTHERS = """
import numpy as np

def swapped():
    ids, mask = np.arange(3), np.ones(3, np.int64)
    return [({"ids": ids, "mask": mask} if n % 2 else {"mask": mask, "ids": ids}, n % 2) for n in range(40)]

def series():
    return [(np.zeros((2, 100), np.float32), float(n)) for n in range(40)]

def named():
    return [(np.zeros(3), "cat") for n in range(40)]

def texts():
    return [({"x": np.zeros(3), "word": "a"}, 0) for n in range(40)]

def odd_label():
    return [(np.zeros(3), n % 3 - 1) for n in range(60)]

class Builder:
    @staticmethod
    def make():
        return [(np.zeros(3), n % 2) for n in range(40)]
"""


@pytest.fixture
def others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other_data.py").write_text(OTHERS)
    (tmp_path / "broken_data.py").write_text("1 / 0\n")
    for name in ("other_data", "broken_data"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.mark.usefixtures("others")
def test_the_order_of_a_mapping_s_keys_does_not_matter(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "pairs", train="other_data:swapped")
    train = load_split(folder, "train").images
    assert train["mask"].all() and (train["ids"] == np.arange(3)).all()


@pytest.mark.usefixtures("others")
def test_samples_of_any_shape_are_kept(tmp_path: Path) -> None:
    folder = prepared(tmp_path, "pairs", train="other_data:series")
    assert manifest(folder).shape.sample == (2, 100)
    assert len(load_split(prepared(tmp_path, "pairs", train="other_data:Builder.make"), "train").labels)


@pytest.mark.usefixtures("others")
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"train": "other_data:named"}, "the target holds no numbers"),
        ({"train": "other_data:texts"}, "word holds no numbers"),
        ({"train": "other_data:odd_label"}, "labels are the number of no class, the first is -1"),
        ({"train": "broken_data:pairs"}, r"broken_data.py:1: ZeroDivisionError: division by zero"),
        ({"train": "other_data.series"}, "train"),
        ({"mean": [0.5], "std": [0.5]}, "taken as they are: leave both out"),
    ],
)
def test_what_would_be_wrong_later_is_told_at_once(tmp_path: Path, settings: dict, said: str) -> None:
    with pytest.raises(UserError, match=said):
        prepared(tmp_path, "pairs", **settings)


def test_the_largest_token_of_several_inputs_decides_the_vocabulary() -> None:
    words = np.array([[1, 7], [3, 0]])
    inputs = join({"words": words, "mask": words > 0, "picture": np.zeros((2, 3), np.float32)})
    assert token_count(Images(inputs, np.zeros(2, np.int64))) == 8
    assert token_count(Images(inputs[["mask", "picture"]], np.zeros(2, np.int64))) == 0
