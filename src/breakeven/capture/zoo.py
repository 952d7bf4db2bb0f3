"""Real models with random weights, as small as their libraries can make them."""

from collections.abc import Callable, Mapping
from functools import partial
from importlib.metadata import version
from typing import Any

import torch
from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.study import Target
from breakeven.capture.zoo_names import (
    DETECTION,
    PICTURES,
    SEGMENTATION,
    SHALLOW,
    SMALL,
    SOUNDS,
    TEXTS,
    TIMM,
    TORCHVISION,
)
from breakeven.core.source_digest import digests_of_modules

BATCH, CLASSES, LAYERS = 2, 10, 2
# Settings of transformers' configurations, where a model has them: as small as they can be
TINY = {
    **dict.fromkeys(
        ("num_hidden_layers", "encoder_layers", "decoder_layers", "n_layer", "num_layers"), LAYERS
    ),
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "embedding_size", "emb_dim"), 64),
    **dict.fromkeys(
        ("num_attention_heads", "n_head", "encoder_attention_heads", "decoder_attention_heads"), 4
    ),
    **dict.fromkeys(("num_key_value_heads",), 4),
    **dict.fromkeys(("intermediate_size", "encoder_ffn_dim", "decoder_ffn_dim", "d_ff", "ffn_dim"), 128),
    **dict.fromkeys(("vocab_size",), 128),
    **dict.fromkeys(("max_position_embeddings", "n_positions"), 64),
}
LENGTH, SIDE, SECONDS = 16, 64, 4000  # tokens, pixels, samples of sound
# Library -> what processes begin with that make its models
MODULES = {
    **{library: (library,) for library in ("torchvision", "timm")},
    "transformers": ("transformers.modeling_utils", "transformers.models.auto.modeling_auto"),
}


def targets() -> list[Target]:
    """Return all models, each with the version of its library and of the code here that makes it."""
    own = digests_of_modules([__name__])[__name__]
    groups: dict[str, tuple[str, Callable[..., Any], list[tuple[Any, ...]]]] = {
        "torchvision": ("torchvision", of_torchvision, [*TORCHVISION.items()]),
        "segmentation": ("torchvision", of_segmentation, [(name,) for name in SEGMENTATION]),
        "detection": ("torchvision", of_detection, [(name,) for name in DETECTION]),
        "timm": ("timm", of_timm, [(*item, SHALLOW.get(item[0], {})) for item in TIMM.items()]),
        "transformers": ("transformers", of_transformers, [(n,) for n in (*TEXTS, *PICTURES, *SOUNDS)]),
    }
    return [
        Target(
            name := f"{group}/{arguments[0]}",
            partial(make, *arguments),
            f"{version(library)} {own} {arguments}",
            is_small=name in SMALL,
            modules=MODULES[library],
        )
        for group, (library, make, models) in groups.items()
        for arguments in models
    ]


def of_torchvision(name: str, side: int) -> tuple[nn.Module, Example]:
    """Return a classifier of torchvision."""
    import torchvision

    more = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    model = torchvision.models.get_model(name, weights=None, num_classes=CLASSES, **more)
    return model, Example((torch.randn(BATCH, 3, side, side),))


def of_segmentation(name: str) -> tuple[nn.Module, Example]:
    """Return a model of torchvision that gives a class for each pixel."""
    import torchvision

    model = torchvision.models.get_model(name, weights=None, weights_backbone=None, num_classes=CLASSES)
    return model, Example((torch.randn(BATCH, 3, SIDE, SIDE),))


def of_detection(name: str) -> tuple[nn.Module, Example]:
    """Return a detector of torchvision, which takes a list of images."""
    import torchvision

    model = torchvision.models.get_model(name, weights=None, weights_backbone=None, num_classes=CLASSES)
    return model, Example(([torch.rand(3, SIDE, SIDE) for _ in range(BATCH)],))


def of_timm(name: str, side: int, settings: Mapping[str, Any]) -> tuple[nn.Module, Example]:
    """Return a classifier of timm."""
    import timm

    model = timm.create_model(name, num_classes=CLASSES, **settings)
    return model, Example((torch.randn(BATCH, 3, side, side),))


def of_transformers(kind: str) -> tuple[nn.Module, Example]:
    """Return a tiny model of one of transformers' architectures."""
    import transformers

    config = transformers.AutoConfig.for_model(kind)
    for name, value in TINY.items():
        if isinstance(getattr(config, name, None), int):
            setattr(config, name, value)
    if isinstance(depths := getattr(config, "depths", None), list | tuple):  # the layers of each stage
        config.depths = [1] * len(depths)
    config.use_cache = False
    build: Any = transformers.AutoModel.from_config
    model: nn.Module = build(config)
    return model, Example((), _inputs(model))


def _inputs(model: Any) -> dict[str, Any]:
    if model.main_input_name == "pixel_values":
        side = getattr(model.config, "image_size", SIDE)
        side = side if isinstance(side, int) else SIDE
        return {"pixel_values": torch.randn(BATCH, getattr(model.config, "num_channels", 3), side, side)}
    if model.main_input_name == "input_values":
        return {"input_values": torch.randn(BATCH, SECONDS)}
    tokens = torch.randint(5, 100, (BATCH, LENGTH))
    if model.config.is_encoder_decoder:
        return {"input_ids": tokens, "decoder_input_ids": tokens.flip(1)}
    return {"input_ids": tokens}
