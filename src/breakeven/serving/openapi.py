"""What the interface's page says of the body of a request, with an example that works."""

from typing import Any

from breakeven.artifacts.model_manifest import FieldsInput, ImageInput
from breakeven.artifacts.records import fields_of
from breakeven.serving.served_model import ServedModel

ARRAY = "application/octet-stream"
BINARY = {"schema": {"type": "string", "format": "binary"}}


def body_of(model: ServedModel) -> dict[str, Any]:
    """Return OpenAPI's description of the bodies that a model takes."""
    if isinstance(model.shape, ImageInput):
        form = {"type": "object", "properties": {"file": BINARY["schema"]}}
        content = {"multipart/form-data": {"schema": form}, "image/png": BINARY, ARRAY: BINARY}
    else:
        json = {"schema": {"type": "object"}, "example": {"inputs": _numbers(model)}}
        content = {"application/json": json}
        if not isinstance(model.shape, FieldsInput) or len(model.shape.fields) == 1:
            content[ARRAY] = BINARY  # a file of `numpy.save` holds one array
    return {"requestBody": {"required": True, "content": content}}


def _numbers(model: ServedModel) -> Any:
    """Return a sample of the test set as JSON has it."""
    arrays = [array.tolist() for array in fields_of(model.example)]
    if isinstance(model.shape, FieldsInput):
        return dict(zip(model.shape.fields, arrays, strict=True))
    return arrays[0]
