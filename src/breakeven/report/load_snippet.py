"""The few lines of Python that load an artifact into somebody's own service.

Each file in `templates/load` is named after a runtime plugin and loads its artifacts without Breakeven.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from breakeven.artifacts.model_manifest import (
    FeatureInput,
    FieldsInput,
    ImageInput,
    Input,
    ModelManifest,
    TextInput,
)
from breakeven.artifacts.varying import dimensions_of
from breakeven.results.result_row import ResultRow, folder_of


@dataclass(frozen=True)
class Loading:
    """The facts of a study's configuration that decide how its artifacts are loaded."""

    runtimes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # key -> name and settings
    preprocessing: str = "outside"  # "inside": the artifacts take uint8 images

    def settings_of(self, row: ResultRow) -> Mapping[str, Any]:
        """Return the name and the settings of a row's runtime; empty if the study does not have it."""
        known = self.runtimes
        return known.get(f"{row.runtime}_{row.precision}") or known.get(row.runtime) or {}


@dataclass(frozen=True)
class Snippet:
    """A complete program that loads an artifact and calls it once."""

    title: str
    text: str


def snippets(row: ResultRow | None, cards: Sequence[ModelManifest], loading: Loading) -> list[Snippet]:
    """Return the programs that load a variant: the one with Breakeven first; none if its inputs are unknown.

    Args:
        row: the variant; None if none was chosen.
        cards: the models of the study, which say what inputs they take.
        loading: how the study's artifacts were exported.
    """
    card = next((c for c in cards if row and (c.family, c.recipe) == (row.family, row.compression)), None)
    if row is None or card is None:
        return []
    settings = loading.settings_of(row)
    plugins = {"with Breakeven": "breakeven", "without Breakeven": settings.get("name", "")}
    facts = {
        "folder": folder_of(row).as_posix(),
        "threads": row.threads,
        "classes": " x ".join(map(str, card.output_shape)),
        "example": "; ".join([_example(card.shape, bool(card.mean)), *map(str, dimensions_of(card))]),
        "mean": [float(f"{value:.6g}") for value in card.mean],
        "std": [float(f"{value:.6g}") for value in card.std],
        "normalize": _normalized(card.shape) if card.mean and loading.preprocessing == "outside" else "",
        "settings": settings,
        "result": "logits" if card.task["name"] == "classification" else "outputs",
        "outputs": card.output_count,
        "several": isinstance(card.shape, FieldsInput) and len(card.shape.fields) > 1,
        "one_by_one": row.precision == "int8-dynamic",
    }
    known = _environment().list_templates()
    return [
        Snippet(title, _environment().get_template(f"{name}.py.j2").render(facts))
        for title, name in plugins.items()
        if f"{name}.py.j2" in known
    ]


def _normalized(shape: Input) -> str:
    """Return which kind of inputs has to be normalized; "" for tokens."""
    if isinstance(shape, ImageInput):
        return "pixels"
    return "features" if isinstance(shape, FeatureInput) else ""


def _example(shape: Input, is_pixels: bool) -> str:
    """Return the line that creates an input of the right shape and type."""
    if isinstance(shape, FieldsInput):
        arrays = [
            f"np.{'zeros' if kind.startswith('float') else 'ones'}({(1, *size)}, np.{kind})"
            for kind, *size in shape.fields.values()
        ]
        given = arrays[0] if len(arrays) == 1 else f"({', '.join(arrays)})"
        return f"inputs = {given}  # your {', '.join(shape.fields)}"
    if isinstance(shape, TextInput):
        return f"inputs = np.zeros((1, {shape.length}), np.int64)  # your N x L tokens"
    if isinstance(shape, FeatureInput):
        return f"inputs = np.zeros((1, {shape.features}), np.float32)  # your N x F features"
    size = f"{shape.channels}, {shape.height}, {shape.width}"
    if not is_pixels:
        return f"inputs = np.zeros((1, {size}), np.float32)  # your N x C x H x W numbers"
    return f"inputs = np.zeros((1, {size}), np.uint8)  # your N x C x H x W pixels, 0 to 255"


@cache
def _environment() -> Environment:
    return Environment(  # of Python, which the page escapes
        loader=PackageLoader("breakeven.report", "templates/load"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
