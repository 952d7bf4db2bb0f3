"""Real models with random weights: a small one of each family of torchvision, timm and transformers."""

from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import torch
from torch import nn

from breakeven.capture.example import Example
from breakeven.capture.study import Target

BATCH, CLASSES = 2, 10
# Name -> the side of its images, pixels: the smallest that it takes, or its own
TORCHVISION = {
    **dict.fromkeys(("alexnet", "squeezenet1_1", "resnet18", "resnext50_32x4d", "wide_resnet50_2"), 64),
    **dict.fromkeys(("mobilenet_v2", "mobilenet_v3_small", "mnasnet0_5", "shufflenet_v2_x0_5"), 64),
    **dict.fromkeys(("efficientnet_b0", "efficientnet_v2_s", "regnet_y_400mf", "regnet_x_400mf"), 64),
    **dict.fromkeys(("convnext_tiny", "densenet121", "swin_t", "swin_v2_t", "vgg11"), 64),
    **{"googlenet": 96, "inception_v3": 96, "maxvit_t": 224, "vit_b_32": 224},
}
SEGMENTATION = ("lraspp_mobilenet_v3_large", "deeplabv3_mobilenet_v3_large", "fcn_resnet50")
DETECTION = ("ssdlite320_mobilenet_v3_large",)
TIMM = {
    "beit_base_patch16_224": 224,
    "halonet_h1": 256,
    "mobileone_s1": 64,
    "cait_xxs24_224": 224,
    "coat_tiny": 224,
    "convit_tiny": 224,
    "convmixer_768_32": 64,
    "convnext_atto": 64,
    "cpubone_nano": 64,
    "crossvit_tiny_240": 240,
    "csatv2": 64,
    "cs3darknet_focus_s": 64,
    "cspnext_tiny": 64,
    "davit_tiny": 64,
    "deit_tiny_patch16_224": 224,
    "densenet121": 64,
    "dla46x_c": 64,
    "dpn48b": 64,
    "edgenext_xx_small": 64,
    "efficientformer_l1": 224,
    "efficientformerv2_s0": 224,
    "tinynet_e": 64,
    "efficientvim_m1": 64,
    "efficientvit_b0": 64,
    "efficientvit_m0": 224,
    "eva02_tiny_patch14_224": 224,
    "fasternet_t0": 64,
    "fastvit_t8": 64,
    "focalnet_tiny_srf": 64,
    "gcvit_xxtiny": 224,
    "ghostnet_050": 64,
    "hardcorenas_b": 64,
    "hgnetv2_b0": 64,
    "hiera_tiny_224": 224,
    "sam2_hiera_tiny": 64,
    "hrnet_w18_small": 64,
    "iformer_t": 64,
    "inception_next_atto": 64,
    "inception_resnet_v2": 160,
    "inception_v3": 160,
    "inception_v4": 160,
    "lcnetv2_small": 64,
    "levit_128": 224,
    "lowformer_b0": 64,
    "mambaout_femto": 64,
    "maxvit_pico_rw_256": 256,
    "poolformerv2_s12": 64,
    "gmlp_ti16_224": 224,
    "mobilenetv3_small_050": 64,
    "mobilenetv5_base": 64,
    "mobilevit_xxs": 64,
    "mvitv2_tiny": 224,
    "naflexvit_base_patch16_gap": 64,
    "nasnetalarge": 64,
    "nest_tiny": 224,
    "nextvit_small": 64,
    "nf_regnet_b0": 64,
    "pit_ti_224": 224,
    "pnasnet5large": 64,
    "pvt_v2_b0": 64,
    "qwen3_vit_88m": 64,
    "rdnet_tiny": 64,
    "regnetx_002": 64,
    "repghostnet_050": 64,
    "repvit_m1": 64,
    "res2next50": 64,
    "resnest14d": 64,
    "resnet18": 64,
    "resnetv2_18": 64,
    "rexnet_100": 64,
    "selecsls42": 64,
    "legacy_seresnet18": 64,
    "sequencer2d_s": 224,
    "shvit_s1": 64,
    "skresnet18": 64,
    "starnet_s050": 64,
    "swiftformer_xs": 224,
    "swin_tiny_patch4_window7_224": 224,
    "swinv2_tiny_window8_256": 256,
    "swinv2_cr_tiny_224": 224,
    "tiny_vit_5m_224": 64,
    "tnt_s_legacy_patch16_224": 224,
    "tresnet_m": 64,
    "twins_svt_small": 224,
    "vgg11": 64,
    "visformer_tiny": 224,
    "vit_tiny_patch16_224": 224,
    "vit_tiny_r_s16_p8_224": 224,
    "test_vit_relpos": 160,
    "samvit_base_patch16_224": 224,
    "vitamin_small_224": 224,
    "volo_d1_224": 224,
    "ese_vovnet19b_slim_dw": 64,
    "legacy_xception": 64,
    "xception41p": 64,
    "xcit_nano_12_p8_224": 224,
}
TEXTS = (
    *("albert", "bart", "bert", "big_bird", "biogpt", "bloom", "camembert", "canine", "convbert"),
    *("ctrl", "deberta", "deberta-v2", "distilbert", "electra", "ernie", "falcon", "flaubert", "fnet"),
    *("gemma", "gpt2", "gpt_neo", "gpt_neox", "ibert", "llama", "longformer", "mamba"),
    *("mistral", "mobilebert", "mpnet", "mpt", "nystromformer", "olmo", "opt", "phi", "qwen2"),
    *(
        "rembert",
        "roberta",
        "roformer",
        "rwkv",
        "squeezebert",
        "stablelm",
        "t5",
        "xglm",
        "xlm",
        "yoso",
    ),
)
PICTURES = (
    *("beit", "bit", "cvt", "deit", "dinov2", "focalnet"),
    *("levit", "mobilenet_v1", "mobilenet_v2", "mobilevit", "mobilevitv2", "poolformer", "pvt", "regnet"),
    *("resnet", "segformer", "swin", "swinv2", "vit", "vit_msn"),
)
SOUNDS = ("wav2vec2", "hubert", "wavlm", "sew", "unispeech", "data2vec-audio")
# Settings of transformers' configurations, where a model has them: as small as they can be
TINY = {
    **dict.fromkeys(("num_hidden_layers", "encoder_layers", "decoder_layers", "n_layer", "num_layers"), 2),
    **dict.fromkeys(("hidden_size", "d_model", "n_embd", "embedding_size", "emb_dim"), 64),
    **dict.fromkeys(
        ("num_attention_heads", "n_head", "encoder_attention_heads", "decoder_attention_heads"), 4
    ),
    **dict.fromkeys(("num_key_value_heads",), 4),
    **dict.fromkeys(("intermediate_size", "encoder_ffn_dim", "decoder_ffn_dim", "d_ff", "ffn_dim"), 128),
    **dict.fromkeys(("vocab_size",), 128),
    **dict.fromkeys(("max_position_embeddings", "n_positions"), 64),
}
# One small model of each kind of architecture, for the ways that take minutes a model
SMALL = {
    *(f"torchvision/{name}" for name in ("resnet18", "mobilenet_v2", "mobilenet_v3_small", "squeezenet1_1")),
    *(f"torchvision/{name}" for name in ("shufflenet_v2_x0_5", "mnasnet0_5", "regnet_y_400mf")),
    *(f"timm/{name}" for name in ("convnext_atto", "edgenext_xx_small", "fasternet_t0", "ghostnet_050")),
    *(f"timm/{name}" for name in ("test_vit_relpos", "tinynet_e")),
    *(f"transformers/{name}" for name in ("bert", "distilbert", "gpt2", "llama", "resnet", "t5", "vit")),
    "transformers/wav2vec2",
}
LENGTH, SIDE, SECONDS = 16, 64, 4000  # tokens, pixels, samples of sound


def targets() -> list[Target]:
    """Return all models, each with the version of its library."""
    groups: dict[str, tuple[str, Callable[..., Any], list[tuple[Any, ...]]]] = {
        "torchvision": ("torchvision", of_torchvision, [*TORCHVISION.items()]),
        "segmentation": ("torchvision", of_segmentation, [(name,) for name in SEGMENTATION]),
        "detection": ("torchvision", of_detection, [(name,) for name in DETECTION]),
        "timm": ("timm", of_timm, [*TIMM.items()]),
        "transformers": ("transformers", of_transformers, [(n,) for n in (*TEXTS, *PICTURES, *SOUNDS)]),
    }
    return [
        Target(
            name := f"{group}/{arguments[0]}",
            partial(make, *arguments),
            version(library),
            is_small=name in SMALL,
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


def of_timm(name: str, side: int) -> tuple[nn.Module, Example]:
    """Return a classifier of timm."""
    import timm

    return timm.create_model(name, num_classes=CLASSES), Example((torch.randn(BATCH, 3, side, side),))


def of_transformers(kind: str) -> tuple[nn.Module, Example]:
    """Return a tiny model of one of transformers' architectures."""
    import transformers

    config = transformers.AutoConfig.for_model(kind)
    for name, value in TINY.items():
        if isinstance(getattr(config, name, None), int):
            setattr(config, name, value)
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
