"""Datasets of images that a test draws, reads and prepares."""

import numpy as np
import pytest
from PIL import Image

from breakeven.core import plugin
from breakeven.core.errors import UserError
from breakeven.pipeline import prepare_dataset


def dataset(name, **settings):
    """Return the dataset plugin of that name."""
    return plugin.load("datasets", {"name": name, "title": name, **settings}, "datasets.own")


def make(data, roots, folder):
    """Fetch and prepare a dataset."""
    return prepare_dataset.prepare("own", data, roots, data.digests(roots), folder)


def refusal(function, *arguments):
    """Return the one line with which a call is refused."""
    with pytest.raises(UserError) as caught:
        function(*arguments)
    (line,) = str(caught.value).splitlines()
    return line


def draw(folder, *, classes=("cat", "dog"), parts=("train", "test"), count=12, side=6):
    """Write noise as PNG files: folder/PART/CLASS/NN.png."""
    rng = np.random.default_rng(0)
    for part in parts:
        for label in classes:
            (folder / part / label).mkdir(parents=True)
            for number in range(count):
                pixels = rng.integers(0, 256, (side, side + 2, 3), np.uint8)
                Image.fromarray(pixels).save(folder / part / label / f"{number:02}.png")
    return folder
