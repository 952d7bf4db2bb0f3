"""Epochs are permutations that follow from seed and epoch; augmentations do what they say, image by image."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from breakeven.artifacts.dataset import Images
from breakeven.pipeline.training.batches import Batches, augment

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 3), st.integers(5, 9), st.integers(5, 9))
SEEDS = st.integers(0, 2**31)
OPTIONS = st.fixed_dictionaries(
    {"flip": st.booleans(), "crop": st.integers(0, 3), "cutout": st.integers(0, 6)}
)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def numbered(count):
    """Images that are told apart by their label."""
    labels = np.arange(count)
    return Images(labels.astype(np.uint8).repeat(4).reshape(count, 1, 2, 2), labels)


def epoch(batches, number=0):
    """The labels of one epoch, in order."""
    batches.epoch = number
    return [int(label) for _, labels in batches for label in labels]


def generator(seed):
    return torch.Generator().manual_seed(seed)


def noise(shape, seed=0):
    """Images without the level 128, by which a cutout is recognized."""
    return torch.randint(0, 128, shape, generator=generator(seed), dtype=torch.uint8)


@given(st.integers(1, 50), st.integers(1, 20), SEEDS, st.integers(0, 1000))
def test_a_shuffled_epoch_is_a_permutation(count, size, seed, number):
    batches = Batches(numbered(count), size, shuffle=True, seed=seed)
    assert sorted(epoch(batches, number)) == list(range(count))


def test_without_shuffle_the_order_is_that_of_the_data():
    assert epoch(Batches(numbered(20), 6)) == list(range(20))


def test_images_stay_with_their_labels():
    for images, labels in Batches(numbered(50), 8, shuffle=True):
        assert torch.equal(images[:, 0, 0, 0].long(), labels)


@given(SEEDS, st.integers(0, 1000))
def test_the_same_seed_and_epoch_give_the_same_order(seed, number):
    one, other = (Batches(numbered(30), 7, shuffle=True, seed=seed) for _ in range(2))
    epoch(other, number + 1)  # what ran before must not matter
    assert epoch(one, number) == epoch(other, number)


@given(SEEDS, st.integers(0, 1000))
def test_another_epoch_or_seed_gives_another_order(seed, number):
    one, other = (Batches(numbered(30), 7, shuffle=True, seed=s) for s in (seed, seed + 1))
    assert epoch(one, number) not in (epoch(one, number + 1), epoch(other, number))


@given(st.integers(1, 50), st.integers(1, 20), st.booleans())
def test_the_length_is_the_number_of_batches(count, size, drop_last):
    batches = Batches(numbered(count), size, drop_last=drop_last)
    assert len(list(batches)) == len(batches)


@pytest.mark.parametrize(
    ("count", "drop_last", "sizes"),
    [(10, False, [4, 4, 2]), (10, True, [4, 4]), (8, True, [4, 4]), (3, True, [3])],
)
def test_drop_last_drops_a_rest_but_never_the_only_batch(count, drop_last, sizes):
    assert [len(labels) for _, labels in Batches(numbered(count), 4, drop_last=drop_last)] == sizes


@given(SHAPES, OPTIONS, SEEDS)
def test_augmenting_keeps_shape_and_type(shape, options, seed):
    found = augment(noise(shape), generator(seed), **options)
    assert (found.shape, found.dtype) == (shape, torch.uint8)


@given(SHAPES, OPTIONS, SEEDS)
def test_augmenting_leaves_its_input_as_it_was(shape, options, seed):
    images = noise(shape)
    augment(images, generator(seed), **options)
    assert torch.equal(images, noise(shape))


@given(SHAPES, OPTIONS, SEEDS)
def test_the_same_generator_augments_in_the_same_way(shape, options, seed):
    one, other = (augment(noise(shape), generator(seed), **options) for _ in range(2))
    assert torch.equal(one, other)


def test_without_options_nothing_is_changed():
    assert torch.equal(augment(noise((4, 3, 8, 8)), generator(0)), noise((4, 3, 8, 8)))


@given(SHAPES, SEEDS)
def test_flip_gives_the_image_or_its_mirror_image(shape, seed):
    images = noise(shape)
    for before, after in zip(images, augment(images, generator(seed), flip=True), strict=True):
        assert torch.equal(after, before) or torch.equal(after, before.flip(-1))


def test_flip_mirrors_about_half_of_the_images():
    images = noise((1000, 1, 4, 4))
    mirrored = (augment(images, generator(0), flip=True) != images).flatten(1).any(1)
    assert 450 < int(mirrored.sum()) < 550


@given(SHAPES, SEEDS, st.integers(1, 4))
def test_crop_gives_a_window_of_the_image_padded_by_reflection(shape, seed, crop):
    images = noise(shape)
    padded = F.pad(images.float(), [crop] * 4, mode="reflect").to(torch.uint8)
    height, width = shape[2:]
    for whole, after in zip(padded, augment(images, generator(seed), crop=crop), strict=True):
        windows = whole.unfold(1, height, 1).unfold(2, width, 1)  # (C, 2 crop + 1, 2 crop + 1, H, W)
        assert (windows == after[:, None, None]).flatten(3).all(3).all(0).any()


def test_crop_shifts_by_every_distance_up_to_its_own():
    image = torch.arange(9, dtype=torch.uint8).expand(200, 1, 9, 9)
    assert set(augment(image, generator(0), crop=2)[:, 0, 0, 4].tolist()) == {2, 3, 4, 5, 6}


@given(SHAPES, SEEDS, st.integers(1, 6))
def test_cutout_blanks_one_rectangle_no_larger_than_its_side(shape, seed, side):
    images = noise(shape)
    for before, after in zip(images, augment(images, generator(seed), cutout=side), strict=True):
        blank = (after == 128).all(0)
        rows, columns = blank.any(1), blank.any(0)
        assert torch.equal(blank, rows[:, None] & columns[None])
        assert max(int(rows.sum()), int(columns.sum())) <= side
        assert torch.equal(after, torch.where(blank, 128, before).to(torch.uint8))


def test_cutout_blanks_every_pixel_as_often_as_its_mirror_image():
    blank = augment(noise((20_000, 1, 8, 8)), generator(0), cutout=3) == 128
    often = blank.float().mean((0, 1))  # (8, 8)
    assert torch.allclose(often, often.flip(0, 1), atol=0.015)
