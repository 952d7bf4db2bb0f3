"""Structured channel pruning by torch-pruning (Fang et al., 2023)."""

import math
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, model_validator

from breakeven.compression.base import Compression, Lessons
from breakeven.errors import NotInstalled, Unsupported

if TYPE_CHECKING:
    from torch import Tensor, nn

STEPS = 200  # on the way to a share of the work
BATCH = 64  # images to a gradient


class Prune(Compression):
    """Remove the channels that matter least, then fine-tune."""

    ratio: float | None = Field(None, gt=0, lt=1, description="share of the channels that is removed")
    macs: float | None = Field(None, gt=0, lt=1, description="or: share of the work that stays, at most")
    scope: Literal["layer", "model"] = Field(
        "layer", description="in every layer alike, or wherever in the model the least important are"
    )
    importance: Literal["magnitude", "hessian"] = Field(
        "magnitude", description="of a channel: its weights, or what the loss would gain without them"
    )
    most: float = Field(0.75, gt=0, lt=1, description="share of a layer's channels that may go (scope model)")
    images: int = Field(2560, gt=0, description="training images on which that gain is estimated (hessian)")
    round_to: int = Field(gt=0, description="channel counts are multiples of it: the hardware's tile")

    @model_validator(mode="after")
    def _one_aim(self) -> "Prune":
        if (self.ratio is None) == (self.macs is None):
            raise ValueError("either ratio or macs should be set, and the other null")
        return self

    def apply(self, model: "nn.Module", example: "Tensor", lessons: Lessons) -> list[Any]:
        """Prune all but the last layer, whose outputs are the classes.

        Raises:
            NotInstalled: torch-pruning.
            Unsupported: it cannot follow the model's graph, or the aim is out of reach.
        """
        import torch
        from torch import nn

        try:
            import torch_pruning as tp
        except ImportError:
            raise NotInstalled("not installed: pip install 'breakeven[prune]'") from None
        classes = model(example).shape[1]
        heads = [
            m
            for m in model.modules()
            if (isinstance(m, nn.Linear) and m.out_features == classes)
            or (isinstance(m, nn.Conv2d) and m.out_channels == classes)
        ]
        together = self.scope == "model"
        taught = lessons(self.images) if self.importance == "hessian" else None
        try:
            importance: Any = tp.importance.GroupMagnitudeImportance(p=2)
            if taught:
                _square_gradients(model, *taught)
                # The loss is one for all layers: what it gains is not normalized.
                importance = tp.importance.GroupHessianImportance(normalizer=None)
            if taught and self.macs:
                importance = _PerWork(importance, model, example)
            pruner = tp.pruner.MagnitudePruner(
                model,
                example,
                importance=importance,
                pruning_ratio=self.ratio or 1.0,
                max_pruning_ratio=self.most if together else 1.0,
                global_pruning=together,
                iterative_steps=STEPS if self.macs else 1,
                round_to=self.round_to,
                ignored_layers=heads[-1:],
            )
            if self.macs:
                _until(pruner, self.macs, model, example)
            else:
                pruner.step()
            with torch.no_grad():
                left = model(example).shape[1]  # a model that is no longer consistent fails here
            if left != classes:
                raise Unsupported(f"pruning takes classes away ({left} of {classes} are left)")
        except Unsupported:
            raise
        except Exception as error:  # whatever it trips over in a graph that it was never tried on
            told = str(error).strip().splitlines() or [""]
            raise Unsupported(
                f"torch-pruning cannot follow this model's graph ({type(error).__name__}: {told[0][:200]})"
            ) from None
        model.zero_grad()
        history = pruner.DG.pruning_history()
        if not history:
            raise Unsupported(
                f"nothing to prune: no layer keeps {self.round_to} channels at ratio {self.ratio}"
            )
        return [[name, out, [int(i) for i in index]] for name, out, index in history]


def _until(pruner: Any, share: float, model: "nn.Module", example: "Tensor") -> None:
    """Prune step by step, until a `share` of the model's work is left."""
    from breakeven.modelfile import flops

    most = share * flops(model, example)
    for _ in range(STEPS):
        if (work := flops(model, example)) <= most:
            return
        pruner.step()
    raise Unsupported(f"its work cannot be brought below {work:,.0f} floating-point operations by pruning")


class _PerWork:
    """The importance of a channel over the multiply-accumulates that go with it."""

    def __init__(self, importance: Any, model: "nn.Module", example: "Tensor") -> None:
        import torch
        from torch import nn

        self.importance = importance
        self.positions: dict[nn.Module, float] = {}  # at which a layer's weights are used

        def count(layer: nn.Module, inputs: Any, output: "Tensor") -> None:
            self.positions[layer] = output.numel() / (output.shape[0] * len(layer.get_parameter("weight")))

        layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
        hooks = [layer.register_forward_hook(count) for layer in layers]
        with torch.no_grad():
            model(example)
        for hook in hooks:
            hook.remove()

    def __call__(self, group: Any) -> Any:
        """Of each of the group's channels; None where torch-pruning has none."""
        found = self.importance(group)
        work = 0.0
        for dependency, _ in group:
            if (layer := dependency.target.module) in self.positions:
                side = 0 if dependency.handler.__name__ == "prune_out_channels" else 1
                work += layer.weight.numel() / layer.weight.shape[side] * self.positions[layer]
        return found if found is None else found / work


def _square_gradients(model: "nn.Module", inputs: "Tensor", labels: "Tensor") -> None:
    """Leave in each parameter's `grad` the mean square of its gradients, by which torch-pruning reckons.

    That stands for the diagonal of the loss's Hessian (LeCun et al., Optimal Brain Damage, 1989).
    torch-pruning's own `accumulate_grad` keeps the last batch only.
    """
    import torch
    from torch.nn.functional import cross_entropy

    parameters = list(model.parameters())
    squares = [torch.zeros_like(parameter) for parameter in parameters]
    for start in range(0, len(labels), BATCH):
        loss = cross_entropy(model(inputs[start : start + BATCH]), labels[start : start + BATCH])
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        for square, gradient in zip(squares, gradients, strict=True):
            if gradient is not None:
                square.add_(gradient.square())
    for square, parameter in zip(squares, parameters, strict=True):
        parameter.grad = square / math.ceil(len(labels) / BATCH)
