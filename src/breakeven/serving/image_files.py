"""Image files as samples of a model. Only the header is read before the limits are checked."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from breakeven.artifacts.model_manifest import ImageInput
from breakeven.serving.refusal import BAD, TOO_LARGE, UNSUPPORTED, Refused
from breakeven.serving.settings import Limits

CHANNELS = (1, 3)  # of the images that files hold
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "MPO")


def image_of(body: bytes, shape: ImageInput, limits: Limits) -> NDArray[np.uint8]:
    """Return an image file as (C, H, W), cut and resized as training images are (`image_folder`)."""
    if shape.channels not in CHANNELS:
        raise Refused(UNSUPPORTED, f"The model takes images of {shape.channels} channels: send an array.")
    try:
        with Image.open(io.BytesIO(body), formats=FORMATS) as file:
            _require_within(file, limits)
            if file.mode.startswith(("I", "F")):
                raise Refused(BAD, "The image has more than 8 bits a channel.")
            image = file.convert("L" if shape.channels == 1 else "RGB")
    except Refused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # Pillow looks first
        raise Refused(TOO_LARGE, f"The image has more than {limits.pixels:,} pixels.") from None
    except Exception as error:  # decoders raise whatever they like
        raise Refused(BAD, f"The body is no image that can be decoded ({', '.join(FORMATS)}).") from error
    if image.size != (shape.width, shape.height):
        image = ImageOps.fit(image, (shape.width, shape.height), Image.Resampling.BILINEAR)
    pixels = np.asarray(image, np.uint8)
    return pixels[None] if pixels.ndim == 2 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _require_within(file: Image.Image, limits: Limits) -> None:
    width, height = file.size
    if width * height > limits.pixels:
        raise Refused(TOO_LARGE, f"The image has {width * height:,} pixels, and may have {limits.pixels:,}.")
    if max(width, height) > limits.side and limits.oversize == "refuse":
        raise Refused(TOO_LARGE, f"The image is {width} x {height}: a side may have {limits.side} pixels.")
    if (frames := getattr(file, "n_frames", 1)) > limits.frames and file.format != "MPO":
        raise Refused(BAD, f"The file holds {frames} pictures, and may hold {limits.frames}.")
