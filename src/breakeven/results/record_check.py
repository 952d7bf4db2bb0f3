"""The check of records that are read: every value has its type, and every number is finite."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, GetCoreSchemaHandler, TypeAdapter, ValidationError
from pydantic_core import CoreSchema
from typing_extensions import TypedDict  # pydantic cannot check typing's own before Python 3.12

from breakeven.core.errors import UserError

# For the dataclasses of records. Their instances are made first, from JSON, and checked afterwards.
CHECKED = ConfigDict(strict=True, allow_inf_nan=False, revalidate_instances="always")


FREE = ConfigDict(strict=True, allow_inf_nan=False, extra="allow")  # for dictionaries with further keys


@dataclass(frozen=True)
class Shape:
    """An annotation of a dictionary, which is then checked as this `TypedDict`."""

    of: type

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema of the `TypedDict` in place of the dictionary's own."""
        return handler.generate_schema(self.of)


class BlockShape(TypedDict):
    """What readers take from the record of a block."""

    __pydantic_config__ = FREE  # type: ignore[misc]

    round: int
    calls_ms: list[float]


class ReplicateShape(TypedDict):
    """What readers take from the record of a replicate."""

    __pydantic_config__ = FREE  # type: ignore[misc]

    blocks: list[BlockShape]


class SettingsShape(TypedDict):
    """What readers take from the settings of a measurement."""

    __pydantic_config__ = FREE  # type: ignore[misc]

    latency_limit_ms: float | None
    confidence: float


class MachineShape(TypedDict):
    """What readers take from the description of a machine."""

    __pydantic_config__ = FREE  # type: ignore[misc]

    name: str
    versions: dict[str, Any]


class PeaksShape(TypedDict, total=False):
    """What readers take from the peaks of a hardware."""

    __pydantic_config__ = FREE  # type: ignore[misc]

    operations: dict[str, float]
    bytes: dict[str, float]


def require_valid(path: Path, record: Any) -> None:
    """Check the types of all values in an instance of a dataclass with the configuration `CHECKED`.

    Args:
        path: the file that the record was read from, for the message.
        record: the instance.

    Raises:
        UserError: a value has another type, or a number is not finite.
    """
    kind: Any = type(record)
    try:
        _adapter(kind).validate_python(record)
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        if fault["type"] == "missing":
            raise UserError(f"{path} is of another version of Breakeven: run `dvc repro`.") from None
        key = ".".join(map(str, fault["loc"]))
        rule = fault["msg"].replace("Input should be", "should be")
        raise UserError(
            f"{path} was damaged or edited: {key}={str(fault['input'])[:40]} {rule}: `dvc checkout` brings "
            "it back; without a copy, delete it and run `dvc repro`."
        ) from None


@cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)
