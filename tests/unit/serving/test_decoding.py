"""Bodies of requests become samples, or are refused with a status and a sentence before they take memory."""

import io
import json
from typing import Any

import numpy as np
import pytest
from PIL import Image
from served import npy

from breakeven.artifacts.model_manifest import FeatureInput, FieldsInput, ImageInput, TextInput
from breakeven.artifacts.varying import VaryingDimension
from breakeven.serving.decoding import samples_of
from breakeven.serving.refusal import Refused
from breakeven.serving.settings import Limits

COLOUR, GREY = ImageInput(3, 8, 6, 10), ImageInput(1, 8, 6, 10)
TEXT, TABLE = TextInput(5, 100, 2), FeatureInput(3, 2)
FIELDS = FieldsInput({"input_ids": ["int64", 4], "mask": ["int64", 4]}, 2, 100)
LENGTHS = (VaryingDimension("length", 2, 8, 2, ((0, 0),)),)


def image(*size: int, mode: str = "RGB", kind: str = "PNG", **more: Any) -> bytes:
    file = io.BytesIO()
    Image.effect_noise(size, 60).convert(mode).save(file, kind, **more)
    return file.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "BMP", "GIF"])
@pytest.mark.parametrize("shape", [COLOUR, GREY])
def test_an_image_is_cut_and_resized_as_in_training(kind: str, shape: ImageInput) -> None:
    samples = samples_of(image(31, 17, kind=kind), shape, Limits())
    assert samples.shape == (1, *shape.sample) and samples.dtype == np.uint8


def test_an_image_of_the_right_size_keeps_its_pixels() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (8, 6, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    assert np.array_equal(samples_of(file.getvalue(), COLOUR, Limits())[0], pixels.transpose(2, 0, 1))


@pytest.mark.parametrize("mode", ["L", "P", "CMYK", "1"])
def test_other_colours_are_converted(mode: str) -> None:
    body = image(8, 8, mode=mode, kind="JPEG" if mode == "CMYK" else "PNG")
    assert samples_of(body, COLOUR, Limits()).shape == (1, *COLOUR.sample)


@pytest.mark.parametrize(
    ("shape", "body", "expected"),
    [
        (GREY, npy(np.ones((2, 1, 8, 6), np.uint8)), np.ones((2, 1, 8, 6), np.uint8)),
        (GREY, npy(np.ones((1, 8, 6))), np.ones((1, 1, 8, 6), np.uint8)),
        (TEXT, b'{"inputs": [1, 2, 3, 4, 99]}', np.array([[1, 2, 3, 4, 99]])),
        (TEXT, b" [[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]]", np.array([[1, 2, 3, 4, 5], [5, 4, 3, 2, 1]])),
        (TABLE, b'{"inputs": [[1, 2.5, -3]]}', np.array([[1, 2.5, -3]], np.float32)),
    ],
)
def test_arrays_and_lists_get_the_models_type(shape: Any, body: bytes, expected: Any) -> None:
    samples = samples_of(body, shape, Limits())
    assert samples.dtype == expected.dtype and np.array_equal(samples, expected)


def test_several_inputs_come_by_name() -> None:
    inputs = {"mask": [[1, 1, 0, 0]], "input_ids": [[7, 8, 0, 0]]}
    samples = samples_of(json.dumps({"inputs": inputs}).encode(), FIELDS, Limits())
    assert samples.dtype.names == ("input_ids", "mask") and samples["input_ids"].tolist() == [[7, 8, 0, 0]]


@pytest.mark.parametrize("length", [2, 4, 8])
def test_an_open_dimension_may_have_its_sizes(length: int) -> None:
    body = json.dumps([[1] * length]).encode()
    assert samples_of(body, TEXT, Limits(), LENGTHS).shape == (1, length)


def huge(width: int, height: int) -> bytes:
    """A PNG whose header claims a size: the file has some bytes."""
    body = bytearray(image(8, 8))
    body[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    import zlib

    body[29:33] = zlib.crc32(body[12:29]).to_bytes(4, "big")
    return bytes(body)


def claimed(shape: tuple[int, ...]) -> bytes:
    """A `.npy` file whose header claims a shape, and that holds 8 bytes."""
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": "<f8", "fortran_order": False, "shape": shape})
    return file.getvalue() + bytes(8)


def animated() -> bytes:
    file = io.BytesIO()
    frames = [Image.new("L", (8, 8), number) for number in range(5)]
    frames[0].save(file, "GIF", save_all=True, append_images=frames[1:])
    return file.getvalue()


REFUSED: dict[str, tuple[Any, bytes, int, str]] = {
    "nothing": (GREY, b"", 422, "empty"),
    "no image": (GREY, b"\x00" * 100, 422, "no image"),
    "a page": (GREY, b"<html></html>", 422, "no image"),
    "a truncated PNG": (GREY, image(64, 64)[:200], 422, "no image"),
    "a truncated JPEG": (COLOUR, image(64, 64, kind="JPEG")[:300], 422, "no image"),
    "a bomb": (GREY, huge(60_000, 60_000), 413, "more than 64,000,000 pixels"),
    "many pixels": (GREY, huge(8_000, 8_001), 413, "64,008,000 pixels"),
    "a long side": (GREY, image(4001, 2), 413, "4001 x 2"),
    "several pictures": (GREY, animated(), 422, "5 pictures"),
    "16 bits": (GREY, image(8, 8, mode="I;16"), 422, "8 bits"),
    "an image for texts": (TEXT, image(8, 8), 415, "takes no images"),
    "a broken header": (GREY, b"\x93NUMPY\x01\x00\xff\xff", 422, "header"),
    "a claimed terabyte": (GREY, claimed((10**6, 10**6)), 422, "and holds 8"),
    "words": (GREY, npy(np.array(["a"])), 422, "<U1"),
    "another size": (
        GREY,
        npy(np.ones((1, 1, 8, 8), np.uint8)),
        422,
        "1 x 1 x 8 x 8: the model takes N x 1 x 8",
    ),
    "other channels": (COLOUR, npy(np.ones((1, 1, 8, 6), np.uint8)), 422, "takes N x 3 x 8 x 6"),
    "no samples": (GREY, npy(np.ones((0, 1, 8, 6), np.uint8)), 422, "0 x 1 x 8 x 6"),
    "many samples": (GREY, npy(np.ones((65, 1, 8, 6), np.uint8)), 413, "65 samples"),
    "no number": (GREY, npy(np.full((1, 1, 8, 6), np.nan)), 422, "not finite"),
    "a large pixel": (GREY, npy(np.full((1, 1, 8, 6), 256)), 422, "0 to 255: the array holds 256 to 256"),
    "a half pixel": (GREY, npy(np.full((1, 1, 8, 6), 0.5)), 422, "with fractions"),
    "a large token": (TEXT, b"[[1, 2, 3, 4, 100]]", 422, "Tokens are whole numbers from 0 to 99"),
    "a short text": (TEXT, b"[[1, 2]]", 422, "takes N x 5"),
    "a bomb of words": (TEXT, json.dumps(["x" * 10_000, *["a"] * 10_000]).encode(), 422, "lists of numbers"),
    "sizes below 0": (GREY, claimed((-1, -1)), 422, "should hold"),
    "a version of the future": (GREY, b"\x93NUMPY\x09\x00" + claimed((1,))[8:], 422, "header"),
    "too large for the type": (TABLE, b"[[1, 2, 1e300]]", 422, "too large"),
    "an image for two channels": (ImageInput(2, 8, 6, 10), image(8, 8), 415, "2 channels"),
    "ragged lists": (TEXT, b"[[1, 2], [3]]", 422, "lists of numbers of one length"),
    "broken JSON": (TEXT, b'{"inputs": ', 422, "none"),
    "nested JSON": (TEXT, b"[" * 100_000, 422, "JSON"),
    "other JSON": (TEXT, b'{"texts": ["a"]}', 422, "lists of numbers"),
    "a large number": (TABLE, b"[[1, 2, 1e999]]", 422, "not finite"),
    "an unknown input": (FIELDS, b'{"inputs": {"input_ids": [[1, 2, 3, 4]]}}', 422, "input_ids, mask"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_anything_else_is_refused_with_a_status_and_a_sentence(case: str) -> None:
    shape, body, status, words = REFUSED[case]
    with pytest.raises(Refused) as caught:
        samples_of(body, shape, Limits())
    assert caught.value.status == status and words in str(caught.value)


def test_a_large_image_is_scaled_down_where_that_is_asked_for() -> None:
    limits = Limits(side=20, oversize="shrink")
    assert samples_of(image(50, 50), GREY, limits).shape == (1, *GREY.sample)
    with pytest.raises(Refused, match="pixels"):
        samples_of(huge(60_000, 60_000), GREY, limits)
