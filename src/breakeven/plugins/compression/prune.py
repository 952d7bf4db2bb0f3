"""Structured channel pruning by torch-pruning (Fang et al., arXiv:2301.12900, 2023).

It needs torch-pruning 1.6 or newer (`breakeven[prune]`).
"""

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from breakeven.core.errors import NotInstalled, Unsupported, UserError
from breakeven.core.extras import not_installed
from breakeven.plugins.compression._structure import (
    heads_of,
    output_sizes,
    require_own_weights,
    require_ties,
    require_trainable,
    tied_parameters,
)
from breakeven.plugins.compression.base import Compression, LossOf, TrainingBatches

if TYPE_CHECKING:
    from torch import Tensor, nn

    from breakeven.artifacts.tensors import Tensors

PRUNING_STEPS = 200  # at most, until the model has the share of the work that `macs` says


class Prune(Compression):
    """Removes the least important channels; fine-tuning follows."""

    imports = ("breakeven.artifacts.pruning_library",)

    ratio: float | None = Field(None, gt=0, lt=1, description="share of the channels that is removed")
    macs: float | None = Field(None, gt=0, lt=1, description="or: share of the work that stays, at most")
    scope: Literal["layer", "model"] = Field(
        "layer", description="in every layer alike, or wherever in the model the least important are"
    )
    importance: Literal["magnitude", "hessian"] = Field(
        "magnitude", description="of a channel: its weights, or how much the loss grows without them"
    )
    most: float = Field(
        0.75, gt=0, lt=1, description="a layer that has lost this share gives no more (scope model)"
    )
    images: int = Field(2560, gt=0, description="of the training split, to estimate that growth (hessian)")
    round_to: int = Field(gt=0, description="channel counts are multiples of it: the hardware's tile")

    @model_validator(mode="after")
    def _go_together(self) -> "Prune":
        if (self.ratio is None) == (self.macs is None):
            raise ValueError("either ratio or macs should be set, and the other null")
        if "most" in self.model_fields_set and self.scope == "layer":
            raise ValueError("most is for scope=model: in scope=layer each layer loses the same share")
        if "images" in self.model_fields_set and self.importance == "magnitude":
            raise ValueError("images are for importance=hessian: weights have their size without any")
        return self

    def apply(self, model: "nn.Module", example: "Tensors", lessons: TrainingBatches) -> list[Any]:
        """Prune all layers but the last one, whose outputs are the classes.

        Raises:
            NotInstalled: torch-pruning is missing.
            Unsupported: torch-pruning cannot follow the model's graph, cannot reach `macs`, or makes a model
                that cannot be trained or whose shared weights come apart; or weights are computed from
                others.
        """
        import torch

        try:
            from breakeven.artifacts.pruning_library import torch_pruning as tp
        except ImportError:
            raise NotInstalled(not_installed("prune")) from None
        with torch.no_grad():
            before = output_sizes(model, example)
        require_own_weights(model)
        heads, ties = heads_of(model, example), tied_parameters(model)
        whole_model = self.scope == "model"
        training_batches = lessons(self.images) if self.importance == "hessian" else None
        try:
            importance: Any = tp.importance.GroupMagnitudeImportance(p=2)
            if training_batches:
                _square_gradients(model, training_batches)
                # Not normalized by layer: all layers share one loss. A channel's importance is the mean over
                # its layers.
                importance = tp.importance.GroupHessianImportance(normalizer=None)
            if training_batches and self.macs and whole_model:
                importance = ImportancePerMac(importance, model, example)
            with warnings.catch_warnings():
                # Of a parameter outside of layers it prunes the last dimension. Where that is wrong, the
                # model fails below.
                warnings.filterwarnings("ignore", "Unwrapped parameters detected")
                pruner = tp.pruner.MagnitudePruner(
                    model,
                    example,
                    importance=importance,
                    pruning_ratio=self.ratio or 1.0,
                    max_pruning_ratio=self.most if whole_model else 1.0,
                    global_pruning=whole_model,
                    iterative_steps=PRUNING_STEPS if self.macs else 1,
                    round_to=self.round_to,
                    ignored_layers=heads,
                )
            if self.macs:
                _until(pruner, self.macs, model, example)
            else:
                pruner.step()
            require_ties(model, ties)
            with torch.no_grad():
                left = output_sizes(model, example)  # an inconsistent model fails here
            if left != before:
                raise Unsupported(f"pruning takes classes away ({left} of {before} are left)")
        except (Unsupported, UserError):
            raise
        except Exception as error:  # torch-pruning may raise anything on a graph that it does not know
            lines = str(error).strip().splitlines() or [""]
            raise Unsupported(
                f"torch-pruning cannot follow this model's graph ({type(error).__name__}: {lines[0][:200]})"
            ) from None
        require_trainable(model, example)
        model.zero_grad()
        history = pruner.DG.pruning_history()
        if not history:
            raise Unsupported(
                f"nothing to prune: no layer keeps {self.round_to} channels at ratio {self.ratio}"
            )
        return [[name, out, [int(i) for i in index]] for name, out, index in history]


def _until(pruner: Any, share: float, model: "nn.Module", example: "Tensors") -> None:
    """Prune step by step, until at most a `share` of the model's work is left.

    Raises:
        Unsupported: all steps together do not reach it.
    """
    from breakeven.artifacts.model_size import flops

    most = share * flops(model, example)
    for _ in range(PRUNING_STEPS):
        pruner.step()
        if (work := flops(model, example)) <= most:
            return
    raise Unsupported(f"its work cannot be brought below {work:,.0f} floating-point operations by pruning")


class ImportancePerMac:
    """A channel's importance, divided by the multiply-accumulates that its removal saves."""

    def __init__(self, importance: Any, model: "nn.Module", example: "Tensors") -> None:
        import torch
        from torch import nn
        from torch.nn.modules.conv import _ConvNd

        from breakeven.artifacts.tensors import call, count

        samples = count(example)
        self.importance = importance
        self.work: dict[nn.Module, float] = {}  # multiply-accumulates of each weight, for one input

        def add(layer: nn.Module, inputs: Any, output: "Tensor") -> None:
            used = output.numel() / (samples * len(layer.get_parameter("weight")))
            self.work[layer] = self.work.get(layer, 0.0) + used

        layers = [layer for layer in model.modules() if isinstance(layer, _ConvNd | nn.Linear)]
        hooks = [layer.register_forward_hook(add) for layer in layers]
        with torch.no_grad():
            call(model, example)
        for hook in hooks:
            hook.remove()

    def __call__(self, group: Any) -> Any:
        """Return the importance of each of the group's channels, (channels,).

        It is None where torch-pruning has no importance, or no layer of the group does any work.
        """
        importance = self.importance(group)
        work = 0.0
        for dependency, channels in group:
            if (layer := dependency.target.module) in self.work:
                out = dependency.handler.__name__ == "prune_out_channels"
                kinds = ("out_channels", "out_features") if out else ("in_channels", "in_features")
                share = len(channels) / next(getattr(layer, kind) for kind in kinds if hasattr(layer, kind))
                work += layer.weight.numel() * self.work[layer] * share
        return importance * len(importance) / work if importance is not None and work else None


def _square_gradients(model: "nn.Module", batches: "Iterable[tuple[Tensors, LossOf]]") -> None:
    """Write into each parameter's `grad` the mean square of its gradients, for torch-pruning's importance.

    The mean square approximates the diagonal of the loss's Hessian (LeCun et al., Optimal Brain Damage,
    1989).
    torch-pruning's own `accumulate_grad` keeps the last batch only. A frozen parameter gets no gradient.
    """
    import torch

    from breakeven.artifacts.module_modes import scored_outputs
    from breakeven.artifacts.tensors import call

    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    squares = [torch.zeros_like(parameter) for parameter in parameters]
    count = 0
    for inputs, loss_of in batches:
        gradients = torch.autograd.grad(
            loss_of(scored_outputs(model, call(model, inputs))), parameters, allow_unused=True
        )
        for square, gradient in zip(squares, gradients, strict=True):
            if gradient is not None:
                square.add_(gradient.square())
        count += 1
    for square, parameter in zip(squares, parameters, strict=True):
        parameter.grad = square / count
