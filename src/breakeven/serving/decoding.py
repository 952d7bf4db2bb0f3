"""The body of a request as samples of a model."""

from collections.abc import Sequence
from typing import Any

from numpy.typing import NDArray

from breakeven.artifacts.model_manifest import ImageInput, Input
from breakeven.artifacts.varying import VaryingDimension
from breakeven.serving.arrays import array_of, checked, numbers_of
from breakeven.serving.image_files import image_of
from breakeven.serving.refusal import BAD, UNSUPPORTED, Refused
from breakeven.serving.settings import Limits

NPY = b"\x93NUMPY"


def samples_of(
    body: bytes, shape: Input, limits: Limits, varying: Sequence[VaryingDimension] = ()
) -> NDArray[Any]:
    """Return the samples in a body, (N, ...) in the type that the model takes.

    Args:
        body: an image file, an array as `numpy.save` writes it, or JSON: {"inputs": [[1, 2, 3]]}.
        shape: of what the model takes.
        varying: the dimensions of it that may have other sizes.

    Raises:
        Refused: the body is none of these, or does not fit the model or the limits.
    """
    if not body:
        raise Refused(BAD, "The body is empty: send an image file, an array of numpy.save, or JSON.")
    if body.startswith(NPY):
        return checked([array_of(body)], shape, limits, varying)
    if body.lstrip()[:1] in (b"{", b"["):
        return checked(numbers_of(body, shape), shape, limits, varying)
    if not isinstance(shape, ImageInput):
        raise Refused(UNSUPPORTED, 'The model takes no images: send JSON such as {"inputs": [[1, 2, 3]]}.')
    return image_of(body, shape, limits)[None]
