"""Services of small models of texts, which real runtimes exported as the pipeline does."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
from artifact_drafts import draft
from fakes.text_models import MaskedWords, Words
from model_cards import UNTRAINED
from numpy.typing import NDArray

from breakeven.artifacts import artifact, saved_model
from breakeven.artifacts.dataset import Images
from breakeven.artifacts.model_manifest import FieldsInput, Input, TextInput
from breakeven.artifacts.records import join
from breakeven.artifacts.varying import dimensions
from breakeven.core import plugin
from breakeven.pipeline.eager_reference import Reference
from breakeven.serving.served_model import ServedModel

TOKENS = np.random.default_rng(0).integers(0, 9, (4, 6))
MASK = (np.arange(6) < np.array([[2], [4], [6], [1]])).astype(np.int64)
CLASSES = ["bad", "fair", "good"]
TEXT = TextInput(6, vocabulary=9, classes=3)
MASKED = FieldsInput({"tokens": ["int64", 6], "mask": ["int64", 6]}, classes=3, vocabulary=9)


def of_tokens(folder: Path) -> ServedModel:
    """A model of token ids."""
    return _served(folder, Words, TEXT, TOKENS, {})


def of_tokens_and_masks(folder: Path) -> ServedModel:
    """A model of two inputs: token ids, and a mask."""
    return _served(
        folder, MaskedWords, MASKED, join({"tokens": TOKENS, "mask": MASK}), {"inputs": ["tokens", "mask"]}
    )


def _served(
    folder: Path, kind: type, shape: Input, samples: NDArray[Any], which: dict[str, Any]
) -> ServedModel:
    """Serve a model whose texts have 2 to 12 tokens, by TorchScript, with eager beside it."""
    facts = {"vocabulary": "vocabulary", "num_classes": "classes"}
    spec = {"_target_": f"fakes.text_models.{kind.__name__}", "_inputs_": facts}
    length = {"least": 2, "most": 12, "step": 1, "inputs": [], "axis": 0, **which}
    varying = [asdict(one) for one in dimensions({"length": length}, shape, "varying")]
    card = replace(UNTRAINED, model=spec, shape=shape, mean=[], std=[], varying=varying)
    (folder / "model").mkdir(parents=True)
    saved_model.save(folder / "model", saved_model.build(spec, shape).eval(), card)
    reference = Reference(folder / "model", Images(samples, np.zeros(len(samples), np.int64)), "outside")
    for name in ("eager", "torchscript_traced"):
        made = draft(reference, name, input_names=card.input_names)
        (folder / name).mkdir()
        plugin.load("runtimes", made.settings, name).export(reference.source, folder / name)
        artifact.save(folder / name, artifact.seal(folder / name, made))
    variant = folder / "torchscript_traced"
    return ServedModel(
        "texts", variant, artifact.read(variant), folder / "eager", CLASSES, shape, samples[:1]
    )
